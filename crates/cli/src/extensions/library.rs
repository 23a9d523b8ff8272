//! A plugin that may be started. What it brings is known without starting it, once it was asked.

use std::sync::Arc;

use zonestack_core::component::Component;
use zonestack_core::driver::Driver;
use zonestack_core::kind::KindDeclaration;
use zonestack_host::plugin::{
    Description, Isolation, Limits, LoadOptions, PluginError, RemotePlugin,
};
use zonestack_host::services::Services;
use zonestack_host::store::{Store, StoredLibrary};

use crate::failure::Failure;

/// A plugin that was found and is trusted.
pub(crate) struct Library {
    plugin: RemotePlugin,
    description: Description,
}

impl Library {
    /// Whether it is known what the library with this hash brings.
    pub(crate) fn is_known(store: &Store, sha256: &str) -> bool {
        store.description::<Description>(sha256).is_some()
    }

    /// A library of the store. It is started when nobody has asked it yet what it brings.
    pub(crate) fn open(
        store: &Store,
        stored: &StoredLibrary,
        in_process: bool,
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| Failure::Failed {
            message: format!("cannot find this program, to start the plugin with: {error}"),
            hint: String::new(),
        })?;
        let isolation = if in_process { Isolation::InProcess } else { Isolation::Child };
        let options = LoadOptions { program, isolation, limits: Limits::default() };
        let name = &stored.identity.name;
        let plugin = RemotePlugin::open(&stored.path, &stored.sha256, name, options);
        let plugin = plugin.map_err(|error| broken(&error))?;
        let description = if let Some(description) = store.description(&stored.sha256) {
            description
        } else {
            let described = plugin.describe().map_err(|error| broken(&error))?;
            store.remember(&stored.sha256, &described);
            described
        };
        Ok(Self { plugin, description })
    }

    /// Its component types.
    pub(crate) fn components(&self) -> Vec<Arc<dyn Component>> {
        self.plugin.components(&self.description)
    }

    /// The kinds that it drives.
    pub(crate) fn kinds(&self) -> Vec<KindDeclaration> {
        self.plugin.kinds(&self.description)
    }

    /// Its driver, for what is no sandbox.
    pub(crate) fn driver(&self, services: &Arc<dyn Services>) -> Arc<dyn Driver> {
        self.plugin.driver(&self.description, Arc::clone(services))
    }
}

fn broken(error: &PluginError) -> Failure {
    Failure::Failed {
        message: format!("{error}; nothing was changed"),
        hint: "this is a mistake in the plugin, unless it says otherwise: tell its author"
            .to_owned(),
    }
}
