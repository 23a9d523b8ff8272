//! What people do by hand is seen, said and undone; what another program owns is left to it and named.

use serde_json::{Value, json};

use super::{down, items, text, up};
use crate::harness::{Lab, Program, Status};

const NAME: &str = "drift";

#[test]
fn drift_is_seen_and_repaired() {
    let lab = Lab::new();
    let program = up(&lab, NAME);
    a_rule_that_somebody_added_goes(&lab, &program);
    a_database_that_somebody_changed_is_changed_back(&lab, &program);
    an_object_that_somebody_deleted_is_made_again(&lab, &program);
    a_field_that_another_manager_took_is_a_conflict(&lab, &program);
    down(&lab, &program, NAME);
}

/// The file system is opened to everybody "for a test".
fn a_rule_that_somebody_added_goes(lab: &Lab, program: &Program) {
    let group = group(lab);
    let open = json!({ "GroupId": group["GroupId"], "IpPermissions": [{
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }],
    }]});
    lab.by_hand("ec2", "authorize_security_group_ingress", &open);
    let status = Status::of(&program.run(&["status", "--output", "json"]));
    assert!(status.lines().contains("drift: update data/security-group"), "{}", status.lines());
    let plan = program.plan();
    assert_eq!(plan.ids("update"), ["data/security-group"], "{}", plan.changes());
    program.up();
    assert_eq!(self::group(lab)["IpPermissions"], group["IpPermissions"]);
    program.plan().is_noop();
}

fn group(lab: &Lab) -> Value {
    let mut dump = lab.dump(&["ec2"]);
    let groups = dump["ec2"]["securityGroups"].as_array_mut().unwrap();
    let ours = |group: &&mut Value| {
        let tags = group.get("Tags").map(items).unwrap_or_default();
        let has = |key: &str, value: &str| {
            tags.iter().any(|tag| tag["Key"] == key && tag["Value"] == value)
        };
        has("zonestack:stack", NAME) && has("zonestack:node", "data/security-group")
    };
    groups.iter_mut().find(ours).unwrap().take()
}

/// Deletion protection is switched off in the console.
fn a_database_that_somebody_changed_is_changed_back(lab: &Lab, program: &Program) {
    let instance = format!("{NAME}-db");
    let change = json!({
        "DBInstanceIdentifier": instance, "DeletionProtection": false, "BackupRetentionPeriod": 3,
        "ApplyImmediately": true,
    });
    lab.by_hand("rds", "modify_db_instance", &change);
    let changes = program.plan().changes();
    assert_eq!(
        changes,
        "update db/instance\n  /backup_retention_days: 3 → 14 (in place)\n  /deletion_protection: false → true (in place)\n"
    );
    program.up();
    let dump = lab.dump(&["rds"]);
    let mut instances = items(&dump["rds"]["instances"]).iter();
    let found = instances.find(|one| text(&one["DBInstanceIdentifier"]) == instance).unwrap();
    assert_eq!(found["DeletionProtection"], true);
    assert_eq!(found["BackupRetentionPeriod"], 14);
    program.plan().is_noop();
}

fn an_object_that_somebody_deleted_is_made_again(lab: &Lab, program: &Program) {
    let path = format!("/api/v1/namespaces/{NAME}/services/cache");
    lab.kubernetes.delete(&path);
    lab.kubernetes.eventually("the end of the service", |kubernetes| {
        kubernetes.find(&path).is_none().then_some(())
    });
    assert_eq!(program.plan().changes(), "create cache/service\n");
    program.up();
    lab.kubernetes.get(&path);
    program.plan().is_noop();
}

/// Somebody scales a zone down with `kubectl edit`: the field is theirs now.
fn a_field_that_another_manager_took_is_a_conflict(lab: &Lab, program: &Program) {
    let path = format!("/apis/apps/v1/namespaces/{NAME}/deployments/gitlab-eu-west-1b");
    lab.kubernetes.edit(&path, &json!({ "spec": { "replicas": 0 } }));
    let plan = program.plan();
    assert_eq!(
        plan.changes(),
        "update gitlab/deployment@eu-west-1b\n  /spec/replicas: 0 → 1 (in place)\n"
    );
    let outcome = program.run(&["up", "--yes"]);
    assert_ne!(outcome.code, 0, "a conflict is not forced: {outcome}");
    let outcome = outcome.says(&["kubectl-edit", "gitlab/deployment@eu-west-1b"]);
    assert_eq!(lab.kubernetes.get(&path)["spec"]["replicas"], 0, "{outcome}");
    // They put it back, and all is well.
    lab.kubernetes.edit(&path, &json!({ "spec": { "replicas": 1 } }));
    lab.kubernetes.eventually("the pod", |kubernetes| {
        (kubernetes.get(&path)["status"]["readyReplicas"] == 1).then_some(())
    });
    program.plan().is_noop();
}
