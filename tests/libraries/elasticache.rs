//! The built-in `elasticache` as a shared library.

use zonestack_plugin_elasticache::{ElastiCache, ElastiCacheDriver};

#[path = "../../crates/plugin-elasticache/src/export.rs"]
mod export;
