//! The built-in `gitlab` as a shared library.

use zonestack_plugin_gitlab::Gitlab;

#[path = "../../crates/plugin-gitlab/src/export.rs"]
mod export;
