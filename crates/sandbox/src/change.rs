//! How a service changes and deletes something.

use serde_json::Value as Json;
use zonestack_core::driver::{Deletion, Difference, DriverError, ErrorClass, Target};
use zonestack_core::kind::{Direction, Effect, FieldRule, Tagging};

use crate::gate::Turn;
use crate::options::millis;
use crate::service::{Service, is_below, refuse, title};
use crate::world::{FinalCopy, Place, Resource, Span, World};
use crate::{create, references, settle};

impl Service<'_> {
    pub(crate) fn update(
        &self,
        turn: &mut Turn<'_>,
        target: &Target,
        spec: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let title = title(target);
        let serial = self
            .find_now(turn.world, target, Some(spec))
            .ok_or_else(|| refuse(ErrorClass::NotFound, format!("{title} is not there")))?;
        let is_mark = |path: &str| self.kind.marks_at.is_some_and(|marks| is_below(path, marks));
        let only_marks = differences.iter().all(|difference| is_mark(&difference.path));
        let mark = self.mark();
        let takes = millis(turn.world.pace.scale(self.kind.model.update));
        let failover = create::failover(turn.world);
        let now = turn.world.now;
        let site = turn.world.site.clone();
        let Some(found) = turn.world.by_serial(serial) else { return Ok(()) };
        if found.deletion.is_some() {
            return Err(refuse(ErrorClass::Busy, format!("{title} is being deleted")));
        }
        if !self.is_kubernetes() && !only_marks {
            if let Place::Zonal(zone) = &found.place
                && site.lost_since(zone).is_some()
            {
                let message = format!("{title}: zone {zone} is out of service");
                return Err(refuse(ErrorClass::ZoneUnavailable, message));
            }
            let changing = found.change.is_some_and(|change| now < change.until);
            if changing || now < found.ready {
                return Err(refuse(ErrorClass::Busy, format!("{title} is not available")));
            }
        }
        if let Some(path) = differences.iter().find(|d| !can_change(&self.kind.rule(&d.path), d)) {
            let message = format!("{} of {title} cannot be changed", path.path);
            return Err(refuse(ErrorClass::Invalid, message));
        }
        // Where marks take a call of their own, that is the one call of this update.
        let untagged = self.kind.tagging == Tagging::After && found.owner.is_none();
        found.before = Some(found.spec.clone());
        let until = found.change.map_or(now, |change| change.until.max(now));
        found.change = Some(Span { from: now, until });
        for gone in differences.iter().filter(|difference| difference.to.is_none()) {
            references::remove(&mut found.spec, &gone.path);
        }
        if untagged {
            if let Some(path) = self.kind.marks_at
                && let Some(marks) = spec.pointer(path)
            {
                references::set(&mut found.spec, path, marks.clone());
            }
            found.owner = mark;
            return Ok(());
        }
        references::merge(spec, &mut found.spec);
        if differences.iter().any(|difference| is_mark(&difference.path)) && mark.is_some() {
            found.owner = mark;
            found.node = Some(target.id.to_string());
        }
        if !only_marks {
            found.change = Some(Span { from: now, until: now.saturating_add(takes) });
        }
        let zone = found.zone().map(str::to_owned);
        if let Some(zone) = zone
            && let Some(multi) = found.spec.get("multi_az").and_then(Json::as_bool)
        {
            found.place = create::in_zone(zone, multi, failover);
        }
        let rolls =
            |path: &str| is_below(path, "/spec/template") || is_below(path, "/spec/replicas");
        if differences.iter().any(|difference| rolls(&difference.path)) {
            found.started = None;
            found.start_takes = takes;
        }
        Ok(())
    }

    pub(crate) fn delete(
        &self,
        turn: &mut Turn<'_>,
        target: &Target,
        deletion: &Deletion,
    ) -> Result<(), DriverError> {
        let title = title(target);
        let Some(serial) = self.find_now(turn.world, target, None) else { return Ok(()) };
        let world = &mut *turn.world;
        let Some(found) = world.resources.iter().find(|found| found.serial == serial) else {
            return Ok(());
        };
        if found.deletion.is_some() {
            return Ok(());
        }
        let is_protected = |path| found.spec.pointer(path).and_then(Json::as_bool) == Some(true);
        if let Some(path) = self.kind.protection.filter(|path| is_protected(path)) {
            let message = format!("{title} is protected against deletion: {path} is true");
            return Err(refuse(ErrorClass::Invalid, message));
        }
        if let Some(user) = world.resources.iter().find(|user| references::uses(user, found)) {
            let message = format!("{title} is in use by {}", user.title());
            return Err(refuse(ErrorClass::Dependency, message));
        }
        if let Some(copy) = deletion.final_copy.as_ref().filter(|_| self.kind.final_copy) {
            if world.final_copies.contains_key(copy) {
                let message = format!("a final copy named {copy} already exists");
                return Err(refuse(ErrorClass::AlreadyExists, message));
            }
            let made = FinalCopy {
                kind: found.kind.clone(),
                of: found.remote_id.clone(),
                owner: found.owner.clone(),
                at: world.now,
            };
            world.final_copies.insert(copy.clone(), made);
        }
        let now = world.now;
        let namespace = found.name.clone().filter(|_| found.kubernetes() == Some("Namespace"));
        if let Some(namespace) = &namespace {
            self.refuse_full(world, namespace)?;
        }
        if let Some(found) = world.by_serial(serial) {
            let until = now.saturating_add(found.delete_takes);
            found.deletion = Some(Span { from: now, until });
        }
        if let Some(namespace) = namespace {
            settle::delete_content(world, &namespace);
        }
        Ok(())
    }
}

impl Service<'_> {
    /// A namespace takes everything in it along: the driver of Kubernetes does not delete one that holds what others made.
    fn refuse_full(&self, world: &World, namespace: &str) -> Result<(), DriverError> {
        let ours = |found: &Resource| {
            found.owner.as_ref().is_some_and(|owner| owner.stack == self.owner.stack)
        };
        let strange = world.resources.iter().find(|found| {
            found.namespaced().is_some_and(|(inside, _)| inside == namespace) && !ours(found)
        });
        match strange {
            Some(strange) => {
                let message = format!(
                    "namespace {namespace} still holds what zonestack did not make: {}",
                    strange.title()
                );
                Err(refuse(ErrorClass::Dependency, message))
            }
            None => Ok(()),
        }
    }
}

/// Whether the service makes this change to something that is there.
fn can_change(rule: &FieldRule, difference: &Difference) -> bool {
    if rule.effect == Effect::Replace {
        return false;
    }
    match (rule.direction, &difference.from, &difference.to) {
        (Direction::Up, Some(from), Some(to)) => match (version(from), version(to)) {
            (Some(from), Some(to)) => from <= to,
            _ => true,
        },
        _ => true,
    }
}

/// A number, or a version of numbers and dots, for comparison.
fn version(json: &Json) -> Option<Vec<u64>> {
    match json {
        Json::Number(number) => Some(vec![number.as_u64()?]),
        Json::String(text) => text.split('.').map(|part| part.parse().ok()).collect(),
        _ => None,
    }
}
