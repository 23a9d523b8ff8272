//! One fault at every call of a run, then clean runs: nothing is duplicated, nothing is left behind, nothing is lost
//! (reliability.md B.6, invariants I1, I2, I3, I7, I8).

use std::sync::Arc;

use super::fault::{At, Mishap};
use super::stage::{End, Stage, Task};

const STACK: &str = include_str!("../../examples/gitlab/stack.yaml");
/// Clean runs that it may take to mend what a fault left.
const CLEAN_RUNS: usize = 3;

/// Runs `task` with every mishap at every call, on a stage set by `before`; after each, clean runs of `task` must reach a
/// plan with nothing to do, and `check` must hold.
fn sweep(before: &[Task<'_>], task: Task<'_>, check: impl Fn(&Stage)) {
    let (end, calls) = Stage::after(before).faulted(task, Arc::new(zonestack_sandbox::NoFaults));
    assert!(matches!(&end, End::Ran(_, report) if report.complete()), "{end:?}");
    let mut runs = 0;
    for call in 1..=calls {
        for mishap in Mishap::ALL {
            let stage = Stage::after(before);
            let (first, _) = stage.faulted(task, Arc::new(At(call, mishap)));
            runs += 1;
            let mended = (0..=CLEAN_RUNS).any(|_| {
                runs += 1;
                stage.run(task).settled()
            });
            let what = format!("{mishap:?} at call {call} of {calls}, which ended as {first:?}");
            assert!(
                mended,
                "not mended after {CLEAN_RUNS} clean runs: {what}: {:?}",
                stage.run(task)
            );
            let world = stage.sandbox.world().unwrap();
            assert!(world.duplicates().is_empty(), "{what}: {:?}", world.duplicates());
            let log = stage.sandbox.log();
            assert!(log.unannounced().is_empty(), "{what}: {:?}", log.unannounced());
            check(&stage);
        }
    }
    println!("{calls} boundaries, {} mishaps each, {runs} runs", Mishap::ALL.len());
}

#[test]
fn every_fault_of_up_is_mended_by_running_it_again() {
    sweep(&[], Task::Up(STACK), |stage| {
        let end = stage.run(Task::Down(&["data", "db"]));
        let done = matches!(&end, End::Ran(_, report) if report.complete());
        assert!(done, "{end:?}");
        nothing_left(stage);
    });
}

#[test]
fn every_fault_of_down_is_mended_by_running_it_again() {
    sweep(&[Task::Up(STACK)], Task::Down(&["data", "db"]), |stage| {
        nothing_left(stage);
    });
}

/// Nothing of any stack is there.
fn nothing_left(stage: &Stage) {
    let world = stage.sandbox.world().unwrap();
    let left: Vec<String> = world
        .resources()
        .iter()
        .filter(|resource| resource.node.is_some())
        .map(|resource| format!("{} {:?}", resource.kind, resource.name))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    assert!(world.inventories().is_empty(), "the inventory is left behind");
}
