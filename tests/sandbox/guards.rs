//! What is refused before anything is done, each with its exit code.

use crate::harness::{EXAMPLE, Plan, Program, replaced, without_ids};

#[test]
fn without_a_terminal_and_without_yes_the_plan_is_shown_and_refused() {
    let program = Program::in_sandbox(EXAMPLE);
    let before = program.plan().counts();
    let outcome = program.run(&["up"]).exits(4);
    let outcome = outcome.says(&["Plan:", "--yes"]);
    assert!(outcome.stdout.contains("data") || outcome.stderr.contains("data"), "{outcome}");
    assert_eq!(program.plan().counts(), before);

    program.up();
    let down = program.run(&["down"]).exits(4);
    down.says(&["Plan:", "--yes"]);
    program.plan().is_noop();
}

#[test]
fn a_saved_plan_is_what_up_carries_out() {
    let program = Program::in_sandbox(EXAMPLE);
    program.run(&["plan", "--out", "saved.plan"]).exits(0);
    // The file may change meanwhile: what was planned counts.
    program.run(&["up", "saved.plan", "--yes"]).exits(0);
    program.plan().is_noop();
}

#[test]
fn a_saved_plan_is_refused_when_the_world_has_moved() {
    let program = Program::in_sandbox(EXAMPLE);
    program.run(&["plan", "--out", "saved.plan"]).exits(0);
    program.up();
    let outcome = program.run(&["up", "saved.plan", "--yes"]).exits(4);
    outcome.says(&["the world has changed", "plan again"]);
    program.plan().is_noop();
}

#[test]
fn a_file_that_is_no_plan_is_refused() {
    let program = Program::in_sandbox(EXAMPLE);
    program.folder.write("saved.plan", "{}");
    program.run(&["up", "saved.plan", "--yes"]).exits(64).says(&["saved.plan is no saved plan"]);
}

#[test]
fn a_refused_step_refuses_the_whole_plan() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let smaller = replaced(EXAMPLE, "{ use: rds }", "{ use: rds, with: { storage: 50 } }");
    let smaller = replaced(&smaller, "{ use: redis }", "{ use: redis, with: { memory: 1Gi } }");
    program.stack(&smaller);
    let outcome = program.run(&["up", "--yes"]).exits(4);
    outcome.says(&["storage", "holds data"]);
    // Not even what could be done was done.
    program.stack(EXAMPLE);
    program.plan().is_noop();
}

#[test]
fn data_is_deleted_only_when_it_is_named_and_there() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    program.run(&["down", "--yes", "--delete-data", "files"]).exits(64).says(&["files", "data"]);
    program.plan().is_noop();
}

#[test]
fn what_somebody_deleted_with_its_data_is_not_made_again_silently() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    // Somebody deletes the file system in the console.
    let text = program.folder.read("sandbox.json");
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let resources = document["world"]["resources"].as_array_mut().unwrap();
    let before = resources.len();
    resources.retain(|resource| {
        let kind = resource["kind"].as_str().unwrap();
        kind != "aws.efs.file-system" && kind != "aws.efs.mount-target"
    });
    assert_eq!(resources.len(), before - 4);
    program.folder.write("sandbox.json", document.to_string());

    let plan = program.plan();
    assert_eq!(plan.ids("refuse"), ["data/file-system"]);
    program.run(&["up", "--yes"]).exits(4).says(&["--recreate"]);
    program.run(&["up", "--yes", "--recreate", "data"]).exits(0);
    program.plan().is_noop();
}

#[test]
fn a_plan_that_takes_much_away_is_refused_unless_the_number_is_named() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    program.stack(EXAMPLE.split("  gitlab: ").next().unwrap());
    let plan = program.plan();
    assert_eq!(plan.guards(), ["many-deletions"], "{}", plan.changes());
    let count = plan.ids("delete").len();
    let most = |count: usize| count.to_string();
    program.run(&["up", "--yes"]).exits(4).says(&[&format!("--max-deletes {count}")]);
    program.run(&["up", "--yes", "--max-deletes", &most(count - 1)]).exits(4);
    program.run(&["plan", "--max-deletes", &most(count), "--out", "saved.plan"]).exits(0);
    program.run(&["up", "--yes", "saved.plan"]).exits(0);
    let plan = program.plan();
    assert_eq!((plan.ids("delete"), plan.ids("retain")), (vec![], vec!["gitlab/secrets"]));
}

/// What only a deletion can change is refused while it holds data; named, it goes with a final snapshot, and the plan shows
/// that its protection is cleared.
#[test]
fn a_database_is_made_again_only_when_it_is_named() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let other = replaced(EXAMPLE, "{ use: rds }", "{ use: rds, with: { database: other } }");
    program.stack(other);
    program.run(&["up", "--yes"]).exits(4).says(&["--replace db/instance"]);
    let misspelt = ["up", "--yes", "--replace", "db/instances"];
    program.run(&misspelt).exits(64).says(&["the stack has no such resource"]);
    let asked = ["plan", "--replace", "db/instance", "--out", "saved.plan", "--output", "json"];
    let plan = Plan::of(&program.run(&asked).exits(0));
    insta::assert_snapshot!(without_ids(&plan.changes()));
    program.run(&["up", "--yes", "saved.plan"]).exits(0);
    program.plan().is_noop();
    let document: serde_json::Value =
        serde_json::from_str(&program.folder.read("sandbox.json")).unwrap();
    let copies = document["world"]["final_copies"].as_object().unwrap();
    assert_eq!(copies.len(), 1, "{copies:?}");
}

#[test]
fn wrong_usage_has_an_exit_code_of_its_own() {
    let program = Program::in_sandbox(EXAMPLE);
    program.run(&["up", "--force"]).exits(64);
    program.run(&["fly"]).exits(64);
    program.run(&["plan", "--set", "nothing"]).exits(64);
    program.run(&["--help"]).exits(0).says(&["Exit codes"]);
    program.run(&["--version"]).exits(0).says(&["zonestack "]);
}
