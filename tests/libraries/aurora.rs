//! The built-in `aurora` as a shared library.

use zonestack_plugin_aurora::{Aurora, AuroraDriver};

#[path = "../../crates/plugin-aurora/src/export.rs"]
mod export;
