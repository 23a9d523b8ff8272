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

    /// Whether it is something else at this operation than all mishaps before it: a call that only looks has no effect
    /// before or after which it could fail, and only looking can lag.
    pub(crate) fn differs_at(self, operation: Operation) -> bool {
        match self {
            Self::KilledAfter | Self::TimeoutAfter => operation.changes(),
            Self::Lagging => operation == Operation::Observe,
            _ => true,
        }
    }

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

/// Several mishaps in one run.
#[derive(Debug, Clone)]
pub(crate) struct All(pub(crate) Vec<At>);

impl Faults for All {
    fn before(&self, call: &Call) -> Option<Fault> {
        self.0.iter().find(|at| at.0 == call.number).and_then(|at| at.1.before(call))
    }

    fn after(&self, call: &Call) -> Option<Fault> {
        self.0.iter().find(|at| at.0 == call.number).and_then(|at| at.1.after(call))
    }
}

/// Every call takes a while before and after its effect, of lengths that depend on the seed and the call's number alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slow {
    pub(crate) seed: u64,
    /// The process begins as much later.
    pub(crate) late: Duration,
    /// The longest that a call may take, in milliseconds.
    pub(crate) longest: u64,
    /// Where the process is killed besides.
    pub(crate) killed: Option<At>,
}

impl Slow {
    fn pause(&self, point: u64) -> Fault {
        let drawn = drawn(self.seed ^ point.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Fault::Delay(Duration::from_millis(drawn % self.longest.max(1)))
    }
}

/// A number that looks random (splitmix64).
pub(crate) fn drawn(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Faults for Slow {
    fn before(&self, call: &Call) -> Option<Fault> {
        match &self.killed {
            Some(at) if at.0 == call.number => at.1.before(call),
            _ if call.number == 1 => Some(Fault::Delay(self.late)),
            _ => Some(self.pause(2 * call.number)),
        }
    }

    fn after(&self, call: &Call) -> Option<Fault> {
        match &self.killed {
            Some(at) if at.0 == call.number => at.1.after(call),
            _ => Some(self.pause(2 * call.number + 1)),
        }
    }
}
