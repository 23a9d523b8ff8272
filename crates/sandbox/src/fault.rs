//! What can go wrong with a call (reliability.md B.6).

use std::time::Duration;

use zonestack_core::driver::DriverError;

use crate::log::Call;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It takes longer.
    Delay(Duration),
    /// It answers with this failure. Before its effect, the effect does not take place; after it, it has.
    Fail(DriverError),
    /// It reads what was there so long ago: no younger thing, no younger change, and what went since is still there. Only
    /// before [`Operation::Observe`](crate::Operation::Observe).
    Lag(Duration),
    /// It never answers.
    Hang,
    /// The process dies here: neither this call nor any later one of the same [`crate::Sandbox::process`] ever answers.
    Crash,
}

/// Contract: decides what goes wrong.
///
/// # Flow
/// Every call asks `before`, has its effect, and asks `after`. Both see the same [`Call`], whose number counts the calls of
/// its process from 1.
///
/// # Assumptions
/// The decision depends on the call and on what the implementation remembers, never on time or chance of its own, so that a
/// failed test can be run again.
pub trait Faults: Send + Sync {
    /// What goes wrong before the call has its effect.
    fn before(&self, call: &Call) -> Option<Fault>;

    /// What goes wrong when the effect has taken place, before the caller learns of it.
    fn after(&self, call: &Call) -> Option<Fault>;
}

/// Nothing goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn before(&self, _: &Call) -> Option<Fault> {
        None
    }

    fn after(&self, _: &Call) -> Option<Fault> {
        None
    }
}
