//! The `elasticache` component: one Amazon ElastiCache replication group, Valkey or Redis OSS, over several zones. Provides
//! `redis/v1`.
//!
//! ```yaml
//! apiVersion: zonestack/v1
//! name: git
//! cluster: k8s.myzone.net
//! region: eu-west-1
//! components:
//!   cache:
//!     use: elasticache
//!     with:
//!       engine: valkey
//!       version: "8.1"
//!       class: cache.m7g.large
//!       replicas: 2
//!       backup: { days: 14, window: 03:00-04:00 }
//!       maintenanceWindow: sun:04:30-sun:05:30
//!       parameters: { timeout: 300 }
//! ```
//!
//! Everything has a default: `cache: { use: elasticache }` makes a primary of cache.m7g.large with Valkey 8.1 in the first zone
//! and a replica in each further one, encrypted at rest, with daily snapshots of 7 days, which fails over by itself.
//!
//! # What is made
//! A security group that lets in the worker nodes and nobody else, a subnet group over every zone of the stack, a parameter
//! group, the replication group without cluster mode, and, with `auth: true`, a Secret with its password. A failover needs two
//! zones at least. Sessions and queued jobs live in it, so it counts as data, and its memory is never evicted
//! (`maxmemory-policy: noeviction`): when it is full, writes fail.
//!
//! # TLS and password
//! GitLab's image speaks plain Redis only, so both are off by default, and the security group stands at the door. With
//! `tls: preferred` GitLab still connects, and what can speak TLS does. With `tls: required`, and with `auth: true`, which needs
//! it, the stack is refused for GitLab: it could not connect. An application of your own finds both in `redis/v1`.
//!
//! The password is made once, kept in the Secret `<stack>-<component>` of the stack's namespace under the key `token`, and never
//! changed, because clients hold it. Give your own with `authToken: { env: NAME }` or `{ file: PATH }`, which is copied into that
//! Secret when it is made, or with `authToken: { secret: { name: …, key: … } }`, which is used where it is.
//!
//! # When a zone is lost
//! A replica takes over under the same name, within a minute; connections are cut, and what was written in the last moment may
//! be lost, because replicas follow a little behind. Nodes are in the zones in turn: with more zones than nodes, the first zones
//! have them.
//!
//! # When something changes
//! With `apply: window`, the default, a change that can wait is handed to ElastiCache at once and carried out in the next
//! maintenance window; until then it counts as done. With `apply: now` it is carried out at once, together with all that waits.
//! The plan says what each change does:
//!
//! | changes | what happens |
//! |---|---|
//! | snapshots, windows, `parameters`, tags | at once, nobody notices |
//! | `replicas`, zones of the stack | at once, nobody notices: new replicas first, then those that are too many go |
//! | `tls` | at once, step by step over `preferred`; with `required`, clients without TLS cannot connect any more |
//! | `class`, `version` | connections are cut for some seconds when the primary changes; `version` goes up only |
//! | `engine`, `port`, `auth`, `encrypted`, `kmsKeyId` | never: a new one would be needed, and zonestack does not replace what holds data |
//!
//! The primary cannot be removed: when its zone leaves the stack, zonestack says how to let a replica take over first. The subnet
//! of a zone that left stays in the subnet group, unused.
//!
//! # From a snapshot
//! `fromSnapshot: NAME` fills it when it is made, also a Valkey from a snapshot of a Redis OSS that is no newer. That is how an
//! engine is changed, or what is in another replication group brought along: make a snapshot of it
//! (`aws elasticache create-snapshot`), and a new component from that. Afterwards the setting has no meaning; leave it or take it
//! out.
//!
//! # When it goes
//! `down` keeps it. `down --delete-data cache` deletes it leaving a final snapshot; its automatic snapshots go with it.
//! ElastiCache has no protection against deletion of its own: whoever may delete at the console can.
//!
//! # What this was tested with
//! The calls and answers in ElastiCache's own shape, and the whole life in the sandbox. Of the emulators, MiniStack has the life
//! without changes of nodes: it makes no final snapshot, adds replicas without regard to zones, and forgets what it was told about
//! windows, versions and security groups of nodes that are there; moto has one node for any number, and cannot delete a subnet
//! group.

mod config;
mod driver;
#[cfg(feature = "export")]
mod export; // the same crate as a shared library
mod render;

use zonestack_core::component::{ComponentType, RenderContext, Rendered, TypedComponent};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::Redis;

pub use config::class::NodeClass;
pub use config::scalar::ParameterValue;
pub use config::version::{EngineVersion, NoVersion};
pub use config::{Apply, Backup, Engine, Settings, Tls};
pub use driver::{ElastiCacheDriver, PARAMETER_GROUP, REPLICATION_GROUP, SUBNET_GROUP};

/// The `elasticache` component type.
#[derive(Debug, Clone, Copy, Default)]
pub struct ElastiCache;

impl TypedComponent for ElastiCache {
    type Settings = Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "elasticache",
            summary: "One Amazon ElastiCache for Valkey or Redis OSS with a replica in each further zone",
            provides: vec![Redis::NAME],
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
        let component = &stacks[0]["components"]["cache"];
        assert_eq!(component["use"], Component::describe(&ElastiCache).name);
        let settings: Settings = serde_json::from_value(component["with"].clone()).unwrap();
        assert_eq!(settings.maintenance_window.as_deref(), Some("sun:04:30-sun:05:30"));
        assert_eq!(Component::check(&ElastiCache, &component["with"]), []);
    }

    #[test]
    fn the_schema_knows_every_setting_and_its_default() {
        let schema = Component::describe(&ElastiCache).schema;
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
