//! The built-in `redis` as a shared library.

use zonestack_plugin_redis::Redis;

#[path = "../../crates/plugin-redis/src/export.rs"]
mod export;
