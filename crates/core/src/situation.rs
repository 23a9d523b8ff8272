//! What planning looks at.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Desired;
use crate::driver::Owner;
use crate::inventory::{Entry, Inventory};
use crate::kind::KindDeclaration;
use crate::name::{ComponentName, Kind, ResourceId};
use crate::observe::Observed;

/// What the person allowed on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permits {
    /// Components whose data may be deleted (`--delete-data`).
    pub delete_data: BTreeSet<ComponentName>,
    /// Components whose lost data may be replaced by an empty store (`--recreate`).
    pub recreate: BTreeSet<ComponentName>,
    /// Resources that may be replaced although they hold data (`--replace`).
    pub replace: BTreeSet<ResourceId>,
    /// How many deletions of one `up` are meant (`--max-deletes`).
    pub max_deletes: Option<usize>,
}

/// What planning looks at.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What shall be; an empty graph for `down`.
    pub desired: &'a Desired,
    /// What is.
    pub observed: &'a Observed,
    /// What is remembered.
    pub inventory: Option<&'a Inventory>,
    /// What drivers declare.
    pub kinds: &'a BTreeMap<Kind, KindDeclaration>,
    /// Who we are.
    pub owner: &'a Owner,
    /// What the person allowed.
    pub permits: &'a Permits,
}

impl Situation<'_> {
    pub(crate) fn entry(&self, id: &ResourceId) -> Option<&Entry> {
        self.inventory.and_then(|inventory| inventory.entries.get(id))
    }
}
