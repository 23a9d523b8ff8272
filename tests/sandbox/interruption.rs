//! A run that ends in the middle is finished by the next one.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{EXAMPLE, Program};

/// Runs `up` with time passing, and ends it by a signal once the database is being made.
#[track_caller]
pub(super) fn interrupted(signal: Signal) -> (Program, i32) {
    let program = Program::offline(EXAMPLE).option("--sandbox=sandbox.json");
    let running = program.start(&["up", "--yes"]);
    let world = program.file("sandbox.json");
    let deadline = Instant::now() + Duration::from_mins(1);
    while !std::fs::read_to_string(&world).is_ok_and(|text| text.contains("aws.rds.instance")) {
        assert!(Instant::now() < deadline, "{}", running.wait());
        thread::sleep(Duration::from_millis(10));
    }
    running.signal(signal);
    let outcome = running.wait();
    (program, outcome.code)
}

#[test]
fn ctrl_c_ends_a_run_that_the_next_one_finishes() {
    let (program, code) = interrupted(Signal::INT);
    assert_eq!(code, 130);
    program.up();
    program.plan().is_noop();
}

#[test]
fn a_polite_end_is_like_ctrl_c() {
    let (program, code) = interrupted(Signal::TERM);
    assert_eq!(code, 130);
    program.up();
    program.plan().is_noop();
}

/// `zonestack up | head -1`, and a terminal that was closed.
#[test]
fn a_run_that_nobody_listens_to_goes_on() {
    let program = Program::in_sandbox(EXAMPLE);
    assert_eq!(program.unheard(&["up", "--yes", "--output", "json"]), 0);
    program.plan().is_noop();
}

#[test]
fn a_killed_run_is_finished_by_the_next_one() {
    let (program, code) = interrupted(Signal::KILL);
    assert_eq!(code, -1, "a killed program has no exit code");
    program.up();
    program.plan().is_noop();
}
