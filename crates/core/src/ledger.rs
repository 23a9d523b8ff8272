//! The inventory of a run: what is about to be made or deleted is written before it is begun, what was found and done is
//! written with the next occasion.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::driver::Target;
use crate::inventory::{Entry, EntryState, Inventory, InventoryError, InventoryStore, Version};
use crate::kind::KindDeclaration;
use crate::name::{Kind, ResourceId};
use crate::plan::{Step, Work};
use crate::resource::Resource;
use crate::schedule::Part;
use crate::value::Value;

/// The inventory as this run knows it, and whether that is written.
pub(crate) struct Ledger {
    inventory: Inventory,
    version: Option<Version>,
    clock: Arc<dyn Clock>,
    dirty: bool,
    /// What this run recorded something of.
    touched: BTreeSet<ResourceId>,
}

impl Ledger {
    /// The ledger of a new run: its epoch is the next. `dirty` when the inventory is not what is stored.
    pub(crate) fn new(
        mut inventory: Inventory,
        version: Option<Version>,
        clock: Arc<dyn Clock>,
        dirty: bool,
    ) -> Self {
        inventory.epoch += 1;
        Self { inventory, version, clock, dirty, touched: BTreeSet::new() }
    }

    /// Whether something is not written yet.
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// How often a resource was made, the present time included.
    pub(crate) fn generation(&self, id: &ResourceId) -> u32 {
        self.inventory.entries.get(id).map_or(1, |entry| entry.generation)
    }

    /// Records what a task is about to do; `spec` is the specification as it is known now.
    pub(crate) fn intend(
        &mut self,
        step: &Step,
        part: Part,
        spec: &Value,
        kinds: &BTreeMap<Kind, KindDeclaration>,
    ) {
        let parent = kinds.get(&step.kind).and_then(|kind| kind.parent_in(spec));
        match (&step.work, part) {
            (Work::Apply { resource, target, generation, exists }, _) => {
                let known = self.inventory.entries.get(&step.id);
                if !*exists || known.is_none_or(|entry| entry.state != EntryState::Live) {
                    self.creating(resource, target.remote_id.clone(), parent, *generation);
                }
            }
            (Work::Replace { resource, generation, .. }, Part::Rebuild) => {
                self.creating(resource, None, parent, *generation);
            }
            (Work::Replace { .. } | Work::Delete { .. }, _) => {
                self.change(&step.id, EntryState::Deleting);
            }
            _ => {}
        }
    }

    fn creating(
        &mut self,
        resource: &Resource,
        remote_id: Option<String>,
        parent: Option<String>,
        generation: u32,
    ) {
        let state = EntryState::Creating;
        let entry = self.entry(resource, remote_id, generation, state, true);
        self.inventory.entries.insert(resource.id.clone(), Entry { parent, ..entry });
        self.touch(&resource.id);
    }

    fn touch(&mut self, id: &ResourceId) {
        self.touched.insert(id.clone());
        self.dirty = true;
    }

    fn change(&mut self, id: &ResourceId, state: EntryState) {
        let since = self.clock.timestamp();
        if let Some(entry) = self.inventory.entries.get_mut(id) {
            entry.state = state;
            entry.since = since;
            self.touch(id);
        }
    }

    fn entry(
        &self,
        resource: &Resource,
        remote_id: Option<String>,
        generation: u32,
        state: EntryState,
        ours: bool,
    ) -> Entry {
        Entry {
            kind: resource.kind.clone(),
            name: resource.name.clone(),
            generation,
            remote_id,
            parent: None,
            needs: resource.all_needs().into_iter().map(|need| need.id).collect(),
            data: resource.data,
            state,
            since: self.clock.timestamp(),
            spec_hash: None,
            ours,
        }
    }

    /// Records the end of a step that needs no call.
    pub(crate) fn instant(&mut self, step: &Step) {
        match &step.work {
            Work::Retain => self.change(&step.id, EntryState::Retained),
            Work::Forget => {
                self.inventory.entries.remove(&step.id);
                self.touch(&step.id);
            }
            Work::Await(resource, target) => self.kept(resource, target),
            _ => {}
        }
    }

    /// A stranger that is used has a record, so that `down` knows to leave it; written when something else is.
    fn kept(&mut self, resource: &Resource, target: &Target) {
        if !self.inventory.entries.contains_key(&resource.id) {
            let entry = self.entry(resource, target.remote_id.clone(), 1, EntryState::Live, false);
            self.inventory.entries.insert(resource.id.clone(), entry);
        }
    }

