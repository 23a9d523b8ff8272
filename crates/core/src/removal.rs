//! Steps for what is remembered but not wanted any more: deleted in the reverse of the remembered order, or kept when it
//! holds data. For `down` nothing is wanted, so everything goes this way.
//!
//! Deletions come after every other change, so that nothing is taken from what still uses it; but what a new resource of
//! the same role takes over from (the same component and name, in another zone or in none) goes first: two of them at once
//! over the same data is what a change of zones or of shape must not bring about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::driver::{Deletion, Difference, Owner, Target};
use crate::inventory::{Entry, EntryState};
use crate::kind::Effect;
use crate::name::{ComponentName, ResourceId};
use crate::observe::remembered_target;
use crate::plan::{Action, Change, Step, Wait, Work};
use crate::resource::{DataClass, Until};
use crate::situation::Situation;

/// Appends the steps.
pub(crate) fn append(situation: Situation<'_>, steps: &mut Vec<Step>) {
    let removed = removed(situation);
    let retained = retained(situation, &removed);
    let changing: Vec<usize> = (0..steps.len()).filter(|index| !steps[*index].is_noop()).collect();
    let early = taken_over(&removed, &retained, steps);
    let mut at: BTreeMap<&ResourceId, usize> = BTreeMap::new();
    for (id, entry) in reverse_order(&removed) {
        if let Some(reason) = retained.get(id) {
            steps.push(retain(situation, id, entry, reason));
            continue;
        }
        if !situation.observed.get(id).is_present() && !awaits_copy(situation, id, entry) {
            let reason = "is gone already".to_owned();
            steps.push(Step { work: Work::Forget, ..bare(Action::Delete, id, entry, reason) });
            at.insert(id, steps.len() - 1);
            continue;
        }
        // What is still wanted may have used it until now: deletion comes after all other changes.
        let mut after: Vec<Wait> = if early.contains(id) {
            Vec::new()
        } else {
            changing.iter().map(|step| Wait { step: *step, until: Until::Ready }).collect()
        };
        let dependents = removed.iter().filter(|(_, other)| other.needs.contains(id));
        after.extend(
            dependents
                .filter_map(|(dependent, _)| at.get(dependent))
                .map(|step| Wait { step: *step, until: Until::Ready }),
        );
        if *id.component.as_str() == *ComponentName::STACK {
            after.extend(at.values().map(|step| Wait { step: *step, until: Until::Ready }));
        }
        let present = situation.observed.get(id).is_present();
        let named = || format!("cleared because --delete-data names {}", id.component);
        if let Some(unprotect) = unprotect(situation, id, entry, named).filter(|_| present) {
            steps.push(Step { after: after.clone(), ..unprotect });
            after.push(Wait { step: steps.len() - 1, until: Until::Ready });
        }
        steps.push(Step { after, ..delete(situation, id, entry) });
        at.insert(id, steps.len() - 1);
    }
    for index in &changing {
        let successor = steps[*index].id.clone();
        if steps[*index].action == Action::Create {
            let gone = at.iter().filter(|(id, _)| has_role_of(id, &successor));
            steps[*index]
                .after
                .extend(gone.map(|(_, step)| Wait { step: *step, until: Until::Ready }));
        }
    }
}

/// The same component and name: only the zone differs.
pub(crate) fn has_role_of(removed: &ResourceId, created: &ResourceId) -> bool {
    removed.component == created.component && removed.name == created.name
}

/// What a created resource takes over from, with everything that needs it.
fn taken_over(
    removed: &Removed<'_>,
    retained: &BTreeMap<ResourceId, String>,
    steps: &[Step],
) -> BTreeSet<ResourceId> {
    let created = || steps.iter().filter(|step| step.action == Action::Create);
    let mut open: Vec<ResourceId> = removed
        .keys()
        .filter(|id| !retained.contains_key(**id))
        .filter(|id| created().any(|step| has_role_of(id, &step.id)))
        .map(|id| (*id).clone())
        .collect();
    let mut early = BTreeSet::new();
    while let Some(id) = open.pop() {
        let dependents = removed.iter().filter(|(_, entry)| entry.needs.contains(&id));
        open.extend(
            dependents.map(|(id, _)| (*id).clone()).filter(|dependent| !early.contains(dependent)),
        );
        early.insert(id);
    }
    early
}

type Removed<'a> = BTreeMap<&'a ResourceId, &'a Entry>;

