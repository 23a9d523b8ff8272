//! What the passing of time does: deletions end, pods start, copies take over.

use serde_json::Value as Json;

use crate::pods;
use crate::world::{Place, Resource, Span, World};

/// Brings the world to a moment. Answers whether anything changed that has to be kept.
pub(crate) fn settle(world: &mut World, now: u64) -> bool {
    world.now = world.now.max(now);
    let mut changed = fail_over(world);
    while end_deletions(world) {
        changed = true;
    }
    changed | start_pods(world)
}

/// When the passing of time alone will change something next, after the world has been brought to its moment.
pub(crate) fn next_change(world: &World) -> u64 {
    if world.site.zones.iter().any(|zone| zone.lost_since.is_some()) {
        return world.now;
    }
    // A deletion that is over and still there waits for others, not for time.
    let ends = world.resources.iter().filter_map(|found| Some(found.deletion?.until));
    ends.filter(|until| *until > world.now).min().unwrap_or(u64::MAX)
}

fn end_deletions(world: &mut World) -> bool {
    let now = world.now;
    let ended = |resource: &&Resource| {
        resource.deletion.is_some_and(|deletion| deletion.until <= now) && !is_held(world, resource)
    };
    let gone: Vec<u64> =
        world.resources.iter().filter(ended).map(|resource| resource.serial).collect();
    let namespaces: Vec<String> = world
        .resources
        .iter()
        .filter(|resource| gone.contains(&resource.serial))
        .filter(|resource| resource.kubernetes() == Some("Namespace"))
        .filter_map(|resource| resource.name.clone())
        .collect();
    for namespace in namespaces {
        let inside = format!("{namespace}/");
        world.inventories.retain(|key, _| !key.starts_with(&inside));
        world.leases.retain(|key, _| !key.starts_with(&inside));
    }
    world.bury(|resource| gone.contains(&resource.serial));
    !gone.is_empty()
}

/// Whether a Kubernetes object that is being deleted has to wait for others: a namespace for its content, a volume for its
/// claim, a claim for the pods that mount it (the finalizers `kubernetes`, `pv-protection` and `pvc-protection`).
fn is_held(world: &World, resource: &Resource) -> bool {
    let others = || world.resources.iter().filter(|other| other.serial != resource.serial);
    match resource.kubernetes() {
        Some("Namespace") => {
            let name = resource.name.as_deref();
            others().any(|other| other.namespaced().map(|(namespace, _)| namespace) == name)
        }
        Some("PersistentVolume") => others().any(|other| {
            other.kubernetes() == Some("PersistentVolumeClaim")
                && other.spec.pointer("/spec/volumeName").and_then(Json::as_str)
                    == resource.name.as_deref()
        }),
        Some("PersistentVolumeClaim") => resource.namespaced().is_some_and(|(namespace, name)| {
            others().any(|other| pods::mounts(other, namespace, name))
        }),
        _ => false,
    }
}

/// Marks what is in a namespace that is being deleted.
pub(crate) fn delete_content(world: &mut World, namespace: &str) {
    let now = world.now;
    for resource in &mut world.resources {
        if resource.namespaced().is_some_and(|(found, _)| found == namespace) {
            let until = now.saturating_add(resource.delete_takes);
            resource.deletion.get_or_insert(Span { from: now, until });
        }
    }
}

/// Notes since when the pods of each workload have all they need.
fn start_pods(world: &mut World) -> bool {
    let mut changes = Vec::new();
    for resource in world.resources.iter().filter(|resource| pods::runs_pods(resource)) {
        let can_run = pods::missing(world, resource).is_none();
        if can_run != resource.started.is_some() {
            changes.push((resource.serial, can_run.then_some(world.now)));
        }
    }
    for (serial, started) in &changes {
        if let Some(resource) = world.by_serial(*serial) {
            resource.started = *started;
        }
    }
    !changes.is_empty()
}

/// What has copies moves to a zone that is in service, when its time has come.
fn fail_over(world: &mut World) -> bool {
    let site = &world.site;
    let Some(target) = site.zones.iter().find(|zone| zone.lost_since.is_none()) else {
        return false;
    };
    let mut changed = false;
    for resource in &mut world.resources {
        if let Place::Replicated { primary, failover } = &mut resource.place
            && site
                .lost_since(primary)
                .is_some_and(|lost| lost.saturating_add(*failover) <= world.now)
        {
            primary.clone_from(&target.name);
            changed = true;
        }
    }
    changed
}
