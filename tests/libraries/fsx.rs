//! The built-in `fsx-openzfs` as a shared library.

use zonestack_plugin_fsx::{FsxDriver, FsxOpenZfs};

#[path = "../../crates/plugin-fsx/src/export.rs"]
mod export;
