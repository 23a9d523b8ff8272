//! `cargo xtask tidy`: the rules of the tree that no compiler knows.
//!
//! Each rule is in one file of this folder, as a function from text to complaints; a rule here stands for a sentence of
//! `ARCHITECTURE.md` or `CONTRIBUTING.md`.

mod crates; // what each crate may depend on
mod layers; // in core, a module never uses a later one
mod names; // names of files
mod texts; // what must not, or must, be written
mod tree; // the files

use std::fmt;
use std::path::Path;

use thiserror::Error;

use crate::checkout::CheckoutError;
pub(crate) use tree::TreeError;

/// The tree cannot be checked.
#[derive(Debug, Error)]
pub(crate) enum TidyError {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    #[error("the tree is not tidy: {0} complaints")]
    Untidy(usize),
}

/// Something that is against a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// The file, from the root, and the line if there is one.
    place: String,
    message: String,
    /// Whether it only asks for attention.
    warning: bool,
}

impl Complaint {
    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { place: format!("{path}:{line}"), message: message.into(), warning: false }
    }

    fn of(path: &str, message: impl Into<String>) -> Self {
        Self { place: path.to_owned(), message: message.into(), warning: false }
    }

    fn warning(self) -> Self {
        Self { warning: true, ..self }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning" } else { "error" };
        write!(f, "{kind}: {}: {}", self.place, self.message)
    }
}

/// All complaints.
pub(crate) struct Report(Vec<Complaint>);

impl Report {
    /// One line for each.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// How many are more than a warning.
    pub(crate) fn failures(&self) -> usize {
        self.0.iter().filter(|complaint| !complaint.warning).count()
    }
}

/// Checks the whole tree.
pub(crate) fn check(root: &Path) -> Result<Report, TidyError> {
    let files = tree::files(root)?;
    let mut complaints = Vec::new();
    for file in &files {
        complaints.extend(names::check(&file.path));
        complaints.extend(texts::check(&file.path, &file.text));
    }
    complaints.extend(layers::check(&files));
    complaints.extend(crates::manifests(&files));
    complaints.extend(crates::dependencies(&crate::checkout::metadata()?));
    complaints.extend(crates::core(&crate::checkout::ask(&crates::CORE_TREE)?));
    Ok(Report(complaints))
}

/// Runs the task.
pub(crate) fn run() -> Result<(), TidyError> {
    use std::io::Write;

    let report = check(&crate::checkout::root())?;
    for line in report.lines() {
        drop(writeln!(std::io::stderr(), "{line}"));
    }
    match report.failures() {
        0 => Ok(()),
        count => Err(TidyError::Untidy(count)),
    }
}

#[cfg(test)]
mod tests {
    /// So that `cargo test` alone says it too.
    #[test]
    fn the_tree_is_tidy() {
        let report = super::check(&crate::checkout::root()).unwrap();
        assert_eq!(report.failures(), 0, "{:#?}", report.lines());
    }
}
