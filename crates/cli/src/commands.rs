//! The commands, one file each.

pub(crate) mod carry_out; // what `up` and `down` share: ask, run, report
pub(crate) mod completions;
pub(crate) mod down;
pub(crate) mod graph;
pub(crate) mod init;
pub(crate) mod outputs;
pub(crate) mod plan;
pub(crate) mod plugin;
pub(crate) mod recover;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod unlock;
pub(crate) mod up;
pub(crate) mod validate;
