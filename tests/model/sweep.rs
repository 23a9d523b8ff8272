//! One mishap at every call of a run, then clean runs: nothing is duplicated, nothing is left behind, nothing is lost
//! (reliability.md B.6).

use std::sync::Arc;

use zonestack_core::plan::Action;
use zonestack_sandbox::{Faults, NoFaults, Operation, World};

use super::cases::{all, mended};
use super::fault::{All, At, Mishap};
use super::laws::{nothing_left, only_a_copy_left};
use super::run::{End, LeaseUse, Task};
use super::stack_files::{AURORA, EXAMPLE, OTHER_DATABASE, PINNED, REGIONAL, TWO_ZONES, UPGRADED};
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
        // Every sixteenth stack is taken down as well: mended ones are alike.
        if !(call + *mishap as u64).is_multiple_of(16) {
            return Ok(());
        }
        let end = stage.run(REMOVAL);
        if !end.complete() {
            return Err(format!("cannot be taken down: {end:?}"));
        }
        only_a_copy_left(stage)
    });
}

/// The lease adds calls of its own: they may go wrong like all others.
#[test]
fn every_fault_of_up_under_a_lease_is_mended_by_running_it_again() {
    let start = Stage::after(&[]);
    let stage = Stage::on(&start).using(LeaseUse::With);
    assert!(stage.run(Task::Up(&EXAMPLE)).complete());
    let mut calls: Vec<_> =
        stage.sandbox.log().calls.into_iter().map(|logged| logged.call).collect();
    calls.sort_by_key(|call| call.number);
    let of_lease = |operation| {
        matches!(operation, Operation::ReadLease | Operation::WriteLease | Operation::RemoveLease)
    };
    let cases: Vec<At> = calls
        .iter()
        .filter(|call| of_lease(call.operation))
        .flat_map(|call| Mishap::ALL.map(|mishap| At(call.number, mishap)))
        .filter(|at| at.1.differs_at(Operation::WriteLease))
        .collect();
    all("up, every mishap at each call of the lease", &cases, |at| {
        let stage = Stage::on(&start).using(LeaseUse::With);
        let faults: [Arc<dyn Faults>; 2] = [Arc::new(All(vec![*at])), Arc::new(NoFaults)];
        mended(&stage, &start, Task::Up(&EXAMPLE), faults)?;
        let held = stage.sandbox.world().map_err(|error| error.to_string())?;
        let holders = held.lease_holders();
        if holders.is_empty() { Ok(stage.runs()) } else { Err(format!("I10: held by {holders:?}")) }
    });
}

/// Nobody has to finish what shall go anyway.
#[test]
fn every_fault_of_up_can_be_followed_by_down() {
    let start = Stage::after(&[]);
    let operations = operations(&start, Task::Up(&EXAMPLE));
    let mut cases = single_mishaps(&operations);
    // What is left behind is left by a call that took effect, or was never made.
    let leaves = [Mishap::KilledBefore, Mishap::KilledAfter, Mishap::TimeoutAfter, Mishap::Denied];
    cases.retain(|at| leaves.contains(&at.1));
    all("up with a mishap that leaves something, then down", &cases, |at| {
        let stage = Stage::on(&start);
        let first = stage.faulted(Task::Up(&EXAMPLE), Arc::new(All(vec![*at])));
        let clean = || Arc::new(NoFaults);
        mended(&stage, &start, REMOVAL, [clean(), clean()])
            .and_then(|()| nothing_left(&stage))
            .map_err(|why| format!("{why}, after {first:?}"))?;
        Ok(stage.runs())
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
fn every_fault_of_a_replacement_is_mended_by_running_it_again() {
    let start = Stage::after(&[Task::Up(&EXAMPLE)]);
    let End::Ran(plan, _) = Stage::on(&start).run(Task::Up(&REGIONAL)) else { panic!("no plan") };
    let replaced = plan.steps.iter().filter(|step| step.action == Action::Replace);
    assert_eq!(replaced.count(), 9, "a volume, a claim and a deployment in each zone");
    sweep("a replacement", &[Task::Up(&EXAMPLE)], Task::Up(&REGIONAL), |_, _| Ok(()));
}

/// What was deleted on the way left one last copy, whenever the run was killed.
#[test]
fn every_fault_of_a_named_replacement_of_data_is_mended_by_running_it_again() {
    let task = Task::Up(&OTHER_DATABASE);
    sweep("a replacement of data", &[Task::Up(&EXAMPLE)], task, |stage, _| {
        let world = stage.sandbox.world().map_err(|error| error.to_string())?;
        let copies: Vec<&String> = world.final_copies().keys().collect();
        if copies.len() == 1 { Ok(()) } else { Err(format!("I5: last copies: {copies:?}")) }
    });
}

/// The answer to a write of the inventory is lost: the next write looks like another run's, and is this run's own.
#[test]
fn a_write_of_the_inventory_whose_answer_is_lost_is_no_other_run() {
    for (before, task) in [(&[][..], Task::Up(&EXAMPLE)), (&[Task::Up(&EXAMPLE)][..], REMOVAL)] {
        let start = Stage::after(before);
        let of_inventory = |operation: &Operation| {
            matches!(operation, Operation::SaveInventory | Operation::RemoveInventory)
        };
        let calls = (1..).zip(operations(&start, task));
        let writes: Vec<u64> =
            calls.filter(|(_, operation)| of_inventory(operation)).map(|(call, _)| call).collect();
        assert!(writes.len() > 3, "{writes:?}");
        for call in writes {
            let stage = Stage::on(&start);
            let end = stage.faulted(task, Arc::new(All(vec![At(call, Mishap::FailedAfter)])));
            assert!(end.complete(), "at call {call}: {end:?}");
        }
    }
}

#[test]
fn every_fault_of_giving_up_a_zone_is_mended_by_running_it_again() {
    sweep("a zone less", &[Task::Up(&EXAMPLE)], Task::Up(&TWO_ZONES), |_, _| Ok(()));
}

#[test]
fn every_fault_of_a_new_zone_is_mended_by_running_it_again() {
    sweep("a zone more", &[Task::Up(&TWO_ZONES)], Task::Up(&EXAMPLE), |_, _| Ok(()));
}

#[test]
fn every_fault_of_a_cluster_coming_and_going_is_mended_by_running_it_again() {
    let up = Task::Up(&AURORA);
    sweep("a cluster and its instances", &[], up, |_, _| Ok(()));
    sweep("a cluster that is kept", &[up], Task::Down(&[]), |_, _| Ok(()));
    sweep("a kept cluster taken up again", &[up, Task::Down(&[])], up, |_, _| Ok(()));
    sweep("a cluster with its data", &[up], Task::Down(&["db"]), |stage, _| {
        only_a_copy_left(stage)
    });
}
