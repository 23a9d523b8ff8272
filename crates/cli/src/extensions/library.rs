//! A plugin that may be started. What it brings is known without starting it, once it was asked.

use std::sync::Arc;

use zonestack_core::component::Component;
use zonestack_core::driver::Driver;
use zonestack_core::kind::KindDeclaration;
use zonestack_host::store::{Store, StoredLibrary};

use crate::failure::Failure;

/// What plugins may ask of their host.
pub(crate) struct Services;

/// A plugin that was found and is trusted.
pub(crate) struct Library {
    /// The copy that is loaded.
    pub(crate) stored: StoredLibrary,
}

impl Library {
    pub(crate) fn is_known(store: &Store, sha256: &str) -> bool {
        store.description::<serde_json::Value>(sha256).is_some()
    }

    pub(crate) fn open(_: &Store, stored: StoredLibrary, _: bool) -> Result<Self, Failure> {
        Ok(Self { stored })
    }

    pub(crate) fn components(&self) -> Vec<Arc<dyn Component>> {
        Vec::new()
    }

    pub(crate) fn kinds(&self) -> Vec<KindDeclaration> {
        Vec::new()
    }

    pub(crate) fn driver(&self, _: &Services) -> Arc<dyn Driver> {
        unreachable!("{}", self.stored.sha256)
    }
}
