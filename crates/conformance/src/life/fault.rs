//! What goes wrong, and where (reliability.md B.6).

use std::fmt;

use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_sandbox::{Call, Fault, Faults, Operation};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// The process is killed before the call.
    KilledBefore,
    /// The process is killed after the call took effect, before it learns of that.
    KilledAfter,
    /// No answer, although the call took effect.
    AnswerLost,
    /// The service failed after the effect.
    FailedAfter,
    /// Refused for now, without effect.
    Throttled,
}

impl Mishap {
    /// Whether it is something else at this operation than the others: a call that only looks has no effect.
    pub(super) fn differs_at(self, operation: Operation) -> bool {
        match self {
            Self::KilledAfter | Self::AnswerLost => operation.changes(),
            _ => true,
        }
    }

    fn fails(class: ErrorClass) -> Fault {
        let message = format!("made to fail: {}", class.as_str());
        Fault::Fail(DriverError::new(class, message))
    }

    /// No answer. The engine gives up on a driver itself; the inventory has clients that do.
    fn silence(call: &Call) -> Fault {
        match call.operation {
            Operation::Observe | Operation::Create | Operation::Update | Operation::Delete => {
                Fault::Hang
            }
            _ => Self::fails(ErrorClass::Ambiguous),
        }
    }
}

/// A mishap at one call, counted from one.
#[derive(Debug, Clone, Copy)]
pub(super) struct At(pub(super) u64, pub(super) Mishap);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.1 {
            Mishap::KilledBefore => "killed before",
            Mishap::KilledAfter => "killed after",
            Mishap::AnswerLost => "no answer to",
            Mishap::FailedAfter => "a failure after",
            Mishap::Throttled => "throttled at",
        };
        write!(f, "{what} call {}", self.0)
    }
}

impl Faults for At {
    fn before(&self, call: &Call) -> Option<Fault> {
        match self.1 {
            Mishap::KilledBefore if call.number == self.0 => Some(Fault::Crash),
            Mishap::Throttled if call.number == self.0 => {
                Some(Mishap::fails(ErrorClass::Throttled))
            }
            _ => None,
        }
    }

    fn after(&self, call: &Call) -> Option<Fault> {
        match self.1 {
            _ if call.number != self.0 => None,
            Mishap::KilledAfter => Some(Fault::Crash),
            Mishap::AnswerLost => Some(Mishap::silence(call)),
            Mishap::FailedAfter => Some(Mishap::fails(ErrorClass::Ambiguous)),
            Mishap::KilledBefore | Mishap::Throttled => None,
        }
    }
}
