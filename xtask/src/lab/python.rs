//! The emulators' Python environments: made once from pinned requirements, each in its own folder of the cache.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use thiserror::Error;

use super::cache::{self, NoCache};
use super::files::{self, FileError};
use super::process::{self, ProcessError};
use super::progress;

const CREATE: Duration = Duration::from_mins(2);
const INSTALL: Duration = Duration::from_mins(20);

/// A Python environment cannot be had.
#[derive(Debug, Error)]
pub(crate) enum PythonError {
    #[error(
        "the AWS emulators need python3, 3.10 or newer, with its venv module (Debian: apt install python3-venv)"
    )]
    Environment(#[source] ProcessError),
    #[error("pip could not install {requirements}: is a package index reachable?")]
    Install { requirements: String, source: ProcessError },
    #[error(transparent)]
    NoCache(#[from] NoCache),
    #[error(transparent)]
    File(#[from] FileError),
}

/// The interpreter of the environment with what `lab/requirements-<name>.txt` names.
pub(crate) fn ensure(name: &str) -> Result<PathBuf, PythonError> {
    let file = format!("requirements-{name}.txt");
    let requirements = cache::sources().join(&file);
    let key = cache::key([files::read(&requirements)?.as_str()]);
    let folder = cache::root()?.join(format!("python-{name}-{key}"));
    files::create_folder(&folder)?;
    let environment = folder.join("venv");
    let python = environment.join("bin/python");
    // An environment knows its own path, so it is made where it stays; this file says that it is whole.
    let whole = folder.join("whole");
    if whole.is_file() {
        return Ok(python);
    }
    let _lock = files::lock(&folder.join("lock"))?;
    if whole.is_file() {
        return Ok(python);
    }
    progress::note(&format!("installing {file} (once)"));
    files::remove_folder(&environment)?;
    install(&folder, &environment, &python, &requirements).map_err(|error| match error {
        Failure::Environment(source) => PythonError::Environment(source),
        Failure::Install(source) => PythonError::Install { requirements: file, source },
    })?;
    files::write(&whole, "")?;
    Ok(python)
}

enum Failure {
    Environment(ProcessError),
    Install(ProcessError),
}

fn install(
    folder: &Path,
    environment: &Path,
    python: &Path,
    requirements: &Path,
) -> Result<(), Failure> {
    let log = folder.join("install.log");
    let mut create = Command::new("python3");
    create.args(["-m", "venv"]).arg(environment);
    process::run("python3 -m venv", &mut create, folder, &log, None, CREATE)
        .map_err(Failure::Environment)?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r"]);
    pip.arg(requirements);
    process::run("pip", &mut pip, folder, &log, None, INSTALL).map_err(Failure::Install)
}
