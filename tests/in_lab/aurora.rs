//! A stack on Aurora, against moto, which has clusters with members and endpoints, protection and cluster snapshots.
//!
//! What moto does not do, and where it is tested instead:
//! - Every state is `available` at once, and nothing waits for the maintenance window: sandbox, and recorded answers in
//!   `plugin-aurora/src/driver/cluster`.
//! - A duplicate of a cluster overwrites it instead of `DBClusterAlreadyExistsFault`: recorded answers.
//! - It knows no sort of storage of Aurora's own: `aurora-iopt1` is a 500: recorded answers and sandbox.
//! - It takes every engine version, class and capacity: the checks of `plugin-aurora/src/config`.
//! - It has no passwords to log in with: that a restored cluster takes the new one is seen by the call only.
//! - Nobody takes over when an instance goes: that is RDS' own doing, and tested nowhere.

use serde_json::{Value, json};

use super::{down, example, items, only, text};
use crate::harness::{Lab, Program, replaced};

const NAME: &str = "aurora";

fn stack(name: &str, settings: &str) -> String {
    let aurora = format!("{{ use: aurora, with: {{ {settings} }} }}");
    replaced(&example(name), "{ use: rds }", &aurora)
}

/// What AWS answers to a list, as boto3 has it.
fn listed(lab: &Lab, operation: &str, field: &str) -> Value {
    lab.by_hand("rds", operation, &json!({}))[field].take()
}

/// The cluster of a stack, and its instances by name.
#[track_caller]
fn found(lab: &Lab, name: &str) -> (Value, Vec<Value>) {
    let cluster = format!("{name}-db");
    let of = |one: &&Value| one["DBClusterIdentifier"] == cluster.as_str();
    let clusters = listed(lab, "describe_db_clusters", "DBClusters");
    let clusters: Vec<Value> = items(&clusters).iter().filter(of).cloned().collect();
    let instances = listed(lab, "describe_db_instances", "DBInstances");
    let mut instances: Vec<Value> = items(&instances).iter().filter(of).cloned().collect();
    // They are made at once: AWS lists them as they came.
    instances.sort_by_key(|one| text(&one["DBInstanceIdentifier"]).to_owned());
    (only(&json!(clusters)).clone(), instances)
}

/// The last copies of a stack's clusters so far.
fn snapshots(lab: &Lab, name: &str) -> Vec<Value> {
    let arguments = json!({"DBClusterIdentifier": format!("{name}-db"), "SnapshotType": "manual"});
    let answer = lab.by_hand("rds", "describe_db_cluster_snapshots", &arguments);
    items(&answer["DBClusterSnapshots"]).to_vec()
}

/// The one that has come since.
#[track_caller]
fn new_snapshot(lab: &Lab, name: &str, before: &[Value]) -> Value {
    let mut now = snapshots(lab, name);
    now.retain(|snapshot| !before.contains(snapshot));
    only(&json!(now)).clone()
}

#[test]
fn up_nothing_to_do_changes_and_down_with_a_final_snapshot() {
    let lab = Lab::new();
    let before = lab.dump(&["ec2", "rds"]);
    let copies = snapshots(&lab, NAME);
    let program = lab.program(&stack(NAME, ""));
    program.up();
    program.plan().is_noop();
    aws_holds_what_was_asked(&lab);
    calls_do_not_grow_with_instances(&lab, &program);
    in_place(&lab, &program);

    down(&lab, &program, NAME);
    let clusters = listed(&lab, "describe_db_clusters", "DBClusters");
    assert_eq!(clusters, json!([]));
    let groups = listed(&lab, "describe_db_cluster_parameter_groups", "DBClusterParameterGroups");
    assert!(
        items(&groups)
            .iter()
            .all(|group| !text(&group["DBClusterParameterGroupName"]).starts_with(NAME))
    );
    let snapshot = new_snapshot(&lab, NAME, &copies);
    assert_eq!(snapshot["Status"], "available");
    assert!(text(&snapshot["DBClusterSnapshotIdentifier"]).starts_with(&format!("{NAME}-db-")));
    let after = lab.dump(&["ec2", "rds"]);
    assert_eq!(after["ec2"], before["ec2"]);
    assert_eq!(after["rds"], before["rds"]);
}

/// A stack that is kept has its cluster, and gets its instances back; one whose inventory is lost is found by its marks.
#[test]
fn the_cluster_is_kept_taken_up_again_and_found_without_an_inventory() {
    const NAME: &str = "auroras";
    let lab = Lab::new();
    let program = lab.program(&stack(NAME, "serverless: { min: 0.5, max: 16 }"));
    program.up();
    program.plan().is_noop();
    program.run(&["down", "--yes"]).exits(0);
    let (cluster, instances) = found(&lab, NAME);
    assert_eq!((&cluster["DeletionProtection"], instances.len()), (&json!(true), 0));
    program.up();
    program.plan().is_noop();
    let (again, instances) = found(&lab, NAME);
    assert_eq!(again["DbClusterResourceId"], cluster["DbClusterResourceId"]);
    assert_eq!(instances.len(), 2);

    let inventory = format!("/api/v1/namespaces/{NAME}/configmaps/zonestack-{NAME}");
    lab.kubernetes.delete(&inventory);
    program.run(&["up", "--yes"]).exits(4);
    program.run(&["recover", "--yes"]).exits(0);
    program.plan().is_noop();
    down(&lab, &program, NAME);
}

