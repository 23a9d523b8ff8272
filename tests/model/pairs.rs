//! Two mishaps, in the same run or in the one that mends the first: a sample of all pairs, always the same one.

use std::sync::Arc;

use zonestack_sandbox::{Faults, NoFaults};

use super::cases::{all, mended};
use super::fault::{All, At};
use super::laws::only_a_copy_left;
use super::run::Task;
use super::stack_files::{EXAMPLE, PINNED, UPGRADED};
use super::stage::Stage;
use super::sweep::{operations, single_mishaps};

/// So many pairs, spread evenly over all.
const SAMPLE: usize = 300;

fn sample(name: &str, before: &[Task], task: Task, count: usize, removed: bool) {
    let start = Stage::after(before);
    let singles = single_mishaps(&operations(&start, task));
    let pairs = singles.len() * singles.len();
    // Odd, so that second mishaps of every sort meet first ones of every sort.
    let stride = (pairs / count) | 1;
    let pair = |index: usize| (singles[index / singles.len()], singles[index % singles.len()]);
    let cases: Vec<(At, At)> = (0..pairs).step_by(stride).map(pair).collect();
    all(&format!("{name}, pairs of {pairs}"), &cases, |(one, two)| {
        let stage = Stage::on(&start);
        // A mishap at a later call strikes the same run, any other the run after it.
        let faults: [Arc<dyn Faults>; 2] = if one.0 < two.0 {
            [Arc::new(All(vec![*one, *two])), Arc::new(NoFaults)]
        } else {
            [Arc::new(All(vec![*one])), Arc::new(All(vec![*two]))]
        };
        mended(&stage, &start, task, faults)?;
        if removed {
            only_a_copy_left(&stage)?;
        }
        Ok(stage.runs())
    });
}

#[test]
fn pairs_of_faults_of_up_are_mended() {
    sample("up", &[], Task::Up(&EXAMPLE), SAMPLE, false);
}

#[test]
fn pairs_of_faults_of_down_are_mended() {
    sample("down with data", &[Task::Up(&EXAMPLE)], Task::Down(&["data", "db"]), SAMPLE / 3, true);
}

#[test]
fn pairs_of_faults_of_an_upgrade_are_mended() {
    sample("upgrade", &[Task::Up(&PINNED)], Task::Up(&UPGRADED), SAMPLE / 3, false);
}
