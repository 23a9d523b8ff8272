//! Many cases on all cores, and what is said of them.

use std::fmt::Debug;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use zonestack_sandbox::{Faults, NoFaults, World};

use super::laws;
use super::run::{End, Task};
use super::stage::Stage;
use crate::harness::counted;

/// Clean runs that it may take to mend what faults left.
const CLEAN_RUNS: usize = 3;
/// How many failures are shown.
const SHOWN: u64 = 5;

/// Tries every case; `attempt` answers how many runs it made. Shows the first that fail at once, and fails after the last.
pub(crate) fn all<C: Debug + Sync>(
    name: &str,
    cases: &[C],
    attempt: impl Fn(&C) -> Result<u64, String> + Sync,
) {
    let began = Instant::now();
    let (next, runs) = (AtomicUsize::new(0), AtomicU64::new(0));
    let failures = AtomicU64::new(0);
    let work = || {
        while let Some((index, case)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            cases.get(index).map(|case| (index, case))
        } {
            match attempt(case) {
                Ok(made) => drop(runs.fetch_add(made, Ordering::Relaxed)),
                Err(why) => {
                    if failures.fetch_add(1, Ordering::Relaxed) < SHOWN {
                        println!("{name}: {index}: {case:?}: {why}");
                    }
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    let (runs, took) = (runs.into_inner(), began.elapsed());
    counted(&format!("{name}: {} cases, {runs} runs, {:.1} s", cases.len(), took.as_secs_f64()));
    let failures = failures.into_inner();
    assert!(failures == 0, "{name}: {failures} of {} cases fail; the first are above", cases.len());
}

/// One run of a task with these faults, another with those, then clean runs: they must reach a plan with nothing to do, and
/// no run may say that all is done when the next one finds something to do (I2, I9).
pub(crate) fn mended(
    stage: &Stage,
    start: &World,
    task: Task,
    faults: [Arc<dyn Faults>; 2],
) -> Result<(), String> {
    let clean = std::iter::repeat_with(|| Arc::new(NoFaults) as Arc<dyn Faults>);
    let mut ends = Vec::new();
    let mut was_complete = false;
    for faults in faults.into_iter().chain(clean.take(CLEAN_RUNS)) {
        let end = stage.faulted(task, faults);
        let changes = end.changes();
        if was_complete && !changes.is_empty() {
            return Err(format!("I9: complete, but then {changes:?}, after {ends:?}"));
        }
        was_complete = end.complete();
        let settled = end.settled();
        ends.push(end);
        if settled {
            return laws::check(stage, start, task).map_err(|law| format!("{law}, after {ends:?}"));
        }
    }
    let (first, last) = (ends.first(), ends.last());
    let left = last.map(End::changes);
    Err(format!(
        "I2: not mended by {CLEAN_RUNS} clean runs: {first:?}, at last {last:?}, of {left:?}"
    ))
}
