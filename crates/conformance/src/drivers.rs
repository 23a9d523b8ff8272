//! Its own driver, when nothing works: every call ends, with the truth.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use zonestack_core::driver::{
    CallContext, Deletion, Driver, DriverError, ErrorClass, Owner, Query, Target,
};
use zonestack_core::kind::{Identity, KindDeclaration};
use zonestack_core::name::Kind;
use zonestack_core::resource::Resource;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_core::value::{is_marker, secret};
use zonestack_host::plugin::Limits;

use crate::generate::SECRET;
use crate::subject::{LIMITS, Loaded, REGION, STACK, Subject};
use crate::trouble::{Endpoint, Trouble};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

/// The value of every secret: what must not be found anywhere.
pub(crate) const VALUE: &str = "kit-secret-value-5f2b90";

/// Secrets that all have the one value.
pub(crate) struct Marked;

impl SecretSource for Marked {
    fn resolve<'a>(
        &'a self,
        _: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        async { Ok(Sensitive::new(VALUE.to_owned())) }.boxed()
    }
}

/// One of the calls that every driver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Observe,
    Create,
    Delete,
}

/// What came of a call.
pub(crate) struct Attempt {
    pub(crate) doing: Doing,
    kind: Kind,
    /// The failure; `None` when the driver says that all is well.
    pub(crate) failure: Option<DriverError>,
    /// Whether it reached the endpoint.
    contacted: bool,
}

impl Attempt {
    fn title(&self) -> String {
        let doing = match self.doing {
            Doing::Observe => "observe",
            Doing::Create => "create",
            Doing::Delete => "delete",
        };
        format!("{doing} of {}", self.kind)
    }
}

/// Makes the three calls for each kind, with an endpoint in trouble.
pub(crate) fn attempts(loaded: &Loaded<'_>, trouble: Trouble) -> Result<Vec<Attempt>, Stop> {
    if loaded.kinds.is_empty() {
        return not_applicable("it drives no kinds");
    }
    let failed_to = |error: std::io::Error| Stop::Failed(format!("cannot listen: {error}"));
    let endpoint = Arc::new(Endpoint::new(trouble).map_err(failed_to)?);
    let driver = loaded.plugin.driver(&loaded.description, Arc::clone(&endpoint) as _);
    let example = match loaded.example() {
        Ok(example) => Some(example),
        Err(Stop::NotApplicable(_)) => None,
        Err(stop) => return Err(stop),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed_to)?;
    let mut attempts = Vec::new();
    for kind in &loaded.kinds {
        let rendered = example.iter().flat_map(crate::subject::Example::own);
        let resource = rendered.into_iter().find(|resource| resource.kind == kind.kind);
        let (target, spec) = asked(kind, resource)?;
        for doing in [Doing::Observe, Doing::Create, Doing::Delete] {
            let before = endpoint.contacts();
            let failure = runtime.block_on(call(driver.as_ref(), doing, &target, &spec));
            let contacted = endpoint.contacts() > before;
            attempts.push(Attempt { doing, kind: kind.kind.clone(), failure, contacted });
        }
    }
    loaded.plugin.shutdown();
    Ok(attempts)
}

async fn call(
    driver: &dyn Driver,
    doing: Doing,
    target: &Target,
    spec: &Json,
) -> Option<DriverError> {
    let owner = Owner {
        stack: STACK.to_owned(),
        uid: Some("0123456789abcdef".to_owned()),
        namespace: STACK.to_owned(),
        region: REGION.to_owned(),
    };
    let cx = CallContext::new(&owner, &Marked);
    match doing {
        Doing::Observe => {
            let query = Query { target: target.clone(), spec: Some(spec.clone()) };
            driver.observe(cx, &[query]).await.into_iter().find_map(Result::err)
        }
        Doing::Create => {
            let target = Target { remote_id: None, ..target.clone() };
            driver.create(cx, &target, spec).await.err()
        }
        Doing::Delete => driver.delete(cx, target, &Deletion::default()).await.err(),
    }
}

/// The target and specification as the engine would give them, with made-up ids in place of what is not there.
fn asked(kind: &KindDeclaration, rendered: Option<&Resource>) -> Result<(Target, Json), Stop> {
    let id = match rendered {
        Some(resource) => resource.id.clone(),
        None => "it/thing".parse().map_err(|error| Stop::Failed(format!("{error}")))?,
    };
    let mut spec = rendered.map_or_else(
        || json!({}),
        |resource| {
            let resolved = resource.spec.resolve(&|at| Some(json!(made_up(&at.output))));
            resolved.to_json()
        },
    );
    let has_secret = rendered.is_some_and(|resource| !resource.spec.secrets().is_empty());
    if let Some(map) = spec.as_object_mut().filter(|_| !has_secret) {
        map.insert("kit_secret".to_owned(), secret(&SecretRef::Env(SECRET.to_owned())));
    }
    let parent = match kind.identity {
        Identity::Parent { at } => {
            let parent = spec.pointer(at).filter(|parent| !is_marker(parent));
            Some(parent.and_then(Json::as_str).map_or_else(|| made_up("parent"), str::to_owned))
        }
        _ => None,
    };
    let token = (kind.identity == Identity::Token).then(|| "kit-0123456789abcdef".to_owned());
    let name = rendered
        .and_then(|resource| resource.name.clone())
        .or_else(|| (kind.identity == Identity::Name).then(|| "kit-it".to_owned()));
    let target = Target { id, kind: kind.kind.clone(), name, token, remote_id: None, parent };
    Ok((target, spec))
}

