//! The text files of the checkout.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Folders that hold nothing of the project.
const SKIPPED: [&str; 4] = [".git", "target", ".zonestack", "__pycache__"];

/// The tree cannot be read.
#[derive(Debug, Error)]
#[error("cannot read {}", path.display())]
pub(crate) struct TreeError {
    path: PathBuf,
    source: io::Error,
}

/// A text file.
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// Every text file below the root, by path. What is not UTF-8 is no text.
pub(super) fn files(root: &Path) -> Result<Vec<File>, TreeError> {
    let mut files = Vec::new();
    read(root, root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<(), TreeError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TreeError { path, source }
    };
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(failed(&path))?;
        if kind.is_dir() && !SKIPPED.iter().any(|name| entry.file_name() == *name) {
            read(root, &path, files)?;
        }
        if !kind.is_file() {
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => {
                let path = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                files.push(File { path, text });
            }
            // Not UTF-8; or another program's scratch file, gone already.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::NotFound) => {
            }
            Err(error) => return Err(failed(&path)(error)),
        }
    }
    Ok(())
}
