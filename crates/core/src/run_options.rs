//! How a run goes about its work, and who may end it.

use std::time::Duration;

use futures::future::BoxFuture;

/// How patient and how parallel a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Tasks at the same time, at least one.
    pub parallel: usize,
    /// The first pause between two looks.
    pub poll_first: Duration,
    /// The longest pause between two looks.
    pub poll_max: Duration,
    /// How long one API call may take.
    pub call_timeout: Duration,
}

/// Contract: tells that the person wants the run to end.
pub trait Interruption: Send + Sync {
    /// Whether that was asked.
    fn requested(&self) -> bool;
    /// Ends when it is asked.
    fn wait(&self) -> BoxFuture<'_, ()>;
}
