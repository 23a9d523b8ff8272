//! `zonestack.lock`: which plugins a stack trusts, by the SHA-256 of their files. Stands beside the stack file and belongs
//! into version control (plugin-abi.md, A.3.8). Whatever is not in it is not loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::card::{Identity, PLATFORM, is_name};

/// The file's name.
pub const FILE: &str = "zonestack.lock";

/// The version of the file's format. A newer one is refused.
const FORMAT: u32 = 1;

const HEADER: &str = "\
# Written by `zonestack plugin add` and `zonestack plugin remove`. Keep it under version control: no plugin is loaded
# unless its file has the SHA-256 that stands here for the platform. One hash for each platform.
";

/// What a stack trusts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// The plugins by name.
    pub plugins: BTreeMap<String, LockEntry>,
    /// Plugins that were removed: what they made may still be there, and then a person must know which file is missing.
    pub removed: BTreeMap<String, Offer>,
}

/// One plugin of a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockEntry {
    /// What it is and brings.
    pub offer: Offer,
    /// Where it came from, for people: an address, or the file's name.
    pub source: String,
    /// The major version of its interface.
    pub abi: u32,
    /// The versions of the messages that it speaks, oldest and newest.
    pub proto: [u32; 2],
    /// The SHA-256 of the file for each platform, 64 hexadecimal digits.
    pub sha256: BTreeMap<String, String>,
}

/// What a plugin brings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offer {
    /// Its version.
    pub version: String,
    /// The component types, sorted.
    pub components: BTreeSet<String>,
    /// The resource kinds that it drives, sorted.
    pub kinds: BTreeSet<String>,
}

/// A lock file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what zonestack writes.
    #[error("{} is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// It was written by a newer zonestack.
    #[error("{} has format {found}, this zonestack reads up to {FORMAT}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl LockError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "no plugin is loaded without it",
            Self::Damaged { .. } => {
                "take it back from version control, or delete it and add the plugins again"
            }
            Self::Newer { .. } => "update zonestack",
            Self::Write { .. } => "nothing was changed",
        }
    }
}

