//! The real binary with a fault at every request: whatever a run was stopped by, the next one finishes it.
//!
//! # Expected flow
//! 1. One `up` and one `down` without faults show which requests there are, and what belongs to the stack ([`holdings`]).
//! 2. Lanes, each with a stack of its own, take cases ([`cases`]) until there are none: a fault in `up`, clean runs and
//!    comparisons; then a fault in `down`, clean runs and comparisons ([`lane`]).
//!
//! # Which faults
//! - SIGKILL before and after each request that changes something, and before each that only reads: the n-th of a run for
//!   n = 1, 2, … until a run comes to its end before. Requests to AWS and to the API server are counted together, as they
//!   arrive.
//! - Every other fault at every request that changes something, and at the first of each operation that reads. The long sweep
//!   (`cargo xtask sweep`) puts one into a run; the usual test puts up to twelve, lets runs with faults follow each other
//!   until one does everything, and takes an operation that is repeated, such as a save of the inventory, twice.

mod cases; // what is tried, and how often
mod holdings; // what belongs to a stack
mod lane; // one stack, case after case

use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::harness::{Fault, Lab, counted, long_sweeps};
use cases::{Cases, Depth};
use lane::Lane;

/// Stacks at once: waiting is what a run does most.
const LANES: usize = 5;
/// How many failures are shown as they come.
const SHOWN: usize = 5;

/// The stack with every driver and every kind, in two zones; nothing in it takes processor time, such as an RSA key.
const STACK: &str = "apiVersion: zonestack/v1
name: NAME
cluster: k8s.myzone.net
region: eu-west-1
zones: [eu-west-1a, eu-west-1b]
components:
  data: { use: efs }
  db: { use: rds }
  cache: { use: redis }
  gitlab:
    use: gitlab
    with:
      host: git.example.com
      secrets: { template: { env: TEMPLATE } }
      resources: { requests: { cpu: 10m, memory: 64Mi }, limits: { memory: 64Mi } }
";

/// What is left to try, shared by the lanes.
struct Work {
    up: Cases,
    down: Cases,
    failures: Vec<String>,
    runs: usize,
}

#[test]
fn a_run_stopped_at_any_request_is_finished_by_the_next() {
    let began = Instant::now();
    let lab = Lab::new();
    let depth = if long_sweeps() { Depth::LONG } else { Depth::USUAL };
    let services = ["ec2", "efs", "rds"];
    let before = lab.dump(&services);

    let mut first = Lane::new(&lab, "sweep0", depth, false);
    let [up, down] = first.explore();
    insta::assert_snapshot!(first.made());
    counted(&format!("faults: {}", cases::describe("up", &up)));
    counted(&format!("faults: {}", cases::describe("down", &down)));
    let ends = [cases::changes(&up), cases::changes(&down)];
    let expected = first.made().to_owned();
    let work = Mutex::new(Work {
        up: Cases::new(&up, depth),
        down: Cases::new(&down, depth),
        failures: Vec::new(),
        runs: 0,
    });

    let mut first = Some(first);
    thread::scope(|scope| {
        for number in 0..LANES {
            let lane = first.take();
            let (lab, work, expected) = (&lab, &work, &expected);
            let name = format!("sweep{number}");
            let new = move || Lane::expecting(lab, &name, depth, expected);
            scope.spawn(move || lane.unwrap_or_else(new).work(work));
        }
        scope.spawn(|| with_a_namespace_of_its_own(&lab, ends, &work));
    });

    let Work { up, down, failures, runs } = work.into_inner().unwrap();
    counted(&format!("faults: up: {}", up.tally()));
    counted(&format!("faults: down: {}", down.tally()));
    counted(&format!(
        "faults: {runs} runs of the program in {:.0} s",
        began.elapsed().as_secs_f64()
    ));
    assert!(failures.is_empty(), "{} cases fail; the first are above", failures.len());
    for (cases, changes) in [(&up, ends[0]), (&down, ends[1])] {
        // The number of saves of the inventory differs a little from run to run.
        let killed = cases.killed_at_changes(Fault::KillAfter);
        assert!(killed + 6 >= changes, "killed after {killed} of {changes} changes");
    }
    let after = lab.dump(&services);
    for service in services {
        let (was, is) = (format!("{:#}", before[service]), format!("{:#}", after[service]));
        assert!(was == is, "{service} was\n{was}\nand is\n{is}");
    }
}

/// The lanes' stacks lie in namespaces that are there before, since the end of a namespace takes seconds. What a namespace of
/// the stack's own changes is at the beginning of `up` and at the end of `down`.
fn with_a_namespace_of_its_own(lab: &Lab, [_, down]: [usize; 2], shared: &Mutex<Work>) {
    let mut lane = Lane::new(lab, "sweepns", Depth::USUAL, true);
    let calls = lane.explore();
    let work = Mutex::new(Work {
        up: Cases::kills_between(1, 6),
        down: Cases::kills_between(down.saturating_sub(1), cases::changes(&calls[1]) + 2),
        failures: Vec::new(),
        runs: 0,
    });
    lane.work(&work);
    let Work { up, down, failures, runs } = work.into_inner().unwrap();
    let (up, down) = (up.tally(), down.tally());
    counted(&format!("faults: with a namespace of its own: up: {up}; down: {down}"));
    let mut shared = shared.lock().unwrap();
    shared.failures.extend(failures);
    shared.runs += runs;
}
