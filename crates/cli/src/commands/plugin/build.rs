//! `plugin build`: cargo, then the checks that a stack will make.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use zonestack_host::card::file_name;
use zonestack_host::search::stack_folder;
use zonestack_host::store::Candidate;

use super::shown;
use crate::args::{Output, PluginBuildArgs};
use crate::exit::Exit;
use crate::extensions::refused;
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::settings::{Settings, variable};

pub(super) fn run(settings: &Settings, args: &PluginBuildArgs) -> Result<Exit, Failure> {
    let library = cargo(&args.dir)?;
    let candidate = Candidate::read(&library).map_err(|error| refused(&error, &error.hint()))?;
    let identity = candidate.identity().map_err(|error| refused(&error, &error.hint()))?;
    let place = match &args.to {
        Some(folder) => install(&candidate, &stack_folder(folder).join(file_name(&identity.name)))?,
        None => library,
    };
    let file = place.display().to_string();
    match settings.output {
        Output::Json => {
            let mut plugin =
                shown::json(&identity.name, "built", Some(&file), Some(&candidate.sha256), None);
            plugin["version"] = identity.version.as_str().into();
            plugin["card"] = json!(identity);
            report::data(&format!("{}\n", json!({ "version": VERSION, "plugin": plugin })))?;
        }
        Output::Text => {
            report::data(&shown::card(&identity, &file, &candidate.sha256))?;
            report::note(&format!("to use it in a stack: zonestack plugin add {file}"));
        }
    }
    Ok(Exit::Done)
}

fn install(candidate: &Candidate, place: &Path) -> Result<PathBuf, Failure> {
    let folder = place.parent().unwrap_or(place);
    std::fs::create_dir_all(folder)
        .and_then(|()| candidate.install(place))
        .map(|()| place.to_owned())
        .map_err(|source| Failure::File {
            action: "write",
            path: place.to_owned(),
            hint: "",
            source,
        })
}

/// Builds the crate; the shared library that came of it. Cargo says itself where that is, whatever its settings are.
fn cargo(dir: &Path) -> Result<PathBuf, Failure> {
    let cargo = variable("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let output = Command::new(&cargo)
        .args(["build", "--release", "--message-format", "json-render-diagnostics"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::Usage {
            message: format!("cannot run {cargo} in {}: {error}", dir.display()),
            hint:
                "install Rust (https://rustup.rs), or name cargo in CARGO; name the crate's folder"
                    .to_owned(),
        })?;
    if !output.status.success() {
        return Err(Failure::Failed {
            message: format!("{cargo} build failed in {}", dir.display()),
            hint: "see what it says above".to_owned(),
        });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let mut libraries: Vec<PathBuf> = messages
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| is_shared(&message["target"]["kind"]))
        .flat_map(|message| files(&message["filenames"]))
        .filter(|file| zonestack_host::search::name_of(file).is_some())
        .collect();
    match (libraries.pop(), libraries.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::Usage {
            message: format!("{} builds no plugin: no {}", dir.display(), file_name("NAME")),
            hint: "the crate is called zonestack-plugin-NAME and has crate-type = [\"cdylib\", \"rlib\"]".to_owned(),
        }),
        (Some(_), false) => Err(Failure::Usage {
            message: format!("{} builds several plugins", dir.display()),
            hint: "name the folder of one".to_owned(),
        }),
    }
}

fn is_shared(kinds: &Json) -> bool {
    kinds.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
}

fn files(names: &Json) -> Vec<PathBuf> {
    let names = names.as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(Json::as_str).map(PathBuf::from).collect()
}
