//! The same crate as a shared library: `cargo rustc -p zonestack-plugin-rds --features export --crate-type cdylib`.

use zonestack_sdk::prelude::*;

use crate::{Rds, RdsDriver};

/// This crate, as a plugin.
struct RdsPlugin;

impl Plugin for RdsPlugin {
    const NAME: &'static str = "rds";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(Rds)]
    }

    fn kinds() -> Vec<KindDeclaration> {
        RdsDriver::declarations()
    }

    fn drivers(host: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        Box::pin(async move {
            let driver: Arc<dyn Driver> = Arc::new(RdsDriver::new(&host.aws_config().await?));
            Ok(vec![driver])
        })
    }
}

zonestack_sdk::export!(RdsPlugin);
