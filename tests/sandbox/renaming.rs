//! Components under a new name, and things that become the stack's own.

use serde_json::Value;

use crate::harness::{EXAMPLE, Program, replaced};

fn ids(program: &Program) -> Vec<String> {
    let document: Value = serde_json::from_str(&program.folder.read("sandbox.json")).unwrap();
    let resources = document["world"]["resources"].as_array().unwrap();
    resources.iter().map(|found| found["remote_id"].as_str().unwrap().to_owned()).collect()
}

fn renamed(with: &str) -> String {
    let stack =
        replaced(EXAMPLE, "  data:  { use: efs }", &format!("  files: {{ use: efs{with} }}"));
    replaced(
        &stack,
        "  db:    { use: rds }",
        &format!("  base:  {{ use: rds{} }}", with.replace("data", "db")),
    )
}

#[test]
fn a_renamed_component_keeps_everything_that_it_made() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let before = ids(&program);
    program.stack(renamed(", renamed_from: data"));
    let plan = program.plan();
    for action in ["create", "delete", "replace", "refuse", "retain"] {
        assert_eq!(plan.ids(action), [""; 0], "{}", plan.changes());
    }
    insta::assert_snapshot!(plan.changes());
    program.up();
    program.plan().is_noop();
    assert_eq!(ids(&program), before);

    // The line has done its work.
    program.stack(renamed(""));
    program.plan().is_noop();
    let wired = "    use: gitlab\n    needs: { cache: cache }\n";
    let another = replaced(&renamed(""), "    use: gitlab\n", wired);
    program.stack(format!("{another}  data: {{ use: redis }}\n"));
    program.run(&["plan"]).exits(1).says(&["still named after data", "choose another name"]);
    program.stack(renamed(""));
    let all = ["down", "--yes", "--delete-data", "files", "--delete-data", "base"];
    program.run(&all).exits(0);
    assert_eq!(ids(&program), [""; 0]);
}

#[test]
fn the_old_name_must_be_free() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let stack = replaced(
        EXAMPLE,
        "  data:  { use: efs }",
        "  data:  { use: efs }\n  files: { use: efs, renamed_from: data }",
    );
    program.stack(replaced(&stack, "with: { host", "needs: { storage: data }\n    with: { host"));
    let outcome = program.run(&["plan"]).exits(1);
    outcome.says(&["renamed_from names data, which is a component of the stack"]);
}

/// Somebody made the database by hand, before zonestack.
#[test]
fn what_is_there_already_becomes_the_stacks_own_when_it_is_named() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let mut document: Value = serde_json::from_str(&program.folder.read("sandbox.json")).unwrap();
    let world = &mut document["world"];
    world["inventories"] = serde_json::json!({});
    let resources = world["resources"].as_array_mut().unwrap();
    resources.retain(|resource| resource["kind"] == "aws.rds.instance");
    let instance = resources[0].as_object_mut().unwrap();
    instance.remove("owner");
    instance.remove("node");
    instance["spec"].as_object_mut().unwrap().remove("tags");
    program.folder.write("sandbox.json", document.to_string());

    assert_eq!(program.plan().ids("refuse"), ["db/instance"]);
    program.run(&["up", "--yes"]).exits(4).says(&["adopt: { instance: git-db }"]);
    let named = |name: &str| {
        replaced(EXAMPLE, "{ use: rds }", &format!("{{ use: rds, adopt: {{ instance: {name} }} }}"))
    };
    program.stack(named("another"));
    program.run(&["plan"]).exits(1).says(&["db/instance can only be git-db, not another"]);
    program.stack(replaced(EXAMPLE, "{ use: rds }", "{ use: rds, adopt: { cluster: git-db } }"));
    program.run(&["plan"]).exits(1).says(&["db has no resource cluster", "`instance`"]);

    program.stack(named("git-db"));
    assert_eq!(program.plan().ids("adopt"), ["db/instance"]);
    program.up();
    program.plan().is_noop();
    program.stack(EXAMPLE);
    program.plan().is_noop();
}