/// Why a lock file does not vouch for a plugin. What it does not vouch for is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It is not in there.
    #[error("the plugin {name} is not in {FILE}")]
    NoEntry {
        /// The plugin.
        name: String,
    },
    /// It is in there, but not for this platform.
    #[error(
        "{FILE} has no SHA-256 of the plugin {name} {version} for {PLATFORM}, only for {}",
        platforms.join(", ")
    )]
    NoPlatform {
        /// The plugin.
        name: String,
        /// Its version in the lock file.
        version: String,
        /// For which platforms there is one.
        platforms: Vec<String>,
    },
    /// The file is another one.
    #[error(
        "{} is not the plugin {name} {version} of {FILE}: its SHA-256 is {found}, expected is {expected}",
        path.display()
    )]
    Mismatch {
        /// The plugin.
        name: String,
        /// Its version in the lock file.
        version: String,
        /// The file.
        path: PathBuf,
        /// What stands in the lock file.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl Lock {
    /// The lock file of a folder; empty when there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or that says what this zonestack does not know: nothing is guessed about trust.
    pub fn read(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(LockError::Read { path, source }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, LockError> {
        let damaged = |message: String| LockError::Damaged { path: path.to_owned(), message };
        let place = |error: toml::de::Error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            damaged(format!("{line}{}", error.message()))
        };
        let format: Format = toml::from_str(text).map_err(place)?;
        if format.version > FORMAT {
            return Err(LockError::Newer { path: path.to_owned(), found: format.version });
        }
        let record: Record = toml::from_str(text).map_err(place)?;
        let mut lock = Self::default();
        for PluginRecord { name, version, source, abi, proto, components, kinds, sha256 } in
            record.plugin
        {
            let hash = |hash: &String| {
                hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            };
            if !is_name(&name) {
                return Err(damaged(format!("{name:?} is no name of a plugin")));
            }
            if let Some((platform, _)) = sha256.iter().find(|(_, text)| !hash(text)) {
                let message =
                    format!("the SHA-256 of {name} for {platform} is not 64 hexadecimal digits");
                return Err(damaged(message));
            }
            let entry = LockEntry {
                offer: Offer { version, components, kinds },
                source,
                abi,
                proto,
                sha256,
            };
            if lock.plugins.insert(name.clone(), entry).is_some() {
                return Err(damaged(format!("{name} stands there twice")));
            }
        }
        for RemovedRecord { name, version, components, kinds } in record.removed {
            lock.removed.insert(name, Offer { version, components, kinds });
        }
        Ok(lock)
    }

    /// The file's text: the same for the same contents.
    pub fn text(&self) -> String {
        let mut text = format!("{HEADER}version = {FORMAT}\n");
        // Writing to a string does not fail.
        for (name, entry) in &self.plugins {
            let hashes: Vec<String> = entry
                .sha256
                .iter()
                .map(|(platform, hash)| format!("{} = {}", quoted(platform), quoted(hash)))
                .collect();
            let [min, max] = entry.proto;
            let _ = write!(text, "\n[[plugin]]\n{}", offer(name, &entry.offer));
            let _ = write!(
                text,
                "source = {}\nabi = {}\nproto = [{min}, {max}]\nsha256 = {{ {} }}\n",
                quoted(&entry.source),
                entry.abi,
                hashes.join(", ")
            );
        }
        for (name, removed) in &self.removed {
            let _ = write!(text, "\n[[removed]]\n{}", offer(name, removed));
        }
        text
    }

    /// Writes the lock file of a folder, as a whole or not at all.
    ///
    /// # Errors
    /// [`LockError::Write`]; what was there stays.
    pub fn write(&self, folder: &Path) -> Result<(), LockError> {
        let path = folder.join(FILE);
        crate::store::replace(&path, self.text().as_bytes(), 0o644)
            .map_err(|source| LockError::Write { path, source })
    }

    /// The hash that a plugin's file must have here.
    ///
    /// # Errors
    /// The lock file does not know the plugin, or not for this platform.
    pub fn expected(&self, name: &str) -> Result<&str, Untrusted> {
        let entry =
            self.plugins.get(name).ok_or_else(|| Untrusted::NoEntry { name: name.to_owned() })?;
        entry.sha256.get(PLATFORM).map(String::as_str).ok_or_else(|| Untrusted::NoPlatform {
            name: name.to_owned(),
            version: entry.offer.version.clone(),
            platforms: entry.sha256.keys().cloned().collect(),
        })
    }

    /// Whether this file is the one that the lock file means.
    ///
    /// # Errors
    /// See [`Untrusted`].
    pub fn vouches(&self, name: &str, path: &Path, found: &str) -> Result<(), Untrusted> {
        let expected = self.expected(name)?;
        if expected == found {
            return Ok(());
        }
        let version = self.plugins.get(name).map(|entry| entry.offer.version.clone());
        Err(Untrusted::Mismatch {
            name: name.to_owned(),
            version: version.unwrap_or_default(),
            path: path.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        })
    }

    /// Records a plugin for this platform. Hashes for other platforms stay as long as the version does.
    pub fn record(&mut self, identity: &Identity, offer: Offer, source: String, sha256: &str) {
        self.removed.remove(&identity.name);
        let before = self.plugins.remove(&identity.name);
        let same = before.filter(|entry| entry.offer.version == identity.version);
        let mut hashes = same.map(|entry| entry.sha256).unwrap_or_default();
        hashes.insert(PLATFORM.to_owned(), sha256.to_owned());
        let entry = LockEntry {
            offer,
            source,
            abi: identity.abi_major,
            proto: [identity.proto_min, identity.proto_max],
            sha256: hashes,
        };
        self.plugins.insert(identity.name.clone(), entry);
    }

    /// Takes a plugin out; what it brought stays known.
    pub fn remove(&mut self, name: &str) -> Option<LockEntry> {
        let entry = self.plugins.remove(name)?;
        self.removed.insert(name.to_owned(), entry.offer.clone());
        Some(entry)
    }

    /// The plugin that brings a component type.
    pub fn of_component(&self, component: &str) -> Option<&str> {
        let mut found =
            self.plugins.iter().filter(|(_, entry)| entry.offer.components.contains(component));
        found.next().map(|(name, _)| name.as_str())
    }

    /// The plugin that drives a kind.
    pub fn of_kind(&self, kind: &str) -> Option<&str> {
        let mut found = self.plugins.iter().filter(|(_, entry)| entry.offer.kinds.contains(kind));
        found.next().map(|(name, _)| name.as_str())
    }
}

fn offer(name: &str, offer: &Offer) -> String {
    let listed = |words: &BTreeSet<String>| {
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ")
    };
    format!(
        "name = {}\nversion = {}\ncomponents = [{}]\nkinds = [{}]\n",
        quoted(name),
        quoted(&offer.version),
        listed(&offer.components),
        listed(&offer.kinds)
    )
}

/// A text as TOML has it: its escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[derive(Deserialize)]
struct Format {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    plugin: Vec<PluginRecord>,
    #[serde(default)]
    removed: Vec<RemovedRecord>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginRecord {
    name: String,
    version: String,
    source: String,
    abi: u32,
    proto: [u32; 2],
    #[serde(default)]
    components: BTreeSet<String>,
    #[serde(default)]
    kinds: BTreeSet<String>,
    sha256: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemovedRecord {
    name: String,
    version: String,
    #[serde(default)]
    components: BTreeSet<String>,
    #[serde(default)]
    kinds: BTreeSet<String>,
}

#[cfg(test)]
mod tests;
