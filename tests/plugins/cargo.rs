//! Cargo in a crate outside the workspace, in a target directory of its own beside this test's, never in the checkout.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Folder, built_beside, search_path};

/// With nothing compiled and one of two busy cores it is a few minutes.
const BUILD: Duration = Duration::from_mins(20);

/// What `cargo test` tells of the test's own package; the build script of ring is run again when one changes.
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

/// A crate, and how it is built.
pub(super) struct Crate {
    pub(super) manifest: PathBuf,
    /// The name of its target directory.
    pub(super) target: &'static str,
    /// Settings of cargo.
    pub(super) variables: &'static [(&'static str, &'static str)],
}

impl Crate {
    /// Its target directory.
    pub(super) fn target(&self) -> PathBuf {
        built_beside(self.target)
    }

    /// Runs cargo, which must work and warn of nothing.
    #[track_caller]
    pub(super) fn cargo(&self, arguments: &[&str]) -> String {
        let folder = Folder::new();
        let said = folder.path().join("said");
        let file = File::create(&said).unwrap();
        let mut command = Command::new("cargo");
        command.args(arguments).arg("--manifest-path").arg(&self.manifest);
        command.env("PATH", search_path()).env("CARGO_TARGET_DIR", self.target());
        for name in OF_THIS_PACKAGE {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().copied());
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + BUILD;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() >= deadline {
                child.kill().unwrap();
                panic!("cargo {arguments:?} takes longer than {BUILD:?}");
            }
            thread::sleep(Duration::from_millis(20));
        };
        let said = std::fs::read_to_string(said).unwrap();
        assert!(status.success() && !said.contains("warning:"), "cargo {arguments:?}\n{said}");
        said
    }

    /// The folder of the crate.
    pub(super) fn folder(&self) -> &Path {
        self.manifest.parent().unwrap()
    }
}
