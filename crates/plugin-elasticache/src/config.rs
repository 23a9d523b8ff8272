//! The settings of an `elasticache` component. What they may be is checked in [`check`].
//!
//! Defaults are what GitLab needs of it (domain.md 0.6, 1.9 and 5.5): sessions and queued jobs live in it, so nothing is
//! evicted, a copy is in another zone, and there are snapshots; its image speaks plain Redis only, so there is no TLS.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zonestack_core::secret::SecretRef;

pub(crate) mod check; // every rule that needs the settings only
pub(crate) mod class; // node types
pub(crate) mod scalar; // settings that may be written in more than one way
pub(crate) mod version; // the engine's version

use scalar::ParameterValue;
use version::EngineVersion;

/// The shortest window that ElastiCache takes, in minutes
/// (<https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html>).
pub(crate) const SHORTEST_WINDOW: u32 = 60;

/// What decides what happens when the memory is full.
pub(crate) const EVICTION: &str = "maxmemory-policy";
/// Writes fail when the memory is full, and nothing is lost (domain.md 1.3).
pub(crate) const KEEP_ALL: &str = "noeviction";

/// Settings of an `elasticache` component. Everything has a default.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// What serves it: `valkey` (wanted by GitLab 19 and later) or `redis`. Cannot change later.
    pub engine: Engine,
    /// The engine's version, major and minor in quotes, such as `"8.1"`. Default: 8.1 for Valkey, 7.1 for Redis. It can go
    /// up later, never down.
    pub version: Option<EngineVersion>,
    /// The node type of every node, such as `cache.m7g.large`.
    pub class: String,
    /// How many copies there are besides the primary, 1 to 5, spread over the zones of the stack. Default: one for each
    /// further zone.
    pub replicas: Option<u32>,
    /// The TCP port. Cannot change later.
    pub port: u16,
    /// Encryption on the way. GitLab's image speaks plain Redis only: it works with `disabled` and `preferred`.
    pub tls: Tls,
    /// Whether clients need a password; only with `tls: required`. Cannot change later.
    pub auth: bool,
    /// Where the password is, with `auth: true`: `{ secret: { name: …, key: … } }`, `{ env: NAME }` or `{ file: PATH }`.
    /// Default: made once and kept in a Secret of the stack's namespace. 16 to 128 letters, digits and `! & # $ ^ < > -`.
    pub auth_token: Option<SecretRef>,
    /// Whether snapshots, and what nodes write to disk, are encrypted. Cannot change later.
    pub encrypted: bool,
    /// The KMS key that encrypts: its id, ARN, `alias/NAME`. Default: the service's own. Cannot change later.
    pub kms_key_id: Option<String>,
    /// Daily snapshots.
    pub backup: Backup,
    /// When ElastiCache may replace nodes for maintenance, in UTC, at least an hour, such as `sun:04:30-sun:05:30`.
    /// Default: chosen by ElastiCache.
    pub maintenance_window: Option<String>,
    /// When a new `class` or `version` is carried out.
    pub apply: Apply,
    /// Parameters of the engine, such as `timeout: 300`, besides `maxmemory-policy: noeviction`, which is there unless said
    /// otherwise.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Whether ElastiCache moves to new minor versions in the maintenance window by itself.
    pub auto_minor_upgrade: bool,
    /// The snapshot that it is filled from when it is made, such as the last one of another replication group. Has no
    /// meaning afterwards.
    pub from_snapshot: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: Engine::Valkey,
            version: None,
            // No burstable class for GitLab (domain.md 2.5).
            class: "cache.m7g.large".to_owned(),
            replicas: None,
            port: 6379,
            tls: Tls::Disabled,
            auth: false,
            auth_token: None,
            encrypted: true,
            kms_key_id: None,
            backup: Backup::default(),
            maintenance_window: None,
            apply: Apply::Window,
            parameters: BTreeMap::new(),
            auto_minor_upgrade: true,
            from_snapshot: None,
        }
    }
}

/// What serves the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Valkey.
    Valkey,
    /// Redis OSS, whose last version here is 7.1.
    Redis,
}

impl Engine {
    /// The API's word, and the interface's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valkey => "valkey",
            Self::Redis => "redis",
        }
    }

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Valkey => "Valkey",
            Self::Redis => "Redis OSS",
        }
    }

    fn default_version(self) -> EngineVersion {
        match self {
            Self::Valkey => EngineVersion { major: 8, minor: 1 },
            Self::Redis => EngineVersion { major: 7, minor: 1 },
        }
    }
}

/// Encryption on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// None. The security group lets in the worker nodes only.
    Disabled,
    /// Clients may use it or not.
    Preferred,
    /// Only clients that use it are let in.
    Required,
}

impl Tls {
    /// The setting's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Preferred => "preferred",
            Self::Required => "required",
        }
    }
}

/// Daily snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backup {
    /// How many days they are kept, 1 to 35; 0 switches them off.
    pub days: u32,
    /// When they are made, in UTC, such as `03:00-04:00`; at least an hour, apart from the maintenance window. Default:
    /// chosen by ElastiCache.
    pub window: Option<String>,
}

impl Default for Backup {
    fn default() -> Self {
        Self { days: 7, window: None }
    }
}

/// When changes that can wait are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// In the next maintenance window.
    Window,
    /// At once, together with everything that waits for the window.
    Now,
}

impl Apply {
    /// The setting's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Now => "now",
        }
    }
}

impl Settings {
    /// The version, as configured or by default.
    pub fn version(&self) -> EngineVersion {
        self.version.unwrap_or_else(|| self.engine.default_version())
    }

    /// The parameter group family of engine and version, such as `valkey8`.
    pub(crate) fn family(&self) -> String {
        match (self.engine, self.version().major) {
            (Engine::Redis, 6) => "redis6.x".to_owned(),
            (engine, major) => format!("{}{major}", engine.as_str()),
        }
    }

    /// The parameters, with what is there unless said otherwise.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        let own = self.parameters.iter().map(|(name, value)| (name.clone(), value.0.clone()));
        [(EVICTION.to_owned(), KEEP_ALL.to_owned())].into_iter().chain(own).collect()
    }
}