/// The password of a restored cluster is the snapshot's until it is set; the mark that says so goes afterwards.
#[test]
fn a_final_snapshot_fills_the_next_cluster() {
    const NAME: &str = "aurorarest";
    let lab = Lab::new();
    let copies = snapshots(&lab, NAME);
    let program = lab.program(&stack(NAME, ""));
    program.up();
    down(&lab, &program, NAME);
    let snapshot = new_snapshot(&lab, NAME, &copies);
    let snapshot = text(&snapshot["DBClusterSnapshotIdentifier"]).to_owned();

    program.stack(stack(
        NAME,
        &format!("fromSnapshot: {snapshot}, maintenanceWindow: sun:06:00-sun:07:00"),
    ));
    let before = lab.calls();
    program.up();
    let calls = lab.calls().since(&before).aws;
    let changing =
        ["rds RestoreDBClusterFromSnapshot", "rds ModifyDBCluster", "rds RemoveTagsFromResource"];
    let firsts = changing.map(|call| calls.iter().position(|made| made == call).unwrap());
    assert!(firsts.is_sorted(), "{calls:#?}");
    assert!(!calls.contains(&"rds CreateDBCluster".to_owned()), "{calls:#?}");
    program.plan().is_noop();
    let (cluster, instances) = found(&lab, NAME);
    assert_eq!(instances.len(), 2);
    assert_eq!(cluster["PreferredMaintenanceWindow"], "sun:06:00-sun:07:00");
    assert!(!cluster["TagList"].to_string().contains("restored-from"), "{cluster:#}");
    // What it was made from counts no more.
    program.stack(stack(NAME, "maintenanceWindow: sun:06:00-sun:07:00"));
    program.plan().is_noop();
    down(&lab, &program, NAME);
}

#[track_caller]
fn has(found: &Value, expected: &Value) {
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&found[key], value, "{key} of {found:#}");
    }
}

fn aws_holds_what_was_asked(lab: &Lab) {
    let (cluster, instances) = found(lab, NAME);
    has(
        &cluster,
        &json!({
            "DBClusterParameterGroup": "aurora-db-aurora-postgresql17",
            "DatabaseName": "aurora_production",
            "MasterUsername": "aurora",
            "Engine": "aurora-postgresql",
            "StorageEncrypted": true,
            "DeletionProtection": true,
            "BackupRetentionPeriod": 14,
            "CopyTagsToSnapshot": true,
            "EnabledCloudwatchLogsExports": ["postgresql"],
            "MultiAZ": true,
        }),
    );
    let zones: Vec<&str> = instances
        .iter()
        .map(|instance| {
            has(
                instance,
                &json!({
                    "DBInstanceClass": "db.r7g.large",
                    "Engine": "aurora-postgresql",
                    "PubliclyAccessible": false,
                }),
            );
            text(&instance["AvailabilityZone"])
        })
        .collect();
    assert_eq!(zones, ["eu-west-1a", "eu-west-1b"]);
    let group = json!({"DBClusterParameterGroupName": "aurora-db-aurora-postgresql17"});
    let parameters = lab.by_hand("rds", "describe_db_cluster_parameters", &group);
    let ssl =
        items(&parameters["Parameters"]).iter().find(|p| p["ParameterName"] == "rds.force_ssl");
    assert_eq!(ssl.unwrap()["ParameterValue"], "1");
    let pods = lab.kubernetes.list(&format!("/apis/apps/v1/namespaces/{NAME}/deployments"));
    let host = text(&cluster["Endpoint"]);
    assert!(pods.iter().any(|one| one.to_string().contains(host)), "no pod is told {host}");
}

/// Two calls for the cluster and its instances, three for its parameter group, however many instances there are.
fn calls_do_not_grow_with_instances(lab: &Lab, program: &Program) {
    let of_rds = |program: &Program| -> Vec<String> {
        let before = lab.calls();
        program.plan().is_noop();
        let calls = lab.calls().since(&before).aws;
        calls.into_iter().filter(|call| call.starts_with("rds ")).collect()
    };
    let two = of_rds(program);
    program.stack(stack(NAME, "instances: 5"));
    program.up();
    let five = of_rds(program);
    assert_eq!(five.len(), two.len(), "{two:#?}\nand with five instances\n{five:#?}");
    assert_eq!(found(lab, NAME).1.len(), 5);
}

fn in_place(lab: &Lab, program: &Program) {
    program.stack(stack(
        NAME,
        "class: db.r7g.xlarge, backup: { days: 30 }, parameters: { work_mem: 8192 }",
    ));
    let plan = program.plan();
    assert_eq!(
        plan.ids("update"),
        [
            "db/cluster-parameter-group-17",
            "db/cluster",
            "db/instance@eu-west-1a",
            "db/instance@eu-west-1b"
        ],
        "{}",
        plan.changes()
    );
    assert_eq!(plan.ids("delete").len(), 3, "{}", plan.changes());
    program.run(&["up", "--yes"]).exits(0);
    program.plan().is_noop();
    let (cluster, instances) = found(lab, NAME);
    assert_eq!(cluster["BackupRetentionPeriod"], 30);
    let classes: Vec<&str> = instances.iter().map(|one| text(&one["DBInstanceClass"])).collect();
    assert_eq!(classes, ["db.r7g.xlarge", "db.r7g.xlarge"]);
}
