//! Two runs at the same time, without any lock between them (reliability.md B.4.4).

use std::sync::Arc;
use std::time::Duration;

use zonestack_sandbox::{Faults, NoFaults};

use super::cases::{all, mended};
use super::fault::{At, Mishap, Slow, drawn};
use super::laws::nothing_left;
use super::run::Task;
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

fn race(name: &str, before: &[Task], tasks: [Task; 2], interleavings: u64) {
    let start = Stage::after(before);
    let cases: Vec<u64> = (0..interleavings).collect();
    all(name, &cases, |interleaving| {
        let stage = Stage::on(&start);
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

#[test]
fn two_first_runs_at_once_make_one_stack() {
    race("up and up", &[], [Task::Up(&EXAMPLE); 2], 2_000);
}

#[test]
fn two_upgrades_at_once_are_one() {
    race("two upgrades", &[Task::Up(&PINNED)], [Task::Up(&UPGRADED); 2], 500);
}
