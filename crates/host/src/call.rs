//! A call, as the one who waits for it sees it: how long it may take, and how it ends.

use std::time::Duration;

use zonestack_abi::MESSAGE_MAX;
use zonestack_sdk::message::Failure;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Loading and describing itself.
    pub load: Duration,
    /// `check` and `render`, which only compute.
    pub render: Duration,
    /// A call of a driver.
    pub call: Duration,
    /// From being asked to stop until being killed.
    pub grace: Duration,
    /// How often a child that ended is started again.
    pub restarts: u32,
}

impl Default for Limits {
    /// As plugin-abi.md has them (A.3.3, A.3.4, A.3.6).
    fn default() -> Self {
        Self {
            load: Duration::from_secs(10),
            render: Duration::from_secs(2),
            call: Duration::from_mins(1),
            grace: Duration::from_secs(5),
            restarts: 3,
        }
    }
}

/// What a caller hears of its call.
#[derive(Debug)]
pub(crate) enum Event {
    /// The plugin asks something. The caller answers with [`Session::answer`].
    Ask { ask: u64, method: String, body: Vec<u8> },
    /// The call has ended.
    Done(Result<Vec<u8>, CallError>),
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The plugin's own failure.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// The plugin could not be loaded: it never got the call.
    #[error("cannot be loaded: {0}")]
    Load(String),
    /// It ended while the call was under way.
    #[error("{how}{}", reached(checkpoint.as_deref()))]
    Ended {
        /// How, such as `was ended by signal 11`.
        how: String,
        /// What it had reported before.
        checkpoint: Option<String>,
    },
    /// It has ended too often to be started again.
    #[error("has ended {0} times in this run and is not started again; the last time it {1}")]
    Exhausted(u32, String),
    /// It does not take the call.
    #[error("did not take the call")]
    Refused,
    /// Its answer is larger than any may be.
    #[error("answered with {0} bytes, and at most {MESSAGE_MAX} are read")]
    TooLarge(u64),
    /// Its answer cannot be read.
    #[error("answered with what cannot be read: {0}")]
    Unreadable(String),
    /// The call itself is larger than any may be. Nothing was sent.
    #[error("cannot be sent a call of {0} bytes, at most {MESSAGE_MAX} are possible")]
    Request(usize),
}

impl CallError {
    /// What cannot be: a call whose end is not told.
    pub(crate) fn lost() -> Self {
        Self::Ended { how: "was lost sight of".to_owned(), checkpoint: None }
    }
}

fn reached(checkpoint: Option<&str>) -> String {
    checkpoint.map(|text| format!(" (before that it reported {text})")).unwrap_or_default()
}
