//! The same crate as a shared library: `cargo rustc -p zonestack-plugin-redis --features export --crate-type cdylib`.

use zonestack_sdk::prelude::*;

use crate::Redis;

/// This crate, as a plugin.
struct RedisPlugin;

impl Plugin for RedisPlugin {
    const NAME: &'static str = "redis";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(Redis)]
    }
}

zonestack_sdk::export!(RedisPlugin);
