//! The example with its files on FSx for OpenZFS: one word in the stack file.

use serde_json::Value;

use crate::harness::{EXAMPLE, Plan, Program, replaced};
use crate::sandbox::world;

const KIND: &str = "aws.fsx.file-system";

/// The example with these settings of its files.
fn stack(with: &str) -> String {
    replaced(EXAMPLE, "{ use: efs }", &format!("{{ use: fsx-openzfs, with: {with} }}"))
}

/// What the sandbox has of a kind.
fn found(program: &Program, kind: &str) -> Vec<Value> {
    let world = world(&program.folder.read("sandbox.json"));
    let resources = world["resources"].as_array().unwrap();
    resources.iter().filter(|found| found["kind"] == kind).cloned().collect()
}

#[track_caller]
fn file_system(program: &Program) -> Value {
    let [system] = &found(program, KIND)[..] else { panic!("{:?}", found(program, KIND)) };
    system.clone()
}

/// The servers that volumes name.
fn servers(program: &Program) -> Vec<String> {
    let volumes = found(program, "k8s.v1.PersistentVolume");
    let server =
        |volume: &Value| volume["spec"]["spec"]["nfs"]["server"].as_str().unwrap().to_owned();
    volumes.iter().map(server).collect()
}

#[test]
fn one_word_puts_the_files_on_fsx() {
    let program = Program::in_sandbox(&replaced(EXAMPLE, "{ use: efs }", "{ use: fsx-openzfs }"));
    let plan = program.plan();
    for code in ["fsx-adds-routes", "git-on-nfs", "shared-gitaly"] {
        assert!(plan.advisories().contains(&code), "{:?}", plan.advisories());
    }
    let shown = program.run(&["plan"]).exits(0).says(&["NFS (Amazon FSx for OpenZFS)"]);
    assert!(!format!("{shown}").contains("EFS"), "{shown}");
    program.up();
    let outcome = program.run(&["plan", "--detailed-exitcode", "--output", "json"]).exits(0);
    Plan::of(&outcome).is_noop();
    assert!(found(&program, "aws.efs.file-system").is_empty());
    let id = file_system(&program)["remote_id"].as_str().unwrap().to_owned();
    let name = format!("{id}.fsx.eu-west-1.amazonaws.com");
    assert_eq!(servers(&program), vec![name; 3]);
}

#[test]
fn storage_grows_and_never_shrinks() {
    let program = Program::in_sandbox(&stack("{ storage: 100 }"));
    program.up();
    let before = file_system(&program);
    program.stack(stack("{ storage: 200, throughput: 320 }"));
    let plan = program.plan();
    insta::assert_snapshot!(plan.changes());
    program.up();
    program.plan().is_noop();
    let after = file_system(&program);
    assert_eq!(after["remote_id"], before["remote_id"]);
    assert_eq!(after["spec"]["storage_gib"], 200);
    assert_eq!(after["spec"]["throughput_mbps"], 320);

    program.stack(stack("{ storage: 100, throughput: 320 }"));
    assert_eq!(program.plan().ids("refuse"), ["data/openzfs"]);
    program.run(&["up", "--yes"]).exits(4);
    assert_eq!(file_system(&program)["spec"]["storage_gib"], 200);
}

#[test]
fn what_is_decided_once_is_refused_and_nothing_is_lost() {
    let program = Program::in_sandbox(&stack("{}"));
    program.up();
    let before = file_system(&program)["remote_id"].clone();
    for with in [
        "{ zones: [eu-west-1b, eu-west-1c] }",
        "{ preferredZone: eu-west-1b }",
        "{ deployment: single-az-ha-2 }",
        "{ kmsKeyId: alias/files }",
        "{ fromBackup: backup-0123456789abcdef0 }",
    ] {
        program.stack(stack(with));
        let plan = program.plan();
        assert!(plan.ids("refuse").contains(&"data/openzfs"), "{with}: {}", plan.changes());
        assert_eq!(file_system(&program)["remote_id"], before);
    }
}

#[test]
fn down_keeps_the_files_and_up_takes_them_up_again() {
    let program = Program::in_sandbox(&stack("{ routeTables: [rtb-0123456789abcdef0] }"));
    program.up();
    let before = file_system(&program)["remote_id"].clone();
    let outcome = program.run(&["down", "--yes"]).exits(0);
    let id = before.as_str().unwrap();
    assert!(format!("{outcome}").contains(id), "where {id} is must be said: {outcome}");
    assert_eq!(file_system(&program)["remote_id"], before);
    let adopting = program.plan();
    assert!(adopting.ids("adopt").contains(&"data/openzfs"), "{}", adopting.changes());
    program.up();
    assert_eq!(file_system(&program)["remote_id"], before);
    program.plan().is_noop();
}

#[test]
fn down_with_the_data_leaves_a_backup_and_nothing_else() {
    let program = Program::in_sandbox(&stack("{}"));
    program.up();
    let before = file_system(&program)["remote_id"].clone();
    let outcome =
        program.run(&["down", "--yes", "--delete-data", "data", "--delete-data", "db"]).exits(0);
    let world = world(&program.folder.read("sandbox.json"));
    assert_eq!(world["resources"], Value::Array(Vec::new()));
    let copies = world["final_copies"].as_object().unwrap();
    let (name, _) = copies.iter().find(|(_, copy)| copy["of"] == before).unwrap();
    assert!(name.starts_with("git-data-"), "{name}");
    assert!(format!("{outcome}").contains(name.as_str()), "{name} must be said: {outcome}");
}

#[test]
fn a_backup_fills_a_new_file_system_and_may_be_taken_out_of_the_file() {
    let program = Program::in_sandbox(&stack("{ fromBackup: backup-0123456789abcdef0 }"));
    program.up();
    let before = file_system(&program);
    assert_eq!(before["spec"]["backup"], "backup-0123456789abcdef0");
    program.plan().is_noop();
    program.stack(stack("{}"));
    program.plan().is_noop();
    assert_eq!(file_system(&program)["remote_id"], before["remote_id"]);
}

#[test]
fn any_number_of_zones_has_one_file_system_in_two() {
    for zones in ["2", "3", "5"] {
        let program = Program::in_sandbox(&stack("{}")).option("--sandbox-zones").option(zones);
        program.up();
        program.plan().is_noop();
        let system = file_system(&program);
        assert_eq!(system["spec"]["subnets"].as_array().unwrap().len(), 2);
        let servers = servers(&program);
        assert_eq!(servers.len(), zones.parse::<usize>().unwrap());
        assert!(servers.iter().all(|server| *server == servers[0]), "{servers:?}");
    }
}

#[test]
fn one_zone_is_refused_unless_it_is_asked_for() {
    let one_zone = |with: &str| {
        format!(
            "
apiVersion: zonestack/v1
name: files
cluster: k8s.myzone.net
region: eu-west-1
zones: [eu-west-1b]
components:
  data: {{ use: fsx-openzfs, with: {with} }}
"
        )
    };
    let program = Program::in_sandbox(&one_zone("{}"));
    let outcome = program.run(&["up", "--yes"]).exits(1);
    outcome.says(&["the files are held in two zones", "single-az-ha-2"]);
    assert!(!program.file("sandbox.json").exists() || found(&program, KIND).is_empty());

    program.stack(one_zone("{ deployment: single-az-ha-2 }"));
    program.up();
    program.plan().is_noop();
    assert_eq!(file_system(&program)["spec"]["subnets"].as_array().unwrap().len(), 1);
}
