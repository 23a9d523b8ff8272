//! What a plugin may ask of its host, and what it may tell it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use zonestack_abi::{EMIT_CHECKPOINT, EMIT_LOG, EMIT_PROGRESS, STATUS_OK};
use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};

use crate::message::{
    ClockAnswer, Failure, LogLine, SecretAnswer, SecretRequest, ThrottleRequest, ask,
};

tokio::task_local! {
    /// The call that a task works for.
    static CALL: u64;
}

/// The functions of the host, as safe ones.
pub trait Outside: Send + Sync {
    /// Ends a call.
    fn complete(&self, call: u64, status: i32, body: &[u8]);
    /// Says something while a call goes on.
    fn emit(&self, call: u64, kind: u32, body: &[u8]);
    /// Asks something.
    fn ask(&self, call: u64, ask: u64, method: &str, body: &[u8]);
}

/// What a plugin may ask of its host. A clone is the same host.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

/// Who waits for which answer: its status and its body.
type Waiting = BTreeMap<u64, oneshot::Sender<(i32, Vec<u8>)>>;

struct Inner {
    outside: Box<dyn Outside>,
    waiting: Mutex<Waiting>,
    next: AtomicU64,
}

/// The host did not give what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It refused, or could not.
    #[error("zonestack did not answer {method}: {}", failure.message)]
    Refused {
        /// What was asked.
        method: &'static str,
        /// Why not.
        failure: Failure,
    },
    /// What it answered cannot be read.
    #[error("zonestack's answer to {method} cannot be read: {reason}")]
    Unreadable {
        /// What was asked.
        method: &'static str,
        /// Why not.
        reason: String,
    },
    /// It is gone.
    #[error("zonestack is gone, it was asked for {method}")]
    Gone {
        /// What was asked.
        method: &'static str,
    },
}

impl From<AskError> for DriverError {
    fn from(error: AskError) -> Self {
        let message = error.to_string();
        match error {
            AskError::Refused { failure, .. } => Self { message, ..failure.into() },
            AskError::Unreadable { .. } => Self::new(ErrorClass::Bug, message),
            AskError::Gone { .. } => Self::new(ErrorClass::Transient, message),
        }
    }
}

impl Host {
    /// A host behind these functions.
    pub fn new(outside: Box<dyn Outside>) -> Self {
        Self(Arc::new(Inner { outside, waiting: Mutex::default(), next: AtomicU64::new(1) }))
    }

    /// Asks the host. Asks belong to the call in whose task they are made; outside of calls only what needs none is answered.
    pub async fn ask<A: DeserializeOwned>(
        &self,
        method: &'static str,
        body: &impl Serialize,
    ) -> Result<A, AskError> {
        let unreadable =
            |error: serde_json::Error| AskError::Unreadable { method, reason: error.to_string() };
        let body = serde_json::to_vec(body).map_err(unreadable)?;
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting().insert(number, sender);
        // Forgotten when the answer is not awaited any more.
        let _asked = Asked { host: self, number };
        self.0.outside.ask(current_call(), number, method, &body);
        let (status, body) = answer.await.map_err(|_| AskError::Gone { method })?;
        if status == STATUS_OK {
            serde_json::from_slice(&body).map_err(unreadable)
        } else {
            let failure = serde_json::from_slice(&body).map_err(unreadable)?;
            Err(AskError::Refused { method, failure })
        }
    }

    /// The date and time of the host in UTC, as RFC 3339.
    ///
    /// # Errors
    /// A host that is gone.
    pub async fn now(&self) -> Result<String, AskError> {
        let answer: ClockAnswer = self.ask(ask::CLOCK, &Json::Null).await?;
        Ok(answer.now)
    }

    /// Waits for its turn at a service, such as `efs`: one limit for the whole run, whoever calls.
    ///
    /// # Errors
    /// A host that is gone.
    pub async fn turn(&self, service: &str) -> Result<(), AskError> {
        let request = ThrottleRequest { service: service.to_owned() };
        let _granted: Json = self.ask(ask::THROTTLE, &request).await?;
        Ok(())
    }

    /// A line for the log. Never a secret.
    pub fn log(&self, line: &LogLine) {
        self.emit(EMIT_LOG, line);
    }

    /// How far the call has come, for the person who waits.
    pub fn progress(&self, text: &str) {
        self.emit(EMIT_PROGRESS, &serde_json::json!({ "text": text }));
    }

    /// What the host should tell when the call does not end: such as the id of what was made.
    pub fn checkpoint(&self, what: &Json) {
        self.emit(EMIT_CHECKPOINT, what);
    }

    fn emit(&self, kind: u32, body: &impl Serialize) {
        if let Ok(body) = serde_json::to_vec(body) {
            self.0.outside.emit(current_call(), kind, &body);
        }
    }

    pub(crate) fn complete(&self, call: u64, status: i32, body: &[u8]) {
        self.0.outside.complete(call, status, body);
    }

    /// An answer has come. One that nobody waits for any more is dropped.
    pub(crate) fn answered(&self, number: u64, status: i32, body: Vec<u8>) {
        let sender = self.waiting().remove(&number);
        if let Some(sender) = sender {
            drop(sender.send((status, body)));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Asked<'a> {
    host: &'a Host,
    number: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.host.waiting().remove(&self.number);
    }
}

/// Runs a task for a call.
pub(crate) fn for_call<F: Future>(call: u64, task: F) -> impl Future<Output = F::Output> {
    CALL.scope(call, task)
}

/// Runs a function for a call.
pub(crate) fn within_call<T>(call: u64, function: impl FnOnce() -> T) -> T {
    CALL.sync_scope(call, function)
}

fn current_call() -> u64 {
    CALL.try_with(|call| *call).unwrap_or_default()
}

/// The host resolves only references that stand in the specification of the call.
impl SecretSource for Host {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        async move {
            let request = SecretRequest { reference: reference.clone() };
            match self.ask::<SecretAnswer>(ask::SECRET, &request).await {
                Ok(answer) => Ok(Sensitive::new(answer.value)),
                Err(AskError::Refused { failure, .. }) if failure.is_not_found() => {
                    Err(SecretError::Missing(reference.clone()))
                }
                Err(error) => Err(SecretError::Unreadable {
                    reference: reference.clone(),
                    reason: error.to_string(),
                }),
            }
        }
        .boxed()
    }
}
