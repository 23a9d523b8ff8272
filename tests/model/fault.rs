//! Single faults: what goes wrong, at which call.

use std::time::Duration;

use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_sandbox::{Call, Fault, Faults, Operation};

/// What goes wrong (reliability.md B.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// The process is killed before the call.
    KilledBefore,
    /// The process is killed after the call took effect, before it learns of that.
    KilledAfter,
    /// No answer, and no effect.
    TimeoutBefore,
    /// No answer, although the call took effect.
    TimeoutAfter,
    /// Refused for now, without effect.
    Throttled,
    /// The service failed, without effect.
    Transient,
    /// The service failed after the effect.
    FailedAfter,
    /// Not allowed.
    Denied,
    /// The answer is half a minute old.
    Lagging,
}

impl Mishap {
    pub(crate) const ALL: [Self; 9] = [
        Self::KilledBefore,
        Self::KilledAfter,
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::Throttled,
        Self::Transient,
        Self::FailedAfter,
        Self::Denied,
        Self::Lagging,
    ];

    fn fails(class: ErrorClass) -> Fault {
        let message = format!("made to fail: {}", class.as_str());
        Fault::Fail(DriverError::new(class, message))
    }

    fn before(self, call: &Call) -> Option<Fault> {
        match self {
            Self::KilledBefore => Some(Fault::Crash),
            Self::TimeoutBefore => Some(Self::silence(call)),
            Self::Throttled => Some(Self::fails(ErrorClass::Throttled)),
            Self::Transient => Some(Self::fails(ErrorClass::Transient)),
            Self::Denied => Some(Self::fails(ErrorClass::Denied(None))),
            Self::Lagging if call.operation == Operation::Observe => {
                Some(Fault::Lag(Duration::from_secs(30)))
            }
            _ => None,
        }
    }

    /// No answer. The engine gives up on a driver itself; reads and the inventory have clients that do.
    fn silence(call: &Call) -> Fault {
        match call.operation {
            Operation::Observe | Operation::Create | Operation::Update | Operation::Delete => {
                Fault::Hang
            }
            _ => Self::fails(ErrorClass::Ambiguous),
        }
    }

    fn after(self, call: &Call) -> Option<Fault> {
        match self {
            Self::KilledAfter => Some(Fault::Crash),
            Self::TimeoutAfter => Some(Self::silence(call)),
            Self::FailedAfter => Some(Self::fails(ErrorClass::Ambiguous)),
            _ => None,
        }
    }
}

/// A mishap at one call, counted from one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At(pub(crate) u64, pub(crate) Mishap);

impl Faults for At {
    fn before(&self, call: &Call) -> Option<Fault> {
        (call.number == self.0).then(|| self.1.before(call)).flatten()
    }

    fn after(&self, call: &Call) -> Option<Fault> {
        (call.number == self.0).then(|| self.1.after(call)).flatten()
    }
}
