//! The inventory: an index of what a stack made, and a log of what it is about to make. Never the truth; ids, kinds, edges
//! and states only (design.md section 3, reliability.md B.4.1).

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::name::{ComponentName, InvalidName, Kind, ResourceId};
use crate::resource::DataClass;

/// The version of the recorded format. A newer one is refused.
pub const SCHEMA: u32 = 1;

/// What a stack remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The stack's name.
    pub stack: String,
    /// The stack's unique id: random, made once, in every tag and token.
    pub uid: String,
    /// The AWS account that it was made in.
    pub account: String,
    /// The AWS region that it was made in.
    pub region: String,
    /// The cluster that it was made for.
    pub cluster: String,
    /// Counts the runs that wrote; the writer with the highest is the current one.
    pub epoch: u64,
    /// Components that were renamed, with the names that their physical names are made of.
    pub called: BTreeMap<ComponentName, ComponentName>,
    /// What it made, or is about to.
    pub entries: BTreeMap<ResourceId, Entry>,
}

/// One resource in the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its kind.
    pub kind: Kind,
    /// Its physical name, for kinds with one.
    pub name: Option<String>,
    /// Counts its creations; part of the token, because tokens may outlive what they made.
    pub generation: u32,
    /// The service's id, once known.
    pub remote_id: Option<String>,
    /// The id of what it is part of, for kinds with [`crate::kind::Identity::Parent`].
    pub parent: Option<String>,
    /// What it comes after: deletion goes the other way.
    pub needs: Vec<ResourceId>,
    /// What is lost with it.
    pub data: DataClass,
    /// Where it stands.
    pub state: EntryState,
    /// When it got there, RFC 3339.
    pub since: String,
    /// Hash of the specification that was last carried out, 16 hexadecimal digits.
    pub spec_hash: Option<String>,
    /// False for what was there before and is only used: never changed, never deleted.
    pub ours: bool,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// About to be created, or created without its readiness seen.
    Creating,
    /// Created and seen ready.
    Live,
    /// About to be deleted.
    Deleting,
    /// Not wanted any more, but kept because it holds data (or what data needs).
    Retained,
}

/// Why a recorded inventory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadInventoryError {
    /// It was written by a newer zonestack.
    #[error(
        "the inventory has format {found}, this zonestack reads up to {SCHEMA}: update zonestack"
    )]
    Newer {
        /// The recorded format.
        found: u32,
    },
    /// It is not what zonestack writes.
    #[error("the inventory is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// A recorded name is no name.
    #[error("the inventory is damaged")]
    Name(#[from] InvalidName),
}

/// The recorded form.
#[derive(Serialize, Deserialize)]
struct Record {
    schema: u32,
    stack: String,
    uid: String,
    account: String,
    region: String,
    cluster: String,
    epoch: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    called: BTreeMap<String, String>,
    entries: BTreeMap<String, EntryRecord>,
}

#[derive(Serialize, Deserialize)]
struct EntryRecord {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    generation: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    needs: Vec<String>,
    data: DataClassRecord,
    state: EntryState,
    since: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spec_hash: Option<String>,
    ours: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DataClassRecord {
    Stateless,
    Cache,
    Data,
    Key,
}

impl Inventory {
    /// The recorded form, one line of JSON.
    pub fn to_text(&self) -> String {
        let entries = self.entries.iter().map(|(id, entry)| (id.to_string(), entry.record()));
        let record = Record {
            schema: SCHEMA,
            stack: self.stack.clone(),
            uid: self.uid.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            cluster: self.cluster.clone(),
            epoch: self.epoch,
            called: self
                .called
                .iter()
                .map(|(name, called)| (name.to_string(), called.to_string()))
                .collect(),
            entries: entries.collect(),
        };
        // The direct way never fails for such a record; if it did, an inventory must not be lost for it.
        serde_json::to_string(&record).unwrap_or_else(|_| serde_json::json!(record).to_string())
    }

