//! The `fsx-openzfs` component: one Multi-AZ Amazon FSx for OpenZFS file system, mounted from every zone by one name.
//!
//! It provides `shared-filesystem/v1` and requires nothing: it stands where `efs` may stand.
//!
//! ```yaml
//! apiVersion: zonestack/v1
//! name: git
//! cluster: k8s.myzone.net
//! region: eu-west-1
//! components:
//!   data:
//!     use: fsx-openzfs
//!     with:
//!       storage: 500
//!       throughput: 320
//!       routeTables: [rtb-0123456789abcdef0, rtb-0123456789abcdef1]
//! ```
//!
//! Everything under `with` may be left out. What you get then: 100 GiB with the least throughput that there is, encrypted, with daily backups; a file
//! server in each of the first two zones of the stack, which hold the same files and take over from each other within a minute; and a security
//! group that lets only the worker nodes in, by NFS. Pods of all zones mount `/fsx` by the same name; those of a zone without the file server
//! that answers mount across zones.
//!
//! # Routes
//! The name leads to an address that belongs to no subnet. FSx leads it to the file server that answers by routes, which it adds to route tables and
//! keeps up to date; it tags the tables that it looks after (`AmazonFSx`), and takes its routes away when the file system is deleted. zonestack
//! itself never changes a route, and no other table is touched:
//!
//! - **`routeTables`** names the tables: those of all subnets with worker nodes. kOps makes one for each zone, or one for all. Whoever writes them down
//!   agrees to the routes in them.
//! - Without `routeTables` FSx takes the VPC's main route table. Worker nodes whose subnets have another one do not reach the files, and
//!   pods wait for their volumes. Every plan says so until it is acknowledged.
//!
//! # What to know before choosing otherwise
//! - **The two zones, `deployment`, `kmsKeyId` and `endpointRange` are decided once.** FSx cannot change them, and zonestack refuses to replace a file
//!   system that holds data. A zone that comes to the stack later and has a name before the two would be another choice: write `zones` down
//!   then, as the refusal says.
//! - **`storage`** only grows, by 10 % at least. FSx takes more storage, and other throughput, about once in six hours; a refusal says so.
//! - **`throughput`** changes while the files are in use; the file servers change places and back, and clients wait for up to a minute each time.
//! - **`deployment: single-az-ha-2`** is cheaper: when its zone is gone, so are the files, for all zones. It needs no routes.
//! - **`fromBackup`** fills a new file system, of at least the size of the backup's. On one that is there it is refused; it may be taken out again
//!   once the file system is made.
//! - **Mounting** needs an NFS client on the nodes. Nodes that kOps makes from Ubuntu or Debian have none: add `packages: [nfs-common]` to the `spec`
//!   of their instance groups.
//! - **`clients`** are addresses; who gets through to the file system at all, the security group decides. Pods that mount from other
//!   addresses than the VPC's need both.
//!
//! ```yaml
//! data:
//!   use: fsx-openzfs
//!   with:
//!     zones: [eu-west-1b, eu-west-1c]
//!     preferredZone: eu-west-1c
//!     fromBackup: backup-0123456789abcdef0
//!     backup: { days: 7, start: "02:30" }
//!     maintenance: sun:04:30
//! ```
//!
//! # Deleting
//! `down` keeps the file system, unless the component is named in `--delete-data`. Then FSx makes a final backup first, which stays until somebody
//! deletes it; its tags `Name` and `zonestack:final-copy` have the name that the plan tells. Its daily backups go with it. Volumes and
//! snapshots that others made in it are never deleted: FSx refuses until they are gone.
//!
//! # How it is tested
//! In the sandbox from the first `up` to the last `down`. No emulator plays the life of an FSx file system: what zonestack sends to FSx and makes of
//! its answers is tested on answers in the service's own shape. moto keeps what it was sent, so against it only a first `up`, a plan
//! without changes, and a `down` that keeps the file system say something.

pub mod config; // settings, and every check of them
pub mod driver; // API calls
#[cfg(feature = "export")]
mod export; // the same crate as a shared library
pub mod render; // settings + context → resources and exports; pure

use zonestack_core::component::{ComponentType, RenderContext, Rendered, TypedComponent};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::SharedFilesystem;

pub use driver::FsxDriver;

/// The component type `fsx-openzfs`.
#[derive(Debug, Clone, Copy, Default)]
pub struct FsxOpenZfs;

impl TypedComponent for FsxOpenZfs {
    type Settings = config::Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "fsx-openzfs",
            summary: "A shared file system on Amazon FSx for OpenZFS, in two zones and under one name",
            provides: vec![SharedFilesystem::NAME],
            requires: Vec::new(),
            advisories: config::ADVISORIES.to_vec(),
            schema: serde_json::Value::Null,
        }
    }

    fn check(&self, settings: &Self::Settings) -> Vec<Finding> {
        config::check(settings)
    }

    fn render(&self, settings: &Self::Settings, cx: &RenderContext<'_>) -> Rendered {
        render::render(settings, cx)
    }
}

#[cfg(test)]
mod tests {
    use zonestack_core::component::Component;

    use super::*;

    /// The YAML examples of this crate's documentation.
    fn examples() -> Vec<serde_json::Value> {
        let lines = include_str!("lib.rs").lines().map_while(|line| line.strip_prefix("//!"));
        let text: Vec<&str> =
            lines.map(|line| line.strip_prefix(' ').unwrap_or_default()).collect();
        let text = text.join("\n");
        let blocks = text.split("```yaml\n").skip(1);
        blocks
            .map(|block| serde_yaml::from_str(block.split("```").next().unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn the_examples_of_the_documentation_are_valid() {
        let examples = examples();
        let [stack, component] = &examples[..] else { panic!("{examples:?}") };
        for with in [&stack["components"]["data"]["with"], &component["data"]["with"]] {
            assert!(with.is_object(), "{with}");
            assert_eq!(Component::check(&FsxOpenZfs, with), []);
        }
    }

    #[test]
    fn the_type_provides_a_shared_file_system_and_requires_nothing() {
        let described = Component::describe(&FsxOpenZfs);
        assert_eq!(described.name, "fsx-openzfs");
        assert_eq!(described.provides, ["shared-filesystem/v1"]);
        assert_eq!(described.requires, []);
        assert_eq!(described.schema["type"], "object");
    }
}
