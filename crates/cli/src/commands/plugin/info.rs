//! `plugin info`: a plugin's card and what it brings. Nothing of it runs: what it brings is known when it was added once.

use std::path::Path;

use serde_json::json;
use zonestack_host::store::Candidate;

use super::list::surroundings;
use super::shown;
use crate::args::Output;
use crate::exit::Exit;
use crate::extensions::refused;
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings, plugin: &str) -> Result<Exit, Failure> {
    let (lock, search) = surroundings(settings)?;
    let is_file = plugin.contains(['/', '\\', '.']);
    let candidate = if is_file {
        Candidate::read(Path::new(plugin)).map_err(|error| refused(&error, &error.hint()))?
    } else {
        search.find(plugin).map_err(|error| refused(&error, &error.hint()))?
    };
    let identity = candidate.identity().map_err(|error| refused(&error, &error.hint()))?;
    let name = &identity.name;
    let vouched = lock.vouches(name, &candidate.path, &candidate.sha256);
    let state = if vouched.is_ok() { "trusted" } else { "not trusted" };
    // Of another file the lock file says nothing.
    let offer = lock.plugins.get(name).filter(|_| vouched.is_ok()).map(|entry| &entry.offer);
    let file = candidate.path.display().to_string();
    let text = match settings.output {
        Output::Json => {
            let mut plugin = shown::json(name, state, Some(&file), Some(&candidate.sha256), offer);
            plugin["version"] = identity.version.as_str().into();
            plugin["card"] = json!(identity);
            format!("{}\n", json!({ "version": VERSION, "plugin": plugin }))
        }
        Output::Text => {
            let brings = offer.map(|offer| shown::brings(offer, None)).unwrap_or_default();
            let trust = match &vouched {
                Ok(()) => "trusted".to_owned(),
                Err(untrusted) => format!("not trusted: {untrusted}"),
            };
            let card = shown::card(&identity, &file, &candidate.sha256);
            format!("{card}{brings}  {:11}  {trust}\n", "state")
        }
    };
    report::data(&text)?;
    Ok(Exit::Done)
}
