//! The `aurora` component: an Amazon Aurora PostgreSQL cluster with instances in several zones. Provides `postgres/v1`.
//!
//! ```yaml
//! apiVersion: zonestack/v1
//! name: shop
//! cluster: k8s.myzone.net
//! region: eu-west-1
//! components:
//!   db:
//!     use: aurora
//!     with:
//!       version: 17
//!       class: db.r7g.xlarge
//!       instances: 3
//!       storageType: aurora-iopt1
//!       database: shop_production
//!       user: shop
//!       backup: { days: 30, window: 04:00-04:30 }
//!       maintenanceWindow: sun:04:30-sun:05:30
//!       parameters: { log_min_duration_statement: 1000 }
//!   reports:
//!     use: aurora
//!     with:
//!       serverless: { min: 0.5, max: 8 }
//! ```
//!
//! Everything has a default: `db: { use: aurora }` makes a cluster with PostgreSQL 17, two db.r7g.large in two zones, encrypted
//! storage that grows by itself, backups of 14 days, and protection against deletion.
//!
//! GitLab does not support Aurora: with `use: gitlab` it is an advisory (`aurora`). Take [`rds`](rds.md) there.
//!
//! # What is made
//! A security group that lets in the worker nodes and nobody else, a subnet group over every zone of the stack, a cluster
//! parameter group for the major version, a Secret with the password, the cluster, and its instances, one in each of the
//! stack's zones in turn. The cluster keeps the data, six copies in three zones; the instances only compute. Clients get the
//! cluster's writer endpoint, which follows the instance that writes; `outputs` has the one for readers too. Nothing has a
//! public address.
//!
//! The parameter group sets `rds.force_ssl`, so that only encrypted connections are taken: on Aurora that is the default from
//! PostgreSQL 17 only. Clients of libpq encrypt by themselves. `parameters` go into the same group.
//!
//! # The password
//! It is made once, kept in the Secret `<stack>-<component>` of the stack's namespace under the key `password`, and never changed,
//! because pods hold it. Give your own with `password: { env: NAME }` or `{ file: PATH }`, which is copied into that Secret when it is made, or
//! with `password: { secret: { name: …, key: … } }`, which is used where it is. Aurora does not tell a password, so zonestack does not see when the
//! cluster's differs from the Secret's. To change it, or when the Secret was lost: write the Secret, then
//! `aws rds modify-db-cluster --db-cluster-identifier <stack>-<component> --master-user-password … --apply-immediately`, then restart the pods.
//!
//! # When a zone is lost
//! When the instance that writes is in it, another takes over, mostly within half a minute and seldom after more than one;
//! connections are cut. The instances of the other zones and the data are not touched. With `instances: 1`, which asks for
//! `allowSingleInstance: true`, the database stands still until RDS has made the instance anew in another zone, if it can.
//!
//! # When something changes
//! With `apply: window`, the default, a change that can wait is handed to RDS at once and carried out in the next maintenance window; until then it
//! counts as done. With `apply: now` it is carried out at once, together with all that waits. The plan says what each change does:
//!
//! | changes | what happens |
//! |---|---|
//! | `backup`, windows, protection, `serverless`, `logs`, tags | at once, nobody notices |
//! | `instances`, zones of the stack | instances are made or deleted; when the one that writes goes, another takes over |
//! | `storageType` | nobody notices; back to `aurora-iopt1` once in 30 days |
//! | `class`, `version` | connections are cut, for a minute or some; a new major version takes longer and does not come back |
//! | `port` | connections are cut at once |
//! | `database`, `user`, `kmsKeyId` | never: a new cluster would be needed, and zonestack does not replace what holds data |
//!
//! A change of `class` with `apply: now` restarts all instances together: the database is away for some minutes. In the
//! window, each instance restarts in its own, which is the same for all when `maintenanceWindow` says so. From `class` to
//! `serverless` and back is a change of class too.
//!
//! Instances go over the zones in the order of their names. A zone or an instance more moves none of them, unless the new zone
//! comes before others: then one is made there, and one in a later zone goes.
//!
//! `version: 17` stays on 17 and moves to its newer minor versions in the maintenance window. A minor version, such as `"17.6"`, is where it
//! starts, unless `autoMinorUpgrade: false`. zonestack switches off extended support, which AWS bills by the hour and per CPU once a major version is out
//! of standard support; AWS then upgrades the cluster itself.
//!
//! Parameters that PostgreSQL reads only when it starts, such as `max_connections`, are in force after the next restart: at creation that is at once,
//! later it takes `aws rds reboot-db-instance` for each instance.
//!
//! # From a snapshot
//! `fromSnapshot` names what the cluster is filled with when it is made: a DB cluster snapshot (name or ARN), or, by its ARN, a snapshot
//! of an RDS for PostgreSQL instance, which is how an `rds` component moves to Aurora:
//!
//! ```sh
//! aws rds create-db-snapshot --db-instance-identifier git-db --db-snapshot-identifier git-db-moving   # with the pods scaled down
//! aws rds describe-db-snapshots --db-snapshot-identifier git-db-moving --query 'DBSnapshots[0].DBSnapshotArn'
//! ```
//!
//! `user` and `database` must be those of the snapshot, `version` its major version or a later one. Its password does not
//! matter: it is set to the Secret's before the first instance is made. A cluster is encrypted as its snapshot is; from one that is not,
//! `kmsKeyId: alias/aws/rds` encrypts. Once the cluster is there, `fromSnapshot` has no effect and may be removed.
//!
//! # When it goes
//! `down` deletes the instances, which hold nothing and cost the most, and keeps the cluster with the data, and its password; the next `up` makes
//! new instances for it. `down --delete-data db` deletes the instances, switches the protection off, and deletes the cluster
//! leaving a final cluster snapshot and its automated backups.

mod config;
mod driver;
#[cfg(feature = "export")]
mod export; // the same crate as a shared library
mod render;

use zonestack_core::component::{ComponentType, RenderContext, Rendered, TypedComponent};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::Postgres;

pub use config::capacity::Capacity;
pub use config::{Apply, Backup, LogType, Settings, StorageType};
pub use driver::{AuroraDriver, CLUSTER, INSTANCE, PARAMETER_GROUP};
pub use render::SUBNET_GROUP;

/// The `aurora` component type.
#[derive(Debug, Clone, Copy, Default)]
pub struct Aurora;

impl TypedComponent for Aurora {
    type Settings = Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "aurora",
            summary: "An Amazon Aurora PostgreSQL cluster with instances in several zones",
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
        for (name, connections) in [("db", 3582), ("reports", 1667)] {
            let component = &stacks[0]["components"][name];
            assert_eq!(component["use"], Component::describe(&Aurora).name);
            let settings: Settings = serde_json::from_value(component["with"].clone()).unwrap();
            assert_eq!(settings.max_connections(), Some(connections));
            assert_eq!(Component::check(&Aurora, &component["with"]), []);
        }
    }

    #[test]
    fn the_schema_knows_every_setting_and_its_default() {
        let schema = Component::describe(&Aurora).schema;
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
