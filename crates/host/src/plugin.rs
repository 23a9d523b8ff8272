//! A plugin as the engine sees it: components and a driver behind the same contracts as those that are built in.

mod component; // a component type whose checks and rendering happen in the plugin
mod driver; // a driver whose calls happen in the plugin
mod raw; // calls with bytes of one's own

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zonestack_abi::{Entry, PROTO_MAX, PROTO_MIN};
use zonestack_core::component::Component;
use zonestack_core::driver::{Driver, DriverError, ErrorClass};
use zonestack_core::kind::KindDeclaration;
use zonestack_sdk::message::DescribeRequest;

use crate::call::{CallError, Event};
use crate::description;
use crate::library::Library;
use crate::process;
use crate::services::{Services, refused};
use crate::session::{Session, Transport};

pub use crate::call::Limits;
pub use raw::{RawError, Said, Talk};
pub use zonestack_sdk::message::Description;

use component::RemoteComponent;
use driver::RemoteDriver;

/// How long a plugin may take to end when it is asked to.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// Where a plugin runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// In a process of its own, which may end as it likes.
    Child,
    /// In this process, for debuggers and profilers: what it breaks is broken.
    InProcess,
}

/// How a plugin is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// This program, which is started again as the child.
    pub program: PathBuf,
    /// Where the plugin runs.
    pub isolation: Isolation,
    /// How long things may take.
    pub limits: Limits,
}

/// A plugin does not do what it was asked. The message says what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// It cannot be loaded.
    #[error("the plugin {name} ({}) cannot be loaded: {reason}", path.display())]
    Load {
        /// Its name.
        name: String,
        /// Its file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A call failed.
    #[error("the plugin {name}: {reason}")]
    Call {
        /// Its name.
        name: String,
        /// What happened.
        reason: String,
    },
}

/// A plugin. A clone is the same plugin. Nothing is started until a call needs it.
#[derive(Clone)]
pub struct RemotePlugin(Arc<Inner>);

struct Inner {
    name: String,
    source: Source,
    options: LoadOptions,
    running: Mutex<Running>,
}

/// Where the plugin comes from.
enum Source {
    /// A file, with the SHA-256 that it must have.
    File { library: PathBuf, sha256: String },
    /// A function of this program: the same way through the table, without loading anything.
    Entry(Entry),
}

#[derive(Default)]
struct Running {
    session: Option<Arc<Session>>,
    /// How often it was started.
    starts: u32,
    /// What was wrong with those that have ended.
    faults: Vec<String>,
}

impl RemotePlugin {
    /// A plugin in a file. Starts nothing.
    ///
    /// # Errors
    /// A path that is not absolute: the dynamic linker would look for it where anybody may write.
    pub fn open(
        library: &Path,
        sha256: &str,
        name: &str,
        options: LoadOptions,
    ) -> Result<Self, PluginError> {
        if !library.is_absolute() {
            return Err(PluginError::Load {
                name: name.to_owned(),
                path: library.to_owned(),
                reason: "its path is not absolute".to_owned(),
            });
        }
        let source = Source::File { library: library.to_owned(), sha256: sha256.to_owned() };
        Ok(Self::of_source(name, source, options))
    }

    /// A plugin that is linked into this program, called through the same table as one in a file. Runs in this process,
    /// whatever the options say.
    ///
    /// # Safety
    /// The function is one as [`Entry`] says: what [`zonestack_sdk::export!`] makes.
    #[expect(unsafe_code, reason = "the caller vouches for a foreign function")]
    pub unsafe fn of_entry(entry: Entry, name: &str, options: LoadOptions) -> Self {
        Self::of_source(name, Source::Entry(entry), options)
    }

