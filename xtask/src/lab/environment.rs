//! The environment variables that the lab reads, in one place.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

#[expect(clippy::disallowed_methods, reason = "this is where the lab reads the environment")]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// `KUBEBUILDER_ASSETS`: a folder with the programs of a control plane, as envtest has it.
pub(crate) fn assets() -> Option<PathBuf> {
    variable("KUBEBUILDER_ASSETS").map(PathBuf::from)
}

/// `ZONESTACK_CACHE`, else `zonestack` in the user's cache folder.
pub(crate) fn cache() -> Option<PathBuf> {
    let user = || {
        variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))
    };
    variable("ZONESTACK_CACHE").map(PathBuf::from).or_else(|| Some(user()?.join("zonestack")))
}
