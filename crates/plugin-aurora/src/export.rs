//! The same crate as a shared library: `cargo rustc -p zonestack-plugin-aurora --features export --crate-type cdylib`.

use zonestack_sdk::prelude::*;

use crate::{Aurora, AuroraDriver};

/// This crate, as a plugin.
struct AuroraPlugin;

impl Plugin for AuroraPlugin {
    const NAME: &'static str = "aurora";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(Aurora)]
    }

    fn kinds() -> Vec<KindDeclaration> {
        AuroraDriver::declarations()
    }

    fn drivers(host: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        Box::pin(async move {
            let driver: Arc<dyn Driver> = Arc::new(AuroraDriver::new(&host.aws_config().await?));
            Ok(vec![driver])
        })
    }
}

zonestack_sdk::export!(AuroraPlugin);
