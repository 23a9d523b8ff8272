//! The same crate as a shared library: `cargo rustc -p zonestack-plugin-fsx --features export --crate-type cdylib`.

use zonestack_sdk::prelude::*;

use crate::{FsxDriver, FsxOpenZfs};

/// This crate, as a plugin.
struct FsxOpenZfsPlugin;

impl Plugin for FsxOpenZfsPlugin {
    const NAME: &'static str = "fsx";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(FsxOpenZfs)]
    }

    fn kinds() -> Vec<KindDeclaration> {
        FsxDriver::declarations()
    }

    fn drivers(host: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        Box::pin(async move {
            let driver: Arc<dyn Driver> = Arc::new(FsxDriver::new(&host.aws_config().await?));
            Ok(vec![driver])
        })
    }
}

zonestack_sdk::export!(FsxOpenZfsPlugin);
