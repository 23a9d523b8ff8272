//! A stack from its first `up` to its end.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{EXAMPLE, Plan, Program, Status, without_ids};
use crate::sandbox::world;

#[test]
fn after_up_there_is_nothing_to_do() {
    let program = Program::in_sandbox(EXAMPLE);
    program.run(&["plan", "--detailed-exitcode"]).exits(2);
    program.up();
    let outcome = program.run(&["plan", "--detailed-exitcode", "--output", "json"]).exits(0);
    let plan = Plan::of(&outcome);
    plan.is_noop();
    assert_eq!(plan.ids("keep").len(), plan.steps().len());
    // A second `up` finds nothing to do, and does not even ask.
    let again = program.run(&["up"]).exits(0);
    assert!(
        again.stdout.contains("Nothing to do") || again.stderr.contains("Nothing to do"),
        "{again}"
    );
    program.plan().is_noop();
}

#[test]
fn the_events_of_up_are_one_object_a_line() {
    let program = Program::in_sandbox(EXAMPLE);
    let planned = program.plan();
    let outcome = program.run(&["up", "--yes", "--output", "json"]).exits(0);
    let lines = outcome.json_lines();
    assert!(lines.iter().all(|line| line["version"] == 1), "{outcome}");
    let ended = lines.iter().filter(|line| line["event"] == "ended");
    let done: BTreeSet<&str> = ended
        .inspect(|line| assert_eq!(line["outcome"], "done", "{line}"))
        .map(|line| line["id"].as_str().unwrap())
        .collect();
    let created: BTreeSet<&str> = planned.ids("create").into_iter().collect();
    assert_eq!(done, created);
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["result"]), (&"finished".into(), &"done".into()));
}

#[test]
fn status_and_outputs_tell_what_a_person_wants_to_know() {
    let program = Program::in_sandbox(EXAMPLE);
    let status = |program: &Program| Status::of(&program.run(&["status", "--output", "json"]));
    assert_eq!(status(&program).0["health"], "missing");
    program.up();
    insta::assert_snapshot!(status(&program).lines());
    let outputs = program.run(&["outputs", "--output", "json"]).exits(0).json();
    assert_eq!(outputs["version"], 1);
    insta::assert_snapshot!(without_ids(&format!("{outputs:#}")));
    let text = program.run(&["outputs"]).exits(0).stdout;
    assert!(text.contains("git.example.com"), "{text}");
}

#[test]
fn down_keeps_data_and_says_where_and_up_takes_it_up_again() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let before = data(&program);
    let outcome = program.run(&["down", "--yes"]).exits(0);
    for id in &before {
        assert!(
            outcome.stdout.contains(id) || outcome.stderr.contains(id),
            "where {id} is must be said: {outcome}"
        );
    }
    let adopting = program.plan();
    insta::assert_snapshot!(adopting.ids("adopt").join("\n"));
    assert!(adopting.ids("refuse").is_empty());
    program.up();
    assert_eq!(data(&program), before);
    program.plan().is_noop();
}

#[test]
fn down_with_the_data_leaves_nothing() {
    let program = Program::in_sandbox(EXAMPLE);
    program.run(&["plan"]).exits(0);
    program.up();
    assert!(resources(&program).len() > 20);
    program.run(&["down", "--yes", "--delete-data", "data", "--delete-data", "db"]).exits(0);
    // A database leaves a final snapshot, which is no resource of the stack.
    assert_eq!(resources(&program), Vec::<String>::new());
    // Again: there is nothing to take down.
    program.run(&["down", "--yes"]).exits(0);
}

#[test]
fn down_needs_neither_the_stack_file_nor_its_settings() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    std::fs::remove_file(program.file("stack.yaml")).unwrap();
    let outcome = program.run(&[
        "down",
        "--yes",
        "--stack",
        "git",
        "--delete-data",
        "data",
        "--delete-data",
        "db",
    ]);
    outcome.exits(0);
    assert_eq!(resources(&program), Vec::<String>::new());
}

/// The names, or else ids, of what holds data.
fn data(program: &Program) -> Vec<String> {
    let holds_data = |resource: &&Value| {
        ["aws.efs.file-system", "aws.rds.instance"].iter().any(|kind| resource["kind"] == *kind)
    };
    let world = world(&program.folder.read("sandbox.json"));
    let resources = world["resources"].as_array().unwrap().iter();
    let called = |found: &Value| text(found.get("name").unwrap_or_else(|| &found["remote_id"]));
    resources.filter(holds_data).map(called).collect()
}

/// All resources of the sandbox that a stack made.
fn resources(program: &Program) -> Vec<String> {
    let world = world(&program.folder.read("sandbox.json"));
    let resources = world["resources"].as_array().unwrap().iter();
    resources
        .map(|found| format!("{} {}", text(&found["kind"]), text(&found["remote_id"])))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
