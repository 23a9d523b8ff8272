//! What a zonestack plugin is written with.
//!
//! A plugin is a crate that implements the same contracts as zonestack's own components and drivers,
//! [`TypedComponent`](zonestack_core::component::TypedComponent) and [`Driver`](zonestack_core::driver::Driver), most often as a
//! [`TypedDriver`](typed_driver::TypedDriver), and names them in a [`Plugin`]. One line makes it a shared library that zonestack loads:
//!
//! ```
//! use zonestack_sdk::prelude::*;
//!
//! /// Settings of the component: what stands under `with:`.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     /// What the page says.
//!     greeting: String,
//! }
//!
//! struct Greeter;
//!
//! impl TypedComponent for Greeter {
//!     type Settings = Settings;
//!
//!     fn describe(&self) -> ComponentType {
//!         ComponentType {
//!             name: "greeter",
//!             summary: "A greeting in a ConfigMap",
//!             provides: Vec::new(),
//!             requires: Vec::new(),
//!             advisories: Vec::new(),
//!             schema: Json::Null,
//!         }
//!     }
//!
//!     fn check(&self, settings: &Settings) -> Vec<Finding> {
//!         let empty = || Finding::error("greeting", "greeting", "the greeting is empty");
//!         settings.greeting.is_empty().then(empty).into_iter().collect()
//!     }
//!
//!     fn render(&self, settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
//!         let manifest = json!({
//!             "apiVersion": "v1",
//!             "kind": "ConfigMap",
//!             "metadata": { "name": cx.physical_name(), "namespace": cx.context.namespace },
//!             "data": { "greeting": settings.greeting },
//!         });
//!         let resources = vec![Resource::manifest(cx.id("greeting"), manifest)];
//!         Rendered { resources, ..Rendered::default() }
//!     }
//! }
//!
//! struct GreeterPlugin;
//!
//! impl Plugin for GreeterPlugin {
//!     const NAME: &'static str = "greeter";
//!     const VERSION: &'static str = "0.1.0";
//!
//!     fn components() -> Vec<Arc<dyn Component>> {
//!         vec![Arc::new(Greeter)]
//!     }
//! }
//!
//! zonestack_sdk::export!(GreeterPlugin);
//! # fn main() {}
//! ```
//!
//! What goes over the boundary is in [`message`]; `docs/plugins.md` has the rest.

#[cfg(feature = "aws")]
pub mod aws; // for drivers of AWS services: configuration, marks, classes of errors
mod card; // the constant that says who a plugin is
mod export; // the one line that makes a crate a plugin
pub mod glue; // the functions behind the one symbol
mod host; // what a plugin may ask of its host
mod log; // what the plugin's libraries log, sent to the host
pub mod message; // what goes over the boundary
mod plugin; // what a plugin is
mod serve; // from a message to a call and back
#[cfg(test)]
mod things; // a service in memory, for the tests of this crate
pub mod testkit; // for an author's tests: the life of a resource, with every call made twice
pub mod typed_driver; // the usual driver: one kind, whose specification is a type

pub use card::card;
pub use host::{AskError, Host, Outside};
pub use plugin::Plugin;
pub use zonestack_abi as abi;
pub use zonestack_core as core;

/// What nearly every plugin uses.
pub mod prelude {
    pub use std::sync::Arc;

    pub use futures::future::BoxFuture;
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::{Value as Json, json};
    pub use zonestack_core::component::{
        Component, ComponentType, RenderContext, Rendered, Requirement, TypedComponent,
    };
    pub use zonestack_core::context::Context;
    pub use zonestack_core::diagnostic::{Finding, Severity};
    pub use zonestack_core::driver::{
        CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
        Owned, Owner, Ownership, Query, Status, Target,
    };
    pub use zonestack_core::interface::Export;
    pub use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
    pub use zonestack_core::name::{ComponentName, Kind, ResourceId, Zone};
    pub use zonestack_core::projection::project;
    pub use zonestack_core::resource::{DataClass, Placement, Resource, Until};
    pub use zonestack_core::value::{Ref, Value};

    pub use crate::typed_driver::{Call, Found, Outcome, Tags, TypedDriver};
    pub use crate::{Host, Plugin};
}
