//! The `efs` component: one Amazon EFS file system, mounted through a target in each zone.
//!
//! It provides `shared-filesystem/v1` and requires nothing.
//!
//! ```yaml
//! apiVersion: zonestack/v1
//! name: git
//! cluster: k8s.myzone.net
//! region: eu-west-1
//! components:
//!   data:
//!     use: efs
//!     with:
//!       lifecycle: { toIa: 90, toArchive: 365, backToPrimary: true }
//!       extraMountOptions: [noatime]
//! ```
//!
//! Everything under `with` may be left out. What you get then: an encrypted file system that keeps its data in several zones, with elastic
//! throughput and daily backups; a security group that lets only the worker nodes in, by NFS; and a mount target in each zone of the stack,
//! which that zone's pods mount by its own name. A zone that is lost takes its mount target with it and nothing else.
//!
//! # What to know before choosing otherwise
//! - **`performance`, `encrypted`, `kmsKeyId` and `oneZone` are decided once.** EFS cannot change them, and zonestack refuses to replace a
//!   file system that holds data.
//! - **`throughput`** changes in place, but EFS takes a change of mode, or less provisioned throughput, only once in 24 hours.
//! - **`oneZone`** is cheaper and not highly available: when the zone is gone, so are the files, for all zones.
//! - **`mount: nfs`** is unencrypted on the wire and needs an NFS client on the nodes. Nodes that kOps makes from Ubuntu or Debian have none:
//!   add `packages: [nfs-common]` to the `spec` of their instance groups. **`mount: csi`** needs the EFS CSI driver in the cluster instead.
//! - **`lifecycle`** saves money on files that nobody reads. Reading one that has moved is slow and is paid by volume; Git repositories are a poor match.
//!
//! # An existing file system
//! ```yaml
//! data:
//!   use: efs
//!   with: { existing: fs-0123456789abcdef0, path: /gitlab }
//! ```
//! Mount targets that it lacks in the stack's zones are made, and deleted again by `down`; those that it has are used and never changed. Their
//! security groups must let the worker nodes in on TCP port 2049: zonestack does not touch them. The file system must be in the cluster's VPC.
//!
//! # Deleting
//! `down` keeps the file system, unless the component is named in `--delete-data`: EFS has no protection against deletion of its own.

pub mod config; // settings, and every check of them
#[cfg(feature = "export")]
mod export; // the same crate as a shared library
pub mod driver; // API calls
pub mod render; // settings + context → resources and exports; pure

use zonestack_core::component::{ComponentType, RenderContext, Rendered, TypedComponent};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::SharedFilesystem;

pub use driver::EfsDriver;

/// The component type `efs`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Efs;

impl TypedComponent for Efs {
    type Settings = config::Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "efs",
            summary: "A shared file system on Amazon EFS, with a mount target in each zone",
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
            assert_eq!(Component::check(&Efs, with), []);
        }
    }

    #[test]
    fn the_type_provides_a_shared_file_system_and_requires_nothing() {
        let described = Component::describe(&Efs);
        assert_eq!(described.name, "efs");
        assert_eq!(described.provides, ["shared-filesystem/v1"]);
        assert_eq!(described.requires, []);
        assert_eq!(described.schema["type"], "object");
    }
}
