//! Where a sandbox is kept between commands: one JSON file.
//!
//! # Guarantees
//! The file is replaced as a whole, after its new content has reached the disk, so that it is never half written. Two
//! commands at once take turns call by call, through a lock on the file beside it named `.lock`, and each sees what the
//! other did.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::world::World;

/// The version of the file's format. A newer one is refused.
pub const FORMAT: u32 = 1;

/// Why a sandbox file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SandboxFileError {
    /// It is there but cannot be read.
    #[error(
        "cannot read the sandbox file {}: let this user read it, or name another file: --sandbox=FILE",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is not what a sandbox writes.
    #[error(
        "the sandbox file {} is damaged at line {line}, column {column}: {reason}; delete it to start anew",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 for an empty file.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// It was written by a newer zonestack.
    #[error(
        "the sandbox file {} has format {found}, this zonestack reads up to {FORMAT}: update zonestack, or delete the file to start anew",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The recorded format.
        found: u32,
    },
    /// It cannot be written. Nothing was changed.
    #[error(
        "cannot write the sandbox file {}: name a file where this user may write, on a disk with room: --sandbox=FILE",
        path.display()
    )]
    Write {
        /// The file, or the one beside it that could not be written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl SandboxFileError {
    /// The message with the system's reason, for where no chain is printed.
    pub(crate) fn in_full(&self) -> String {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => format!("{self} ({source})"),
            Self::Damaged { .. } | Self::Newer { .. } => self.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    note: &'a str,
    saved_at: &'a str,
    world: &'a World,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[expect(dead_code, reason = "read as `Format` before")]
    format: u32,
    #[expect(dead_code, reason = "for people")]
    note: String,
    saved_at: String,
    world: World,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

const NOTE: &str = "A model of AWS and Kubernetes, kept by zonestack --sandbox. Nothing in it is real; delete it to start anew.";

/// A sandbox file, and what was last seen in it.
#[derive(Debug)]
pub(crate) struct SandboxFile {
    path: PathBuf,
    seen: Vec<u8>,
}

/// What a file holds.
pub(crate) struct Saved {
    pub(crate) world: World,
    /// When it was written, RFC 3339.
    pub(crate) at: String,
}

impl SandboxFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: Vec::new() }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    }

    /// Waits for its turn. Others wait until the answer is dropped.
    pub(crate) fn lock(&self) -> Result<File, SandboxFileError> {
        let path = self.beside(".lock");
        let lock = || {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|source| SandboxFileError::Write { path: path.clone(), source })
    }

    /// What is in the file, when that is not what was seen last; `None` as well when there is no file.
    pub(crate) fn read(&mut self) -> Result<Option<Saved>, SandboxFileError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SandboxFileError::Read { path: self.path.clone(), source }),
        };
        if bytes == self.seen && !bytes.is_empty() {
            return Ok(None);
        }
        let saved = self.parse(&bytes)?;
        self.seen = bytes;
        Ok(Some(saved))
    }

    /// What was last seen or written.
    pub(crate) fn last(&self) -> Option<Saved> {
        self.parse(&self.seen).ok()
    }

    fn parse(&self, bytes: &[u8]) -> Result<Saved, SandboxFileError> {
        let damaged = |error: &serde_json::Error| SandboxFileError::Damaged {
            path: self.path.clone(),
            line: error.line(),
            column: error.column(),
            reason: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        };
        let Format { format: found } =
            serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        if found > FORMAT {
            return Err(SandboxFileError::Newer { path: self.path.clone(), found });
        }
        let document: Document = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        Ok(Saved { world: document.world, at: document.saved_at })
    }

    /// Replaces the file. Only with the lock held.
    pub(crate) fn write(&mut self, world: &World, saved_at: &str) -> Result<(), SandboxFileError> {
        let temporary = self.beside(".new");
        let failed = |source| SandboxFileError::Write { path: self.path.clone(), source };
        let document = Written { format: FORMAT, note: NOTE, saved_at, world };
        let bytes = serde_json::to_vec_pretty(&document)
            .map_err(|error| failed(io::Error::other(error)))?;
        let replace = || {
            let mut file = File::create(&temporary)?;
            file.write_all(&bytes)?;
            file.sync_data()?;
            fs::rename(&temporary, &self.path)
        };
        replace().map_err(failed)?;
        self.seen = bytes;
        Ok(())
    }
}
