//! What was called, in the order in which the effects took place.

use std::collections::BTreeMap;
use std::time::Duration;

use zonestack_core::inventory::EntryState;
use zonestack_core::name::{Kind, ResourceId};

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Looks at all resources of one kind that were asked for together, as a list call does.
    Observe,
    /// Makes a resource.
    Create,
    /// Changes a resource.
    Update,
    /// Deletes a resource.
    Delete,
    /// Loads a stack's inventory.
    LoadInventory,
    /// Writes a stack's inventory.
    SaveInventory,
    /// Removes a stack's inventory.
    RemoveInventory,
    /// Lists what carries a stack's marks.
    ListOwned,
    /// Looks for a final copy.
    ReadFinalCopy,
    /// Reads a stack's lease.
    ReadLease,
    /// Takes or renews a stack's lease.
    WriteLease,
    /// Gives a stack's lease back.
    RemoveLease,
    /// Reads the cluster.
    ReadCluster,
    /// Reads the network.
    ReadNetwork,
    /// Reads a key of a Secret.
    ReadSecret,
}

impl Operation {
    /// Whether it changes the world.
    pub fn changes(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Update
                | Self::Delete
                | Self::SaveInventory
                | Self::RemoveInventory
                | Self::WriteLease
                | Self::RemoveLease
        )
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counts the calls of its process, from 1.
    pub number: u64,
    /// The process that made it: [`crate::Sandbox::process`].
    pub process: String,
    /// What it does.
    pub operation: Operation,
    /// The stack that it is for; empty where none is named.
    pub stack: String,
    /// The kind that it is about, when it is about one.
    pub kind: Option<Kind>,
    /// The resource that it is about, when it is about a single one.
    pub id: Option<ResourceId>,
    /// When it was made, by the clock.
    pub at: Duration,
}

/// A call with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The call.
    pub call: Call,
    /// Whether it took place: false when it failed before its effect, by a fault or by the service's refusal.
    pub effect: bool,
    /// What the caller was told: nothing yet, success, or the failure's words.
    pub answer: Option<Result<(), String>>,
    /// For a written inventory, the states of its entries.
    pub entries: Option<BTreeMap<ResourceId, EntryState>>,
}

/// All calls on a sandbox since it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallLog {
    /// In the order in which they took place.
    pub calls: Vec<Logged>,
}

impl CallLog {
    /// Calls that made or deleted something without the inventory saying so before, as the same process wrote it last: never,
    /// when the engine is right (reliability.md B.6, I7). Another process may have written since: a call can be late.
    pub fn unannounced(&self) -> Vec<&Call> {
        let mut recorded: BTreeMap<(&str, &str), &BTreeMap<ResourceId, EntryState>> =
            BTreeMap::new();
        let mut found = Vec::new();
        for logged in &self.calls {
            let call = &logged.call;
            if let Some(entries) = logged.entries.as_ref().filter(|_| logged.effect) {
                recorded.insert((&call.process, &call.stack), entries);
            }
            let wanted = match call.operation {
                Operation::Create => EntryState::Creating,
                Operation::Delete => EntryState::Deleting,
                _ => continue,
            };
            let entries = recorded.get(&(call.process.as_str(), call.stack.as_str()));
            let entry = call.id.as_ref().and_then(|id| entries?.get(id));
            if entry.is_none_or(|state| *state != wanted) {
                found.push(call);
            }
        }
        found
    }

    /// How many calls there were of each sort.
    pub fn counts(&self) -> BTreeMap<Operation, usize> {
        let mut counts = BTreeMap::new();
        for logged in &self.calls {
            *counts.entry(logged.call.operation).or_default() += 1;
        }
        counts
    }
}
