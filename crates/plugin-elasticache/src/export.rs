//! The same crate as a shared library: `cargo rustc -p zonestack-plugin-elasticache --features export --crate-type cdylib`.

use zonestack_sdk::prelude::*;

use crate::{ElastiCache, ElastiCacheDriver};

/// This crate, as a plugin.
struct ElastiCachePlugin;

impl Plugin for ElastiCachePlugin {
    const NAME: &'static str = "elasticache";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(ElastiCache)]
    }

    fn kinds() -> Vec<KindDeclaration> {
        ElastiCacheDriver::declarations()
    }

    fn drivers(host: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        Box::pin(async move {
            let driver: Arc<dyn Driver> =
                Arc::new(ElastiCacheDriver::new(&host.aws_config().await?));
            Ok(vec![driver])
        })
    }
}

zonestack_sdk::export!(ElastiCachePlugin);
