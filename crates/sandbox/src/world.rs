//! What is there now, and what happens to it from outside: zones that fail, strangers, changes by hand.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::digest::hex;
use crate::options::{Options, Pace};
use crate::references;
use crate::site::Site;

/// The whole model. Reached through [`crate::Sandbox::change`] and [`crate::Sandbox::world`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// What was there before.
    pub site: Site,
    /// How fast things happen.
    pub pace: Pace,
    /// What digits and generated values are derived from.
    pub(crate) seed: u64,
    /// The world's age in milliseconds. All moments below are on this scale.
    pub(crate) now: u64,
    /// Counts what was made and written, for serial numbers and versions.
    pub(crate) count: u64,
    /// How often each thing was made: a thing made anew gets a new id.
    pub(crate) generations: BTreeMap<String, u32>,
    /// What is there, in the order in which it was made.
    pub(crate) resources: Vec<Resource>,
    /// Last copies of what was deleted, by name.
    pub(crate) final_copies: BTreeMap<String, FinalCopy>,
    /// Inventories by `namespace/stack`.
    pub(crate) inventories: BTreeMap<String, InventoryText>,
    /// Leases by `namespace/stack`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) leases: BTreeMap<String, StoredLease>,
    /// What is gone, for reads that lag. Not kept between commands.
    #[serde(skip)]
    pub(crate) graves: Vec<Grave>,
}

/// Something that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its number in this world; never used again.
    pub serial: u64,
    /// Its kind.
    pub kind: String,
    /// Its id in the stack that made it; `None` for what people made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its physical name, for kinds with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The token that it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The id that the service gave it.
    pub remote_id: String,
    /// Where the digits in its outputs come from.
    pub(crate) digits: String,
    /// The region that it is in.
    pub region: String,
    /// The stack whose marks it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Mark>,
    /// Where in the specification marks are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) marks_at: Option<String>,
    /// Where it lives.
    pub(crate) place: Place,
    /// What it is. Secrets and generators stay marked: no value gets here.
    pub spec: Json,
    /// Paths in the specification that others put there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) set_by_others: BTreeSet<String>,
    /// The names of its states while it is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) creating: Vec<String>,
    /// When it was made.
    pub(crate) made: u64,
    /// When its creation ends; for pods, how long they take to start is counted from `started`.
    pub(crate) ready: u64,
    /// When its last change began and when that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<Span>,
    /// When its deletion began and when it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deletion: Option<Span>,
    /// How long its deletion takes.
    pub(crate) delete_takes: u64,
    /// Since when its pods have all they need; `None` while something is missing, and for what has no pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<u64>,
    /// How long its pods take to become ready.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) start_takes: u64,
    /// A state that it does not leave by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
    /// What it was before its last change, for reads that lag. Not kept between commands.
    #[serde(skip)]
    pub(crate) before: Option<Json>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The marks of a stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The stack's name.
    pub stack: String,
    /// The stack's unique id.
    pub uid: String,
}

/// From when to when, in the world's milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) until: u64,
}

/// Where a resource lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    Regional,
    Zonal(String),
    /// In a zone, with a copy in others that takes over after so many milliseconds.
    Replicated {
        primary: String,
        failover: u64,
    },
}

/// A last copy of something that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinalCopy {
    /// The kind of what was deleted.
    pub kind: String,
    /// The id of what was deleted.
    pub of: String,
    /// The stack that it belonged to.
    pub owner: Option<Mark>,
    /// When, in the world's milliseconds.
    pub at: u64,
}

/// A stored inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryText {
    /// Grows with each write, in this world.
    pub version: u64,
    /// The recorded form.
    pub text: String,
}

/// A stored lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredLease {
    /// Grows with each write, in this world.
    pub(crate) version: u64,
    pub(crate) holder: String,
    pub(crate) since: String,
    pub(crate) renewed: String,
}

/// Something that is gone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grave {
    pub(crate) resource: Resource,
    pub(crate) gone: u64,
}

/// Why something could not be done to the world from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotThere {
    /// No zone of that name.
    #[error("the sandbox has no zone {0}")]
    Zone(String),
    /// No such resource.
    #[error("the sandbox has no {kind} {name}")]
    Resource {
        /// The kind that was looked for.
        kind: String,
        /// The name, id or stack id that was looked for.
        name: String,
    },
}

