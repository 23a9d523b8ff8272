//! The same crate as a shared library: `cargo rustc -p zonestack-plugin-efs --features export --crate-type cdylib`.

use zonestack_sdk::prelude::*;

use crate::{Efs, EfsDriver};

/// This crate, as a plugin.
struct EfsPlugin;

impl Plugin for EfsPlugin {
    const NAME: &'static str = "efs";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(Efs)]
    }

    fn kinds() -> Vec<KindDeclaration> {
        EfsDriver::declarations()
    }

    fn drivers(host: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        Box::pin(async move {
            let driver: Arc<dyn Driver> = Arc::new(EfsDriver::new(&host.aws_config().await?));
            Ok(vec![driver])
        })
    }
}

zonestack_sdk::export!(EfsPlugin);
