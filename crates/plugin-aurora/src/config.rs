//! The settings of an `aurora` component. What they may be is checked in [`check`].
//!
//! What `rds` has too is called and written as there, so that a swap keeps it. Defaults are what a database with data in it
//! wants, where the API's own defaults hurt: no protection against deletion, backups of one day, paid extended support
//! (domain.md 4.3 and 4.8).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zonestack_aws::postgres::class::InstanceClass;
use zonestack_aws::postgres::name;
use zonestack_aws::postgres::parameter::ParameterValue;
use zonestack_aws::postgres::version::EngineVersion;
use zonestack_core::name::StackName;
use zonestack_core::secret::SecretRef;

pub(crate) mod capacity; // serverless capacity and the connections that it carries
pub(crate) mod check; // every rule that needs the settings only

use capacity::Capacity;

/// The class of instances when nothing else is written. Aurora has none of the `m` families, and GitLab wants 8 GiB and no
/// burstable class (domain.md 1.2 and 2.5).
const DEFAULT_CLASS: &str = "db.r7g.large";
/// The class of instances whose capacity is serverless.
pub(crate) const SERVERLESS_CLASS: &str = "db.serverless";

/// Settings of an `aurora` component. Everything has a default.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the stack file")]
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// PostgreSQL's version: a major one such as `17`, whose minor Aurora chooses, or `"17.6"` in quotes.
    pub version: EngineVersion,
    /// The class of every instance, such as `db.r7g.xlarge`. Default: `db.r7g.large`, unless there is `serverless`.
    pub class: Option<String>,
    /// Serverless v2 in place of a class: every instance scales between two capacities, in steps of 0.5.
    pub serverless: Option<Capacity>,
    /// How many instances there are: one that writes, the others read and take over. They go over the stack's zones in turn.
    pub instances: u32,
    /// With `instances: 1`: that you know that the database stands still when its zone is lost.
    pub allow_single_instance: bool,
    /// The sort of storage. It grows and shrinks by itself.
    pub storage_type: StorageType,
    /// The name of the database. Default: the stack's name with `_production` after it, such as `git_production`.
    pub database: Option<String>,
    /// The user that owns the database. Default: the stack's name.
    pub user: Option<String>,
    /// Where the user's password is: `{ secret: { name: …, key: … } }`, `{ env: NAME }` or `{ file: PATH }`. Default: made
    /// once and kept in a Secret of the stack's namespace. 8 to 41 printable ASCII characters, none of `/ " @` or blank.
    pub password: Option<SecretRef>,
    /// The TCP port.
    pub port: u16,
    /// Automated backups.
    pub backup: Backup,
    /// When Aurora may restart the instances for maintenance, in UTC, such as `sun:04:30-sun:05:30`. Default: chosen by RDS.
    pub maintenance_window: Option<String>,
    /// When changes that can wait are carried out.
    pub apply: Apply,
    /// Whether RDS refuses to delete the cluster. zonestack switches it off only in a step of its own, and only for a
    /// component that was named with `--delete-data`.
    pub deletion_protection: bool,
    /// The KMS key that encrypts storage, snapshots and logs: its id, ARN, `alias/NAME`. Default: the account's key for RDS.
    /// Cannot change later.
    pub kms_key_id: Option<String>,
    /// Database parameters, such as `max_connections: 500`, in the cluster's parameter group. Changed parameters that
    /// PostgreSQL reads only when it starts take effect with the next restart of the instances.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Logs that go to CloudWatch.
    #[schemars(extend("uniqueItems" = true))]
    pub logs: Vec<LogType>,
    /// Whether Performance Insights collects for 7 days what the database waits for (no extra charge).
    pub performance_insights: bool,
    /// Whether Aurora moves to new minor versions in the maintenance window by itself.
    pub auto_minor_upgrade: bool,
    /// The certificate authority of the server's certificate, such as `rds-ca-rsa2048-g1`. Default: the account's.
    pub ca_certificate: Option<String>,
    /// The snapshot that the cluster is filled from when it is made: the name or ARN of a DB cluster snapshot, or the ARN of
    /// a snapshot of an RDS for PostgreSQL instance. Of no effect on a cluster that is there.
    pub from_snapshot: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: EngineVersion { major: 17, minor: None },
            class: None,
            serverless: None,
            instances: 2,
            allow_single_instance: false,
            storage_type: StorageType::Aurora,
            database: None,
            user: None,
            password: None,
            port: 5432,
            backup: Backup::default(),
            maintenance_window: None,
            apply: Apply::Window,
            deletion_protection: true,
            kms_key_id: None,
            parameters: BTreeMap::new(),
            logs: vec![LogType::Postgresql],
            performance_insights: false,
            auto_minor_upgrade: true,
            ca_certificate: None,
            from_snapshot: None,
        }
    }
}

/// The sort of storage, which decides how input and output are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StorageType {
    /// Standard: input and output are paid by the request.
    Aurora,
    /// I/O-Optimized: storage and instances cost more, input and output nothing. Changes back at any time, and to it once in
    /// 30 days.
    AuroraIopt1,
}

impl StorageType {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aurora => "aurora",
            Self::AuroraIopt1 => "aurora-iopt1",
        }
    }
}

/// Automated backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backup {
    /// How many days they are kept, 1 to 35. Aurora's backups cannot be switched off.
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
    /// At once, together with everything that waits for the window. A change of `class` or `version` then cuts connections
    /// while you look on.
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

/// A log that Aurora PostgreSQL can send to CloudWatch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LogType {
    /// PostgreSQL's own log.
    Postgresql,
    /// What Aurora itself writes about an instance.
    Instance,
    /// Failed logins with IAM.
    IamDbAuthError,
}

impl LogType {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Instance => "instance",
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

    /// The class of every instance, in the API's words.
    pub fn class(&self) -> &str {
        match (&self.serverless, &self.class) {
            (Some(_), _) => SERVERLESS_CLASS,
            (None, Some(class)) => class,
            (None, None) => DEFAULT_CLASS,
        }
    }

    /// What the size is called, for messages: the class, or the capacities.
    pub fn size(&self) -> String {
        match self.serverless {
            Some(Capacity { min, max }) => format!("{SERVERLESS_CLASS} of {min} to {max} ACUs"),
            None => self.class().to_owned(),
        }
    }

    /// How many connections the instance that writes accepts, when that is known: the parameter `max_connections` when it is
    /// a number, else what Aurora makes of the memory.
    pub fn max_connections(&self) -> Option<u32> {
        if let Some(ParameterValue(text)) = self.parameters.get("max_connections") {
            return text.trim().parse().ok();
        }
        match self.serverless {
            Some(capacity) => capacity.max_connections(),
            None => InstanceClass::parse(self.class())?.max_connections(),
        }
    }
}
