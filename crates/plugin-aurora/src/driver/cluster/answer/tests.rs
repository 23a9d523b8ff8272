use serde_json::{Value as Json, json};
use zonestack_core::driver::Driver;

use super::super::super::CLUSTER;
use super::super::super::recorded::{
    GIT_DB, cluster, cx, described, differences, driver, edited, owner, paths, query, run, spec_of,
};

/// Observes `git-db` with some of its description replaced, against settings, and names what differs.
#[track_caller]
fn check(settings: Json, edits: &[(&str, &str)], expected: &[&str]) {
    let (driver, _) = driver(vec![described(&edited(GIT_DB, edits))]);
    let owner = owner();
    let spec = spec_of(CLUSTER, settings);
    let queries = [query(cluster(), spec.clone())];
    let found = run(driver.observe(cx(&owner), &queries));
    let found = found[0].as_ref().unwrap();
    assert_eq!(paths(&differences(&spec, &found.attributes)), expected, "{edits:?}");
}

fn pending(values: &str) -> [(&'static str, &str); 1] {
    [("<PendingModifiedValues></PendingModifiedValues>", values)]
}

#[test]
fn every_setting_that_differs_is_a_difference() {
    for (settings, path) in [
        (json!({"version": "17.7"}), "/engine_version"),
        (json!({"storageType": "aurora-iopt1"}), "/storage_type"),
        (json!({"serverless": {"min": 1, "max": 8}}), "/serverless"),
        (json!({"database": "other"}), "/database"),
        (json!({"user": "other"}), "/master_username"),
        (json!({"port": 5433}), "/port"),
        (json!({"backup": {"days": 30}}), "/backup_retention_days"),
        (json!({"backup": {"window": "05:00-05:30"}}), "/backup_window"),
        (json!({"maintenanceWindow": "mon:04:30-mon:05:30"}), "/maintenance_window"),
        (json!({"deletionProtection": false}), "/deletion_protection"),
        (json!({"autoMinorUpgrade": false}), "/auto_minor_version_upgrade"),
        (json!({"logs": ["postgresql", "instance"]}), "/log_exports"),
        (json!({"kmsKeyId": "2222-3333"}), "/kms_key_id"),
    ] {
        check(settings, &[], &[path]);
    }
    check(json!({"version": 18}), &[], &["/cluster_parameter_group", "/engine_version"]);
}

#[test]
fn what_somebody_changed_by_hand_is_a_difference() {
    for (edit, path) in [
        (("<CopyTagsToSnapshot>true", "<CopyTagsToSnapshot>false"), "/copy_tags_to_snapshot"),
        (("<DeletionProtection>true", "<DeletionProtection>false"), "/deletion_protection"),
        (("git-db-aurora-postgresql17", "default.aurora-postgresql17"), "/cluster_parameter_group"),
        (("sg-1", "sg-2"), "/security_groups"),
        (("<Value>git-db</Value>", "<Value>mine</Value>"), "/tags/Name"),
    ] {
        check(json!({}), &[edit], &[path]);
    }
}

#[test]
fn the_same_in_other_words_is_no_difference() {
    check(json!({"version": "17.6"}), &[], &[]);
    check(json!({}), &[("17.6", "17.10")], &[]);
    // Automatic minor upgrades moved it; without them, it would have to go back.
    check(json!({"version": "17.5"}), &[], &[]);
    check(
        json!({"version": "17.5", "autoMinorUpgrade": false}),
        &[("<AutoMinorVersionUpgrade>true", "<AutoMinorVersionUpgrade>false")],
        &["/engine_version"],
    );
    check(json!({"maintenanceWindow": "Sun:04:30-Sun:05:30"}), &[], &[]);
    for key in ["0000-1111", "arn:aws:kms:eu-west-1:111122223333:key/0000-1111", "alias/database"] {
        check(json!({"kmsKeyId": key}), &[], &[]);
    }
    // AWS does not name the standard sort of storage; how to change a cluster is nothing that it has; what it was made from
    // counts no more.
    check(json!({"storageType": "aurora", "apply": "now", "fromSnapshot": "older"}), &[], &[]);
    let optimized =
        [("<StorageEncrypted>", "<StorageType>aurora-iopt1</StorageType><StorageEncrypted>")];
    check(json!({"storageType": "aurora-iopt1"}), &optimized, &[]);
    check(json!({}), &optimized, &["/storage_type"]);
    let serverless = [(
        "<StorageEncrypted>",
        "<ServerlessV2ScalingConfiguration><MinCapacity>0.5</MinCapacity><MaxCapacity>8.0</MaxCapacity>\
         </ServerlessV2ScalingConfiguration><StorageEncrypted>",
    )];
    check(json!({"serverless": {"min": 0.5, "max": 8}}), &serverless, &[]);
    check(json!({"serverless": {"min": 0.5, "max": 9}}), &serverless, &["/serverless/max"]);
    // Instances with a class do not mind what is left of it.
    check(json!({}), &serverless, &[]);
}

/// What emulators leave out or make up (moto, MiniStack).
#[test]
fn what_the_answer_leaves_out_is_no_difference() {
    check(
        json!({"kmsKeyId": "0000"}),
        &[
            (
                "<EngineLifecycleSupport>open-source-rds-extended-support-disabled</EngineLifecycleSupport>",
                "",
            ),
            ("<AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>", ""),
            ("<CopyTagsToSnapshot>true</CopyTagsToSnapshot>", ""),
            ("<PendingModifiedValues></PendingModifiedValues>", ""),
            (
                "<EnabledCloudwatchLogsExports><member>postgresql</member></EnabledCloudwatchLogsExports>",
                "",
            ),
            ("arn:aws:kms:eu-west-1:111122223333:key/0000-1111", "default_kms_key_id"),
        ],
        &[],
    );
}

#[test]
fn what_waits_for_the_window_counts_as_done() {
    let waiting = "<PendingModifiedValues><EngineVersion>17.9</EngineVersion>\
        <BackupRetentionPeriod>30</BackupRetentionPeriod><StorageType>aurora-iopt1</StorageType></PendingModifiedValues>";
    let settings = |apply: &str| json!({"version": "17.9", "backup": {"days": 30}, "storageType": "aurora-iopt1", "apply": apply});
    check(settings("window"), &pending(waiting), &[]);
    // Switching to `now` asks for it again, which flushes what waits; but not while RDS is at it.
    let all = ["/backup_retention_days", "/engine_version", "/storage_type"];
    check(settings("now"), &pending(waiting), &all);
    let modifying = [pending(waiting)[0], ("available", "modifying")];
    check(settings("now"), &modifying, &[]);
}

#[test]
fn logs_that_are_being_switched_count() {
    let waiting = "<PendingModifiedValues><PendingCloudwatchLogsExports>\
        <LogTypesToEnable><member>instance</member></LogTypesToEnable>\
        <LogTypesToDisable><member>postgresql</member></LogTypesToDisable>\
        </PendingCloudwatchLogsExports></PendingModifiedValues>";
    check(json!({"logs": ["instance"]}), &pending(waiting), &[]);
}
