//! Where plugins are looked for, in order: `--plugin`, the stack file, `.zonestack/plugins` beside it, the folders of
//! `ZONESTACK_PLUGIN_PATH`, the user's own. Never the current folder as such, `PATH` or the loader's paths (plugin-abi.md,
//! A.3.8).

use std::path::{Path, PathBuf};

use crate::card::file_name;
use crate::store::{Candidate, StoreError};

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// Files that were named on the command line.
    pub files: Vec<PathBuf>,
    /// Files that the stack file names, by plugin.
    pub named: Vec<(String, PathBuf)>,
    /// Folders, in order.
    pub folders: Vec<PathBuf>,
}

/// Why no file is the plugin.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// It is nowhere.
    #[error(
        "{} is missing: the plugin {name} is in none of the places where plugins are looked for",
        file_name(name)
    )]
    NotFound {
        /// The plugin.
        name: String,
        /// Where it was looked for.
        places: Vec<PathBuf>,
    },
    /// A file that was named is not there.
    #[error("{} is not there", path.display())]
    NamedMissing {
        /// The file.
        path: PathBuf,
        /// Who named it.
        by: &'static str,
    },
    /// Two files claim to be the plugin.
    #[error("{} and {} are both the plugin {name}, with different contents", one.display(), other.display())]
    Clash {
        /// The plugin.
        name: String,
        /// The file that comes first.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// The file's name is not that of a plugin.
    #[error("{} has no name of a plugin", .0.display())]
    NoName(PathBuf),
    /// A place that depends on where the program is started.
    #[error("ZONESTACK_PLUGIN_PATH has the relative folder {}", .0.display())]
    Relative(PathBuf),
    /// A file cannot be looked at, or must not be.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SearchError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotFound { places, .. } => {
                let places: Vec<String> =
                    places.iter().map(|place| place.display().to_string()).collect();
                format!("put it into one of {}, or name it with --plugin", places.join(", "))
            }
            Self::NamedMissing { by, .. } => format!("{by} names it"),
            Self::Clash { .. } => "take one of them away".to_owned(),
            Self::NoName(_) => format!("a plugin's file is called {}", file_name("NAME")),
            Self::Relative(_) => "write folders from the root".to_owned(),
            Self::Store(error) => error.hint(),
        }
    }
}

/// Beside the stack file: where `zonestack plugin add` puts plugins.
pub fn stack_folder(beside: &Path) -> PathBuf {
    beside.join(".zonestack").join("plugins")
}

impl Search {
    /// The places for a stack. `path` is `ZONESTACK_PLUGIN_PATH`, `data` the user's folder for data.
    ///
    /// # Errors
    /// A relative folder in `path`. Empty ones, which elsewhere mean the current folder, mean nothing.
    pub fn new(beside: &Path, path: &[PathBuf], data: Option<&Path>) -> Result<Self, SearchError> {
        let path: Vec<PathBuf> =
            path.iter().filter(|folder| !folder.as_os_str().is_empty()).cloned().collect();
        if let Some(relative) = path.iter().find(|folder| folder.is_relative()) {
            return Err(SearchError::Relative(relative.clone()));
        }
        let mut folders = vec![stack_folder(beside)];
        folders.extend(path);
        folders.extend(data.map(|data| data.join("zonestack").join("plugins")));
        Ok(Self { folders, ..Self::default() })
    }

    /// The plugins that were named on the command line.
    ///
    /// # Errors
    /// A file whose name is not that of a plugin.
    pub fn explicit(&self) -> Result<Vec<String>, SearchError> {
        let name = |path: &PathBuf| name_of(path).ok_or_else(|| SearchError::NoName(path.clone()));
        self.files.iter().map(name).collect()
    }

    /// The file of a plugin. All places are looked at: two files with different contents are one too many.
    ///
    /// # Errors
    /// It is nowhere, or there are several; a file that was named is not there; a file is open to everybody.
    pub fn find(&self, name: &str) -> Result<Candidate, SearchError> {
        let mut found: Option<Candidate> = None;
        for path in self.paths(name)? {
            let candidate = Candidate::read(&path)?;
            match &found {
                None => found = Some(candidate),
                Some(first) if first.sha256 == candidate.sha256 => {}
                Some(first) => {
                    return Err(SearchError::Clash {
                        name: name.to_owned(),
                        one: first.path.clone(),
                        other: path,
                    });
                }
            }
        }
        found.ok_or_else(|| SearchError::NotFound {
            name: name.to_owned(),
            places: self.folders.clone(),
        })
    }

    /// Every plugin that lies in one of the places, by name; in order of name, each once.
    pub fn all(&self) -> Vec<String> {
        let mut names: Vec<String> = self.files.iter().filter_map(|path| name_of(path)).collect();
        names.extend(self.named.iter().map(|(name, _)| name.clone()));
        for folder in &self.folders {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            names.extend(entries.filter_map(|entry| name_of(&entry.path())));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    fn paths(&self, name: &str) -> Result<Vec<PathBuf>, SearchError> {
        let file = file_name(name);
        let is_it = |path: &&PathBuf| path.file_name().is_some_and(|found| *found == *file);
        let mut paths = Vec::new();
        let explicit = self.files.iter().filter(is_it).map(|path| (path, "--plugin"));
        let named = self.named.iter().filter(|(plugin, _)| plugin == name);
        for (path, by) in explicit.chain(named.map(|(_, path)| (path, "the stack file"))) {
            if !path.exists() {
                return Err(SearchError::NamedMissing { path: path.clone(), by });
            }
            paths.push(path.clone());
        }
        paths.extend(self.folders.iter().map(|folder| folder.join(&file)).filter(|p| p.exists()));
        Ok(paths)
    }
}

/// The plugin that a file's name means. What was a dash and what an underscore the name does not say: no plugin has one.
pub fn name_of(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str()?;
    let pattern = file_name("\n");
    let (before, after) = pattern.split_once('\n')?;
    let name = file.strip_prefix(before)?.strip_suffix(after)?.replace('_', "-");
    crate::card::is_name(&name).then_some(name)
}

#[cfg(test)]
mod tests;
