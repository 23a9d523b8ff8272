//! Finds, checks, loads and isolates zonestack plugins.
//!
//! The modules are in the order in which a file becomes a plugin: nothing of it runs before the last.

pub mod card; // who it says that it is, from the file
pub mod lock; // which files a stack trusts
pub mod store; // a copy that nobody changes, and what it said of itself
pub mod search; // where it is looked for

#[cfg(test)]
mod scratch; // a folder of a test's own
