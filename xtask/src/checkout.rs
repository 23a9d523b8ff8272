//! The checkout that this xtask was built from, as cargo sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use thiserror::Error;

/// cargo does not say what is asked.
#[derive(Debug, Error)]
pub(crate) enum CheckoutError {
    #[error("cannot run cargo {arguments}")]
    Start { arguments: String, source: std::io::Error },
    #[error("cargo {arguments} failed:\n{message}")]
    Failed { arguments: String, message: String },
    #[error("cargo metadata answered something else than JSON")]
    Answer(#[from] serde_json::Error),
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// What `cargo run` tells a program of its own package. The build script of ring is run again when one of these changes, and
/// with it everything above: a cargo that xtask starts must build what a cargo from the shell has built.
const OF_THIS_PACKAGE: [&str; 9] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// A cargo that works on the checkout.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).current_dir(root());
    for name in OF_THIS_PACKAGE {
        cargo.env_remove(name);
    }
    cargo
}

/// What a cargo command prints.
pub(crate) fn ask(arguments: &[&str]) -> Result<String, CheckoutError> {
    let name = || arguments.join(" ");
    let output = cargo(arguments)
        .output()
        .map_err(|source| CheckoutError::Start { arguments: name(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(CheckoutError::Failed { arguments: name(), message })
}

/// The members of the workspace and where cargo builds.
pub(crate) fn metadata() -> Result<Value, CheckoutError> {
    Ok(serde_json::from_str(&ask(&["metadata", "--no-deps", "--format-version", "1"])?)?)
}

/// A program of the workspace, in the profile's folder (`debug` or `release`).
pub(crate) fn program(profile: &str, name: &str) -> Result<PathBuf, CheckoutError> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().unwrap_or_default();
    Ok(Path::new(target).join(profile).join(name))
}
