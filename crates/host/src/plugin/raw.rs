//! Calls with bytes of one's own: what a test of a plugin needs and the engine never does.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use zonestack_abi::{STATUS_ERROR, STATUS_OK};
use zonestack_sdk::message::Failure;

use super::{RemotePlugin, outcome};
use crate::call::{CallError, Event};
use crate::session::Session;

/// Why a call with bytes of one's own has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RawError {
    /// The plugin refused it, or could not do it.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// The plugin ended, hung, or answered what no plugin may: the rest of a sentence that begins with the plugin.
    #[error("{0}")]
    Broken(String),
}

impl From<CallError> for RawError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Failed(failure) => Self::Failed(failure),
            other => Self::Broken(other.to_string()),
        }
    }
}

/// What the plugin says in a call.
#[derive(Debug)]
pub enum Said {
    /// It asks something, by a number of its own.
    Asks {
        /// The number of what it asks.
        ask: u64,
        /// What it asks for, such as `clock.now`.
        method: String,
    },
    /// The call has ended.
    Done(Result<Vec<u8>, RawError>),
}

/// A call whose caller answers what the plugin asks: when it likes, as often as it likes, or never.
pub struct Talk {
    session: Arc<Session>,
    call: u64,
    events: Receiver<Event>,
}

impl Talk {
    /// What the plugin says next. Blocks until it says something or is ended; a call that has ended says nothing more.
    pub fn next(&self) -> Said {
        match self.events.recv() {
            Ok(Event::Ask { ask, method, .. }) => Said::Asks { ask, method },
            Ok(Event::Done(result)) => Said::Done(result.map_err(RawError::from)),
            Err(_) => Said::Done(Err(CallError::lost().into())),
        }
    }

    /// Asks the call to stop. Its end is still to come.
    pub fn cancel(&self) {
        self.session.abandon(self.call);
    }
}

impl RemotePlugin {
    /// Makes a call with this body and gives back the bytes of the answer. Blocks; what the plugin asks meanwhile is refused.
    ///
    /// # Errors
    /// See [`RawError`].
    pub fn raw(
        &self,
        method: &'static str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, RawError> {
        let session = self.0.session()?;
        let (sender, events) = channel();
        let waiter = move |event| drop(sender.send(event));
        session.call(method, body, limit, false, Box::new(waiter))?;
        Ok(outcome(&session, &events)?)
    }

    /// Makes a call and asks it to stop at once; nobody waits for its end.
    ///
    /// # Errors
    /// The plugin cannot be started.
    pub fn abandoned(
        &self,
        method: &'static str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<(), RawError> {
        let session = self.0.session()?;
        let call = session.call(method, body, limit, false, Box::new(drop))?;
        session.abandon(call);
        Ok(())
    }

    /// Makes a call whose end nobody waits for, and which is not asked to stop.
    ///
    /// # Errors
    /// The plugin cannot be started.
    pub fn left_open(
        &self,
        method: &'static str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<(), RawError> {
        self.0.session()?.call(method, body, limit, false, Box::new(drop))?;
        Ok(())
    }

    /// Makes a call whose caller answers what the plugin asks.
    ///
    /// # Errors
    /// The plugin cannot be started.
    pub fn talk(
        &self,
        method: &'static str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Talk, RawError> {
        let session = self.0.session()?;
        let (sender, events) = channel();
        let waiter = move |event| drop(sender.send(event));
        let call = session.call(method, body, limit, true, Box::new(waiter))?;
        Ok(Talk { session, call, events })
    }

    /// Sends an answer, whether or not that was asked.
    ///
    /// # Errors
    /// The plugin cannot be started.
    pub fn answer(&self, ask: u64, answer: Result<Vec<u8>, Vec<u8>>) -> Result<(), RawError> {
        let answered = match answer {
            Ok(body) => (STATUS_OK, body),
            Err(body) => (STATUS_ERROR, body),
        };
        self.0.session()?.answer(ask, answered);
        Ok(())
    }

    /// The number of the process that it runs in, when it was started, has not ended, and has one of its own.
    pub fn process_id(&self) -> Option<u32> {
        self.0.running().session.as_ref().and_then(|session| session.process())
    }
}
