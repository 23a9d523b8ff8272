//! The settings of an `rds` component. What they may be is checked in [`check`].
//!
//! Defaults are what a database with data in it wants, where the API's own defaults hurt: no encryption, no protection
//! against deletion, backups of one day, paid extended support (domain.md 0.13 and 4.3).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zonestack_aws::postgres::class::InstanceClass;
use zonestack_aws::postgres::name;
use zonestack_aws::postgres::parameter::ParameterValue;
use zonestack_aws::postgres::version::EngineVersion;
use zonestack_core::name::StackName;
use zonestack_core::secret::SecretRef;

pub(crate) mod check; // every rule that needs the settings only
pub(crate) mod scalar; // a setting that may be written in more than one way

use scalar::Ceiling;

/// Storage that RDS takes at most, in GiB.
pub(crate) const MAX_STORAGE: u32 = 65_536;

/// Settings of an `rds` component. Everything has a default.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the stack file")]
pub struct Settings {
    /// PostgreSQL's version: a major one such as `17`, whose minor RDS chooses, or `"17.6"` in quotes.
    pub version: EngineVersion,
    /// The instance class, such as `db.m7g.large`.
    pub class: String,
    /// Storage in GiB. It can grow later, never shrink.
    pub storage: u32,
    /// How far storage grows by itself when it gets full, in GiB; `off` or 0: it does not. Default: four times `storage`.
    pub max_storage: Option<Ceiling>,
    /// The sort of storage.
    pub storage_type: StorageType,
    /// I/O operations per second. `gp3` from 400 GiB: 12000 to 64000; smaller ones always have 3000. Must be given for
    /// `io1` and `io2`.
    pub iops: Option<u32>,
    /// Throughput in MiB per second: 500 to 4000, for `gp3` from 400 GiB.
    pub throughput: Option<u32>,
    /// Whether a standby in another zone takes over when the zone of the instance is lost (60 to 120 seconds).
    pub multi_az: bool,
    /// With `multiAz: false`: the zone that the only instance lives in. Default: the first zone of the stack.
    pub zone: Option<String>,
    /// The name of the database. Default: the stack's name with `_production` after it, such as `git_production`.
    pub database: Option<String>,
    /// The user that owns the database. Default: the stack's name.
    pub user: Option<String>,
    /// Where the user's password is: `{ secret: { name: …, key: … } }`, `{ env: NAME }` or `{ file: PATH }`. Default: made
    /// once and kept in a Secret of the stack's namespace. 8 to 128 printable ASCII characters, none of `/ " @` or blank.
    pub password: Option<SecretRef>,
    /// The TCP port.
    pub port: u16,
    /// Automated backups.
    pub backup: Backup,
    /// When RDS may restart the instance for maintenance, in UTC, such as `sun:04:30-sun:05:30`. Default: chosen by RDS.
    pub maintenance_window: Option<String>,
    /// When changes that can wait are carried out.
    pub apply: Apply,
    /// Whether RDS refuses to delete the instance. zonestack switches it off only in a step of its own, and only for a
    /// component that was named with `--delete-data`.
    pub deletion_protection: bool,
    /// Whether storage, snapshots and logs are encrypted. Cannot change later.
    pub encrypted: bool,
    /// The KMS key that encrypts: its id, ARN, `alias/NAME`. Default: the account's key for RDS. Cannot change later.
    pub kms_key_id: Option<String>,
    /// Database parameters in a parameter group of their own, such as `max_connections: 500`. Changed parameters that
    /// PostgreSQL reads only when it starts take effect with the next restart of the instance.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Logs that go to CloudWatch.
    #[schemars(extend("uniqueItems" = true))]
    pub logs: Vec<LogType>,
    /// Whether Performance Insights collects for 7 days what the database waits for (no extra charge).
    pub performance_insights: bool,
    /// Whether RDS moves to new minor versions in the maintenance window by itself.
    pub auto_minor_upgrade: bool,
    /// The certificate authority of the server's certificate, such as `rds-ca-rsa2048-g1`. Default: the account's.
    pub ca_certificate: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: EngineVersion { major: 17, minor: None },
            // GitLab wants 8 GiB and no burstable class (domain.md 1.2).
            class: "db.m7g.large".to_owned(),
            storage: 100,
            max_storage: None,
            storage_type: StorageType::Gp3,
            iops: None,
            throughput: None,
            multi_az: true,
            zone: None,
            database: None,
            user: None,
            password: None,
            port: 5432,
            backup: Backup::default(),
            maintenance_window: None,
            apply: Apply::Window,
            deletion_protection: true,
            encrypted: true,
            kms_key_id: None,
            parameters: BTreeMap::new(),
            logs: vec![LogType::Postgresql, LogType::Upgrade],
            performance_insights: false,
            auto_minor_upgrade: true,
            ca_certificate: None,
        }
    }
}

/// The sort of storage.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum StorageType {
    /// General purpose SSD, the current generation.
    Gp3,
    /// General purpose SSD, the generation before.
    Gp2,
    /// Provisioned IOPS SSD.
    Io1,
    /// Provisioned IOPS SSD, the more durable generation.
    Io2,
}

impl StorageType {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gp3 => "gp3",
            Self::Gp2 => "gp2",
            Self::Io1 => "io1",
            Self::Io2 => "io2",
        }
    }
}

/// Automated backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backup {
    /// How many days they are kept, 1 to 35; 0 switches them off. Changing between 0 and another number restarts the
    /// instance.
    pub days: u32,
    /// When they are made, in UTC, such as `04:00-04:30`; at least 30 minutes, apart from the maintenance window. Default:
    /// chosen by RDS.
    pub window: Option<String>,
}

impl Default for Backup {
    fn default() -> Self {
        Self { days: 14, window: None }
    }
}

/// When changes that can wait are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// In the next maintenance window.
    Window,
    /// At once, together with everything that waits for the window. A change of `class` or `version` then cuts every
    /// connection while you look on.
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

/// A log that RDS can send to CloudWatch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LogType {
    /// PostgreSQL's own log.
    Postgresql,
    /// What an upgrade wrote.
    Upgrade,
    /// Failed logins with IAM.
    IamDbAuthError,
}

impl LogType {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Upgrade => "upgrade",
            Self::IamDbAuthError => "iam-db-auth-error",
        }
    }
}

impl Settings {
    /// The database's name.
    pub fn database(&self, stack: &StackName) -> String {
        self.database.clone().unwrap_or_else(|| name::default_database(stack))
    }

    /// The user's name.
    pub fn user(&self, stack: &StackName) -> String {
        self.user.clone().unwrap_or_else(|| name::default_user(stack))
    }

    /// How far storage grows by itself, in GiB; 0 when it does not.
    pub fn ceiling(&self) -> u32 {
        match self.max_storage {
            Some(Ceiling::Off) => 0,
            Some(Ceiling::Gib(gib)) => gib,
            None => {
                let ceiling = self.storage.saturating_mul(4).min(MAX_STORAGE);
                if ceiling >= check::least_ceiling(self.storage) { ceiling } else { 0 }
            }
        }
    }

    /// How many connections the database accepts, when that is known: the parameter `max_connections` when it is a number,
    /// else what RDS makes of the class's memory.
    pub fn max_connections(&self) -> Option<u32> {
        match self.parameters.get("max_connections") {
            Some(ParameterValue(text)) => text.trim().parse().ok(),
            None => InstanceClass::parse(&self.class)?.max_connections(),
        }
    }
}
