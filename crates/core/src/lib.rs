//! The flow of zonestack, and its contracts.
//!
//! The modules below are the algorithm, in order. Data flows one way: a later stage's type never appears in an earlier
//! module. Nothing here knows a network, a clock, the environment or a terminal; the world is reached only through
//! [`driver::Driver`], [`inventory::InventoryStore`], [`secret::SecretSource`] and [`clock::Clock`].

// The vocabulary: what every stage speaks about.
pub mod clock; // contract: time, given from outside
pub mod component; // contract: configuration + context in, resources + exports out
pub mod context; // where a stack runs: region, zones, network, cluster
pub mod diagnostic; // what is wrong, where, and what to write instead
pub mod discover; // contract: reading the cluster and the network
pub mod driver; // contract: how a kind is observed, created, updated, deleted
pub mod interface; // the contracts that components meet on
pub mod inventory; // contract and format: what a stack remembers
pub mod kind; // what the engine must know of a resource kind to be safe
pub mod name; // names as types, with their limits
pub mod projection;
pub mod resource; // a node of the desired graph
pub mod secret; // references to secrets, and values that cannot be printed
pub mod value; // configuration values; some are known only after something was made // what is, in the words of what was asked
