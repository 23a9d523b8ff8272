//! What a plugin is.

use std::sync::Arc;

use futures::future::BoxFuture;
use zonestack_core::component::Component;
use zonestack_core::driver::{Driver, DriverError};
use zonestack_core::kind::KindDeclaration;

use crate::host::Host;

/// Contract: what a plugin offers. [`export!`](crate::export) makes it a shared library.
///
/// # Flow
/// `components` and `kinds` once, when the library is loaded. `drivers` once, before the first call of a driver; when it fails,
/// again before the next.
///
/// # Assumptions
/// `components` and `kinds` are pure: the host keeps what they say, by the file's hash, and asks no more.
pub trait Plugin: Send + Sync + 'static {
    /// Its name: the `NAME` of `libzonestack_plugin_NAME.so`, at most 63 bytes.
    const NAME: &'static str;
    /// Its version, at most 31 bytes.
    const VERSION: &'static str;

    /// Its component types.
    fn components() -> Vec<Arc<dyn Component>>;

    /// The kinds that its drivers drive: known without a host.
    fn kinds() -> Vec<KindDeclaration> {
        Vec::new()
    }

    /// Its drivers. Clients are made here, from [`Host`]; nothing is called yet.
    ///
    /// # Errors
    /// What the host could not give.
    fn drivers(host: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        drop(host);
        Box::pin(async { Ok(Vec::new()) })
    }
}
