//! A node of the desired graph.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::name::{Kind, ResourceId, Zone};
use crate::value::Value;

/// What is lost when a resource is deleted. Decides what `down` keeps (design.md, invariant 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataClass {
    /// Nothing: it can be made again.
    Stateless,
    /// Speed, sessions, queued jobs.
    Cache,
    /// The users' data.
    Data,
    /// A key without which data is unreadable. Kept as long as the stack keeps any data.
    Key,
}

impl DataClass {
    /// The name as printed and recorded.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stateless => "stateless",
            Self::Cache => "cache",
            Self::Data => "data",
            Self::Key => "key",
        }
    }

    /// Whether its loss is a loss of data, so that it is kept unless named.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Data | Self::Key)
    }
}

/// Where a resource lives, which decides what it survives. The zone-loss proof is computed from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// In one zone; gone with it.
    Zonal(Zone),
    /// In no zone in particular; survives the loss of any.
    Regional,
    /// A copy in each zone, one of which takes over.
    Replicated {
        /// The zones with a copy.
        zones: Vec<Zone>,
        /// How long the takeover takes. In JSON milliseconds.
        #[serde(rename = "failover_ms", with = "milliseconds")]
        failover: Duration,
    },
}

/// A duration in JSON: a whole number of milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// Until when a resource waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// It is there and has its identity.
    Exists,
    /// It works.
    Ready,
}

/// An edge of the graph: this resource comes after that one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Need {
    /// The resource that comes first.
    pub id: ResourceId,
    /// What is awaited.
    pub until: Until,
}

/// What to do when something with this name is there that zonestack did not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foreign {
    /// Stop and name it.
    Refuse,
    /// Use it as it is; never change it, never delete it. For what may be shared, such as a namespace.
    Use,
}

/// A rule of an application about which version may follow which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeRule {
    /// Path in the specification of a text that ends in `:MAJOR.MINOR.PATCH`, such as a container's image.
    pub path: String,
    /// What is versioned, for the message, such as `GitLab`.
    pub subject: String,
    /// Minor versions of every major that no upgrade may skip, ascending, such as `[2, 5, 8, 11]`.
    pub stops: Vec<u64>,
    /// Where the rule is written down.
    pub source: String,
}

/// How a group of like resources changes when only one may run during the change: the followers stop, the leader
/// changes and becomes ready, the followers change and start again (domain.md, 7.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StopFor {
    /// The resource that changes first.
    pub leader: ResourceId,
    /// Changes of the leader at or below these paths call for the stop.
    pub when: Vec<String>,
    /// What stopping means: paths and values that are set on this resource before the leader changes.
    pub set: Vec<(String, serde_json::Value)>,
}

/// A node of the desired graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// Its identity in the stack.
    pub id: ResourceId,
    /// Its kind; a driver must declare it.
    pub kind: Kind,
    /// Its physical name, for kinds whose identity is a name. For Kubernetes objects `namespace/name`, or `name` for
    /// what has no namespace.
    pub name: Option<String>,
    /// What it shall be.
    pub spec: Value,
    /// What it comes after, besides the producers of the references in its specification (those are awaited until they
    /// have the output).
    pub needs: Vec<Need>,
    /// What is lost with it.
    pub data: DataClass,
    /// Where it lives.
    pub placement: Placement,
    /// What to do with a stranger of the same name.
    pub foreign: Foreign,
    /// Versions that may follow each other.
    pub upgrade: Option<UpgradeRule>,
    /// Who changes first.
    pub stop_for: Option<StopFor>,
    /// The id or name of something that is there, which the stack file gives to the stack (`adopt:`). Set by the core.
    pub adopt: Option<String>,
}

impl Resource {
    /// A stateless, regional resource (zonal when the id has a zone) without needs, that refuses strangers.
    pub fn new(id: ResourceId, kind: &str, spec: serde_json::Value) -> Self {
        let placement = id.zone.clone().map_or(Placement::Regional, Placement::Zonal);
        Self {
            id,
            kind: Kind::new(kind),
            name: None,
            spec: Value::from(spec),
            needs: Vec::new(),
            data: DataClass::Stateless,
            placement,
            foreign: Foreign::Refuse,
            upgrade: None,
            stop_for: None,
            adopt: None,
        }
    }

    /// A Kubernetes object from its manifest: kind and name come from the manifest itself.
    pub fn manifest(id: ResourceId, manifest: serde_json::Value) -> Self {
        let text = |pointer: &str| manifest.pointer(pointer).and_then(serde_json::Value::as_str);
        let kind = format!(
            "k8s.{}.{}",
            text("/apiVersion").unwrap_or_default(),
            text("/kind").unwrap_or_default()
        );
        let name = text("/metadata/name").unwrap_or_default();
        let name = match text("/metadata/namespace") {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        };
        Self { name: Some(name), ..Self::new(id, &kind, manifest) }
    }

    /// The same resource under a physical name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same resource, after another one.
    #[must_use]
    pub fn after(mut self, id: &ResourceId, until: Until) -> Self {
        self.needs.push(Need { id: id.clone(), until });
        self
    }

    /// The same resource with another data class.
    #[must_use]
    pub fn holding(mut self, data: DataClass) -> Self {
        self.data = data;
        self
    }

    /// The same resource in another place.
    #[must_use]
    pub fn placed(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Everything it comes after: its needs and the producers of its references, each once, the stronger condition
    /// winning.
    pub fn all_needs(&self) -> Vec<Need> {
        let mut needs: std::collections::BTreeMap<ResourceId, Until> =
            self.spec.refs().into_iter().map(|r| (r.resource.clone(), Until::Exists)).collect();
        for need in &self.needs {
            let until = needs.entry(need.id.clone()).or_insert(need.until);
            *until = (*until).max(need.until);
        }
        needs.into_iter().map(|(id, until)| Need { id, until }).collect()
    }
}
