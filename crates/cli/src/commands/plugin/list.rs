//! `plugin list`: what the stack trusts, and what lies about. Nothing of any plugin runs.

use serde_json::{Value as Json, json};
use zonestack_host::lock::{Lock, Offer, Untrusted};
use zonestack_host::search::{Search, SearchError};
use zonestack_host::store::StoreError;

use super::shown;
use crate::args::Output;
use crate::exit::Exit;
use crate::extensions::{folder_of, refused};
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::settings::Settings;

/// One plugin.
struct Listed {
    name: String,
    version: Option<String>,
    state: &'static str,
    /// What is wrong, when something is.
    problem: Option<String>,
    file: Option<String>,
    sha256: Option<String>,
    offer: Option<Offer>,
}

pub(super) fn run(settings: &Settings) -> Result<Exit, Failure> {
    let (lock, search) = surroundings(settings)?;
    let mut names = search.all();
    names.extend(lock.plugins.keys().chain(lock.removed.keys()).cloned());
    names.sort_unstable();
    names.dedup();
    let listed: Vec<Listed> = names.iter().map(|name| look(name, &lock, &search)).collect();
    let text = match settings.output {
        Output::Json => {
            let plugins: Vec<Json> = listed
                .iter()
                .map(|one| {
                    let mut json = shown::json(
                        &one.name,
                        one.state,
                        one.file.as_deref(),
                        one.sha256.as_deref(),
                        one.offer.as_ref(),
                    );
                    json["problem"] = one.problem.clone().into();
                    json["version"] = one.version.clone().into();
                    json
                })
                .collect();
            format!("{}\n", json!({ "version": VERSION, "plugins": plugins }))
        }
        Output::Text if listed.is_empty() => "no plugins\n".to_owned(),
        Output::Text => table(&listed),
    };
    report::data(&text)?;
    Ok(Exit::Done)
}

/// The lock file and the places of the stack. A file that the stack file names is looked for by the commands that read it.
pub(super) fn surroundings(settings: &Settings) -> Result<(Lock, Search), Failure> {
    let folder = folder_of(&settings.file);
    let lock = Lock::read(&folder).map_err(|error| refused(&error, error.hint()))?;
    let plugins = &settings.plugins;
    let search = Search::new(&folder, &plugins.path, plugins.data.as_deref())
        .map_err(|error| refused(&error, &error.hint()))?;
    Ok((lock, Search { files: plugins.files.clone(), ..search }))
}

fn look(name: &str, lock: &Lock, search: &Search) -> Listed {
    let entry = lock.plugins.get(name);
    let offer = entry.map(|entry| &entry.offer).or_else(|| lock.removed.get(name));
    let mut one = Listed {
        name: name.to_owned(),
        version: offer.map(|offer| offer.version.clone()),
        state: "missing",
        problem: None,
        file: None,
        sha256: None,
        offer: offer.cloned(),
    };
    let candidate = match search.find(name) {
        Ok(candidate) => candidate,
        Err(SearchError::NotFound { .. }) => {
            if entry.is_none() {
                one.state = "removed";
            }
            return one;
        }
        Err(error) => {
            one.state = "refused";
            one.problem = Some(told(&error));
            return one;
        }
    };
    one.file = Some(candidate.path.display().to_string());
    one.sha256 = Some(candidate.sha256.clone());
    match candidate.trusted(name, lock) {
        Ok(_) => one.state = "trusted",
        Err(StoreError::Untrusted { source: Untrusted::NoEntry { .. }, .. }) => {
            one.state = "not trusted";
            one.version = candidate.identity().ok().map(|identity| identity.version);
        }
        Err(StoreError::Untrusted { source: Untrusted::NoPlatform { .. }, .. }) => {
            one.state = "not trusted";
            one.problem = Some("the lock file has it for other platforms only".to_owned());
        }
        Err(StoreError::Untrusted { source: Untrusted::Mismatch { .. }, .. }) => {
            one.state = "changed";
            one.problem = Some("its SHA-256 is not that of the lock file".to_owned());
        }
        Err(error) => {
            one.state = "refused";
            one.problem = Some(told(&error));
        }
    }
    one
}

fn told(error: &dyn std::error::Error) -> String {
    refused(error, "").to_string()
}

fn table(listed: &[Listed]) -> String {
    let width = |of: &dyn Fn(&Listed) -> usize| listed.iter().map(of).max().unwrap_or(0);
    let version = |one: &Listed| one.version.clone().unwrap_or_else(|| "?".to_owned());
    let (name_width, version_width) =
        (width(&|one| one.name.len()), width(&|one| version(one).len()));
    let line = |one: &Listed| {
        let end = one.problem.as_ref().or(one.file.as_ref()).cloned().unwrap_or_default();
        let line = format!(
            "{:name_width$}  {:version_width$}  {:11}  {end}",
            one.name,
            version(one),
            one.state
        );
        format!("{}\n", line.trim_end())
    };
    listed.iter().map(line).collect()
}
