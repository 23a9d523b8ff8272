//! Who is at work on a stack, and how a dead run lets go of it.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{EXAMPLE, Program};
use crate::sandbox::interruption::interrupted;

fn world(program: &Program) -> Value {
    serde_json::from_str(&program.folder.read("sandbox.json")).unwrap()
}

/// A stack that somebody elsewhere holds, since then.
fn held(renewed: &str) -> Program {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let mut document = world(&program);
    document["world"]["leases"] = json!({
        "git/git": { "version": 1, "holder": "eva@elsewhere/7/run", "since": renewed, "renewed": renewed },
    });
    program.folder.write("sandbox.json", document.to_string());
    program
}

#[test]
fn a_run_that_ends_gives_its_lease_back() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    assert_eq!(world(&program)["world"]["leases"], Value::Null);
    program.run(&["unlock"]).exits(0).says(&["nobody is at work"]);
}

#[test]
fn a_killed_run_of_this_machine_is_passed_over_at_once() {
    let (program, code) = interrupted(Signal::KILL);
    assert_eq!(code, -1, "a killed program has no exit code");
    let leases = &world(&program)["world"]["leases"];
    let outcome = program.up();
    assert!(!outcome.stderr.contains("is at work"), "{leases}: {outcome}");
    assert_eq!(world(&program)["world"]["leases"], Value::Null);
}

#[test]
fn a_lease_is_taken_from_a_dead_run_by_hand_and_not_from_a_live_one() {
    let program = held("2026-01-01T00:00:00Z");
    program.run(&["unlock"]).exits(4).says(&["held by eva@elsewhere/7/run", "--yes"]);
    program.run(&["unlock", "--yes"]).exits(0).says(&["unlocked"]);
    program.run(&["up", "--yes"]).exits(0);

    let young = held("2999-01-01T00:00:00Z");
    young.run(&["unlock", "--yes"]).exits(4).says(&["eva@elsewhere/7/run may be at work"]);
}