fn made_up(output: &str) -> String {
    format!("{output}-0123456789abcdef0")
}

/// The plugin itself broke, which the host tells in these words.
fn broke(error: &DriverError) -> bool {
    error.message.starts_with("the plugin ") && error.message.contains(" (asked to ")
}

fn tried(subject: &Subject, trouble: Trouble, limits: Limits) -> Result<Vec<Attempt>, Stop> {
    let attempts = attempts(&subject.loaded_within(limits)?, trouble)?;
    for attempt in &attempts {
        if let Some(error) = attempt.failure.as_ref().filter(|error| broke(error)) {
            return failed(format!("{}: {}", attempt.title(), error.message));
        }
    }
    Ok(attempts)
}

/// What no call may say when the service was asked and did not work: that it is done, not there, or there already.
fn truthful(attempts: &[Attempt], what: &str) -> Outcome {
    for attempt in attempts {
        let title = attempt.title();
        match &attempt.failure {
            None => return failed(format!("{what}, and {title} says that all is well")),
            Some(error)
                if matches!(error.class, ErrorClass::NotFound | ErrorClass::AlreadyExists) =>
            {
                return failed(format!(
                    "{what}, and {title} has the class {}: {}",
                    error.class.as_str(),
                    error.message
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether the driver calls AWS at all, and where: each attempt in turn.
fn contacts(subject: &Subject) -> Result<Vec<bool>, Stop> {
    let attempts = tried(subject, Trouble::Fails, LIMITS)?;
    if attempts.iter().any(|attempt| attempt.contacted) {
        Ok(attempts.iter().map(|attempt| attempt.contacted).collect())
    } else {
        not_applicable("its driver called no service of AWS")
    }
}

/// A connection that is refused is an error.
pub(crate) fn refused(subject: &Subject) -> Outcome {
    let contacts = contacts(subject)?;
    let mut attempts = tried(subject, Trouble::Refuses, LIMITS)?;
    let mut contacted = contacts.into_iter();
    attempts.retain(|_| contacted.next().unwrap_or_default());
    truthful(&attempts, "nobody listens")
}

fn nonsense(subject: &Subject, trouble: Trouble, what: &str) -> Outcome {
    let mut attempts = tried(subject, trouble, LIMITS)?;
    attempts.retain(|attempt| attempt.contacted);
    if attempts.is_empty() {
        return not_applicable("its driver called no service of AWS");
    }
    truthful(&attempts, what)?;
    for attempt in attempts.iter().filter(|attempt| attempt.doing != Doing::Observe) {
        let Some(error) = &attempt.failure else { continue };
        let doubtful = matches!(
            error.class,
            ErrorClass::Transient | ErrorClass::Ambiguous | ErrorClass::Throttled
        );
        if !doubtful {
            return failed(format!(
                "{what}, and {} has the class {}: it must be transient, ambiguous or throttled, because nobody knows what came of it: {}",
                attempt.title(),
                error.class.as_str(),
                error.message
            ));
        }
    }
    Ok(())
}

/// An answer that is none says nothing.
pub(crate) fn garbage(subject: &Subject) -> Outcome {
    nonsense(subject, Trouble::Garbage, "the service answers garbage")
}

/// A service that fails says nothing.
pub(crate) fn fails(subject: &Subject) -> Outcome {
    nonsense(subject, Trouble::Fails, "the service answers 500")
}

/// A call of a service that never answers can be stopped.
pub(crate) fn hangs(subject: &Subject) -> Outcome {
    let short = Limits { call: Duration::from_secs(2), ..LIMITS };
    let mut attempts = tried(subject, Trouble::Hangs, short)?;
    attempts.retain(|attempt| attempt.contacted);
    if attempts.is_empty() {
        return not_applicable("its driver called no service of AWS");
    }
    truthful(&attempts, "the service never answers")
}

/// A kind of somebody else is an error, and no crash.
pub(crate) fn strangers(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let Some(kind) = loaded.kinds.first() else { return not_applicable("it drives no kinds") };
    let (target, spec) = asked(kind, None)?;
    let target = Target { kind: Kind::new("somebody-elses.kind"), ..target };
    let failed_to = |error: std::io::Error| Stop::Failed(format!("cannot listen: {error}"));
    let endpoint = Arc::new(Endpoint::new(Trouble::Refuses).map_err(failed_to)?);
    let driver = loaded.plugin.driver(&loaded.description, endpoint);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed_to)?;
    for doing in [Doing::Observe, Doing::Create, Doing::Delete] {
        match runtime.block_on(call(driver.as_ref(), doing, &target, &spec)) {
            None => {
                return failed(format!(
                    "{doing:?} of a kind that it does not drive says that all is well"
                ));
            }
            Some(error) if broke(&error) => return failed(error.message),
            Some(_) => {}
        }
    }
    Ok(())
}