    /// Whether this id of a resource is not recorded yet.
    pub(crate) fn is_new(&self, id: &ResourceId, remote_id: &str) -> bool {
        let entry = self.inventory.entries.get(id);
        entry.is_some_and(|entry| entry.remote_id.as_deref() != Some(remote_id))
    }

    /// Records the id under which a resource was found.
    pub(crate) fn found(&mut self, id: &ResourceId, remote_id: Option<String>) {
        if let (Some(entry), Some(_)) = (self.inventory.entries.get_mut(id), &remote_id)
            && entry.remote_id != remote_id
        {
            entry.remote_id = remote_id;
            self.touch(id);
        }
    }

    /// Records that a task is done; `spec` is what its resource was brought to.
    pub(crate) fn done(&mut self, step: &Step, part: Part, spec: &Value) {
        match (&step.work, part) {
            (Work::Delete { .. }, _) => {
                self.inventory.entries.remove(&step.id);
                self.touch(&step.id);
            }
            (Work::Replace { .. }, Part::Demolish) => {}
            (Work::Apply { .. } | Work::Replace { .. }, _) => {
                let since = self.clock.timestamp();
                if let Some(entry) = self.inventory.entries.get_mut(&step.id) {
                    entry.spec_hash = Some(hash(spec));
                    entry.needs.clone_from(&step.needs);
                    entry.data = step.data;
                    if entry.state != EntryState::Live {
                        entry.state = EntryState::Live;
                        entry.since = since;
                    }
                    self.touch(&step.id);
                }
            }
            _ => {}
        }
    }

    /// Writes what is recorded; removes the inventory when nothing of ours is left in it.
    pub(crate) async fn write(
        &self,
        store: &dyn InventoryStore,
    ) -> Result<Option<Version>, InventoryError> {
        match (self.is_empty(), &self.version) {
            (true, Some(version)) => store.remove(version).await.map(|()| None),
            (true, None) => Ok(None),
            (false, version) => store.save(&self.inventory, version.as_ref()).await.map(Some),
        }
    }

    /// Whether this is what the last write was to bring about.
    pub(crate) fn is_written_as(&self, stored: Option<&Inventory>) -> bool {
        match stored {
            Some(stored) => *stored == self.inventory,
            None => self.version.is_some() && self.is_empty(),
        }
    }

    /// Whether nothing of ours is left in it.
    fn is_empty(&self) -> bool {
        self.inventory.entries.values().all(|entry| !entry.ours)
    }

    /// Remembers what a write answered.
    pub(crate) fn written(&mut self, version: Option<Version>) {
        self.version = version;
        self.dirty = false;
    }

    /// Another run wrote the inventory meanwhile: what this one made and the other does not know is added to what the other
    /// wrote. What both know stays as the other wrote it, but for an id that only this one learned. False when there is
    /// nothing to add, or when the other's stack is another one.
    pub(crate) fn yield_to(&mut self, others: Option<(Inventory, Version)>) -> bool {
        let mine = |id: &ResourceId| self.inventory.entries.get(id).filter(|entry| entry.ours);
        let (mut merged, version) = match others {
            Some((inventory, version)) => (inventory, Some(version)),
            None => (Inventory { entries: BTreeMap::new(), ..self.inventory.clone() }, None),
        };
        if merged.uid != self.inventory.uid {
            return false;
        }
        let mut added = false;
        for id in &self.touched {
            let Some(entry) = mine(id) else { continue };
            match merged.entries.get_mut(id) {
                None => {
                    merged.entries.insert(id.clone(), entry.clone());
                    added = true;
                }
                Some(theirs)
                    if theirs.remote_id.is_none()
                        && entry.remote_id.is_some()
                        && theirs.generation == entry.generation =>
                {
                    theirs.remote_id.clone_from(&entry.remote_id);
                    added = true;
                }
                Some(_) => {}
            }
        }
        self.inventory = merged;
        self.version = version;
        self.dirty = added;
        added
    }
}

/// Sixteen hexadecimal digits of a specification.
fn hash(spec: &Value) -> String {
    let digest = Sha256::digest(spec.to_json().to_string());
    let mut text = String::with_capacity(16);
    for byte in digest.iter().take(8) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