impl World {
    /// A new world.
    pub fn new(options: &Options) -> Self {
        Self {
            site: Site::new(options),
            pace: options.pace.unwrap_or_default(),
            seed: options.seed,
            now: 0,
            count: 0,
            generations: BTreeMap::new(),
            resources: Vec::new(),
            final_copies: BTreeMap::new(),
            inventories: BTreeMap::new(),
            leases: BTreeMap::new(),
            graves: Vec::new(),
        }
    }

    /// What is there, in the order in which it was made, what is being deleted included.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Last copies of what was deleted, by name.
    pub fn final_copies(&self) -> &BTreeMap<String, FinalCopy> {
        &self.final_copies
    }

    /// Who holds a lease, by `namespace/stack`.
    pub fn lease_holders(&self) -> BTreeMap<&str, &str> {
        self.leases.iter().map(|(key, lease)| (key.as_str(), lease.holder.as_str())).collect()
    }

    /// The recorded inventories by `namespace/stack`.
    pub fn inventories(&self) -> &BTreeMap<String, InventoryText> {
        &self.inventories
    }

    /// Resources of which more than one is there for the same node of the same stack: never, when the engine is right
    /// (reliability.md B.6, I1).
    pub fn duplicates(&self) -> Vec<&Resource> {
        let key = |resource: &Resource| {
            Some((resource.owner.clone()?, resource.node.clone()?, resource.kind.clone()))
        };
        let mut seen = BTreeSet::new();
        let alive = self.resources.iter().filter(|resource| resource.deletion.is_none());
        alive.filter(|resource| key(resource).is_some_and(|key| !seen.insert(key))).collect()
    }

    /// The resource of a kind by its name, its id, or its id in the stack.
    pub fn find(&self, kind: &str, name: &str) -> Result<&Resource, NotThere> {
        let not_there = || NotThere::Resource { kind: kind.to_owned(), name: name.to_owned() };
        self.resources.iter().find(|found| found.answers_to(kind, name)).ok_or_else(not_there)
    }

    fn find_mut(&mut self, kind: &str, name: &str) -> Result<&mut Resource, NotThere> {
        let not_there = || NotThere::Resource { kind: kind.to_owned(), name: name.to_owned() };
        self.resources.iter_mut().find(|found| found.answers_to(kind, name)).ok_or_else(not_there)
    }

    pub(crate) fn by_serial(&mut self, serial: u64) -> Option<&mut Resource> {
        self.resources.iter_mut().find(|found| found.serial == serial)
    }

    /// Somebody made something by hand: it is there, works, and carries nobody's marks. Its id is the name; without a name, a
    /// made-up one. Answers the id.
    pub fn plant(&mut self, kind: &str, name: &str, spec: Json) -> String {
        self.count += 1;
        let digits = hex(self.seed, &["planted", kind, name, &self.count.to_string()], 40);
        let remote_id = match name {
            "" => format!("planted-{}", &digits[..17]),
            name => name.to_owned(),
        };
        let place = references::zone_of(&self.site, &spec).map_or(Place::Regional, Place::Zonal);
        self.resources.push(Resource {
            serial: self.count,
            kind: kind.to_owned(),
            node: None,
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            token: None,
            remote_id: remote_id.clone(),
            digits,
            region: self.site.region.clone(),
            owner: None,
            marks_at: None,
            place,
            spec,
            set_by_others: BTreeSet::new(),
            creating: Vec::new(),
            made: self.now,
            ready: self.now,
            change: None,
            deletion: None,
            delete_takes: 0,
            started: None,
            start_takes: 0,
            failure: None,
            before: None,
        });
        remote_id
    }

    /// Somebody changed something by hand: the value at a path, or its removal with `Json::Null`. Taking away the marks, or
    /// one of zonestack's, makes it nobody's.
    pub fn tamper(
        &mut self,
        kind: &str,
        name: &str,
        path: &str,
        value: Json,
    ) -> Result<(), NotThere> {
        let resource = self.find_mut(kind, name)?;
        if value.is_null() {
            references::remove(&mut resource.spec, path);
            let marks = resource.marks_at.as_deref();
            let is_mark = marks.is_some_and(|marks| {
                path == marks || path.starts_with(marks) && path.contains("zonestack")
            });
            if is_mark {
                resource.owner = None;
            }
        } else {
            if resource.spec.pointer(path).is_none() {
                resource.set_by_others.insert(path.to_owned());
            }
            references::set(&mut resource.spec, path, value);
        }
        Ok(())
    }