/// What is ours, remembered and not wanted.
fn removed(situation: Situation<'_>) -> Removed<'_> {
    let wanted: BTreeSet<&ResourceId> =
        situation.desired.resources.iter().map(|resource| &resource.id).collect();
    let entries = situation.inventory.iter().flat_map(|inventory| &inventory.entries);
    entries.filter(|(id, entry)| entry.ours && !wanted.contains(id)).collect()
}

/// What is kept, each with its reason: data that was not named, keys as long as any data stays, and whatever those need.
fn retained(situation: Situation<'_>, removed: &Removed<'_>) -> BTreeMap<ResourceId, String> {
    let named = |id: &ResourceId| situation.permits.delete_data.contains(&id.component);
    let present = |id: &ResourceId| situation.observed.get(id).is_present();
    let mut retained: BTreeMap<ResourceId, String> = BTreeMap::new();
    for (id, entry) in removed {
        if entry.data == DataClass::Data && !named(id) && present(id) {
            let hint = format!("holds data; delete it with --delete-data {}", id.component);
            retained.insert((*id).clone(), hint);
        }
    }
    let wanted_data = situation.desired.resources.iter().any(|r| r.data == DataClass::Data);
    if !retained.is_empty() || wanted_data {
        for (id, entry) in removed {
            if entry.data == DataClass::Key && !named(id) && present(id) {
                let reason = "holds keys; kept as long as the stack keeps data".to_owned();
                retained.insert((*id).clone(), reason);
            }
        }
    }
    let mut open: Vec<ResourceId> = retained.keys().cloned().collect();
    while let Some(id) = open.pop() {
        let needs = removed.get(&id).map(|entry| entry.needs.as_slice()).unwrap_or_default();
        for need in needs.iter().filter(|need| removed.contains_key(need)) {
            if !retained.contains_key(need) && present(need) {
                retained.insert(need.clone(), format!("{id} needs it"));
                open.push(need.clone());
            }
        }
    }
    // The inventory, which remembers what is kept, lives in the namespace.
    let namespace = ResourceId::namespace();
    if !retained.is_empty() && removed.contains_key(&namespace) {
        retained
            .entry(namespace)
            .or_insert_with(|| "holds the inventory of what is kept".to_owned());
    }
    retained
}

/// Dependents before what they need; otherwise in reverse order of id.
fn reverse_order<'a>(removed: &Removed<'a>) -> Vec<(&'a ResourceId, &'a Entry)> {
    let mut waiting: Vec<(&ResourceId, &Entry)> = removed.iter().map(|(id, e)| (*id, *e)).collect();
    waiting.reverse();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let free = waiting.iter().position(|(id, _)| {
            !waiting.iter().any(|(other, entry)| other != id && entry.needs.contains(id))
        });
        // A recorded cycle cannot be, but a damaged record must not hang the plan.
        ordered.push(waiting.remove(free.unwrap_or(0)));
    }
    let stack = ComponentName::stack();
    ordered.sort_by_key(|(id, _)| id.component == stack);
    ordered
}

fn bare(action: Action, id: &ResourceId, entry: &Entry, reason: String) -> Step {
    Step {
        action,
        id: id.clone(),
        kind: entry.kind.clone(),
        known_as: entry.name.clone().or_else(|| entry.remote_id.clone()),
        data: entry.data,
        changes: Vec::new(),
        reason,
        hint: None,
        work: Work::Nothing,
        after: Vec::new(),
        needs: entry.needs.clone(),
    }
}

fn retain(situation: Situation<'_>, id: &ResourceId, entry: &Entry, reason: &str) -> Step {
    let work = if entry.state == EntryState::Retained { Work::Nothing } else { Work::Retain };
    let known_as = situation.observed.get(id).remote_id;
    let step = bare(Action::Retain, id, entry, reason.to_owned());
    Step { work, known_as: step.known_as.clone().or(known_as), ..step }
}

fn acting_target(situation: Situation<'_>, id: &ResourceId, entry: &Entry) -> Target {
    let target = remembered_target(id, entry, situation.owner, situation.kinds);
    let remote_id = situation.observed.get(id).remote_id.or(target.remote_id);
    Target { remote_id, ..target }
}

/// Deletion protection is cleared only on the way to a deletion that was named, in a step that can be seen.
pub(crate) fn unprotect(
    situation: Situation<'_>,
    id: &ResourceId,
    entry: &Entry,
    reason: impl FnOnce() -> String,
) -> Option<Step> {
    let path = situation.kinds.get(&entry.kind)?.protection?;
    let difference = Difference {
        path: path.to_owned(),
        from: Some(Json::Bool(true)),
        to: Some(Json::Bool(false)),
    };
    let target = acting_target(situation, id, entry);
    Some(Step {
        changes: vec![Change {
            label: path.trim_start_matches('/').to_owned(),
            difference: difference.clone(),
            effect: Effect::InPlace,
        }],
        work: Work::Set { target, difference },
        ..bare(Action::Update, id, entry, reason())
    })
}

/// Its deletion was begun and leaves a copy, which nobody has seen yet.
fn awaits_copy(situation: Situation<'_>, id: &ResourceId, entry: &Entry) -> bool {
    entry.state == EntryState::Deleting
        && situation.permits.delete_data.contains(&id.component)
        && situation.kinds.get(&entry.kind).is_some_and(|kind| kind.final_copy)
}

fn delete(situation: Situation<'_>, id: &ResourceId, entry: &Entry) -> Step {
    let deletion = deletion(situation, id, entry);
    let reason = match (&deletion.final_copy, entry.data.is_kept()) {
        (Some(copy), _) => format!("named by --delete-data; leaves the snapshot {copy}"),
        (None, true) if entry.data == DataClass::Data => "named by --delete-data".to_owned(),
        (None, true) => "no data is left that needs it".to_owned(),
        (None, false) => "not wanted any more".to_owned(),
    };
    let target = acting_target(situation, id, entry);
    let work = Work::Delete { target, deletion };
    Step { work, ..bare(Action::Delete, id, entry, reason) }
}

/// How it is deleted: with a last copy, where its kind leaves one.
pub(crate) fn deletion(situation: Situation<'_>, id: &ResourceId, entry: &Entry) -> Deletion {
    let leaves_copy = situation.kinds.get(&entry.kind).is_some_and(|kind| kind.final_copy);
    Deletion { final_copy: leaves_copy.then(|| final_copy(situation, id, entry)) }
}

/// `<stack>-<component>-<six digits>-<generation>`: letters, digits and single dashes (domain.md, 4.7). The digits are of the
/// stack's uid and the resource's id: a component may have two stores, one of them kept from before a swap.
fn final_copy(situation: Situation<'_>, id: &ResourceId, entry: &Entry) -> String {
    let uid = situation.owner.uid.as_deref().unwrap_or_default();
    let digest = Sha256::digest(format!("{uid}\n{id}"));
    let [a, b, c, ..] = digest.0;
    let Owner { stack, .. } = situation.owner;
    format!("{stack}-{}-{a:02x}{b:02x}{c:02x}-{}", id.component, entry.generation)
}
