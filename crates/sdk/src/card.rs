//! The constant that says who a plugin is.

use zonestack_abi::{Card, CardTexts};

use crate::plugin::Plugin;

/// The SDK's name and version, as on the card.
const SDK: &str = concat!("zonestack-sdk ", env!("CARGO_PKG_VERSION"));

/// The card of a plugin. A name or a version that does not fit is an error of the build.
pub const fn card<P: Plugin>() -> Card {
    let min_glibc = match option_env!("ZONESTACK_MIN_GLIBC") {
        Some(version) => version,
        None => "",
    };
    Card::new(CardTexts {
        name: P::NAME,
        version: P::VERSION,
        sdk: SDK,
        target: env!("ZONESTACK_TARGET"),
        rustc: env!("ZONESTACK_RUSTC"),
        min_glibc,
    })
}
