//! One mishap at every call of a run, then clean runs: nothing is duplicated, nothing is left behind, nothing is lost
//! (reliability.md B.6).

use std::sync::Arc;

use zonestack_sandbox::{NoFaults, Operation, World};

use super::cases::{all, mended};
use super::fault::{All, At, Mishap};
use super::laws::only_a_copy_left;
use super::run::Task;
use super::stack_files::{EXAMPLE, PINNED, TWO_ZONES, UPGRADED};
use super::stage::Stage;

/// The operations of a run without faults, in the order of its calls.
pub(crate) fn operations(start: &World, task: Task) -> Vec<Operation> {
    let stage = Stage::on(start);
    let end = stage.run(task);
    assert!(end.complete(), "{end:?}");
    let mut calls: Vec<_> =
        stage.sandbox.log().calls.into_iter().map(|logged| logged.call).collect();
    calls.sort_by_key(|call| call.number);
    calls.into_iter().map(|call| call.operation).collect()
}

/// Every mishap at every call.
pub(crate) fn single_mishaps(operations: &[Operation]) -> Vec<At> {
    let calls = (1..).zip(operations);
    let at = |(call, operation): (u64, &Operation)| {
        let differing = Mishap::ALL.into_iter().filter(|mishap| mishap.differs_at(*operation));
        differing.map(|mishap| At(call, mishap)).collect::<Vec<_>>()
    };
    calls.flat_map(at).collect()
}

/// Runs `task` with every mishap at every call, in the world that `before` leaves; after each, clean runs of `task` must mend
/// it, and `check` must hold.
fn sweep(
    name: &str,
    before: &[Task],
    task: Task,
    check: impl Fn(&Stage, &At) -> Result<(), String> + Sync,
) {
    let start = Stage::after(before);
    let operations = operations(&start, task);
    let cases = single_mishaps(&operations);
    let name = format!("{name}, {} boundaries, every mishap at each", operations.len());
    all(&name, &cases, |at| {
        let stage = Stage::on(&start);
        mended(&stage, &start, task, [Arc::new(All(vec![*at])), Arc::new(NoFaults)])?;
        check(&stage, at)?;
        Ok(stage.runs())
    });
}

const REMOVAL: Task = Task::Down(&["data", "db"]);

#[test]
fn every_fault_of_up_is_mended_by_running_it_again() {
    sweep("up", &[], Task::Up(&EXAMPLE), |stage, At(call, mishap)| {
        // Every fourth stack is taken down as well: mended ones are alike.
        if !(call + *mishap as u64).is_multiple_of(4) {
            return Ok(());
        }
        let end = stage.run(REMOVAL);
        if !end.complete() {
            return Err(format!("cannot be taken down: {end:?}"));
        }
        only_a_copy_left(stage)
    });
}

#[test]
fn every_fault_of_down_is_mended_by_running_it_again() {
    sweep("down with data", &[Task::Up(&EXAMPLE)], REMOVAL, |stage, _| only_a_copy_left(stage));
}

#[test]
fn every_fault_of_a_down_that_keeps_data_keeps_it() {
    sweep("down", &[Task::Up(&EXAMPLE)], Task::Down(&[]), |_, _| Ok(()));
}

#[test]
fn every_fault_of_an_upgrade_is_mended_by_running_it_again() {
    sweep("upgrade", &[Task::Up(&PINNED)], Task::Up(&UPGRADED), |_, _| Ok(()));
}

#[test]
fn every_fault_of_giving_up_a_zone_is_mended_by_running_it_again() {
    sweep("a zone less", &[Task::Up(&EXAMPLE)], Task::Up(&TWO_ZONES), |_, _| Ok(()));
}

#[test]
fn every_fault_of_a_new_zone_is_mended_by_running_it_again() {
    sweep("a zone more", &[Task::Up(&TWO_ZONES)], Task::Up(&EXAMPLE), |_, _| Ok(()));
}
