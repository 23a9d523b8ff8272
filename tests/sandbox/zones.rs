//! Any number of zones: nothing assumes three.

use std::collections::BTreeSet;

use crate::harness::{EXAMPLE, Program, replaced};

#[track_caller]
fn check(zones: u8) {
    check_stack(EXAMPLE, zones);
}

#[track_caller]
fn check_stack(stack: &str, zones: u8) {
    let program = Program::in_sandbox(stack).option("--sandbox-zones").option(&zones.to_string());
    program.up();
    let plan = program.plan();
    plan.is_noop();
    let with_zone = |kind: &str| -> BTreeSet<String> {
        let steps = plan.steps().iter().filter(|step| step["kind"] == kind);
        steps.filter_map(|step| step["zone"].as_str().map(str::to_owned)).collect()
    };
    let expected: BTreeSet<String> =
        ('a'..='f').take(zones.into()).map(|letter| format!("eu-west-1{letter}")).collect();
    assert_eq!(with_zone("aws.efs.mount-target"), expected);
    assert_eq!(with_zone("k8s.apps/v1.Deployment"), expected);
    assert_eq!(with_zone("k8s.v1.PersistentVolume"), expected);
    assert_eq!(with_zone("k8s.v1.PersistentVolumeClaim"), expected);
    program.run(&["down", "--yes"]).exits(0);
}

#[test]
fn two_zones() {
    check(2);
}

#[test]
fn four_zones() {
    check(4);
}

#[test]
fn five_zones() {
    check(5);
}

/// The connections of six GitLabs are more than the example's database takes.
#[test]
fn six_zones() {
    let program = Program::in_sandbox(EXAMPLE).option("--sandbox-zones").option("6");
    program.run(&["up", "--yes"]).exits(1).says(&["6 GitLabs", "a larger database class"]);
    assert_eq!(made(&program), 0);
    check_stack(
        &replaced(EXAMPLE, "{ use: rds }", "{ use: rds, with: { class: db.m7g.xlarge } }"),
        6,
    );
}

/// How many resources the sandbox has.
fn made(program: &Program) -> usize {
    if !program.file("sandbox.json").exists() {
        return 0;
    }
    let world = super::world(&program.folder.read("sandbox.json"));
    world["resources"].as_array().unwrap().len()
}

#[test]
fn a_database_needs_two_zones_and_says_so_before_anything_is_made() {
    let program = Program::in_sandbox(EXAMPLE).option("--sandbox-zones").option("1");
    let outcome = program.run(&["up", "--yes"]);
    assert!([1, 4].contains(&outcome.code), "{outcome}");
    outcome.says(&["RDS needs subnets in at least two zones"]);
    assert_eq!(made(&program), 0);
}

#[test]
fn a_file_system_needs_one_zone() {
    let stack = replaced(EXAMPLE, "  db:    { use: rds }", "  #");
    let stack = stack.split("  gitlab: ").next().unwrap();
    let program = Program::in_sandbox(stack).option("--sandbox-zones").option("1");
    program.up();
    let plan = program.plan();
    plan.is_noop();
    let targets = plan.ids("keep");
    let targets: Vec<_> = targets.iter().filter(|id| id.contains("mount-target")).collect();
    assert_eq!(targets, [&"data/mount-target@eu-west-1a"]);
}
