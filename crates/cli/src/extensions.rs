//! What a command works with: what is built in, and the plugins that it needs. Made once for each command.

mod library; // a plugin that may be started

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zonestack_core::driver::Driver;
use zonestack_core::inventory::{Inventory, InventoryStore};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::name::{Kind, ResourceId};
use zonestack_core::parse::RawStack;
use zonestack_core::registry::Registry;
use zonestack_host::card::file_name;
use zonestack_host::lock::{FILE, Lock, Offer};
use zonestack_host::search::{Search, SearchError};
use zonestack_host::services::Services;
use zonestack_host::store::Store;

pub(crate) use library::Library;

use crate::builtins::Builtins;
use crate::failure::Failure;
use crate::report;
use crate::settings::{PluginSettings, Settings};

/// What is built in, and what plugins bring.
pub(crate) struct Extensions {
    /// What is built in, and not left out.
    pub(crate) builtins: Builtins,
    registry: Registry,
    kinds: Vec<KindDeclaration>,
    libraries: BTreeMap<String, Library>,
    /// The plugins that the stack trusts.
    pub(crate) lock: Lock,
    /// Where plugins are looked for.
    pub(crate) search: Search,
    settings: PluginSettings,
}

impl Extensions {
    /// What is built in and not left out, and no plugin.
    pub(crate) fn builtin(settings: &PluginSettings) -> Result<Self, Failure> {
        let builtins = Builtins::without(&settings.without_builtin);
        let registry = builtins.registry().map_err(|clash| Failure::Refused {
            message: clash.to_string(),
            hint: "this is a mistake in zonestack".to_owned(),
        })?;
        Ok(Self {
            registry,
            kinds: builtins.kinds(),
            builtins,
            libraries: BTreeMap::new(),
            lock: Lock::default(),
            search: Search::default(),
            settings: settings.clone(),
        })
    }

    /// What is built in, and the plugins that were named on the command line. More are loaded when they are needed, and
    /// trusted as the lock file in this folder says.
    pub(crate) fn beside(settings: &Settings, folder: &Path) -> Result<Self, Failure> {
        let plugins = &settings.plugins;
        let lock = Lock::read(folder).map_err(|error| refused(&error, error.hint()))?;
        let search = Search::new(folder, &plugins.path, plugins.data.as_deref());
        let search = search.map_err(|error| refused(&error, &error.hint()))?;
        let search = Search { files: plugins.files.clone(), ..search };
        let explicit = search.explicit().map_err(|error| refused(&error, &error.hint()))?;
        let mut extensions = Self { lock, search, ..Self::builtin(plugins)? };
        for name in explicit {
            extensions.load(&name)?;
        }
        Ok(extensions)
    }

    /// Loads the plugins that a stack file names, and those that bring the types which it uses.
    pub(crate) fn load_for(&mut self, raw: &RawStack, folder: &Path) -> Result<(), Failure> {
        let named = raw.plugins();
        let files = named
            .iter()
            .filter_map(|plugin| Some((plugin.name.clone(), folder.join(plugin.path.as_ref()?))));
        self.search.named = files.collect();
        // What is no name of a plugin is told with the other problems of the file.
        let named = named.into_iter().map(|plugin| plugin.name);
        for name in named.filter(|name| zonestack_host::card::is_name(name)) {
            self.load(&name)?;
        }
        for component in raw.uses() {
            if self.registry.get(&component).is_some() {
                continue;
            }
            if let Some(name) = self.lock.of_component(&component).map(str::to_owned) {
                self.load(&name)?;
            } else if let Some((name, offer)) =
                removed_with(&self.lock, |offer| offer.components.contains(&component))
            {
                return Err(missing(
                    name,
                    offer,
                    &format!("the component type `{component}` is not there"),
                ));
            }
        }
        Ok(())
    }

