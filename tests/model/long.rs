//! The long sweep, `cargo xtask sweep`: random samples of what is too much for every change. A usual test takes a few of them.

use std::fmt::Write as _;
use std::sync::Arc;

use zonestack_sandbox::{Faults, NoFaults};

use super::cases::{all, mended};
use super::fault::{All, At, drawn};
use super::laws::{nothing_left, only_a_copy_left};
use super::run::Task;
use super::stack_files::{EXAMPLE, StackFile};
use super::stage::Stage;
use super::sweep::{operations, single_mishaps};
use super::together;
use crate::harness::{sweep_cases, sweep_seed};

/// Draws numbers that depend on the seed, the case and how many were drawn.
struct Draws(u64);

impl Draws {
    fn of(case: u64) -> Self {
        Self(drawn(sweep_seed()) ^ case.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn below(&mut self, count: usize) -> usize {
        self.0 = drawn(self.0);
        usize::try_from(self.0 % count as u64).unwrap()
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

fn triples(name: &str, before: &[Task], task: Task) {
    let start = Stage::after(before);
    let singles = single_mishaps(&operations(&start, task));
    let cases: Vec<[At; 3]> = (0..sweep_cases())
        .map(|case| {
            let mut draws = Draws::of(case);
            let mut three = [(); 3].map(|()| draws.one_of(&singles));
            three.sort_by_key(|at| at.0);
            three
        })
        .collect();
    all(&format!("{name}, three mishaps"), &cases, |three| {
        let stage = Stage::on(&start);
        let faults: [Arc<dyn Faults>; 2] =
            [Arc::new(All(three[..2].to_vec())), Arc::new(All(three[2..].to_vec()))];
        mended(&stage, &start, task, faults)?;
        if task.may_delete_data() {
            only_a_copy_left(&stage)?;
        }
        Ok(stage.runs())
    });
}

const REMOVAL: Task = Task::Down(&["data", "db"]);

#[test]
fn three_faults_of_up() {
    triples("up", &[], Task::Up(&EXAMPLE));
}

#[test]
fn three_faults_of_down() {
    triples("down with data", &[Task::Up(&EXAMPLE)], REMOVAL);
}

#[test]
fn runs_at_once() {
    together::many(sweep_cases());
}

/// A stack file whose choices may follow each other in any order.
fn random_file(draws: &mut Draws) -> &'static StackFile {
    let mut text = String::from(
        "apiVersion: zonestack/v1\nname: git\ncluster: k8s.myzone.net\nregion: eu-west-1\n",
    );
    let _ = writeln!(
        text,
        "zones: [{}]",
        draws.one_of(&[
            "eu-west-1a, eu-west-1b",
            "eu-west-1a, eu-west-1c",
            "eu-west-1b, eu-west-1c",
            "eu-west-1a, eu-west-1b, eu-west-1c",
        ])
    );
    text.push_str(draws.one_of(&["", "tags: { team: a }\n", "tags: { team: b, site: x }\n"]));
    text.push_str("components:\n  data: { use: efs }\n");
    text.push_str(draws.one_of(&[
        "  db: { use: rds }\n",
        "  db: { use: rds, with: { backup: { days: 30 } } }\n",
        "  db: { use: rds, with: { class: db.m7g.xlarge } }\n",
    ]));
    text.push_str(draws.one_of(&[
        "  cache: { use: redis }\n",
        "  cache: { use: redis, with: { memory: 1Gi } }\n",
    ]));
    text.push_str(draws.one_of(&[
        "  gitlab: { use: gitlab, with: { host: git.example.com } }\n",
        "  gitlab: { use: gitlab, with: { host: git.example.com, mode: failover } }\n",
        "  gitlab: { use: gitlab, with: { host: code.example.com } }\n",
    ]));
    StackFile::leaked(text)
}

/// A stack that is changed three times, each time with a mishap, and then taken down.
#[test]
fn stacks_at_random() {
    let start = Stage::after(&[]);
    let cases: Vec<u64> = (0..sweep_cases()).collect();
    all("stacks at random, three changes, a mishap in each", &cases, |case| {
        let mut draws = Draws::of(*case);
        let stage = Stage::on(&start);
        for _ in 0..3 {
            let file = random_file(&mut draws);
            let mishap = At(draws.below(250) as u64 + 1, draws.one_of(&super::fault::Mishap::ALL));
            let faults: [Arc<dyn Faults>; 2] = [Arc::new(All(vec![mishap])), Arc::new(NoFaults)];
            let before = stage.sandbox.world().map_err(|error| error.to_string())?;
            mended(&stage, &before, Task::Up(file), faults)
                .map_err(|why| format!("{mishap:?} in {}: {why}", file.text()))?;
        }
        let end = stage.run(REMOVAL);
        if !end.complete() {
            return Err(format!("cannot be taken down: {end:?}"));
        }
        nothing_left(&stage)?;
        Ok(stage.runs())
    });
}
