//! The variables by which `cargo xtask test` says where things are, in one place.

use std::env;
use std::path::PathBuf;

#[expect(clippy::disallowed_methods, reason = "this is where the tests read the environment")]
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The program under test: `ZONESTACK_BIN`, else the one that cargo has built beside this test.
pub(super) fn program_path() -> PathBuf {
    variable("ZONESTACK_BIN").unwrap_or_else(|| {
        let test = env::current_exe().unwrap();
        let path = test.parent().and_then(|deps| deps.parent()).unwrap().join("zonestack");
        assert!(path.is_file(), "{} is not there: run `cargo build --workspace`", path.display());
        path
    })
}

/// The search path for programs that the program starts.
pub(super) fn search_path() -> PathBuf {
    variable("PATH").unwrap_or_default()
}

/// The lab's `lab.json`.
pub(super) fn lab_file() -> PathBuf {
    variable("ZONESTACK_LAB").expect(
        "this test needs the lab: run `cargo xtask test`, or leave such tests out with `cargo xtask test --no-lab`",
    )
}
