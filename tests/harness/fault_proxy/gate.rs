//! Counts requests over both addresses of a proxy and decides what happens to each.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::Fault;
use super::operation::Operation;

/// How long a request may be under way when its run is over.
const UNDER_WAY: Duration = Duration::from_secs(30);

/// One of several times that a run asks for an operation; the first is 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    pub(crate) operation: String,
    pub(crate) time: usize,
}

/// Which faults happen where.
#[derive(Clone, Debug)]
pub(crate) enum Orders {
    /// At the n-th request that changes something; the first is 1.
    AtChange(usize, Fault),
    /// At the n-th that changes nothing.
    AtRead(usize, Fault),
    /// At each of these.
    At(BTreeMap<Occurrence, Fault>),
}

/// A request, as it is told afterwards.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) occurrence: Occurrence,
    pub(crate) changes: bool,
    /// What happened to it.
    pub(crate) fault: Option<Fault>,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Occurrence { operation, time } = &self.occurrence;
        write!(f, "{operation} ×{time}")?;
        self.fault.map_or(Ok(()), |fault| write!(f, "  <-- {fault:?}"))
    }
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    times: BTreeMap<String, usize>,
    changes: usize,
    reads: usize,
    under_way: usize,
    closed: bool,
    victim: Option<Pid>,
}

/// The one place that all requests of a run go through.
pub(super) struct Gate {
    orders: Option<Orders>,
    state: Mutex<State>,
    moved: Condvar,
}

impl Gate {
    pub(super) fn new(orders: Option<Orders>) -> Self {
        Self { orders, state: Mutex::default(), moved: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is killed, if somebody is.
    pub(super) fn victim(&self, pid: Pid) {
        self.state().victim = Some(pid);
        self.moved.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Counts a request; `None` when it came too late.
    pub(super) fn arrive(&self, operation: &Operation) -> Option<Passage<'_>> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        let time = state.times.entry(operation.name.clone()).or_default();
        *time += 1;
        let occurrence = Occurrence { operation: operation.name.clone(), time: *time };
        let count = if operation.changes { &mut state.changes } else { &mut state.reads };
        *count += 1;
        let count = *count;
        let fault = self.orders.as_ref().and_then(|orders| match orders {
            Orders::AtChange(n, fault) => (operation.changes && *n == count).then_some(*fault),
            Orders::AtRead(n, fault) => (!operation.changes && *n == count).then_some(*fault),
            Orders::At(those) => those.get(&occurrence).copied(),
        });
        state.calls.push(Call { occurrence, changes: operation.changes, fault });
        state.under_way += 1;
        // Once the program is to die, nothing of it passes any more.
        state.closed |= fault == Some(Fault::KillBefore);
        Some(Passage { gate: self, fault })
    }

    /// Kills the program.
    pub(super) fn kill(&self) {
        let mut state = self.state();
        state.closed = true;
        while state.victim.is_none() {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(victim) = state.victim.take() {
            kill_process(victim, Signal::KILL).unwrap();
        }
    }

    /// Lets nothing more pass, and waits for what has passed.
    #[track_caller]
    pub(super) fn close(&self) -> Vec<Call> {
        let mut state = self.state();
        state.closed = true;
        state.victim = None;
        let (mut state, waited) = self
            .moved
            .wait_timeout_while(state, UNDER_WAY, |state| state.under_way > 0)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "still under way after {UNDER_WAY:?}: {:?}", state.calls);
        std::mem::take(&mut state.calls)
    }
}

/// A request that is under way until this is dropped.
pub(super) struct Passage<'a> {
    gate: &'a Gate,
    fault: Option<Fault>,
}

impl Passage<'_> {
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.gate.state().under_way -= 1;
        self.gate.moved.notify_all();
    }
}
