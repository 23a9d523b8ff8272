//! The contracts that components meet on.
//!
//! A component that provides an interface exports its fields; a component that requires it reads them. What is known only
//! after something was made is a [`Value`] holding a reference; what a check needs before that is a plain value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::{InvalidName, ResourceId, Zone};
use crate::resource::Need;
use crate::secret::SecretKey;
use crate::value::Value;

/// The name of an interface with its version, such as `postgres/v1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InterfaceName(String);

impl TryFrom<String> for InterfaceName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::new(&text)
    }
}

impl From<InterfaceName> for String {
    fn from(name: InterfaceName) -> Self {
        name.0
    }
}

impl InterfaceName {
    /// An interface by its name; the text must be `word/vN`.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        let valid = text.split_once("/v").is_some_and(|(name, version)| {
            !name.is_empty() && !version.is_empty() && version.chars().all(|c| c.is_ascii_digit())
        });
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName {
                what: "interface",
                text: text.to_owned(),
                rule: "must be a name and a version, such as postgres/v1".to_owned(),
            })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// What a component exports: one interface with its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Export {
    /// `shared-filesystem/v1`
    #[serde(rename = "shared-filesystem/v1")]
    SharedFilesystem(SharedFilesystem),
    /// `postgres/v1`
    #[serde(rename = "postgres/v1")]
    Postgres(Postgres),
    /// `redis/v1`
    #[serde(rename = "redis/v1")]
    Redis(Redis),
    /// An interface that the core does not know; its fields are a map.
    Other(InterfaceName, Value),
}

impl Export {
    /// The interface that is exported.
    pub fn interface(&self) -> InterfaceName {
        InterfaceName(match self {
            Self::SharedFilesystem(_) => SharedFilesystem::NAME.to_owned(),
            Self::Postgres(_) => Postgres::NAME.to_owned(),
            Self::Redis(_) => Redis::NAME.to_owned(),
            Self::Other(name, _) => name.0.clone(),
        })
    }
}

/// `shared-filesystem/v1`: one file system, reachable from every zone, written by many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharedFilesystem {
    /// What serves it, such as `Amazon EFS`; for messages.
    pub service: String,
    /// Where each zone mounts it.
    pub endpoints: BTreeMap<Zone, Endpoint>,
    /// NFS mount options in order, such as `nfsvers=4.1`.
    pub mount_options: Vec<String>,
    /// A CSI handle to mount it with instead of NFS, when the component is configured so.
    pub csi: Option<CsiVolume>,
    /// How much to declare in a volume's `capacity`, such as `100Gi`. Not enforced where the service is elastic.
    pub capacity: String,
    /// Whether reads and writes from one zone survive the loss of another.
    pub regional: bool,
    /// One name that resolves to the mount target of the caller's own zone, when the service has one (domain.md, 3.4).
    /// What a pod mounts that may run in any zone.
    pub regional_server: Option<Value>,
}

/// Where one zone mounts a shared file system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Host name or address.
    pub server: Value,
    /// Path on the server, beginning with `/`.
    pub path: String,
    /// What must be there before a mount succeeds.
    pub needs: Vec<Need>,
}

/// A volume of a CSI driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CsiVolume {
    /// The driver's name, such as `efs.csi.aws.com`.
    pub driver: String,
    /// The volume's handle, the same in every zone.
    pub handle: Value,
    /// Attributes, the same in every zone.
    pub attributes: BTreeMap<String, Value>,
}

impl SharedFilesystem {
    /// The interface's name.
    pub const NAME: &'static str = "shared-filesystem/v1";
}

/// The sort of service behind a `postgres/v1`, for what an application's maker supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostgresService {
    /// Amazon RDS, one instance, or one with a standby in another zone.
    RdsInstance,
    /// Amazon RDS Multi-AZ DB cluster.
    RdsCluster,
    /// Amazon Aurora.
    Aurora,
    /// Anything else.
    Other,
}

/// `postgres/v1`: one PostgreSQL database with a user that owns it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Postgres {
    /// What serves it.
    pub service: PostgresService,
    /// Host name, without port.
    pub host: Value,
    /// TCP port.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// The user.
    pub user: String,
    /// Where the password is: a key of a Secret in the stack's namespace.
    pub password: SecretKey,
    /// The engine's major version, such as 17.
    pub major: u32,
    /// How many connections it accepts, when that is known from the configuration.
    pub max_connections: Option<u32>,
    /// What the size is called, such as `db.m7g.large`; for messages.
    pub size: String,
    /// What must be there before a connection succeeds.
    pub needs: Vec<Need>,
}

impl Postgres {
    /// The interface's name.
    pub const NAME: &'static str = "postgres/v1";
}

/// How a `redis/v1` wants to be spoken to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redis {
    /// What serves it: `redis` or `valkey`.
    pub engine: String,
    /// Host name, without port.
    pub host: Value,
    /// TCP port.
    pub port: u16,
    /// The engine's version as major and minor.
    pub version: (u32, u32),
    /// Whether only TLS is accepted.
    pub tls: bool,
    /// Where the password is, when one is needed.
    pub auth: Option<SecretKey>,
    /// Labels that a pod must carry for the network policy to let it connect; empty when none is asked for.
    pub client_labels: BTreeMap<String, String>,
    /// What must be there before a connection succeeds.
    pub needs: Vec<Need>,
}

impl Redis {
    /// The interface's name.
    pub const NAME: &'static str = "redis/v1";
}

/// How a person moves what is behind an interface from one provider to another.
pub(crate) fn how_to_move(interface: &str) -> &'static str {
    match interface {
        SharedFilesystem::NAME => "copy it with rsync, from a pod that mounts both",
        Postgres::NAME => "copy it with pg_dump and pg_restore, while the application is stopped",
        Redis::NAME => "let the old one's queues run empty while the application takes nothing new",
        _ => "copy it as its application's documentation says",
    }
}

/// A need that a component's consumers inherit.
pub fn ready(id: &ResourceId) -> Need {
    Need { id: id.clone(), until: crate::resource::Until::Ready }
}
