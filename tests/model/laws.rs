//! What holds after every run, whatever went wrong (reliability.md B.6: the invariants).

use std::collections::{BTreeMap, BTreeSet};

use zonestack_core::inventory::Inventory;
use zonestack_core::resource::DataClass;
use zonestack_sandbox::world::Resource;
use zonestack_sandbox::{Operation, World};

use super::run::Task;
use super::stack_files::KINDS;
use super::stage::Stage;

/// Fails with the first law that is broken: `start` is the world before the first of the runs of `task`.
pub(crate) fn check(stage: &Stage, start: &World, task: Task) -> Result<(), String> {
    let world = stage.sandbox.world().map_err(|error| error.to_string())?;
    let log = stage.sandbox.log();
    no_twins(&world)?;
    nothing_foreign_changed(start, &world)?;
    let unannounced = log.unannounced();
    if !unannounced.is_empty() {
        return Err(format!("I7: without an intent: {:?}", &unannounced[..1]));
    }
    if task.may_delete_data() {
        return Ok(());
    }
    // A claim holds none of its own here: it is bound to a volume of the file system.
    let of_data = |kind: &str| {
        let mut services = KINDS.iter().filter(|found| found.kind.kubernetes().is_none());
        services.any(|found| found.kind.as_str() == kind && found.data == DataClass::Data)
    };
    let deleted = log.calls.iter().find(|logged| {
        let call = &logged.call;
        let kind = call.kind.as_ref().map(zonestack_core::name::Kind::as_str);
        call.operation == Operation::Delete && logged.effect && kind.is_some_and(of_data)
    });
    match deleted {
        Some(deleted) => Err(format!("I5: data was deleted: {:?}", deleted.call)),
        None => what_was_kept_is_there(start, &world),
    }
}

/// I1: no second resource for a node, whatever uid it carries.
fn no_twins(world: &World) -> Result<(), String> {
    let mut seen: BTreeMap<(&str, &str), &Resource> = BTreeMap::new();
    for resource in world.resources() {
        let Some(node) = resource.node.as_deref() else { continue };
        if let Some(twin) = seen.insert((&resource.kind, node), resource) {
            let ids = [&twin.remote_id, &resource.remote_id];
            return Err(format!("I1: two of {} for {node}: {ids:?}", resource.kind));
        }
    }
    Ok(())
}

/// I4 and design.md, invariant 8.
fn nothing_foreign_changed(start: &World, world: &World) -> Result<(), String> {
    if start.site != world.site {
        return Err("I4: the network or the cluster changed".to_owned());
    }
    let is_foreign = |found: &&Resource| found.node.is_none() && found.owner.is_none();
    for stranger in start.resources().iter().filter(is_foreign) {
        let now = world.resources().iter().find(|found| found.serial == stranger.serial);
        if now.is_none_or(|now| now != stranger) {
            return Err(format!("I4: {} {} became {now:?}", stranger.kind, stranger.remote_id));
        }
    }
    Ok(())
}

/// I5: what holds data or keys is the same as before.
fn what_was_kept_is_there(start: &World, world: &World) -> Result<(), String> {
    let serials = |world: &World, id: &str| -> BTreeSet<u64> {
        let of_id = |found: &&Resource| found.node.as_deref() == Some(id);
        world.resources().iter().filter(of_id).map(|found| found.serial).collect()
    };
    for stored in start.inventories().values() {
        let inventory = Inventory::from_text(&stored.text).map_err(|error| error.to_string())?;
        for (id, _) in inventory.entries.iter().filter(|(_, entry)| entry.data.is_kept()) {
            let id = id.to_string();
            let (before, now) = (serials(start, &id), serials(world, &id));
            if before != now {
                return Err(format!("I5: {id} was {before:?} and is {now:?}"));
            }
        }
    }
    Ok(())
}

/// I3: nothing of any stack is there.
pub(crate) fn nothing_left(stage: &Stage) -> Result<(), String> {
    let world = stage.sandbox.world().map_err(|error| error.to_string())?;
    let ours =
        world.resources().iter().filter(|found| found.node.is_some() || found.owner.is_some());
    let left: Vec<String> =
        ours.map(|resource| format!("{} {:?}", resource.kind, resource.name)).collect();
    if !left.is_empty() {
        return Err(format!("I3: left behind: {left:?}"));
    }
    if !world.inventories().is_empty() {
        return Err("I3: the inventory is left behind".to_owned());
    }
    Ok(())
}

/// Nothing of any stack is there, and the database that was there left one last copy.
pub(crate) fn only_a_copy_left(stage: &Stage) -> Result<(), String> {
    nothing_left(stage)?;
    let world = stage.sandbox.world().map_err(|error| error.to_string())?;
    let copies: Vec<&String> = world.final_copies().keys().collect();
    if copies.len() != 1 {
        return Err(format!("I5: last copies of the one database: {copies:?}"));
    }
    Ok(())
}
