//! Copies of plugins by the hash of their contents. What is loaded is the copy that was hashed, never the file that somebody
//! else may be writing (plugin-abi.md, A.3.8). Beside each copy stands what the plugin says of itself, so that it need not be
//! started to be asked again.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::card::{self, CardError, Identity};
use crate::lock::{Lock, Untrusted};

/// The largest file that is taken for a plugin, in bytes. One with an AWS SDK has 15 MB.
const MAX_FILE: u64 = 512 << 20;

/// The file beside a copy with what the plugin says of itself.
const DESCRIPTION: &str = "description.json";

/// A file that is no plugin that may be loaded.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a folder, a pipe, a device.
    #[error("{} is no file", .0.display())]
    NoFile(PathBuf),
    /// It is larger than any plugin.
    #[error("{} has {size} bytes, at most {MAX_FILE} are loaded", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// Everybody on this machine can write it, or put another in its place.
    #[error("{} can be written by everybody", .0.display())]
    WorldWritable(PathBuf),
    /// It is no plugin for this program.
    #[error("{} cannot be used: {source}", path.display())]
    Card {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CardError,
    },
    /// The lock file does not vouch for it.
    #[error("{source}; nothing of it was run")]
    Untrusted {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Untrusted,
    },
    /// The copy cannot be made.
    #[error("cannot keep a copy of the plugin in {}", path.display())]
    Keep {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The copy is not what was copied.
    #[error("{} was changed while it was copied", .0.display())]
    Changed(PathBuf),
}

impl StoreError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } | Self::NoFile(_) => "name the plugin's library".to_owned(),
            Self::TooLarge { .. } => "this is hardly a plugin".to_owned(),
            Self::WorldWritable(path) => {
                format!(
                    "take the right away, then look whether it is still what you put there: chmod o-w {}",
                    path.display()
                )
            }
            Self::Card { source, .. } => source.hint(),
            Self::Untrusted { path, source } => {
                let add = format!("zonestack plugin add {}", path.display());
                match source {
                    Untrusted::NoEntry { .. } | Untrusted::NoPlatform { .. } => {
                        format!("if you trust it, record it: {add}")
                    }
                    Untrusted::Mismatch { .. } => {
                        format!(
                            "put the right file there; or, if you trust this one, record it: {add}"
                        )
                    }
                }
            }
            Self::Keep { .. } => "make the folder writable, or set XDG_CACHE_HOME".to_owned(),
            Self::Changed(_) => "run it again when nobody writes to it".to_owned(),
        }
    }
}

/// A file whose contents are known, and nothing of which has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    bytes: Vec<u8>,
}

/// A copy of a plugin that may be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLibrary {
    /// The copy; only its owner may read and run it, nobody may write it.
    pub path: PathBuf,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Its card.
    pub identity: Identity,
}

impl Candidate {
    /// Reads a file that only its owner, or those whom its owner let, can have written.
    ///
    /// # Errors
    /// It cannot be read, is no file, or is open to everybody.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Read { path: path.to_owned(), source };
        let real = path.canonicalize().map_err(failed)?;
        let metadata = fs::metadata(&real).map_err(failed)?;
        if !metadata.is_file() {
            return Err(StoreError::NoFile(path.to_owned()));
        }
        // Both folders: that of a link and that of what it points to.
        for place in [Some(real.as_path()), real.parent(), path.parent()].into_iter().flatten() {
            let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
            if open_to_everybody(&fs::metadata(place).map_err(failed)?) {
                return Err(StoreError::WorldWritable(place.to_owned()));
            }
        }
        if metadata.len() > MAX_FILE {
            return Err(StoreError::TooLarge { path: path.to_owned(), size: metadata.len() });
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&real).map_err(failed)?;
        file.take(MAX_FILE).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Self { path: path.to_owned(), sha256: sha256(&bytes), bytes })
    }

    /// Its card.
    ///
    /// # Errors
    /// It is no plugin for this program.
    pub fn identity(&self) -> Result<Identity, StoreError> {
        card::read(&self.path, &self.bytes)
            .map_err(|source| StoreError::Card { path: self.path.clone(), source })
    }

    /// Its card, when the lock file vouches for it. A file that is not the recorded one is refused before it is looked into.
    ///
    /// # Errors
    /// It is not what the lock file means, or no plugin for this program.
    pub fn trusted(&self, name: &str, lock: &Lock) -> Result<Identity, StoreError> {
        let untrusted = |source| StoreError::Untrusted { path: self.path.clone(), source };
        match lock.vouches(name, &self.path, &self.sha256) {
            Ok(()) => self.identity(),
            Err(found @ Untrusted::Mismatch { .. }) => Err(untrusted(found)),
            // What cannot be loaded anyway need not be recorded first.
            Err(found) => {
                self.identity()?;
                Err(untrusted(found))
            }
        }
    }

    /// Puts the same bytes at another place, readable for all and writable for its owner.
    ///
    /// # Errors
    /// The file cannot be written; what was there stays.
    pub fn install(&self, path: &Path) -> io::Result<()> {
        replace(path, &self.bytes, 0o644)
    }
}

