//! Two runs at the same time, without any lock between them (reliability.md B.4.4).

use std::sync::Arc;
use std::time::Duration;

use zonestack_sandbox::{Faults, NoFaults};

use super::cases::{all, mended};
use super::fault::{At, Mishap, Slow, drawn};
use super::laws::nothing_left;
use super::run::{LeaseUse, Task};
use super::stack_files::{EXAMPLE, PINNED, UPGRADED};
use super::stage::Stage;

/// The slowest call of an interleaving, in milliseconds: close races, and calls that overtake whole waves of others.
const SLOWEST: [u64; 4] = [40, 400, 4_000, 40_000];
/// How much later the second run begins at most, in milliseconds: not at all, within the first reads, within the run.
const LATEST: [u64; 4] = [1, 800, 20_000, 1_500_000];

/// Both processes of an interleaving: how slow, how late, and for every fourth which one is killed where.
fn processes(interleaving: u64) -> [Slow; 2] {
    let draw = |what: u64| drawn(interleaving.wrapping_mul(64).wrapping_add(what));
    let one_of = |choices: [u64; 4], what: u64| choices[usize::try_from(draw(what) % 4).unwrap()];
    let late = Duration::from_millis(draw(1) % one_of(LATEST, 2));
    let killed = |process: u64| {
        (interleaving % 4 == 3 && draw(3) % 2 == process)
            .then(|| At(draw(4) % 150 + 1, Mishap::KilledAfter))
    };
    let slow = |process: u64, late: Duration| Slow {
        seed: draw(10 + process),
        late,
        longest: one_of(SLOWEST, 20 + process),
        killed: killed(process),
    };
    [slow(0, Duration::ZERO), slow(1, late)]
}

fn race(name: &str, before: &[Task], tasks: [Task; 2], lease: LeaseUse, interleavings: u64) {
    let start = Stage::after(before);
    let name = &format!("{name}, {lease:?} the lease");
    let cases: Vec<u64> = (0..interleavings).collect();
    all(name, &cases, |interleaving| {
        let stage = Stage::on(&start).using(lease);
        let [one, two] = processes(*interleaving);
        let ends = stage.together([(tasks[0], Arc::new(one)), (tasks[1], Arc::new(two))]);
        let clean = || Arc::new(NoFaults) as Arc<dyn Faults>;
        mended(&stage, &start, tasks[1], [clean(), clean()])
            .map_err(|why| format!("{why}, after {ends:?}"))?;
        if tasks[1].may_delete_data() {
            nothing_left(&stage).map_err(|why| format!("{why}, after {ends:?}"))?;
        }
        Ok(stage.runs())
    });
}

/// As many interleavings as one likes, of other cases than the ordinary ones.
pub(crate) fn many(interleavings: u64) {
    let removal = Task::Down(&["data", "db"]);
    race("up and up", &[], [Task::Up(&EXAMPLE); 2], LeaseUse::Without, interleavings);
    race("up and down", &[], [Task::Up(&EXAMPLE), removal], LeaseUse::Without, interleavings);
    let there = [Task::Up(&PINNED)];
    race(
        "an upgrade and down",
        &there,
        [Task::Up(&UPGRADED), removal],
        LeaseUse::Without,
        interleavings,
    );
}

#[test]
fn two_first_runs_at_once_make_one_stack() {
    race("up and up", &[], [Task::Up(&EXAMPLE); 2], LeaseUse::Without, 400);
}

/// The one that comes later may find nothing to take down yet: then it is run again.
#[test]
fn an_up_and_a_down_at_once_leave_nothing_that_is_not_known() {
    let tasks = [Task::Up(&EXAMPLE), Task::Down(&["data", "db"])];
    race("up and down", &[], tasks, LeaseUse::Without, 500);
    let tasks = [Task::Up(&UPGRADED), Task::Down(&["data", "db"])];
    race("an upgrade and down", &[Task::Up(&PINNED)], tasks, LeaseUse::Without, 900);
}

#[test]
fn under_a_lease_two_runs_at_once_are_as_safe() {
    let there = [Task::Up(&PINNED)];
    race("two upgrades", &there, [Task::Up(&UPGRADED); 2], LeaseUse::With, 400);
    let tasks = [Task::Up(&UPGRADED), Task::Down(&["data", "db"])];
    race("an upgrade and down", &there, tasks, LeaseUse::With, 1_600);
}

#[test]
fn two_upgrades_at_once_are_one() {
    race("two upgrades", &[Task::Up(&PINNED)], [Task::Up(&UPGRADED); 2], LeaseUse::Without, 200);
}
