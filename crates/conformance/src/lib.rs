//! The laws that a plugin keeps, and the kit that tries them: `zonestack plugin test` (plugin-abi.md, A.3.10).
//!
//! [`laws::LAWS`] is the list. Each law runs in a process of its own ([`child`]), with a time limit, so that a plugin that crashes or
//! hangs fails that law and no other. Where chance decides, a seed does: the same seed, the same calls.
//!
//! What is in the sandbox is played from the plugin's declarations, so the laws of life are about what it renders and declares.
//! Its own driver is tried against an endpoint on loopback that does not work ([`trouble`]): there is no cloud to talk to. When it
//! makes something all the same, because its service is where it is itself, that is observed until it is gone.

// What is tried.
pub mod laws; // the table
pub mod verdict; // what came of a law
mod subject; // the plugin, and what it renders to

// What is needed for it.
mod generate; // settings from a JSON Schema
mod heard; // what the plugin says in the log
mod random; // chance that can be repeated
mod trouble; // AWS when it does not work

// The laws, by group.
mod calls; // at the boundary
mod memory; // what calls leave
mod card; // before anything runs
mod description; // what it says of itself
mod drivers; // its own driver: when nothing works, and what it makes
mod life; // the whole engine in the sandbox
mod rendering; // settings to resources
mod secrecy; // what must not be told

// How they run.
pub mod child; // one law, in a process of its own
pub mod kit; // all of them

pub use subject::Builtins;
