//! One word swaps a backend: on a new stack that is all; on one that is up the old data stays and nothing is silently empty.

use insta::assert_snapshot;

use crate::harness::{EXAMPLE, Plan, Program, replaced, without_ids};
use crate::sandbox::world;

const STORAGE: [&str; 2] = ["efs", "fsx-openzfs"];
const DATABASE: [&str; 2] = ["rds", "aurora"];
const CACHE: [&str; 2] = ["redis", "elasticache"];

/// The example with these backends.
fn with(storage: &str, database: &str, cache: &str) -> String {
    let text = replaced(EXAMPLE, "{ use: efs }", &format!("{{ use: {storage} }}"));
    let text = replaced(&text, "{ use: rds }", &format!("{{ use: {database} }}"));
    replaced(&text, "{ use: redis }", &format!("{{ use: {cache} }}"))
}

/// Up, nothing to do, down with everything: nothing stays but last copies. With what each combination tells its owner.
#[test]
fn every_combination_of_backends_carries_gitlab() {
    let mut told = Vec::new();
    for storage in STORAGE {
        for database in DATABASE {
            for cache in CACHE {
                let program = Program::in_sandbox(&with(storage, database, cache));
                let plan = program.plan();
                let advisories = plan.advisories().join(", ");
                told.push(format!("{storage} × {database} × {cache}: {advisories}"));
                program.up();
                program.plan().is_noop();
                let mut down = vec!["down", "--yes"];
                for component in ["data", "db", "cache"] {
                    down.extend(["--delete-data", component]);
                }
                program.run(&down).exits(0);
                let left = world(&program.folder.read("sandbox.json"));
                let resources = left["resources"].as_array().unwrap();
                let ours = resources.iter().filter(|resource| !resource["node"].is_null());
                assert_eq!(ours.count(), 0, "{storage} {database} {cache}: {resources:#?}");
                assert_eq!(left["inventories"].as_object().map(serde_json::Map::len), Some(0));
            }
        }
    }
    assert_snapshot!(told.join("\n"));
}

/// The three swaps on a stack that is up: refused as long as nobody says what becomes of the data.
#[track_caller]
fn swapped(from: &str, to: &str, component: &str) -> String {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let (old, new) = (format!("{{ use: {from} }}"), format!("{{ use: {to} }}"));
    program.stack(replaced(EXAMPLE, &old, &new));
    let refused = program.plan();
    program.run(&["up", "--yes"]).exits(4).says(&["data: start-empty"]);
    let said = format!("{{ use: {to}, data: start-empty }}");
    program.stack(replaced(EXAMPLE, &old, &said));
    let plan = program.plan();
    let outcome = program.run(&["plan"]).exits(0);
    let advisory = outcome.stdout.lines().skip_while(|line| !line.contains("data-not-moved"));
    let advisory: Vec<&str> = advisory.take(3).collect();
    program.run(&["up", "--yes", "--max-deletes", "12"]).exits(0);
    program.run(&["plan", "--detailed-exitcode"]).exits(0);
    let kept = program.plan().ids("retain").join(", ");
    // What was kept is taken up again by the old word.
    program.stack(EXAMPLE);
    let back = Plan::of(&program.run(&["plan", "--output", "json"]));
    let back = [back.ids("adopt").join(", "), back.ids("refuse").join(", ")];
    program.run(&["down", "--yes", "--delete-data", component]).exits(0);
    let left = world(&program.folder.read("sandbox.json"));
    let of_component = |resource: &&serde_json::Value| {
        resource["node"].as_str().is_some_and(|node| node.starts_with(&format!("{component}/")))
    };
    assert_eq!(left["resources"].as_array().unwrap().iter().filter(of_component).count(), 0);
    without_ids(&format!(
        "use: {from} → use: {to}\n{}\n\nwith data: start-empty\n{}\n{}\n\nkept: {kept}\nback: {back:?}\n",
        refused.changes(),
        plan.changes(),
        advisory.join("\n"),
    ))
}

#[test]
fn from_rds_to_aurora() {
    assert_snapshot!(swapped("rds", "aurora", "db"));
}

#[test]
fn from_efs_to_fsx() {
    assert_snapshot!(swapped("efs", "fsx-openzfs", "data"));
}

#[test]
fn from_redis_to_elasticache() {
    assert_snapshot!(swapped("redis", "elasticache", "cache"));
}

/// A copy is a store that does not start empty.
#[test]
fn a_swap_with_a_copy_is_no_swap_to_nothing() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let restored = "{ use: aurora, with: { fromSnapshot: git-db-before } }";
    program.stack(replaced(EXAMPLE, "{ use: rds }", restored));
    let plan = program.plan();
    assert_eq!(plan.ids("refuse"), Vec::<&str>::new(), "{}", plan.changes());
    assert!(plan.advisories().contains(&"data-not-moved"), "{:?}", plan.advisories());
}
