//! A stack whose inventory somebody deleted: nothing is made a second time, and the inventory is built anew.

use serde_json::Value;

use crate::harness::{EXAMPLE, Program, replaced};

/// Changes the sandbox's file, as a person with a console would change the world.
fn by_hand(program: &Program, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_str(&program.folder.read("sandbox.json")).unwrap();
    change(&mut document["world"]);
    program.folder.write("sandbox.json", document.to_string());
}

fn without_inventory() -> Program {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    by_hand(&program, |world| world["inventories"] = serde_json::json!({}));
    program
}

fn resources(program: &Program) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&program.folder.read("sandbox.json")).unwrap();
    let resources = document["world"]["resources"].as_array().unwrap();
    let text = |resource: &Value, key: &str| resource[key].as_str().unwrap().to_owned();
    resources.iter().map(|found| (text(found, "kind"), text(found, "remote_id"))).collect()
}

#[test]
fn without_an_inventory_everything_is_refused_until_it_is_recovered() {
    let program = without_inventory();
    let before = resources(&program);
    for arguments in [&["plan"][..], &["up", "--yes"], &["down", "--yes"], &["status"]] {
        let outcome = program.run(arguments).exits(4);
        outcome.says(&["the inventory of the stack git is gone", "zonestack recover"]);
    }
    program.run(&["recover"]).exits(4).says(&["data/file-system", "--yes"]);
    program.run(&["plan"]).exits(4);
    program.run(&["recover", "--yes"]).exits(0).says(&["db/instance", "git-db"]);
    program.plan().is_noop();
    assert_eq!(resources(&program), before);
    program.run(&["recover", "--yes"]).exits(4).says(&["the inventory of the stack git is there"]);

    let all = ["down", "--yes", "--delete-data", "data", "--delete-data", "db"];
    program.run(&all).exits(0);
    assert_eq!(resources(&program), []);
}

/// What the stack file has no more is found by its marks, and so can be taken away.
#[test]
fn what_is_not_in_the_file_any_more_is_recovered_by_its_marks() {
    let program = without_inventory();
    let without = EXAMPLE.split("  gitlab: ").next().unwrap();
    program.stack(without);
    program.run(&["recover", "--yes"]).exits(0).says(&["gitlab/service"]);
    let plan = program.plan();
    assert!(plan.ids("delete").contains(&"gitlab/service"), "{}", plan.changes());
    assert!(plan.ids("create").is_empty(), "{}", plan.changes());
}

#[test]
fn a_first_run_has_nothing_to_recover() {
    let program = Program::in_sandbox(EXAMPLE);
    program.run(&["recover", "--yes"]).exits(4).says(&["nothing carries the marks"]);
    program.up();
}

/// A run was killed between making the namespace and making the inventory: the namespace's uid is the stack's.
#[test]
fn a_namespace_that_was_made_just_before_the_end_is_the_stacks_own() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    by_hand(&program, |world| {
        world["inventories"] = serde_json::json!({});
        let resources = world["resources"].as_array_mut().unwrap();
        resources.retain(|resource| resource["kind"] == "k8s.v1.Namespace");
        assert_eq!(resources.len(), 1);
    });
    let plan = program.plan();
    assert_eq!(plan.ids("adopt"), ["stack/namespace"], "{}", plan.changes());
    program.up();
    let all = ["down", "--yes", "--delete-data", "data", "--delete-data", "db"];
    program.run(&all).exits(0);
    assert_eq!(resources(&program), []);
}

/// In another account nothing would be found, and everything forgotten.
#[test]
fn another_account_or_region_is_refused_by_up_and_by_down() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    by_hand(&program, |world| world["site"]["account"] = "999988887777".into());
    for arguments in [&["plan"][..], &["up", "--yes"], &["down", "--yes"]] {
        let outcome = program.run(arguments).exits(4);
        outcome.says(&["was made in account", "this is account 999988887777"]);
    }
    by_hand(&program, |world| world["site"]["account"] = "111122223333".into());
    let account = program.run(&["plan"]);
    if account.code == 0 {
        program.plan().is_noop();
    }
    program.stack(replaced(EXAMPLE, "region: eu-west-1", "region: eu-west-3"));
    program.run(&["down", "--yes"]).exits(4).says(&["region"]);
}
