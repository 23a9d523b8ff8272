//! Finds, checks, loads and isolates zonestack plugins.
//!
//! A plugin is a shared library. Its file says who it is and the lock file whether it is trusted: nothing of it runs for that.
//! By default it is loaded by a child process, which is this program started again ([`child`]); both ends speak in frames, and
//! what stands in the frames are the messages of [`zonestack_sdk::message`]. The engine sees the same contracts as for what is
//! built in.

// From a file to a trusted copy. Nothing of the plugin runs.
pub mod card; // who it says that it is, from the file
pub mod lock; // which files a stack trusts
pub mod store; // a copy that nobody changes, and what it said of itself
pub mod search; // where it is looked for

// From the copy to a plugin that runs.
mod call; // how long a call may take, and how it ends
pub mod child; // what the child process runs
mod description; // what a plugin says of itself, in the words of core
mod flood; // too much of what a plugin says is dropped
mod frame; // messages between a host and its child
mod library; // a shared library behind its one symbol
pub mod plugin; // a plugin as the engine sees it
mod process; // the child process, from the host's side
pub mod services; // what plugins may ask
mod session; // calls under way in one loaded plugin
pub mod version; // which versions fit together

#[cfg(test)]
mod scratch; // a folder of a test's own
