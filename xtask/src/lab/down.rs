//! `lab down`.

use std::fs::File;
use std::path::Path;

use thiserror::Error;

use super::files::{self, FileError};
use super::process::{self, ProcessError};
use super::state::Lab;
use super::up::{self, LabError};

/// A lab cannot be stopped.
#[derive(Debug, Error)]
pub(crate) enum DownError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Stops everything that a lab started and removes its folder. Fine when nothing runs.
///
/// # Guarantees
/// - It works from whatever a crash has left: the state file, or, on Linux, the run folder in a process's environment.
pub(crate) fn down(name: &str) -> Result<(), LabError> {
    let run = up::folder(name)?;
    let _lock = lock(&run)?;
    Ok(clear(&run)?)
}

/// Keeps two commands off the same lab. The lock is beside the folder, since the folder goes.
pub(crate) fn lock(run: &Path) -> Result<File, FileError> {
    if let Some(parent) = run.parent() {
        files::create_folder(parent)?;
    }
    files::lock(&run.with_added_extension("lock"))
}

/// Stops all and removes the folder.
pub(crate) fn clear(run: &Path) -> Result<(), DownError> {
    stop_processes(run)?;
    Ok(files::remove_folder(run)?)
}

/// Stops all processes of a run folder; the logs stay.
pub(crate) fn stop_processes(run: &Path) -> Result<(), DownError> {
    // A state file that cannot be read must not keep the processes alive.
    if let Some(lab) = Lab::load(run).ok().flatten() {
        process::stop_all(lab.processes.iter().map(|(name, process)| (name.as_str(), process)))?;
    }
    let marked = process::marked(run);
    Ok(process::stop_all(marked.iter().map(|process| ("a process of the lab", process)))?)
}
