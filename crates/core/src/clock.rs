//! Contract: time, given from outside, so that a test can make it pass.

use std::time::Duration;

use futures::future::BoxFuture;

/// A clock that the engine waits on.
///
/// # Guarantees
/// `now` never goes back. `sleep` ends no earlier than its duration, by the same clock.
pub trait Clock: Send + Sync {
    /// Time since an arbitrary but fixed moment.
    fn now(&self) -> Duration;

    /// Ends after the duration.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;

    /// The date and time in UTC as RFC 3339 with seconds, such as `2026-11-23T07:00:00Z`: for records, never for decisions.
    fn timestamp(&self) -> String;
}
