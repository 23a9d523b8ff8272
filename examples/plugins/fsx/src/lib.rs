//! The plugin `openzfs`: shared files on one Multi-AZ Amazon FSx for OpenZFS file system, mounted from every zone by one name.
//!
//! It provides `shared-filesystem/v1`, so it stands where `efs` may stand.

pub mod config; // the settings, and every check of them
pub mod driver; // how a file system is found, made, changed and deleted
pub mod kind; // what the engine must know of it
pub mod render; // from settings and context to resources and exports; pure
mod shown; // FSx's answers in the words of a specification

use zonestack_sdk::core::interface::SharedFilesystem;
use zonestack_sdk::prelude::*;

use config::Settings;
use driver::FileSystems;

/// The component type.
pub struct OpenZfs;

impl TypedComponent for OpenZfs {
    type Settings = Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "openzfs",
            summary: "A shared file system on Amazon FSx for OpenZFS, by a third party",
            provides: vec![SharedFilesystem::NAME],
            requires: Vec::new(),
            advisories: config::ADVISORIES.to_vec(),
            schema: Json::Null,
        }
    }

    fn check(&self, settings: &Settings) -> Vec<Finding> {
        config::check(settings)
    }

    fn render(&self, settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
        render::render(settings, cx)
    }
}

/// The plugin.
pub struct OpenZfsPlugin;

impl Plugin for OpenZfsPlugin {
    const NAME: &'static str = "openzfs";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn components() -> Vec<Arc<dyn Component>> {
        vec![Arc::new(OpenZfs)]
    }

    fn kinds() -> Vec<KindDeclaration> {
        vec![kind::declaration()]
    }

    /// The host has the region, the endpoints and the credentials: this reads no environment and no file.
    fn drivers(host: Host) -> BoxFuture<'static, Result<Vec<Arc<dyn Driver>>, DriverError>> {
        Box::pin(async move {
            let driver: Arc<dyn Driver> = Arc::new(FileSystems::new(&host.aws_config().await?));
            Ok(vec![driver])
        })
    }
}

zonestack_sdk::export!(OpenZfsPlugin);
