//! `plugin add`: trust on first use. What the card says is shown before anything of the plugin runs; what it brings, which only
//! its code can say, before it is recorded.

use std::path::{Path, PathBuf};

use serde_json::json;
use zonestack_host::card::{Identity, PLATFORM, file_name};
use zonestack_host::lock::{FILE, Lock, LockEntry};
use zonestack_host::search::stack_folder;
use zonestack_host::store::Candidate;

use super::shown::{self, Brought};
use super::{ask, may_change};
use crate::args::{Output, PluginAddArgs};
use crate::builtins::Builtins;
use crate::exit::Exit;
use crate::extensions::{Extensions, Library, folder_of, not_built_in, refused, store};
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings, args: &PluginAddArgs) -> Result<Exit, Failure> {
    may_change(settings)?;
    let told = |error: zonestack_host::store::StoreError| refused(&error, &error.hint());
    let candidate = Candidate::read(&args.library).map_err(told)?;
    let identity = candidate.identity().map_err(told)?;
    not_built_in(&Builtins::without(&settings.plugins.without_builtin), &identity.name)?;
    let folder = folder_of(&settings.file);
    let mut lock = Lock::read(&folder).map_err(|error| refused(&error, error.hint()))?;
    let place = stack_folder(&folder).join(file_name(&identity.name));
    if is_recorded(&lock, &identity, &candidate, &place) {
        return done(settings, &lock, &identity, &place, false);
    }
    say(settings, &shown::card(&identity, &args.library.display().to_string(), &candidate.sha256))?;
    if let Some(entry) = lock.plugins.get(&identity.name) {
        say(settings, &change(entry, &identity, &candidate))?;
    }

    let store = store(&settings.plugins)?;
    if !Library::is_known(&store, &candidate.sha256) {
        let question = "What it brings only its own code can say, which now runs: in a process of its own, without credentials, \
                        but as you. Run it?";
        ask(settings, args.yes, question)?;
    }
    let stored = store.keep(&candidate).map_err(told)?;
    let library = Library::open(&store, &stored, settings.plugins.in_process)?;
    let brought = brought(&identity, &library);
    clashes(&lock, &identity, &brought)?;
    Extensions::builtin(&settings.plugins)?.add(&identity.name, library)?;
    say(settings, &shown::brings(&brought.offer, Some(&brought.iam_actions)))?;
    ask(settings, args.yes, &format!("Trust it, and record it in {FILE}?"))?;

    install(&candidate, &place)?;
    let source = args.source.clone().unwrap_or_else(|| file_name(&identity.name));
    let source = source.chars().filter(|c| !c.is_control()).collect();
    lock.record(&identity, brought.offer, source, &candidate.sha256);
    lock.write(&folder).map_err(|error| refused(&error, error.hint()))?;
    done(settings, &lock, &identity, &place, true)
}

/// Whether the very file is trusted and in its place.
fn is_recorded(lock: &Lock, identity: &Identity, candidate: &Candidate, place: &Path) -> bool {
    lock.vouches(&identity.name, &candidate.path, &candidate.sha256).is_ok()
        && Candidate::read(place).is_ok_and(|installed| installed.sha256 == candidate.sha256)
}

/// What is trusted so far.
fn change(entry: &LockEntry, identity: &Identity, candidate: &Candidate) -> String {
    let before = entry.sha256.get(PLATFORM);
    let same = entry.offer.version == identity.version;
    match before {
        Some(before) if same && *before != candidate.sha256 => format!(
            "\nwarning: {FILE} has another file as version {}:\n  trusted      {before}\n  this one     {}\n\n",
            identity.version, candidate.sha256
        ),
        None if same => format!(
            "\n{FILE} has this version for {}, not yet for {PLATFORM}.\n\n",
            entry.sha256.keys().cloned().collect::<Vec<_>>().join(", ")
        ),
        Some(before) if *before == candidate.sha256 => String::new(),
        _ => {
            let others: Vec<&str> =
                entry.sha256.keys().map(String::as_str).filter(|key| *key != PLATFORM).collect();
            let lost = if others.is_empty() {
                String::new()
            } else {
                format!("; it must be added again on {}", others.join(", "))
            };
            format!("\nIt takes the place of version {}{lost}.\n\n", entry.offer.version)
        }
    }
}

pub(super) fn brought(identity: &Identity, library: &Library) -> Brought {
    let components: Vec<&str> =
        library.components().iter().map(|component| component.describe().name).collect();
    Brought::new(&identity.version, &components, &library.kinds())
}

/// Two plugins of one stack must not bring the same.
fn clashes(lock: &Lock, identity: &Identity, brought: &Brought) -> Result<(), Failure> {
    let other =
        |owner: Option<&str>| owner.filter(|name| *name != identity.name).map(str::to_owned);
    let components = brought
        .offer
        .components
        .iter()
        .map(|name| (format!("the component type `{name}`"), other(lock.of_component(name))));
    let kinds = brought
        .offer
        .kinds
        .iter()
        .map(|kind| (format!("the kind {kind}"), other(lock.of_kind(kind))));
    for (what, owner) in components.chain(kinds) {
        if let Some(owner) = owner {
            return Err(Failure::Refused {
                message: format!(
                    "{what} is brought by the plugin {owner} already; nothing was changed"
                ),
                hint: format!("remove that one first: zonestack plugin remove {owner}"),
            });
        }
    }
    Ok(())
}

fn install(candidate: &Candidate, place: &Path) -> Result<(), Failure> {
    let failed = |path: PathBuf| {
        move |source| Failure::File {
            action: "write",
            path,
            hint: "nothing was recorded: the plugin is as trusted as before",
            source,
        }
    };
    let folder = place.parent().unwrap_or(place);
    std::fs::create_dir_all(folder).map_err(failed(folder.to_owned()))?;
    // The file that is there already need not be written over itself.
    let same = candidate
        .path
        .canonicalize()
        .ok()
        .is_some_and(|path| place.canonicalize().ok() == Some(path));
    if same { Ok(()) } else { candidate.install(place).map_err(failed(place.to_owned())) }
}

fn say(settings: &Settings, text: &str) -> Result<(), Failure> {
    match settings.output {
        Output::Text => Ok(report::data(text)?),
        Output::Json => Ok(()),
    }
}

fn done(
    settings: &Settings,
    lock: &Lock,
    identity: &Identity,
    place: &Path,
    changed: bool,
) -> Result<Exit, Failure> {
    let name = &identity.name;
    match settings.output {
        Output::Json => {
            let offer = lock.plugins.get(name).map(|entry| &entry.offer);
            let hash = lock.expected(name).ok();
            let file = place.display().to_string();
            let plugin = shown::json(name, "trusted", Some(&file), hash, offer);
            report::data(&format!(
                "{}\n",
                json!({ "version": VERSION, "changed": changed, "plugin": plugin })
            ))?;
        }
        Output::Text if changed => report::note(&format!(
            "added: {}; it is in {FILE}, which belongs under version control",
            place.display()
        )),
        Output::Text => report::note(&format!("{name} {} is trusted already", identity.version)),
    }
    Ok(Exit::Done)
}
