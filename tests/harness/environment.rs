//! The variables by which `cargo xtask test` says where things are, in one place.

use std::env;
use std::path::PathBuf;

#[expect(clippy::disallowed_methods, reason = "this is where the tests read the environment")]
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The program under test: `ZONESTACK_BIN`, else the one that cargo has built beside this test.
pub(crate) fn program_path() -> PathBuf {
    variable("ZONESTACK_BIN").unwrap_or_else(|| {
        let test = env::current_exe().unwrap();
        let path = test.parent().and_then(|deps| deps.parent()).unwrap().join("zonestack");
        assert!(path.is_file(), "{} is not there: run `cargo build --workspace`", path.display());
        path
    })
}

/// A shared library of `libraries/` that cargo has built beside this test.
pub(crate) fn library_path(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let examples = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let file =
        format!("{}zonestack_plugin_{name}{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let path = examples.join(file);
    assert!(
        path.is_file(),
        "{} is not there: run `cargo build --workspace --all-targets`",
        path.display()
    );
    path
}

/// A folder of the target directory that cargo has built this test in.
pub(crate) fn built_beside(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join(name)
}

/// The xtask that cargo has built beside this test.
pub(super) fn xtask_path() -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join("xtask");
    assert!(path.is_file(), "{} is not there: run `cargo build --workspace`", path.display());
    path
}

/// How the built-in plugins are loaded, when `ZONESTACK_TEST_PLUGINS` asks for it: `child` or `in-process`.
pub(super) fn loaded_plugins() -> Option<String> {
    Some(variable("ZONESTACK_TEST_PLUGINS")?.to_str().unwrap().to_owned())
}

/// Whether `ZONESTACK_SWEEP` asks for the long sweeps of `cargo xtask sweep`.
pub(crate) fn long_sweeps() -> bool {
    variable("ZONESTACK_SWEEP").is_some()
}

/// The search path for programs that the program starts.
pub(crate) fn search_path() -> PathBuf {
    variable("PATH").unwrap_or_default()
}

/// Where cargo finds itself, for programs that start it.
pub(crate) fn for_cargo() -> Vec<(&'static str, String)> {
    let names = ["HOME", "CARGO", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let found = names.into_iter().filter_map(|name| Some((name, variable(name)?)));
    found.map(|(name, value)| (name, value.display().to_string())).collect()
}

/// Where `cargo xtask test` reads what was counted.
pub(super) fn counts_file() -> Option<PathBuf> {
    variable("ZONESTACK_COUNTS")
}

fn number(name: &str) -> Option<u64> {
    variable(name)?.to_str()?.parse().ok()
}

/// How many cases of each sort a random sweep tries.
pub(crate) fn sweep_cases() -> u64 {
    number("ZONESTACK_SWEEP_CASES").unwrap_or(60)
}

/// Which ones.
pub(crate) fn sweep_seed() -> u64 {
    number("ZONESTACK_SWEEP_SEED").unwrap_or(1)
}

/// The lab's `lab.json`.
pub(super) fn lab_file() -> PathBuf {
    variable("ZONESTACK_LAB").expect(
        "this test needs the lab: run `cargo xtask test`, or leave such tests out with `cargo xtask test --no-lab`",
    )
}
