//! `cargo xtask codegen`: what is written from the program itself, so that it cannot be wrong.
//!
//! - `docs/cli.md` from `--help` of every command,
//! - `docs/stack.schema.json` from `zonestack schema`,
//! - `docs/components/<type>.md` from that schema, under the documentation of the plugin's crate.

mod command_line;
mod component;
mod settings;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::Value;
use thiserror::Error;

use crate::checkout::{self, CheckoutError};

/// The files cannot be written, or are not what they should be.
#[derive(Debug, Error)]
pub(crate) enum CodegenError {
    #[error("cannot run {}", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("zonestack {arguments} failed:\n{message}")]
    Failed { arguments: String, message: String },
    #[error("zonestack schema printed something else than JSON")]
    Schema(#[from] serde_json::Error),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("out of date, run `cargo xtask codegen`: {}", .0.join(", "))]
    OutOfDate(Vec<String>),
    #[error("the build failed")]
    Build,
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
}

/// The arguments of `cargo xtask codegen`.
#[derive(Debug, Args)]
pub(crate) struct CodegenCommand {
    /// Write nothing; fail when a file is not what would be written
    #[arg(long)]
    check: bool,
}

impl CodegenCommand {
    /// Builds the program and writes, or compares, the files.
    pub(crate) fn run(&self) -> Result<(), CodegenError> {
        // With all targets, so that it is the same build as that of the tests.
        let status = checkout::cargo(&["build", "--workspace", "--all-targets"]).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(CodegenError::Build);
        }
        if self.check {
            return match differences()? {
                paths if paths.is_empty() => Ok(()),
                paths => Err(CodegenError::OutOfDate(paths)),
            };
        }
        let root = checkout::root();
        for (path, text) in files()? {
            let path = root.join(path);
            let folder = path.parent().unwrap_or(&root);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, text))
                .map_err(|source| CodegenError::Write { path: path.clone(), source })?;
        }
        Ok(())
    }
}

/// The files that are not as the built program would have them.
pub(crate) fn differences() -> Result<Vec<String>, CodegenError> {
    let root = checkout::root();
    let files = files()?;
    let differs = |(path, text): &(String, String)| {
        fs::read_to_string(root.join(path)).ok().as_ref() != Some(text)
    };
    Ok(files.into_iter().filter(differs).map(|(path, _)| path).collect())
}

/// Path and contents of each generated file.
fn files() -> Result<Vec<(String, String)>, CodegenError> {
    let program = checkout::program("debug", "zonestack")?;
    let schema = ask(&program, &["schema"])?;
    let document: Value = serde_json::from_str(&schema)?;
    let mut files = vec![
        ("docs/cli.md".to_owned(), command_line::page(|arguments| ask(&program, arguments))?),
        ("docs/stack.schema.json".to_owned(), schema),
    ];
    for name in component::types(&document) {
        let plugin = component::plugin(&name);
        let path = checkout::root().join(format!("crates/{plugin}/src/lib.rs"));
        let library = fs::read_to_string(&path)
            .map_err(|source| CodegenError::Read { path: path.clone(), source })?;
        let page = component::page(&name, &library, &document);
        files.push((format!("docs/components/{name}.md"), page));
    }
    Ok(files)
}

/// What the program prints; always 100 columns wide and without colours.
fn ask(program: &Path, arguments: &[&str]) -> Result<String, CodegenError> {
    let output = Command::new(program)
        .args(arguments)
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .output()
        .map_err(|source| CodegenError::Start { program: program.to_owned(), source })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(CodegenError::Failed { arguments: arguments.join(" "), message });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
