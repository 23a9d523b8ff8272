//! Renamed components keep what they made: the records move to the new name, the physical names stay. Pure.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::inventory::{EntryState, Inventory};
use crate::name::{ComponentName, ResourceId};
use crate::stack::{Stack, StackComponent};

/// Components with the names that their physical names are made of; those that were never renamed are not in it.
pub type Called = BTreeMap<ComponentName, ComponentName>;

/// Carries out every `renamed_from:` that is not carried out yet. Whether something moved.
pub(crate) fn carry_out(stack: &Stack, inventory: &mut Inventory) -> Result<bool, Vec<Diagnostic>> {
    let mut moved = false;
    let mut faults = Vec::new();
    for component in &stack.components {
        let Some(old) = &component.renamed_from else { continue };
        let has = |name: &ComponentName| inventory.entries.keys().any(|id| id.component == *name);
        // Carried out before, or nothing was ever made under the old name.
        if !has(old) || has(&component.name) {
            continue;
        }
        if let Some((message, hint)) = refused(stack, inventory, old) {
            faults.push(fault(component, message, hint));
        } else {
            relabel(inventory, old, &component.name);
            moved = true;
        }
    }
    faults.extend(stack.components.iter().filter_map(|component| taken(component, inventory)));
    if faults.is_empty() { Ok(moved) } else { Err(faults) }
}

/// The physical names of a component that was renamed are still in use.
fn taken(component: &StackComponent, inventory: &Inventory) -> Option<Diagnostic> {
    let mut others = inventory.called.iter();
    let (other, called) = others.find(|(_, called)| **called == component.name)?;
    let message = format!(
        "what {other} has made is still named after {called}, as {other} was called before"
    );
    Some(fault(component, message, "choose another name for this component"))
}

fn refused(
    stack: &Stack,
    inventory: &Inventory,
    old: &ComponentName,
) -> Option<(String, &'static str)> {
    if stack.component(old).is_some() {
        let message = format!("renamed_from names {old}, which is a component of the stack");
        return Some((message, "give the old name up, or take renamed_from out"));
    }
    // A token is made of the name: what was asked for and not seen yet is found under the old one only.
    let unseen = inventory.entries.iter().find(|(id, entry)| {
        id.component == *old && entry.state == EntryState::Creating && entry.remote_id.is_none()
    });
    let (id, _) = unseen?;
    let message = format!("{id} is not finished, and {old} can be renamed only when all of it is");
    Some((message, "go back to the old name, run `zonestack up`, then rename"))
}

fn fault(component: &StackComponent, message: String, hint: &str) -> Diagnostic {
    Diagnostic {
        component: Some(component.name.clone()),
        ..Diagnostic::error("renamed-from", component.places.name, message).hint(hint)
    }
}

fn relabel(inventory: &mut Inventory, old: &ComponentName, new: &ComponentName) {
    let renamed = |id: ResourceId| {
        if id.component == *old { ResourceId { component: new.clone(), ..id } } else { id }
    };
    let entries = std::mem::take(&mut inventory.entries);
    inventory.entries = entries
        .into_iter()
        .map(|(id, mut entry)| {
            entry.needs = entry.needs.into_iter().map(renamed).collect();
            (renamed(id), entry)
        })
        .collect();
    let called = inventory.called.remove(old).unwrap_or_else(|| old.clone());
    // Back to the first name, nothing needs to be remembered.
    if called != *new {
        inventory.called.insert(new.clone(), called);
    }
}
