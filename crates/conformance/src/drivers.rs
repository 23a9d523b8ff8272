//! Its own driver: when nothing works every call ends, with the truth; what it makes is observed as declared.

pub(crate) mod late; // answers at the wrong time
mod lifetime; // what it makes, from before its creation until it is gone
mod observation; // what an observation must be, whatever there is
pub(crate) mod own; // the laws about what it makes
pub(crate) mod request; // what is asked of it
mod thing; // a resource that it makes

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Deletion, Driver, DriverError, ErrorClass, Observation, Query, Target,
};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::name::Kind;
use zonestack_host::plugin::Limits;

use crate::subject::{LIMITS, Loaded, Subject};
use crate::trouble::{Endpoint, Trouble};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

use request::{Marked, asked, owner};

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
    kind: KindDeclaration,
    /// The failure; `None` when the driver says that all is well.
    pub(crate) failure: Option<DriverError>,
    /// What was asked for and seen, when it looked.
    seen: Option<(Query, Observation)>,
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
        format!("{doing} of {}", self.kind.kind)
    }
}

/// Makes the three calls for each kind, with an endpoint in trouble.
pub(crate) fn attempts(loaded: &Loaded<'_>, trouble: Trouble) -> Result<Vec<Attempt>, Stop> {
    if loaded.kinds.is_empty() {
        return not_applicable("it drives no kinds");
    }
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
            let (failure, seen) = runtime.block_on(call(driver.as_ref(), doing, &target, &spec));
            let contacted = endpoint.contacts() > before;
            attempts.push(Attempt { doing, kind: kind.clone(), failure, seen, contacted });
        }
    }
    loaded.plugin.shutdown();
    Ok(attempts)
}

/// The failure of a call, and what was seen by one that looks.
type Answered = (Option<DriverError>, Option<(Query, Observation)>);

async fn call(driver: &dyn Driver, doing: Doing, target: &Target, spec: &Json) -> Answered {
    let owner = owner();
    let cx = CallContext::new(&owner, &Marked);
    match doing {
        Doing::Observe => {
            let query = Query { target: target.clone(), spec: Some(spec.clone()) };
            match driver.observe(cx, std::slice::from_ref(&query)).await.pop() {
                Some(Ok(found)) => (None, Some((query, found))),
                Some(Err(error)) => (Some(error), None),
                None => (None, None),
            }
        }
        Doing::Create => {
            let target = Target { remote_id: None, ..target.clone() };
            (driver.create(cx, &target, spec).await.err(), None)
        }
        Doing::Delete => (driver.delete(cx, target, &Deletion::default()).await.err(), None),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn failed_to(error: std::io::Error) -> Stop {
    Stop::Failed(format!("the kit cannot listen: {error}"))
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

/// What is observed fits the declaration, also when the service has nothing.
pub(crate) fn observed(subject: &Subject) -> Outcome {
    let mut seen = false;
    for attempt in tried(subject, Trouble::Nothing, LIMITS)? {
        let Some((query, found)) = &attempt.seen else { continue };
        seen = true;
        if let Err(why) = observation::fits(&attempt.kind, query, found) {
            return failed(format!("{} ({}) {why}", query.target.id, attempt.kind.kind));
        }
    }
    if seen {
        Ok(())
    } else {
        not_applicable("every observation of its driver ended with an error")
    }
}

/// A kind of somebody else is an error, and no crash.
pub(crate) fn strangers(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let Some(kind) = loaded.kinds.first() else { return not_applicable("it drives no kinds") };
    let (target, spec) = asked(kind, None)?;
    let target = Target { kind: Kind::new("somebody-elses.kind"), ..target };
    let endpoint = Arc::new(Endpoint::new(Trouble::Refuses).map_err(failed_to)?);
    let driver = loaded.plugin.driver(&loaded.description, endpoint);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed_to)?;
    for doing in [Doing::Observe, Doing::Create, Doing::Delete] {
        match runtime.block_on(call(driver.as_ref(), doing, &target, &spec)).0 {
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