    /// Loads the plugin that brings a kind; whether there was one to load.
    pub(crate) fn load_for_kind(&mut self, kind: &Kind) -> Result<bool, Failure> {
        let name = self.lock.of_kind(kind.as_str()).map(str::to_owned);
        let Some(name) = name.filter(|name| !self.libraries.contains_key(name)) else {
            return Ok(false);
        };
        self.load(&name)?;
        Ok(true)
    }

    /// Loads every plugin that the lock file has.
    pub(crate) fn load_all(&mut self) -> Result<(), Failure> {
        self.lock
            .plugins
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .iter()
            .try_for_each(|name| self.load(name))
    }

    /// The same; one that cannot be loaded is told and left out.
    pub(crate) fn load_what_is_there(&mut self) {
        for name in self.lock.plugins.keys().cloned().collect::<Vec<_>>() {
            if let Err(failure) = self.load(&name) {
                report::note(&format!("warning: without the plugin {name}: {failure}"));
            }
        }
    }

    /// Loads the plugins that drive what a stack remembers. The inventory is read for this only when there are any.
    pub(crate) async fn load_for_stored(
        &mut self,
        store: &dyn InventoryStore,
    ) -> Result<(), Failure> {
        let all = self.lock.plugins.keys().all(|name| self.libraries.contains_key(name));
        if all && self.lock.removed.is_empty() {
            return Ok(());
        }
        match store.load().await? {
            Some((inventory, _)) => self.load_for_inventory(&inventory),
            None => Ok(()),
        }
    }

    fn load_for_inventory(&mut self, inventory: &Inventory) -> Result<(), Failure> {
        let known: BTreeSet<Kind> = self.kinds.iter().map(|kind| kind.kind.clone()).collect();
        for (id, entry) in &inventory.entries {
            let kind = entry.kind.as_str();
            if known.contains(&entry.kind) {
                continue;
            }
            if let Some(name) = self.lock.of_kind(kind).map(str::to_owned) {
                self.load(&name).map_err(|failure| needed_for(failure, id, &entry.kind))?;
            } else if let Some((name, offer)) =
                removed_with(&self.lock, |offer| offer.kinds.contains(kind))
            {
                let what = format!(
                    "the stack {} has {id} ({kind}), which nothing here can look at",
                    inventory.stack
                );
                return Err(missing(name, offer, &what));
            }
        }
        Ok(())
    }

    /// Loads a plugin: finds it, checks it against the lock file, keeps a copy, and adds what it brings.
    fn load(&mut self, name: &str) -> Result<(), Failure> {
        if self.libraries.contains_key(name) {
            return Ok(());
        }
        not_built_in(&self.builtins, name)?;
        let candidate = self.search.find(name).map_err(|error| self.not_found(name, &error))?;
        candidate.trusted(name, &self.lock).map_err(|error| refused(&error, &error.hint()))?;
        let store = store(&self.settings)?;
        let stored = store.keep(&candidate).map_err(|error| refused(&error, &error.hint()))?;
        if self.settings.in_process {
            report::note(&format!(
                "warning: the plugin {name} runs inside zonestack (--plugin-isolation=off): if it crashes, zonestack crashes"
            ));
        }
        let library = Library::open(&store, &stored, self.settings.in_process)?;
        self.add(name, library)
    }

    /// Adds what a library brings. Nothing of it may have the name of anything that is there.
    pub(crate) fn add(&mut self, name: &str, library: Library) -> Result<(), Failure> {
        let clash = |what: String| {
            clash(&format!("the plugin {name} brings {what}, which is there already"))
        };
        let kinds = library.kinds();
        let taken = kinds.iter().find(|kind| self.kinds.iter().any(|have| have.kind == kind.kind));
        if let Some(taken) = taken {
            return Err(clash(format!("the kind {}", taken.kind)));
        }
        let added = self.registry.add(library.components());
        added.map_err(|taken| clash(format!("the component type `{}`", taken.name)))?;
        self.kinds.extend(kinds);
        self.libraries.insert(name.to_owned(), library);
        Ok(())
    }

