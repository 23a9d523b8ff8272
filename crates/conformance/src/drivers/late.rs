//! Answers that come when nobody asks, too late, or twice: the plugin neither breaks nor ends a call twice.

use futures::FutureExt as _;
use serde::Serialize;
use zonestack_core::driver::{CallContext, Deletion, ErrorClass, Query};
use zonestack_core::kind::KindDeclaration;
use zonestack_host::plugin::{RawError, RemotePlugin, Said};
use zonestack_host::services::Services as _;
use zonestack_sdk::message::{
    CreateRequest, DeleteRequest, Failure, ObserveRequest, SecretAnswer, ask, method,
};

use super::failed_to;
use super::request::{Marked, VALUE, asked, owner};
use crate::calls::faultless;
use crate::subject::{LIMITS, Loaded, Subject};
use crate::trouble::{Endpoint, Trouble};
use crate::verdict::{Outcome, Stop, failed};

/// Numbers of what was never asked.
const NEVER: [u64; 4] = [0, 1, 4711, u64::MAX];

/// An answer: a body, or the body of a failure.
type Answer = Result<Vec<u8>, Vec<u8>>;

/// What a host may say at the wrong time.
fn any_answer() -> [Answer; 4] {
    let refused = Failure::new(&ErrorClass::Expired, "the kit refuses");
    let refused = serde_json::to_vec(&refused).unwrap_or_default();
    [Ok(b"{}".to_vec()), Ok(b"\xff no answer".to_vec()), Err(refused), Err(Vec::new())]
}

/// How what is asked is answered.
#[derive(Clone, Copy)]
enum Manner {
    /// When the call has been cancelled, and again.
    Late,
    /// At once, and again before and after the end of the call.
    Twice,
    /// With what cannot be read.
    Nonsense,
    /// Not given.
    Refused,
}

impl Manner {
    fn as_str(self) -> &'static str {
        match self {
            Self::Late => "its asks answered after it was cancelled",
            Self::Twice => "its asks answered twice",
            Self::Nonsense => "its asks answered with nonsense",
            Self::Refused => "its asks refused",
        }
    }
}

/// Answers at the wrong time do no harm.
pub(crate) fn answers(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let plugin = &loaded.plugin;
    for number in NEVER {
        for answer in any_answer() {
            sent(plugin, number, answer)?;
        }
    }
    goes_on(plugin, "after answers to what it did not ask")?;
    // What is answered is used at once, and not tried again and again.
    let endpoint = Endpoint::new(Trouble::Nothing).map_err(failed_to)?;
    for doing in [method::OBSERVE, method::CREATE, method::DELETE] {
        // The others of its kinds ask for the same things.
        for kind in &loaded.kinds {
            let body = request(&loaded, kind, doing)?;
            let mut asks = false;
            for manner in [Manner::Late, Manner::Twice, Manner::Nonsense, Manner::Refused] {
                asks = spoken(plugin, &endpoint, doing, body.clone(), manner)?;
                if !asks {
                    break;
                }
                goes_on(plugin, &format!("after `{doing}` of {}, {}", kind.kind, manner.as_str()))?;
            }
            if asks {
                break;
            }
        }
    }
    plugin.shutdown();
    faultless(plugin)
}

fn sent(plugin: &RemotePlugin, ask: u64, answer: Answer) -> Outcome {
    plugin.answer(ask, answer).map_err(|error| Stop::Failed(format!("given an answer, it {error}")))
}

/// It answers calls, and has done nothing that it must not.
fn goes_on(plugin: &RemotePlugin, when: &str) -> Outcome {
    match plugin.raw("no-such-method", b"{}".to_vec(), LIMITS.call) {
        Ok(_) | Err(RawError::Failed(_)) => {}
        Err(RawError::Broken(how)) => return failed(format!("{when}, it {how}")),
    }
    match plugin.faults().first() {
        Some(fault) => failed(format!("{when}: {fault}")),
        None => Ok(()),
    }
}

/// Makes a call and answers in this manner. False when nothing is asked.
fn spoken(
    plugin: &RemotePlugin,
    endpoint: &Endpoint,
    doing: &'static str,
    body: Vec<u8>,
    manner: Manner,
) -> Result<bool, Stop> {
    let broken = |error: RawError| {
        Stop::Failed(format!("asked to {doing}, {}, it {error}", manner.as_str()))
    };
    let talk = plugin.talk(doing, body, LIMITS.call).map_err(broken)?;
    let mut asked = Vec::new();
    let ended = loop {
        match talk.next() {
            Said::Done(ended) => break ended,
            Said::Asks { ask, method } => {
                let first = asked.is_empty();
                let answer = answer(endpoint, &method);
                asked.push((ask, answer.clone()));
                match manner {
                    Manner::Late if first => talk.cancel(),
                    Manner::Late => {}
                    Manner::Twice => {
                        sent(plugin, ask, answer.clone())?;
                        sent(plugin, ask, answer)?;
                    }
                    Manner::Nonsense => sent(plugin, ask, Ok(b"\xff no answer".to_vec()))?,
                    Manner::Refused => {
                        let [_, _, refused, _] = any_answer();
                        sent(plugin, ask, refused)?;
                    }
                }
            }
        }
    };
    if let Err(error @ RawError::Broken(_)) = ended {
        return Err(broken(error));
    }
    for (ask, answer) in &asked {
        for answer in [answer.clone(), answer.clone()].into_iter().chain(any_answer()) {
            sent(plugin, *ask, answer)?;
        }
    }
    Ok(!asked.is_empty())
}

/// The true answer to what is asked.
fn answer(endpoint: &Endpoint, asked: &str) -> Answer {
    let unknown = || Failure::new(&ErrorClass::Unsupported, "the kit does not know that");
    let answered = match asked {
        ask::AWS_SETTINGS => {
            endpoint.aws_settings().now_or_never().and_then(Result::ok).map(written)
        }
        ask::AWS_CREDENTIALS => {
            endpoint.aws_credentials(None).now_or_never().and_then(Result::ok).map(written)
        }
        ask::CLOCK => Some(written(serde_json::json!({ "now": endpoint.now() }))),
        ask::SECRET => Some(written(SecretAnswer { value: VALUE.to_owned() })),
        ask::THROTTLE => Some(written(serde_json::json!({}))),
        _ => None,
    };
    answered.ok_or_else(|| written(unknown()))
}

fn written(message: impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&message).unwrap_or_default()
}

/// A call of the driver, as the host would write it.
pub(crate) fn request(
    loaded: &Loaded<'_>,
    kind: &KindDeclaration,
    doing: &str,
) -> Result<Vec<u8>, Stop> {
    let example = match loaded.example() {
        Ok(example) => Some(example),
        Err(Stop::NotApplicable(_)) => None,
        Err(stop) => return Err(stop),
    };
    let rendered = example.iter().flat_map(crate::subject::Example::own);
    let resource = rendered.into_iter().find(|resource| resource.kind == kind.kind);
    let (target, spec) = asked(kind, resource)?;
    let owner = owner();
    let caller = CallContext::new(&owner, &Marked).into();
    Ok(match doing {
        method::OBSERVE => {
            let queries = vec![Query { target, spec: Some(spec) }];
            written(ObserveRequest { caller, queries })
        }
        method::CREATE => written(CreateRequest { caller, target, spec }),
        _ => written(DeleteRequest { caller, target, deletion: Deletion::default() }),
    })
}