/// Where the copies are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store below a cache folder, such as `~/.cache`.
    pub fn below(cache: &Path) -> Self {
        Self { root: cache.join("zonestack").join("plugins") }
    }

    /// Copies a plugin, and checks the copy.
    ///
    /// # Errors
    /// The copy cannot be made, or is not what was looked at.
    pub fn keep(&self, candidate: &Candidate) -> Result<StoredLibrary, StoreError> {
        let folder = self.folder(&candidate.sha256);
        let failed = |source| StoreError::Keep { path: folder.clone(), source };
        make_private(&folder).map_err(failed)?;
        if open_to_everybody(&fs::metadata(&folder).map_err(failed)?) {
            return Err(StoreError::WorldWritable(folder));
        }
        let name = candidate.path.file_name().unwrap_or_default();
        let path = folder.join(name);
        // Byte by byte, which costs less than another hash; a child that loads the copy hashes it once more.
        if fs::read(&path).ok().as_ref() != Some(&candidate.bytes) {
            replace(&path, &candidate.bytes, 0o500).map_err(failed)?;
            if fs::read(&path).map_err(failed)? != candidate.bytes {
                return Err(StoreError::Changed(path));
            }
        }
        let identity = candidate.identity()?;
        Ok(StoredLibrary { path, sha256: candidate.sha256.clone(), identity })
    }

    /// What the plugin with this hash said of itself when it was last asked. `None` when it never was, or another release of
    /// zonestack asked.
    pub fn description<D: DeserializeOwned>(&self, sha256: &str) -> Option<D> {
        let text = fs::read(self.folder(sha256).join(DESCRIPTION)).ok()?;
        let mut cached: serde_json::Value = serde_json::from_slice(&text).ok()?;
        if cached["zonestack"] != env!("CARGO_PKG_VERSION") {
            return None;
        }
        serde_json::from_value(cached["description"].take()).ok()
    }

    /// Remembers what the plugin with this hash says of itself. That it cannot be remembered costs time and nothing else.
    pub fn remember<D: Serialize>(&self, sha256: &str, description: &D) {
        let folder = self.folder(sha256);
        let cached = serde_json::json!({
            "zonestack": env!("CARGO_PKG_VERSION"),
            "description": description,
        });
        let written = make_private(&folder).and_then(|()| {
            replace(&folder.join(DESCRIPTION), cached.to_string().as_bytes(), 0o600)
        });
        if let Err(error) = written {
            tracing::debug!("the description in {} is not kept: {error}", folder.display());
        }
    }

    fn folder(&self, sha256: &str) -> PathBuf {
        self.root.join(sha256)
    }
}

/// The SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Puts a file in the place of another, whole or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = write_new(&new, bytes, mode).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        drop(fs::remove_file(&new));
    }
    written
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // What a process of the same number left when it was killed.
    drop(fs::remove_file(path));
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    set_mode(&file, mode)?;
    file.sync_all()
}

#[cfg(unix)]
fn set_mode(file: &fs::File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &fs::File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// The sticky bit of a folder such as `/tmp` does not help: whoever comes first chooses what is there.
#[cfg(unix)]
fn open_to_everybody(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o002 != 0
}

#[cfg(not(unix))]
fn open_to_everybody(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests;