    /// Every component type.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Every kind: what the sandbox plays.
    pub(crate) fn kinds(&self) -> Vec<KindDeclaration> {
        self.kinds.clone()
    }

    /// The same, by kind: what rendering checks.
    pub(crate) fn declarations(&self) -> BTreeMap<Kind, KindDeclaration> {
        self.kinds.iter().map(|kind| (kind.kind.clone(), kind.clone())).collect()
    }

    /// The drivers of the loaded plugins.
    pub(crate) fn drivers(&self, services: &Arc<dyn Services>) -> Vec<Arc<dyn Driver>> {
        let driving = self.libraries.values().filter(|library| !library.kinds().is_empty());
        driving.map(|library| library.driver(services)).collect()
    }

    fn not_found(&self, name: &str, error: &SearchError) -> Failure {
        let entry = self.lock.plugins.get(name);
        let hint = match (error, entry, self.lock.expected(name)) {
            (SearchError::NotFound { .. }, Some(entry), Ok(hash)) => format!(
                "{}; it came from {}, and its SHA-256 is {hash}",
                error.hint(),
                entry.source
            ),
            _ => error.hint(),
        };
        refused(error, &hint)
    }
}

/// Refuses a plugin that is called like what is built in.
pub(crate) fn not_built_in(builtins: &Builtins, name: &str) -> Result<(), Failure> {
    if !builtins.has(name) {
        return Ok(());
    }
    Err(Failure::Refused {
        message: format!(
            "the plugin {name} has the name of the built-in component type `{name}`; it is not used"
        ),
        hint: format!(
            "its author must choose another name; if it is to take the place of the built-in one: --without-builtin {name}"
        ),
    })
}

fn clash(what: &str) -> Failure {
    Failure::Refused {
        message: format!("{what}; it is not used"),
        hint: "a plugin adds and never replaces: its author must choose another name".to_owned(),
    }
}

/// Where copies of plugins are kept.
pub(crate) fn store(settings: &PluginSettings) -> Result<Store, Failure> {
    let cache = settings.cache.as_deref().ok_or_else(|| Failure::Refused {
        message: "there is no folder for copies of plugins".to_owned(),
        hint: "set HOME or XDG_CACHE_HOME".to_owned(),
    })?;
    // The dynamic linker would look for a relative path where anybody may write.
    Ok(Store::below(&std::path::absolute(cache)?))
}

/// The folder of a stack file: where its lock file and its plugins are.
pub(crate) fn folder_of(stack_file: &Path) -> PathBuf {
    stack_file.parent().map(Path::to_owned).unwrap_or_default()
}

/// The failure that an error of finding and trusting is: refused, with everything that it came from.
pub(crate) fn refused(error: &dyn std::error::Error, hint: &str) -> Failure {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    Failure::Refused { message, hint: hint.to_owned() }
}

fn removed_with(lock: &Lock, has: impl Fn(&Offer) -> bool) -> Option<(&str, &Offer)> {
    let mut found = lock.removed.iter().filter(|(_, offer)| has(offer));
    found.next().map(|(name, offer)| (name.as_str(), offer))
}

/// The failure when what a removed plugin brought is needed again.
fn missing(name: &str, offer: &Offer, what: &str) -> Failure {
    Failure::Refused {
        message: format!(
            "{what}: {} is missing, the plugin {name} {}, which was taken out of {FILE}; nothing was changed",
            file_name(name),
            offer.version
        ),
        hint: format!("add it again: zonestack plugin add {}", file_name(name)),
    }
}

fn needed_for(failure: Failure, id: &ResourceId, kind: &Kind) -> Failure {
    match failure {
        Failure::Refused { message, hint } => Failure::Refused {
            message: format!(
                "the stack has {id} ({kind}), which nothing here can look at: {message}; nothing was changed"
            ),
            hint,
        },
        other => other,
    }
}
