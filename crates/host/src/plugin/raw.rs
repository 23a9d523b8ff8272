//! Calls with bytes of one's own: what a test of a plugin needs and the engine never does.

use std::sync::mpsc::channel;
use std::time::Duration;

use zonestack_sdk::message::Failure;

use super::{RemotePlugin, outcome};
use crate::call::CallError;

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
}