    /// Somebody gave a resource to another stack, or to nobody.
    pub fn mark(&mut self, kind: &str, name: &str, owner: Option<Mark>) -> Result<(), NotThere> {
        self.find_mut(kind, name)?.owner = owner;
        Ok(())
    }

    /// Somebody deleted something by hand, whatever depends on it.
    pub fn remove_by_hand(&mut self, kind: &str, name: &str) -> Result<(), NotThere> {
        let serial = self.find(kind, name)?.serial;
        self.bury(|resource| resource.serial == serial);
        Ok(())
    }

    /// A resource goes to a state that it does not leave by itself, such as `incompatible-network`; `None` mends it.
    pub fn fail(&mut self, kind: &str, name: &str, state: Option<&str>) -> Result<(), NotThere> {
        self.find_mut(kind, name)?.failure = state.map(str::to_owned);
        Ok(())
    }

    /// A resource stays in the state of being made for ever.
    pub fn stall(&mut self, kind: &str, name: &str) -> Result<(), NotThere> {
        self.find_mut(kind, name)?.ready = u64::MAX;
        Ok(())
    }

    /// A zone goes out of service: what is in it fails, its nodes are gone, nothing can be made there; what has a copy
    /// elsewhere fails over.
    pub fn lose_zone(&mut self, zone: &str) -> Result<(), NotThere> {
        let now = self.now;
        let found = self.site.zones.iter_mut().find(|found| found.name == zone);
        let found = found.ok_or_else(|| NotThere::Zone(zone.to_owned()))?;
        found.lost_since.get_or_insert(now);
        Ok(())
    }

    /// A zone comes back, with all that was in it.
    pub fn restore_zone(&mut self, zone: &str) -> Result<(), NotThere> {
        let found = self.site.zones.iter_mut().find(|found| found.name == zone);
        found.ok_or_else(|| NotThere::Zone(zone.to_owned()))?.lost_since = None;
        Ok(())
    }

    /// Somebody overwrote or, with `None`, deleted a stack's inventory by hand. The key is `namespace/stack`.
    pub fn overwrite_inventory(&mut self, key: &str, text: Option<&str>) {
        self.count += 1;
        match text {
            Some(text) => {
                let stored = InventoryText { version: self.count, text: text.to_owned() };
                self.inventories.insert(key.to_owned(), stored);
            }
            None => {
                self.inventories.remove(key);
            }
        }
    }

    /// Takes away what matches, and remembers it for reads that lag.
    pub(crate) fn bury(&mut self, matches: impl Fn(&Resource) -> bool) {
        /// No more is remembered: reads lag by minutes.
        const GRAVES: usize = 200;
        let gone = self.now;
        for resource in self.resources.extract_if(.., |resource| matches(resource)) {
            self.graves.push(Grave { resource, gone });
        }
        let excess = self.graves.len().saturating_sub(GRAVES);
        self.graves.drain(..excess);
    }
}

impl Resource {
    fn answers_to(&self, kind: &str, name: &str) -> bool {
        let texts = [Some(self.remote_id.as_str()), self.name.as_deref(), self.node.as_deref()];
        self.kind == kind && texts.contains(&Some(name))
    }

    /// For a Kubernetes object, its kind without the API version.
    pub(crate) fn kubernetes(&self) -> Option<&str> {
        kubernetes(&self.kind)
    }

    /// For a Kubernetes object in a namespace, the namespace and its name there.
    pub(crate) fn namespaced(&self) -> Option<(&str, &str)> {
        self.kubernetes()?;
        self.name.as_deref()?.split_once('/')
    }

    /// The last part of its name.
    pub(crate) fn short_name(&self) -> &str {
        let name = self.name.as_deref().unwrap_or_default();
        name.rsplit_once('/').map_or(name, |(_, short)| short)
    }

    /// What to call it in a message.
    pub(crate) fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} {name}", self.kind),
            None => format!("{} {}", self.kind, self.remote_id),
        }
    }
}

/// For a kind of Kubernetes objects, the last part: `Deployment` of `k8s.apps/v1.Deployment`.
pub(crate) fn kubernetes(kind: &str) -> Option<&str> {
    Some(kind.strip_prefix("k8s.")?.rsplit_once('.')?.1)
}
