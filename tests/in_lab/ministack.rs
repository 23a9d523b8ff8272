//! What moto cannot do: changes of a file system, and changes of a database that wait for the maintenance window.
//!
//! MiniStack has the same network under ids of its own, and puts every instance into one zone: the network is named.

use serde_json::Value;

use super::{down, example, items, only};
use crate::harness::{Emulator, Lab, Program, replaced};

const NAME: &str = "ministack";

#[test]
fn a_file_system_and_a_database_change_in_place() {
    let lab = Lab::with(Emulator::MiniStack);
    let subnets: Vec<String> = lab.private_subnets().into_values().collect();
    let network = format!(
        "region: eu-west-1\nnetwork: {{ vpc: {}, subnets: [{}], securityGroups: [{}] }}",
        lab.network()["vpc"].as_str().unwrap(),
        subnets.join(", "),
        lab.node_group(),
    );
    let stack = replaced(&example(NAME), "region: eu-west-1", &network);
    // MiniStack forgets which logs were asked for.
    let stack = replaced(&stack, "{ use: rds }", "{ use: rds, with: { logs: [] } }");
    let program = lab.program(&stack);
    program.up();
    program.plan().is_noop();
    throughput(&lab, &program, &stack);
    class_and_storage(&lab, &program, &stack);
    down(&lab, &program, NAME);
}

fn throughput(lab: &Lab, program: &Program, stack: &str) {
    let provisioned = "{ use: efs, with: { throughput: { provisioned: 128 }, backup: false } }";
    program.stack(replaced(stack, "{ use: efs }", provisioned));
    program.up();
    let system = only(&lab.dump(&["efs"])["efs"]).clone();
    assert_eq!(system["ThroughputMode"], "provisioned");
    assert_eq!(system["ProvisionedThroughputInMibps"], 128.0);
    assert_eq!(system["Backup"], "DISABLED");
    program.plan().is_noop();
    program.stack(stack);
    program.up();
    let system = only(&lab.dump(&["efs"])["efs"]).clone();
    assert_eq!(system["ThroughputMode"], "elastic");
    assert_eq!(system["Backup"], "ENABLED");
    program.plan().is_noop();
}

/// What waits for the maintenance window is accepted, and nothing is left to do.
fn class_and_storage(lab: &Lab, program: &Program, stack: &str) {
    let larger = "with: { storage: 200, class: db.m7g.xlarge, logs: [] }";
    program.stack(replaced(stack, "with: { logs: [] }", larger));
    let plan = program.plan();
    assert_eq!(plan.ids("update"), ["db/instance"], "{}", plan.changes());
    program.up();
    let instance: Value = items(&lab.dump(&["rds"])["rds"]["instances"])[0].clone();
    let pending = &instance["PendingModifiedValues"];
    let accepted = |field: &str, value: Value| instance[field] == value || pending[field] == value;
    assert!(accepted("AllocatedStorage", 200.into()), "{instance:#}");
    assert!(accepted("DBInstanceClass", "db.m7g.xlarge".into()), "{instance:#}");
    program.plan().is_noop();
}
