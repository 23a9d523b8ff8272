//! What is tried: kills by number until a run comes to its end, other faults by operation until each has met them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::harness::{Call, Fault, Occurrence, Orders};

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    /// How many times of one operation in a run meet each fault.
    times: usize,
    /// How many requests of a run meet a fault.
    together: usize,
    /// How many runs with faults may follow each other before a clean one.
    pub(super) chain: usize,
}

impl Depth {
    pub(super) const USUAL: Self = Self { times: 2, together: 12, chain: 8 };
    pub(super) const LONG: Self = Self { times: usize::MAX, together: 1, chain: 1 };
}

/// How many complete runs from the beginning may go without a request before it is taken for one that comes only now and then.
const PATIENCE: usize = 2;

/// The cases of a command.
pub(super) struct Cases {
    kills: Vec<Kills>,
    /// In the order in which a run meets them.
    troubles: Vec<Trouble>,
    depth: Depth,
    applied: BTreeMap<Fault, usize>,
    never_came: BTreeSet<Occurrence>,
    /// How often a run ended with which code.
    ends: BTreeMap<i32, usize>,
}

/// The same end at one request after the other.
struct Kills {
    fault: Fault,
    changes: bool,
    next: usize,
    last: usize,
    count: usize,
}

/// A fault at a request.
#[derive(Clone)]
struct Trouble {
    occurrence: Occurrence,
    fault: Fault,
    missed: usize,
    /// A run has it.
    taken: bool,
}

impl Cases {
    /// Every case that a run without faults shows.
    pub(super) fn new(calls: &[Call], depth: Depth) -> Self {
        let last = usize::MAX;
        let kills = |fault, changes| Kills { fault, changes, next: 1, last, count: 0 };
        let is_wanted = |call: &Call| match call.occurrence.time {
            1 => true,
            time => call.changes && time <= depth.times,
        };
        let troubles = calls.iter().filter(|call| is_wanted(call)).flat_map(|call| {
            let trouble = |fault| {
                let occurrence = call.occurrence.clone();
                Trouble { occurrence, fault, missed: 0, taken: false }
            };
            Fault::TROUBLES.map(trouble)
        });
        Self {
            kills: vec![
                kills(Fault::KillBefore, true),
                kills(Fault::KillAfter, true),
                kills(Fault::KillBefore, false),
            ],
            troubles: troubles.collect(),
            depth,
            applied: BTreeMap::new(),
            never_came: BTreeSet::new(),
            ends: BTreeMap::new(),
        }
    }

    /// Kills at some of the requests that change something.
    pub(super) fn kills_between(first: usize, last: usize) -> Self {
        let kills = |fault| Kills { fault, changes: true, next: first, last, count: 0 };
        Self {
            kills: vec![kills(Fault::KillBefore), kills(Fault::KillAfter)],
            ..Self::new(&[], Depth::USUAL)
        }
    }

    pub(super) fn next(&mut self) -> Option<Orders> {
        if let Some(kills) = self.kills.iter_mut().find(|kills| kills.next <= kills.last) {
            let n = kills.next;
            kills.next += 1;
            let fault = kills.fault;
            return Some(if kills.changes {
                Orders::AtChange(n, fault)
            } else {
                Orders::AtRead(n, fault)
            });
        }
        let mut picked: BTreeMap<Occurrence, Fault> = BTreeMap::new();
        let count = self.troubles.iter().filter(|one| !one.taken).count();
        // Far from each other: a fault that ends the run hides what comes after it.
        let apart = count.div_ceil(self.depth.together).max(1);
        let candidates = self.troubles.iter_mut().filter(|one| !one.taken).step_by(apart);
        for one in candidates {
            if picked.len() < self.depth.together && !picked.contains_key(&one.occurrence) {
                one.taken = true;
                picked.insert(one.occurrence.clone(), one.fault);
            }
        }
        (!picked.is_empty()).then_some(Orders::At(picked))
    }

    /// What became of a case. `fresh` is a run that began with nothing of this command done.
    pub(super) fn took(&mut self, orders: &Orders, calls: &[Call], code: i32, fresh: bool) {
        *self.ends.entry(code).or_default() += 1;
        let counts = code == 0 && fresh;
        let met = calls.iter().filter_map(|call| Some((&call.occurrence, call.fault?)));
        let met: BTreeMap<&Occurrence, Fault> = met.collect();
        for fault in met.values() {
            *self.applied.entry(*fault).or_default() += 1;
        }
        let (fault, changes) = match orders {
            Orders::AtChange(_, fault) => (*fault, true),
            Orders::AtRead(_, fault) => (*fault, false),
            Orders::At(wanted) => {
                for (occurrence, fault) in wanted {
                    self.ended(occurrence, *fault, met.contains_key(occurrence), counts);
                }
                return;
            }
        };
        let same = |kills: &&mut Kills| kills.fault == fault && kills.changes == changes;
        if let Some(kills) = self.kills.iter_mut().find(same) {
            kills.count += met.len();
            if met.is_empty() {
                // There is no such request any more.
                kills.last = 0;
            }
        }
    }

    fn ended(&mut self, occurrence: &Occurrence, fault: Fault, met: bool, counts: bool) {
        let same = |one: &Trouble| one.fault == fault && one.occurrence == *occurrence;
        let Some(index) = self.troubles.iter().position(same) else { return };
        let one = &mut self.troubles[index];
        one.taken = false;
        one.missed += usize::from(counts);
        if met {
            self.troubles.remove(index);
        } else if one.missed >= PATIENCE {
            self.never_came.insert(occurrence.clone());
            self.troubles.remove(index);
        }
    }

    /// How many of the requests that change something a run was killed at.
    pub(super) fn killed_at_changes(&self, fault: Fault) -> usize {
        let those = self.kills.iter().filter(|kills| kills.changes && kills.fault == fault);
        those.map(|kills| kills.count).sum()
    }

    /// How often each fault happened.
    pub(super) fn tally(&self) -> String {
        let mut text = String::new();
        for (fault, count) in &self.applied {
            let _ = write!(text, "{fault:?} {count}, ");
        }
        let reads = self.kills.iter().filter(|kills| !kills.changes).map(|kills| kills.count);
        let _ = write!(text, "{} of the kills at reads; runs by exit code:", reads.sum::<usize>());
        for (code, count) in &self.ends {
            let _ = match code {
                -1 => write!(text, " killed {count}"),
                code => write!(text, " {code}: {count}"),
            };
        }
        if !self.never_came.is_empty() {
            let names = self.never_came.iter();
            let names: Vec<String> =
                names.map(|one| format!("{} ×{}", one.operation, one.time)).collect();
            let _ = write!(text, "; came only now and then: {}", names.join(", "));
        }
        text
    }
}

/// How many of these change something.
pub(super) fn changes(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.changes).count()
}

/// The requests of a run without faults.
pub(super) fn describe(command: &str, calls: &[Call]) -> String {
    let operations: BTreeSet<&str> =
        calls.iter().map(|call| call.occurrence.operation.as_str()).collect();
    format!(
        "`{command}` makes {} requests, {} of them change something; {} operations",
        calls.len(),
        changes(calls),
        operations.len()
    )
}
