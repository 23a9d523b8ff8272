//! The same crate as a shared library: `cargo rustc -p zonestack-plugin-gitlab --features export --crate-type cdylib`.

use zonestack_sdk::prelude::*;

use crate::Gitlab;

/// This crate, as a plugin.
struct GitlabPlugin;

impl Plugin for GitlabPlugin {
    const NAME: &'static str = "gitlab";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(Gitlab)]
    }
}

zonestack_sdk::export!(GitlabPlugin);
