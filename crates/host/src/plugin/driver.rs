//! A driver whose calls happen in the plugin.

use std::sync::Arc;

use futures::channel::mpsc::unbounded;
use futures::future::{BoxFuture, Either, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Query, Status, Target,
};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::secret::SecretRef;
use zonestack_core::value::Value;
use zonestack_sdk::message::{
    CreateRequest, DeleteRequest, FinalCopyAnswer, FinalCopyRequest, Nothing, ObserveAnswer,
    ObserveRequest, OwnedAnswer, OwnedRequest, UpdateRequest, method,
};

use super::RemotePlugin;
use crate::call::{CallError, Event};
use crate::services::{Offer, Services, answer};
use crate::session::Session;

/// The driver of all kinds of a plugin.
///
/// # Errors
/// What the plugin says, by its class. When the plugin ends, hangs or answers nonsense, a call that changes something has the class
/// [`ErrorClass::Ambiguous`]: it may have had an effect, and the engine looks. A call that only looks has changed nothing: the
/// class is [`ErrorClass::Transient`] when the plugin can be started again, and [`ErrorClass::Bug`] when it would be the same
/// again.
pub(super) struct RemoteDriver {
    plugin: RemotePlugin,
    kinds: Vec<KindDeclaration>,
    services: Arc<dyn Services>,
}

/// A call that nobody waits for any more must not go on.
struct Awaited<'a> {
    session: &'a Session,
    call: u64,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.session.abandon(self.call);
    }
}

impl RemoteDriver {
    pub(super) fn new(
        plugin: RemotePlugin,
        kinds: Vec<KindDeclaration>,
        services: Arc<dyn Services>,
    ) -> Self {
        Self { plugin, kinds, services }
    }

    async fn call<A: DeserializeOwned>(
        &self,
        cx: CallContext<'_>,
        method: &'static str,
        request: &impl Serialize,
        references: Vec<SecretRef>,
    ) -> Result<A, DriverError> {
        self.answer(cx, method, request, &references)
            .await
            .map_err(|error| self.class(method, error))
    }

    async fn answer<A: DeserializeOwned>(
        &self,
        cx: CallContext<'_>,
        method: &'static str,
        request: &impl Serialize,
        references: &[SecretRef],
    ) -> Result<A, CallError> {
        let unreadable = |error: serde_json::Error| CallError::Unreadable(error.to_string());
        let body = serde_json::to_vec(request).map_err(unreadable)?;
        let session = self.plugin.0.session()?;
        let offer = Offer { services: self.services.as_ref(), secrets: cx.secrets, references };
        let (sender, mut events) = unbounded();
        let waiter = move |event| drop(sender.unbounded_send(event));
        let limit = self.plugin.0.options.limits.call;
        let call = session.call(method, body, limit, true, Box::new(waiter))?;
        let _awaited = Awaited { session: &session, call };
        let mut asked = FuturesUnordered::new();
        loop {
            let next = if asked.is_empty() {
                Either::Left((events.next().await, ()))
            } else {
                match select(events.next(), asked.next()).await {
                    Either::Left((event, _)) => Either::Left((event, ())),
                    Either::Right((answered, _)) => Either::Right((answered, ())),
                }
            };
            match next {
                Either::Left((Some(Event::Done(result)), ())) => {
                    return serde_json::from_slice(&result?).map_err(unreadable);
                }
                Either::Left((Some(Event::Ask { ask, method, body }), ())) => {
                    asked.push(async move { (ask, answer(offer, &method, &body).await) });
                }
                Either::Right((answered, ())) => {
                    if let Some((ask, answered)) = answered {
                        session.answer(ask, answered);
                    }
                }
                Either::Left((None, ())) => return Err(CallError::lost()),
            }
        }
    }

    /// The error as the engine needs it.
    fn class(&self, called: &str, error: CallError) -> DriverError {
        let changes = matches!(called, method::CREATE | method::UPDATE | method::DELETE);
        let name = self.plugin.name();
        let class = match error {
            CallError::Failed(failure) => return failure.into(),
            CallError::Ended { .. } | CallError::TooLarge(_) | CallError::Unreadable(_)
                if changes =>
            {
                ErrorClass::Ambiguous
            }
            CallError::Ended { .. } => ErrorClass::Transient,
            CallError::Load(_) => ErrorClass::Unsupported,
            CallError::Request(_) => ErrorClass::Invalid,
            CallError::TooLarge(_)
            | CallError::Unreadable(_)
            | CallError::Refused
            | CallError::Exhausted(..) => ErrorClass::Bug,
        };
        DriverError::new(class, format!("the plugin {name} {error} (asked to {called})"))
    }
}

/// The secrets that stand in a specification: a driver may ask for these and no others.
fn references<'a>(specs: impl IntoIterator<Item = &'a Json>) -> Vec<SecretRef> {
    let secrets = |spec: &Json| -> Vec<SecretRef> {
        Value::from(spec.clone()).secrets().into_iter().cloned().collect()
    };
    specs.into_iter().flat_map(secrets).collect()
}

impl Driver for RemoteDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        self.kinds.clone()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        async move {
            let request = ObserveRequest { caller: cx.into(), queries: queries.to_vec() };
            let references = references(queries.iter().filter_map(|query| query.spec.as_ref()));
            let answered =
                self.call::<ObserveAnswer>(cx, method::OBSERVE, &request, references).await;
            match answered {
                Ok(answer) if answer.answers.len() == queries.len() => {
                    answer.answers.into_iter().map(Into::into).collect()
                }
                Ok(answer) => {
                    let message = format!(
                        "the plugin {} gave {} answers to {} queries",
                        self.plugin.name(),
                        answer.answers.len(),
                        queries.len()
                    );
                    let error = DriverError::new(ErrorClass::Bug, message);
                    queries.iter().map(|_| Err(error.clone())).collect()
                }
                Err(error) => queries.iter().map(|_| Err(error.clone())).collect(),
            }
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        async move {
            let (caller, target) = (cx.into(), target.clone());
            let request = CreateRequest { caller, target, spec: spec.clone() };
            self.call(cx, method::CREATE, &request, references([spec])).await
        }
        .boxed()
    }

    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        async move {
            let request = UpdateRequest {
                caller: cx.into(),
                target: target.clone(),
                spec: spec.clone(),
                differences: differences.to_vec(),
            };
            let Nothing {} = self.call(cx, method::UPDATE, &request, references([spec])).await?;
            Ok(())
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        async move {
            let (caller, target) = (cx.into(), target.clone());
            let request = DeleteRequest { caller, target, deletion: deletion.clone() };
            let Nothing {} = self.call(cx, method::DELETE, &request, Vec::new()).await?;
            Ok(())
        }
        .boxed()
    }

    fn final_copy<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        async move {
            let (caller, target) = (cx.into(), target.clone());
            let request = FinalCopyRequest { caller, target, name: name.to_owned() };
            let answer: FinalCopyAnswer =
                self.call(cx, method::FINAL_COPY, &request, Vec::new()).await?;
            Ok(answer.status)
        }
        .boxed()
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        async move {
            let request = OwnedRequest { caller: cx.into() };
            let answer: OwnedAnswer = self.call(cx, method::OWNED, &request, Vec::new()).await?;
            Ok(answer.owned)
        }
        .boxed()
    }
}
