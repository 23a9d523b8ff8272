//! The built-in `efs` as a shared library.

use zonestack_plugin_efs::{Efs, EfsDriver};

#[path = "../../crates/plugin-efs/src/export.rs"]
mod export;