    fn of_source(name: &str, source: Source, options: LoadOptions) -> Self {
        let running = Mutex::default();
        Self(Arc::new(Inner { name: name.to_owned(), source, options, running }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it says of itself: worth keeping by the file's hash, because it follows from the file alone. Blocks.
    ///
    /// # Errors
    /// A library that cannot be loaded, or does not fit.
    pub fn describe(&self) -> Result<Description, PluginError> {
        let described = self.0.session().and_then(|session| session.described());
        described.map_err(|error| self.0.error(&error))
    }

    /// Its component types. Starts nothing; their `check` and `render` do.
    pub fn components(&self, description: &Description) -> Vec<Arc<dyn Component>> {
        let components = description.components.iter().map(description::component_type);
        components
            .map(|described| Arc::new(RemoteComponent::new(self.clone(), described)) as _)
            .collect()
    }

    /// The kinds that it drives. Starts nothing.
    pub fn kinds(&self, description: &Description) -> Vec<KindDeclaration> {
        description.kinds.iter().map(description::kind).collect()
    }

    /// Its driver, for all of its kinds. Starts nothing; calls do.
    pub fn driver(
        &self,
        description: &Description,
        services: Arc<dyn Services>,
    ) -> Arc<dyn Driver> {
        Arc::new(RemoteDriver::new(self.clone(), self.kinds(description), services))
    }

    /// What it did that no plugin may, such as ending a call twice.
    pub fn faults(&self) -> Vec<String> {
        let running = self.0.running();
        let now = running.session.as_ref().map(|session| session.faults()).unwrap_or_default();
        running.faults.iter().cloned().chain(now).collect()
    }

    /// Ends it, when it was started, and waits until it has ended. A further call starts it again.
    pub fn shutdown(&self) {
        let session = self.0.running().session.take();
        if let Some(session) = session {
            session.shutdown(SHUTDOWN);
            let mut running = self.0.running();
            running.faults.extend(session.faults());
            // To be asked to end is no fault of its own.
            running.starts = running.starts.saturating_sub(1);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(session) = self.running().session.take() {
            session.close();
        }
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loaded plugin; loads it when it is not, or not any more.
    fn session(&self) -> Result<Arc<Session>, CallError> {
        let mut running = self.running();
        if let Some(session) = &running.session {
            match session.end() {
                None => return Ok(Arc::clone(session)),
                // It would be the same again.
                Some(error @ CallError::Load(_)) => return Err(error),
                Some(CallError::Ended { how, .. })
                    if running.starts > self.options.limits.restarts =>
                {
                    return Err(CallError::Exhausted(running.starts, how));
                }
                Some(_) => {
                    let faults = session.faults();
                    running.faults.extend(faults);
                }
            }
        }
        let session = Session::new(&self.name, self.options.limits);
        running.starts += 1;
        running.session = Some(Arc::clone(&session));
        drop(running);
        self.load(&session);
        self.greet(&session);
        Ok(session)
    }

    fn load(&self, session: &Arc<Session>) {
        match (&self.source, self.options.isolation) {
            (Source::File { library, sha256 }, Isolation::Child) => {
                let program = &self.options.program;
                let started = process::start(program, library, sha256, &self.name, session);
                if let Err(error) = started {
                    session.unfit(&format!("{} cannot be started: {error}", program.display()));
                }
            }
            (Source::File { library, .. }, Isolation::InProcess) => {
                let opened = Library::open(library, Arc::clone(session) as _);
                connect(session, opened.map_err(|error| error.to_string()));
            }
            (Source::Entry(entry), _) => {
                // SAFETY: who made this source vouches for the function.
                #[expect(unsafe_code, reason = "calls a foreign function")]
                let opened = unsafe { Library::of_entry(*entry, Arc::clone(session) as _) };
                connect(session, opened.map_err(|error| error.to_string()));
            }
        }
    }

    /// The first call: whether the plugin is the one that it should be, and speaks the same messages.
    fn greet(&self, session: &Arc<Session>) {
        let name = self.name.clone();
        let greeted = Arc::downgrade(session);
        let waiter = move |event: Event| {
            let (Some(session), Event::Done(result)) = (greeted.upgrade(), event) else { return };
            let reason = match result.map(|body| serde_json::from_slice::<Description>(&body)) {
                Ok(Ok(described)) => match unfit(&name, &described) {
                    None => return session.welcome(described),
                    Some(reason) => reason,
                },
                Ok(Err(error)) => format!("its description cannot be read: {error}"),
                Err(CallError::Failed(failure)) => failure.message,
                // Told already.
                Err(CallError::Load(_) | CallError::Ended { .. }) => return,
                Err(error) => format!("asked to describe itself, it {error}"),
            };
            session.unfit(&reason);
        };
        match serde_json::to_vec(&hello()) {
            Ok(body) => session.greet(body, Box::new(waiter)),
            Err(error) => session.unfit(&error.to_string()),
        }
    }

    /// A call that only computes. Blocks; what the plugin asks meanwhile is not given.
    fn compute<A: DeserializeOwned>(
        &self,
        method: &'static str,
        request: &impl Serialize,
        limit: Duration,
    ) -> Result<A, CallError> {
        let unreadable = |error: serde_json::Error| CallError::Unreadable(error.to_string());
        let body = serde_json::to_vec(request).map_err(unreadable)?;
        let session = self.session()?;
        let (sender, events) = channel();
        let waiter = move |event| drop(sender.send(event));
        session.call(method, body, limit, false, Box::new(waiter))?;
        serde_json::from_slice(&outcome(&session, &events)?).map_err(unreadable)
    }

    fn error(&self, error: &CallError) -> PluginError {
        let name = self.name.clone();
        match (error, &self.source) {
            (CallError::Load(reason), Source::File { library, .. }) => {
                PluginError::Load { name, path: library.clone(), reason: reason.clone() }
            }
            _ => PluginError::Call { name, reason: error.to_string() },
        }
    }
}

/// What is told of itself to a plugin.
fn hello() -> DescribeRequest {
    DescribeRequest {
        proto_min: PROTO_MIN,
        proto_max: PROTO_MAX,
        host: concat!("zonestack ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

fn unfit(name: &str, described: &Description) -> Option<String> {
    if described.name != name {
        return Some(format!("it calls itself {:?}", described.name));
    }
    if !(PROTO_MIN..=PROTO_MAX).contains(&described.proto) {
        return Some(format!("it chose version {} of the messages", described.proto));
    }
    None
}

/// A plugin in this process is ready at once.
fn connect(session: &Arc<Session>, opened: Result<Library, String>) {
    match opened {
        Ok(library) => {
            session.connect(Box::new(Local(library)));
        }
        Err(reason) => session.unfit(&reason),
    }
}

/// A plugin in this process.
struct Local(Library);

impl Transport for Local {
    fn send(&self, frame: crate::frame::ToPlugin) {
        self.0.send(&frame);
    }

    fn kill(&self) -> bool {
        false
    }

    fn close(&self) -> bool {
        false
    }

    fn process(&self) -> Option<u32> {
        None
    }
}

/// Waits for the end of a call, which comes: the session watches over it.
fn outcome(session: &Session, events: &Receiver<Event>) -> Result<Vec<u8>, CallError> {
    loop {
        match events.recv() {
            Ok(Event::Done(result)) => return result,
            Ok(Event::Ask { ask, method, .. }) => {
                let message = format!("{method} cannot be asked here");
                session.answer(ask, refused(DriverError::new(ErrorClass::Unsupported, message)));
            }
            Err(_) => return Err(CallError::lost()),
        }
    }
}

#[cfg(test)]
mod tests;
