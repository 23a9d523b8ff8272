//! Files whose errors name the path.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use super::progress;
use super::wait::{self, Interrupted};

/// How long another process may hold a lock: building the control plane takes minutes.
const LOCK: Duration = Duration::from_hours(1);
const TAIL_BYTES: u64 = 8 * 1024;

/// Something that could not be done with a file.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "another process has held {} for an hour: end it, or delete that file",
        path.display()
    )]
    Locked { path: PathBuf },
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { action, path, source }
}

pub(crate) fn read(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(failed("read", path))
}

/// Writes the whole file or leaves it as it was; only the owner may read it, since some hold keys.
pub(crate) fn write(path: &Path, contents: &str) -> Result<(), FileError> {
    let new = path.with_added_extension("new");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(contents.as_bytes()))
        .map_err(failed("write", &new))?;
    rename(&new, path)
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(failed("make", to))
}

pub(crate) fn create_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(failed("create the folder", path))
}

/// Removes a folder and all in it; fine when there is none.
pub(crate) fn remove_folder(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(failed("remove", path)),
    }
}

/// A file that a process writes its output to.
pub(crate) fn append(path: &Path) -> Result<File, FileError> {
    OpenOptions::new().create(true).append(true).open(path).map_err(failed("write", path))
}

/// A lock between processes, held as long as the file is.
pub(crate) fn lock(path: &Path) -> Result<File, FileError> {
    let file = append(path)?;
    let mut told = false;
    let locked = wait::until(LOCK, || match file.try_lock() {
        Ok(()) => Ok(Some(())),
        Err(TryLockError::WouldBlock) => {
            if !told {
                progress::note(&format!("waiting for another process ({})", path.display()));
                told = true;
            }
            Ok(None)
        }
        Err(TryLockError::Error(source)) => Err(failed("lock", path)(source)),
    })?;
    locked.map(|()| file).ok_or_else(|| FileError::Locked { path: path.to_owned() })
}

/// The last lines of a log, for an error message; empty when it cannot be read.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = File::open(path)
        .and_then(|mut file| {
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        })
        .unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
