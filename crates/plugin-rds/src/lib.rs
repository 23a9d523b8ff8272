//! The `rds` component: one Amazon RDS for PostgreSQL instance over several zones. Provides `postgres/v1`.
//!
//! ```yaml
//! apiVersion: zonestack/v1
//! name: git
//! cluster: k8s.myzone.net
//! region: eu-west-1
//! components:
//!   db:
//!     use: rds
//!     with:
//!       version: 17
//!       class: db.m7g.xlarge
//!       storage: 200
//!       database: gitlab_production
//!       user: gitlab
//!       backup: { days: 30, window: 04:00-04:30 }
//!       maintenanceWindow: sun:04:30-sun:05:30
//!       parameters: { max_connections: 500, log_min_duration_statement: 1000 }
//! ```
//!
//! Everything has a default: `db: { use: rds }` makes a db.m7g.large with PostgreSQL 17, 100 GiB of encrypted gp3 storage that
//! grows up to 400, a standby in another zone, backups of 14 days, and protection against deletion.
//!
//! # What is made
//! A security group that lets in the worker nodes and nobody else, a subnet group over every zone of the stack, the instance,
//! a Secret with its password, and, when there are `parameters`, a parameter group for the major version. RDS wants subnets in
//! two zones at least. The instance has no public address.
//!
//! # The password
//! It is made once, kept in the Secret `<stack>-<component>` of the stack's namespace under the key `password`, and never changed,
//! because pods hold it. Give your own with `password: { env: NAME }` or `{ file: PATH }`, which is copied into that Secret when it is made, or
//! with `password: { secret: { name: …, key: … } }`, which is used where it is. RDS does not tell a password, so zonestack does not see when the
//! instance's differs from the Secret's. To change it, or when the Secret was lost: write the Secret, then
//! `aws rds modify-db-instance --db-instance-identifier <stack>-<component> --master-user-password …`, then restart the pods.
//!
//! PostgreSQL on RDS takes only encrypted connections (`rds.force_ssl`). Clients of libpq do that by themselves.
//!
//! # When a zone is lost
//! The standby takes over under the same name within 60 to 120 seconds; connections are cut. With `multiAz: false` there is no standby: the database
//! is in `zone`, and is gone until the zone is back or a backup is restored.
//!
//! # When something changes
//! With `apply: window`, the default, a change that can wait is handed to RDS at once and carried out in the next maintenance window; until then it
//! counts as done. With `apply: now` it is carried out at once, together with all that waits. The plan says what each change does:
//!
//! | changes | what happens |
//! |---|---|
//! | backups, windows, protection, `maxStorage`, logs, tags | at once, nobody notices |
//! | `storage`, `storageType`, `iops`, `throughput`, `multiAz` | nobody notices; `storage` can grow only, by 10 % or more, once in six hours |
//! | `class`, `version` | connections are cut, for a minute or two with a standby; a new major version takes longer and does not come back |
//! | `port` | connections are cut at once |
//! | `database`, `user`, `encrypted`, `kmsKeyId`, `zone` | never: a new instance would be needed, and zonestack does not replace what holds data |
//!
//! `version: 17` stays on 17 and moves to its newer minor versions in the maintenance window. A minor version, such as `"17.6"`, is where it
//! starts, unless `autoMinorUpgrade: false`. zonestack switches off extended support, which RDS bills by the hour and per CPU once a major version is out
//! of standard support; RDS then upgrades the instance itself.
//!
//! Parameters that PostgreSQL reads only when it starts, such as `max_connections`, are in force after the next restart: at creation that is at once,
//! later it takes `aws rds reboot-db-instance`.
//!
//! # When it goes
//! `down` keeps the instance and its password. `down --delete-data db` switches the protection off, and deletes the instance leaving a final snapshot and its
//! automated backups.

mod config;
#[cfg(feature = "export")]
mod export; // the same crate as a shared library
mod driver;
mod render;

use zonestack_core::component::{ComponentType, RenderContext, Rendered, TypedComponent};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::Postgres;

pub use config::scalar::Ceiling;
pub use config::{Apply, Backup, LogType, Settings, StorageType};
pub use driver::{INSTANCE, PARAMETER_GROUP, RdsDriver, SUBNET_GROUP};

/// The `rds` component type.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rds;

impl TypedComponent for Rds {
    type Settings = Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "rds",
            summary: "One Amazon RDS for PostgreSQL instance with a standby in another zone",
            provides: vec![Postgres::NAME],
            requires: Vec::new(),
            advisories: config::check::ADVISORIES.to_vec(),
            schema: serde_json::Value::Null,
        }
    }

    fn check(&self, settings: &Settings) -> Vec<Finding> {
        config::check::check(settings)
    }

    fn render(&self, settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
        render::render(settings, cx)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;
    use zonestack_core::component::Component;

    use super::*;

    /// The stacks in this crate's documentation, as a user would copy them.
    fn documented_stacks() -> Vec<Json> {
        let lines: Vec<_> =
            include_str!("lib.rs").lines().filter_map(|l| l.strip_prefix("//!")).collect();
        let text =
            lines.iter().map(|l| l.strip_prefix(' ').unwrap_or(l)).collect::<Vec<_>>().join("\n");
        let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```"));
        blocks.map(|(block, _)| serde_yaml::from_str(block).unwrap()).collect()
    }

    #[test]
    fn the_documented_stack_is_valid() {
        let stacks = documented_stacks();
        assert_eq!(stacks.len(), 1);
        let component = &stacks[0]["components"]["db"];
        assert_eq!(component["use"], Component::describe(&Rds).name);
        let settings: Settings = serde_json::from_value(component["with"].clone()).unwrap();
        assert_eq!(settings.maintenance_window.as_deref(), Some("sun:04:30-sun:05:30"));
        assert_eq!(Component::check(&Rds, &component["with"]), []);
    }

    #[test]
    fn the_schema_knows_every_setting_and_its_default() {
        let schema = Component::describe(&Rds).schema;
        let properties = schema["properties"].as_object().unwrap();
        let undocumented: Vec<_> = properties
            .iter()
            .filter(|(_, p)| p["description"].as_str().is_none())
            .map(|(k, _)| k)
            .collect();
        assert_eq!(undocumented, Vec::<&String>::new());
        assert_eq!(schema["additionalProperties"], false);
        insta::assert_snapshot!(
            "schema_properties",
            format!("{:#}", serde_json::json!(properties))
        );
    }
}
