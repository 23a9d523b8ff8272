//! A model of AWS and Kubernetes inside the binary: zones with nodes, unique names, tokens, marks of ownership, states that
//! take time, dependency errors on deletion, pods that become ready by zone, and a file that keeps it all between commands.
//!
//! It stands behind the same contracts as the real services and knows a resource kind only by its
//! [`KindDeclaration`](zonestack_core::kind::KindDeclaration): a new kind needs no code here. [`Sandbox`] is the way in;
//! every call on what it hands out passes one gate, where a test can let it fail ([`Faults`]), and is written to a log.
//!
//! ```
//! use std::sync::Arc;
//! use zonestack_core::discover::ClusterReader;
//! use zonestack_sandbox::{Options, Sandbox, VirtualClock};
//!
//! let clock = Arc::new(VirtualClock::new());
//! let sandbox = Sandbox::in_memory(&Options::new("eu-west-1", "k8s.myzone.net"), clock.clone());
//! let survey = clock.run(sandbox.cluster("k8s.myzone.net").survey("git"))??;
//! assert_eq!(survey.nodes.iter().filter(|node| !node.control_plane).count(), 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// What the world is made of.
mod digest; // digits and values that look random and are not
pub mod options; // how large it is and how fast
pub mod site; // the account's region, zones, network, cluster: what was there before
pub mod world; // what is there now, and what happens to it from outside

// How it behaves.
mod service; // which resource is meant, and whose it is
mod observe; // what a service shows
mod create; // how it makes something
mod change; // how it changes and deletes something
mod pods; // when a Kubernetes object works
mod references; // what uses what
mod settle; // what the passing of time does
mod status; // where a resource stands
mod template; // ids and outputs

// How it is reached.
pub mod clock; // time: of the wall, and made up
mod driver; // core's Driver
pub mod fault; // what can go wrong with a call
pub mod file; // where it is kept between commands
pub mod gate; // the one place that every call passes
mod inventory; // core's InventoryStore
mod lease; // core's LeaseStore
pub mod log; // what was called, in order
mod secrets; // core's SecretSource
mod survey; // core's ClusterReader and NetworkReader

pub use clock::{VirtualClock, WallClock};
pub use driver::SandboxDriver;
pub use fault::{Fault, Faults, NoFaults};
pub use file::SandboxFileError;
pub use gate::Sandbox;
pub use inventory::SandboxInventory;
pub use lease::SandboxLease;
pub use log::{Call, CallLog, Operation};
pub use options::{NetworkIds, Options, Pace, Topology, Zones};
pub use secrets::{SandboxSecrets, SecretReader};
pub use survey::{SandboxCluster, SandboxNetwork};
pub use world::World;

#[cfg(test)]
mod laws;
