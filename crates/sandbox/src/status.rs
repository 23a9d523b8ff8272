//! Where a resource stands at a moment.

use zonestack_core::driver::Status;

use crate::pods;
use crate::world::{Place, Resource, World};

/// Where a resource stands, as seen at a moment that may lie a little in the past.
pub(crate) fn status(world: &World, resource: &Resource, at: u64) -> Status {
    if resource.deletion.is_some_and(|deletion| deletion.from <= at) {
        return Status::Deleting;
    }
    if let Some(state) = &resource.failure {
        return Status::Failed(state.clone());
    }
    if let Some(kind) = resource.kubernetes() {
        return pods::status(world, resource, kind, at);
    }
    match &resource.place {
        Place::Zonal(zone) if world.site.lost_since(zone).is_some() => {
            return Status::Failed(format!("zone {zone} is out of service"));
        }
        Place::Replicated { primary, .. } if world.site.lost_since(primary).is_some() => {
            return if world.site.zones.iter().all(|zone| zone.lost_since.is_some()) {
                Status::Failed("every zone is out of service".to_owned())
            } else {
                Status::Pending("failing-over".to_owned())
            };
        }
        _ => {}
    }
    if let Some(state) = being_made(resource, at) {
        return Status::Pending(state);
    }
    match resource.change {
        Some(change) if change.from <= at && at < change.until => {
            Status::Busy("modifying".to_owned())
        }
        _ => Status::Ready,
    }
}

/// The name of the state that a resource is in while it is made: time is shared equally among them.
pub(crate) fn being_made(resource: &Resource, at: u64) -> Option<String> {
    if at >= resource.ready {
        return None;
    }
    let states = resource.creating.len();
    let (passed, all) = (at.saturating_sub(resource.made), resource.ready - resource.made);
    let share = u128::from(passed) * states as u128 / u128::from(all.max(1));
    let index = usize::try_from(share).unwrap_or_default();
    let state = resource.creating.get(index.min(states.saturating_sub(1)));
    Some(state.map_or("creating", String::as_str).to_owned())
}
