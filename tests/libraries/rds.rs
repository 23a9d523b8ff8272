//! The built-in `rds` as a shared library.

use zonestack_plugin_rds::{Rds, RdsDriver};

#[path = "../../crates/plugin-rds/src/export.rs"]
mod export;