    /// Reads the recorded form.
    pub fn from_text(text: &str) -> Result<Self, ReadInventoryError> {
        #[derive(Deserialize)]
        struct Format {
            schema: u32,
        }
        let Format { schema } = serde_json::from_str(text)?;
        if schema > SCHEMA {
            return Err(ReadInventoryError::Newer { found: schema });
        }
        let record: Record = serde_json::from_str(text)?;
        let entries = record
            .entries
            .into_iter()
            .map(|(id, entry)| Ok((id.parse()?, entry.read()?)))
            .collect::<Result<_, InvalidName>>()?;
        let called = record
            .called
            .into_iter()
            .map(|(name, called)| Ok((name.parse()?, called.parse()?)))
            .collect::<Result<_, InvalidName>>()?;
        Ok(Self {
            stack: record.stack,
            uid: record.uid,
            account: record.account,
            region: record.region,
            cluster: record.cluster,
            epoch: record.epoch,
            called,
            entries,
        })
    }
}

impl Entry {
    fn record(&self) -> EntryRecord {
        EntryRecord {
            kind: self.kind.to_string(),
            name: self.name.clone(),
            generation: self.generation,
            remote_id: self.remote_id.clone(),
            parent: self.parent.clone(),
            needs: self.needs.iter().map(ToString::to_string).collect(),
            data: match self.data {
                DataClass::Stateless => DataClassRecord::Stateless,
                DataClass::Cache => DataClassRecord::Cache,
                DataClass::Data => DataClassRecord::Data,
                DataClass::Key => DataClassRecord::Key,
            },
            state: self.state,
            since: self.since.clone(),
            spec_hash: self.spec_hash.clone(),
            ours: self.ours,
        }
    }
}

impl EntryRecord {
    fn read(self) -> Result<Entry, InvalidName> {
        Ok(Entry {
            kind: Kind::new(&self.kind),
            name: self.name,
            generation: self.generation,
            remote_id: self.remote_id,
            parent: self.parent,
            needs: self.needs.iter().map(|id| id.parse()).collect::<Result<_, _>>()?,
            data: match self.data {
                DataClassRecord::Stateless => DataClass::Stateless,
                DataClassRecord::Cache => DataClass::Cache,
                DataClassRecord::Data => DataClass::Data,
                DataClassRecord::Key => DataClass::Key,
            },
            state: self.state,
            since: self.since,
            spec_hash: self.spec_hash,
            ours: self.ours,
        })
    }
}

/// Why the inventory could not be loaded or written.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// Somebody else wrote it since it was loaded.
    #[error("another run changed the inventory")]
    Conflict,
    /// It cannot be reached just now.
    #[error("the inventory cannot be reached: {0}")]
    Unreachable(String),
    /// Not allowed.
    #[error("the inventory may not be read or written: {0}")]
    Denied(String),
    /// It is there but cannot be read.
    #[error(transparent)]
    Read(#[from] ReadInventoryError),
}

/// The version of a loaded inventory, as its store counts them. A save names the version that it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// Contract: where the inventory is kept.
///
/// # Guarantees
/// `save` and `remove` succeed only when nobody wrote since the version that they name (compare-and-swap). A save that
/// returned is durable.
///
/// # Assumptions
/// Writers save before they act: what is not recorded is not created.
///
/// # Errors
/// [`InventoryError::Conflict`] when somebody else wrote; then nothing was changed.
pub trait InventoryStore: Send + Sync {
    /// The inventory of the stack with its version; `None` when the stack has none.
    fn load(&self) -> BoxFuture<'_, Result<Option<(Inventory, Version)>, InventoryError>>;

    /// Replaces the inventory, or makes the first one when `replaces` is `None`. Makes the stack's namespace, marked as ours,
    /// when it is missing: the inventory lives in it.
    fn save<'a>(
        &'a self,
        inventory: &'a Inventory,
        replaces: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Version, InventoryError>>;

    /// The uid under which a run made the stack's namespace and was ended before it made the inventory; asked only when there
    /// is no inventory. The stack gets this uid, so that what carries it stays its own.
    fn claimed_uid(&self) -> BoxFuture<'_, Result<Option<String>, InventoryError>>;

    /// Removes the inventory when the stack is gone.
    fn remove<'a>(&'a self, version: &'a Version) -> BoxFuture<'a, Result<(), InventoryError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_reads_what_it_writes_and_refuses_a_newer_one() {
        let entry = Entry {
            kind: Kind::new("aws.efs.file-system"),
            name: None,
            generation: 1,
            remote_id: Some("fs-1".to_owned()),
            parent: None,
            needs: vec!["data/security-group".parse().unwrap()],
            data: DataClass::Data,
            state: EntryState::Live,
            since: "2026-11-23T07:00:00Z".to_owned(),
            spec_hash: None,
            ours: true,
        };
        let inventory = Inventory {
            stack: "git".to_owned(),
            uid: "0123456789abcdef".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            cluster: "k8s.myzone.net".to_owned(),
            epoch: 3,
            called: [("data".parse().unwrap(), "files".parse().unwrap())].into(),
            entries: [("data/file-system".parse().unwrap(), entry)].into(),
        };
        let text = inventory.to_text();
        assert_eq!(Inventory::from_text(&text).unwrap(), inventory);
        let newer = text.replace("\"schema\":1", "\"schema\":2");
        assert!(matches!(
            Inventory::from_text(&newer),
            Err(ReadInventoryError::Newer { found: 2 })
        ));
        assert!(matches!(Inventory::from_text("{"), Err(ReadInventoryError::Damaged(_))));
    }
}
