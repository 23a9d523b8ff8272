//! Finds, checks, loads and isolates zonestack plugins.
//!
//! A plugin is a shared library. By default it is loaded by a child process, which is this program started again
//! ([`child`]); both ends speak in frames, and what stands in the frames are the messages of [`zonestack_sdk::message`]. The
//! engine sees the same contracts as for what is built in.

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
