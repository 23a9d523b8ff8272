//! The flow of zonestack, and its contracts.
//!
//! The modules below are the algorithm, in order. Data flows one way: a later stage's type never appears in an earlier
//! module. Nothing here knows a network, a clock, the environment or a terminal; the world is reached only through
//! [`driver::Driver`], [`inventory::InventoryStore`], [`secret::SecretSource`] and [`clock::Clock`].

// The vocabulary: what every stage speaks about.
pub mod name; // names as types, with their limits
pub mod diagnostic; // what is wrong, where, and what to write instead
pub mod secret; // references to secrets, and values that cannot be printed
pub mod value; // configuration values; some are known only after something was made
pub mod resource; // a node of the desired graph
pub mod interface; // the contracts that components meet on
pub mod kind; // what the engine must know of a resource kind to be safe
pub mod context; // where a stack runs: region, zones, network, cluster
pub mod component; // contract: configuration + context in, resources + exports out
pub mod driver; // contract: how a kind is observed, created, updated, deleted
pub mod projection; // what is, in the words of what was asked
pub mod discover; // contract: reading the cluster and the network
pub mod inventory; // contract and format: what a stack remembers
pub mod clock; // contract: time, given from outside
pub mod lease; // contract and protocol: one run at a time, as a courtesy
pub mod event; // what the engine reports while it works

// From text to a wired stack.
pub mod yaml; // text -> tree, every key and value with its place
pub mod suggest; // near misses: what was probably meant
pub mod registry; // component types by name
mod stack_file; // which keys a stack file has
pub mod schema; // settings against their JSON Schema, with places
pub mod parse; // text -> RawStack
pub mod stack; // a stack that is known to be well-formed
pub mod validate; // RawStack + registry -> Stack
pub mod wire; // Stack -> Wiring

// The stages, in order; each has its own type.
pub mod rename; // Inventory of before a renaming -> Inventory of after, pure
pub mod zones; // surveys -> Context: the one place where zones and subnets are chosen
pub mod desired; // wiring + context -> Desired
pub mod difference; // what differs between what shall be and what is
pub mod observe; // Desired + inventory -> Observed
pub mod plan; // what would be done
pub mod situation; // what planning looks at
mod decision; // what happens to one wanted resource
mod removal; // what happens to what is not wanted any more
mod succession; // a data store that takes the place of another
pub mod planning; // Desired + Observed -> Plan, pure and total
mod guard; // what a plan must not do by mistake
pub mod flow; // all of the above in a row: reads only
pub mod recovery; // a lost inventory, from names and marks: reads only
mod schedule; // Plan -> tasks, pure
pub mod run_options; // how a run goes about its work, and who may end it
mod carry_out; // one task: one API call at a time, each followed by looking
mod ledger; // the inventory of a run
pub mod execute; // Plan -> events and Report
pub mod status; // Desired + Observed + Plan -> what `status` says
