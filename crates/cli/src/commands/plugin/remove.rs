//! `plugin remove`: out of the lock file, and its library away. What the plugin made stays where it is.

use serde_json::json;
use zonestack_host::card::file_name;
use zonestack_host::lock::{FILE, Lock};
use zonestack_host::search::stack_folder;

use super::{ask, may_change, shown};
use crate::args::Output;
use crate::exit::Exit;
use crate::extensions::{folder_of, refused};
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings, plugin: &str, yes: bool) -> Result<Exit, Failure> {
    may_change(settings)?;
    let folder = folder_of(&settings.file);
    let mut lock = Lock::read(&folder).map_err(|error| refused(&error, error.hint()))?;
    let Some(entry) = lock.remove(plugin) else {
        let known: Vec<&str> = lock.plugins.keys().map(String::as_str).collect();
        return Err(Failure::Usage {
            message: format!("{FILE} has no plugin {plugin}; nothing was changed"),
            hint: match known.as_slice() {
                [] => "it has none".to_owned(),
                known => format!("it has {}", known.join(", ")),
            },
        });
    };
    let file = file_name(plugin);
    let path = stack_folder(&folder).join(&file);
    if settings.output == Output::Text {
        let brings = shown::brings(&entry.offer, None);
        report::note(&format!(
            "Plugin {plugin} {}\n{brings}What it made stays, and nobody here knows whether there is any. While there is, `plan`, `up` \
             and `down` refuse, and name {file}: take such stacks down first, or add the plugin again.",
            entry.offer.version
        ));
    }
    ask(settings, yes, &format!("Take it out of {FILE} and delete {}?", path.display()))?;
    // The lock file first: a library that nobody trusts harms nobody.
    lock.write(&folder).map_err(|error| refused(&error, error.hint()))?;
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => {
            return Err(Failure::File {
                action: "delete",
                path,
                hint: "it is no longer trusted; delete it yourself",
                source,
            });
        }
    }
    match settings.output {
        Output::Json => {
            let plugin = shown::json(plugin, "removed", None, None, Some(&entry.offer));
            report::data(&format!("{}\n", json!({ "version": VERSION, "plugin": plugin })))?;
        }
        Output::Text => report::note(&format!("removed: {plugin} {}", entry.offer.version)),
    }
    Ok(Exit::Done)
}
