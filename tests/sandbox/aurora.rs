//! The life of a stack on Aurora: the example with another database.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{EXAMPLE, Plan, Program, replaced};
use crate::sandbox::world;

const CLUSTER: &str = "aws.rds.cluster";
const INSTANCE: &str = "aws.rds.cluster-instance";

/// The example on Aurora.
fn example() -> String {
    replaced(EXAMPLE, "{ use: rds }", "{ use: aurora }")
}

/// The example on Aurora, with settings.
fn with(settings: &str) -> String {
    replaced(EXAMPLE, "{ use: rds }", &format!("{{ use: aurora, with: {settings} }}"))
}

/// The plan after a stack was changed; what is planned is done, and then there is nothing left to do.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    let program = Program::in_sandbox(from).option("--sandbox-zones").option("3");
    program.up();
    program.stack(to);
    let changes = program.plan().changes();
    program.up();
    program.plan().is_noop();
    changes
}

/// The names of what there is of a kind.
fn named(program: &Program, kind: &str) -> Vec<String> {
    let world = world(&program.folder.read("sandbox.json"));
    let found = world["resources"].as_array().unwrap().iter().filter(|one| one["kind"] == kind);
    found.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// All that a stack has made.
fn resources(program: &Program) -> Vec<Value> {
    let mut world = world(&program.folder.read("sandbox.json"));
    world["resources"].as_array_mut().unwrap().drain(..).collect()
}

#[test]
fn after_up_there_is_nothing_to_do() {
    let program = Program::in_sandbox(&example());
    program.run(&["plan", "--detailed-exitcode"]).exits(2);
    program.up();
    assert_eq!(named(&program, CLUSTER), ["git-db"]);
    assert_eq!(named(&program, INSTANCE), ["git-db-eu-west-1a", "git-db-eu-west-1b"]);
    let outcome = program.run(&["plan", "--detailed-exitcode", "--output", "json"]).exits(0);
    Plan::of(&outcome).is_noop();
    let outputs = program.run(&["outputs"]).exits(0).stdout;
    assert!(
        outputs.contains("git-db.cluster-") && outputs.contains("git-db.cluster-ro-"),
        "{outputs}"
    );
}

/// GitLab's own support position (domain.md 2.5), told until it is acknowledged.
#[test]
fn gitlab_does_not_support_aurora_and_the_plan_says_so() {
    let program = Program::in_sandbox(&example());
    let advisories = |plan: &Plan| plan.advisories().contains(&"aurora");
    assert!(advisories(&program.plan()));
    program.run(&["plan"]).exits(0).says(&["GitLab does not support Amazon Aurora since 14.4"]);
    let gitlab = "with: { host: git.example.com }";
    let acknowledged = format!("{gitlab}\n    acknowledge: [aurora]");
    program.stack(replaced(&example(), gitlab, &acknowledged));
    assert!(!advisories(&program.plan()));
    let program = Program::in_sandbox(&with("{ class: db.t4g.large }"));
    let plan = program.plan();
    assert!(advisories(&plan) && plan.advisories().contains(&"burstable-database"));
    program.stack(EXAMPLE);
    assert!(!advisories(&program.plan()));
}

#[test]
fn every_shape_comes_up() {
    for settings in [
        "{ serverless: { min: 0.5, max: 16 } }",
        "{ fromSnapshot: git-old-final-1, version: \"17.6\" }",
        "{ instances: 1, allowSingleInstance: true, storageType: aurora-iopt1 }",
        "{ instances: 5, parameters: { max_connections: 900 }, apply: now, deletionProtection: false }",
    ] {
        let program = Program::in_sandbox(&with(settings));
        program.up();
        program.plan().is_noop();
        program.run(&["down", "--yes", "--delete-data", "data", "--delete-data", "db"]).exits(0);
        assert_eq!(resources(&program), Vec::<Value>::new(), "{settings}");
    }
}

#[test]
fn a_larger_class() {
    assert_snapshot!(changed(&example(), &with("{ class: db.r7g.xlarge }")));
}

#[test]
fn from_a_class_to_serverless() {
    assert_snapshot!(changed(&example(), &with("{ serverless: { min: 1, max: 16 } }")));
}

#[test]
fn a_new_major_version_takes_another_parameter_group() {
    // Without GitLab, which wants 17.
    let without_gitlab = |stack: String| stack.split("  gitlab:").next().unwrap().to_owned();
    let [from, to] = ["{ version: 17 }", "{ version: 18 }"].map(|v| without_gitlab(with(v)));
    assert_snapshot!(changed(&from, &to));
}

/// The instances stay where they are; the third goes to the new zone.
#[test]
fn a_zone_and_an_instance_more() {
    let zones = |stack: &str, zones: &str| {
        replaced(stack, "region: eu-west-1", &format!("region: eu-west-1\nzones: [{zones}]"))
    };
    let two = zones(&example(), "eu-west-1a, eu-west-1b");
    let three = zones(&with("{ instances: 3 }"), "eu-west-1a, eu-west-1b, eu-west-1c");
    let changes = changed(&two, &three);
    let of_the_database: Vec<&str> = changes
        .split_inclusive('\n')
        .scan(false, |inside, line| {
            if !line.starts_with(' ') {
                *inside = line.split(' ').nth(1).is_some_and(|id| id.starts_with("db/"));
            }
            Some((*inside, line))
        })
        .filter_map(|(inside, line)| inside.then_some(line))
        .collect();
    assert_snapshot!(of_the_database.concat());
}

/// What is decided once on a cluster that holds data.
#[test]
fn another_database_name_is_refused() {
    let program = Program::in_sandbox(&example());
    program.up();
    program.stack(with("{ database: other }"));
    assert_eq!(program.plan().ids("refuse"), ["db/cluster"]);
}

/// The cluster with the data stays, protected; its instances, which hold nothing, go, the last one too. `up` makes new ones
/// for it.
#[test]
fn down_keeps_the_cluster_and_up_makes_instances_for_it() {
    let program = Program::in_sandbox(&example());
    program.up();
    let outcome = program.run(&["down", "--yes"]).exits(0);
    assert!(outcome.stderr.contains("aws.rds.cluster git-db"), "{outcome}");
    assert_eq!(named(&program, CLUSTER), ["git-db"]);
    assert_eq!(named(&program, INSTANCE), Vec::<String>::new());
    let plan = program.plan();
    assert_eq!(plan.ids("refuse"), Vec::<&str>::new());
    let of_the_database = |action: &str| -> String {
        let ids: Vec<&str> =
            plan.ids(action).into_iter().filter(|id| id.starts_with("db/")).collect();
        ids.join(" ")
    };
    assert_snapshot!(format!(
        "adopt {}\ncreate {}",
        of_the_database("adopt"),
        of_the_database("create")
    ));
    program.up();
    program.plan().is_noop();
}

#[test]
fn down_with_the_data_deletes_the_instances_first_and_leaves_a_final_snapshot() {
    let program = Program::in_sandbox(&example());
    program.up();
    let delete =
        ["down", "--yes", "--delete-data", "data", "--delete-data", "db", "--output", "json"];
    let lines = program.run(&delete).exits(0).json_lines();
    let ended: Vec<&str> = lines
        .iter()
        .filter(|line| line["event"] == "ended")
        .map(|line| line["id"].as_str().unwrap())
        .collect();
    let at = |id: &str| ended.iter().rposition(|ended| *ended == id).unwrap();
    for instance in ["db/instance@eu-west-1a", "db/instance@eu-west-1b"] {
        assert!(at(instance) < at("db/cluster"), "{ended:?}");
    }
    for held in ["db/subnet-group", "db/security-group", "db/cluster-parameter-group-17"] {
        assert!(at("db/cluster") < at(held), "{ended:?}");
    }
    assert_eq!(resources(&program), Vec::<Value>::new());
    let world = world(&program.folder.read("sandbox.json"));
    let copies: Vec<&Value> = world["final_copies"].as_object().unwrap().values().collect();
    let [copy] = copies[..] else { panic!("{copies:?}") };
    assert_eq!(copy["kind"], CLUSTER);
    program.run(&["down", "--yes"]).exits(0);
}

/// What both components have in common has one name and one specification: a swap of an empty stack changes nothing of it,
/// and one that is up keeps it.
#[test]
fn what_rds_and_aurora_have_in_common_is_kept_by_a_swap() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    program.stack(replaced(EXAMPLE, "{ use: rds }", "{ use: aurora, data: start-empty }"));
    let plan = program.plan();
    for id in ["db/security-group", "db/subnet-group", "db/password"] {
        assert!(plan.ids("keep").contains(&id), "{id}: {}", plan.changes());
    }
    assert!(!plan.ids("delete").contains(&"db/instance"), "{}", plan.changes());
}
