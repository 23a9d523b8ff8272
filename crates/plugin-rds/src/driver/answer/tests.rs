use serde_json::{Value as Json, json};
use zonestack_core::driver::Driver;

use super::super::INSTANCE;
use super::super::recorded::{
    GIT_DB, cx, described, differences, driver, instance, owner, paths, query, run, spec_of,
};

/// Observes `git-db` with some of its description replaced, against settings, and names what differs.
#[track_caller]
fn check(settings: Json, edits: &[(&str, &str)], expected: &[&str]) {
    let mut xml = GIT_DB.to_owned();
    for (from, to) in edits {
        assert!(xml.contains(from), "{from} is not in the description");
        xml = xml.replace(from, to);
    }
    let (driver, _) = driver(vec![described(&xml)]);
    let owner = owner();
    let spec = spec_of(INSTANCE, settings);
    let queries = [query(instance(), spec.clone())];
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
        (json!({"class": "db.m7g.xlarge"}), "/class"),
        (json!({"version": 18}), "/engine_version"),
        (json!({"version": "17.7"}), "/engine_version"),
        (json!({"storage": 150, "maxStorage": 400}), "/allocated_storage"),
        (json!({"maxStorage": 500}), "/max_allocated_storage"),
        (json!({"maxStorage": "off"}), "/max_allocated_storage"),
        (json!({"storageType": "gp2"}), "/storage_type"),
        (json!({"database": "other"}), "/database"),
        (json!({"user": "other"}), "/master_username"),
        (json!({"port": 5433}), "/port"),
        (json!({"encrypted": false}), "/storage_encrypted"),
        (json!({"backup": {"days": 30}}), "/backup_retention_days"),
        (json!({"backup": {"window": "05:00-05:30"}}), "/backup_window"),
        (json!({"maintenanceWindow": "mon:04:30-mon:05:30"}), "/maintenance_window"),
        (json!({"deletionProtection": false}), "/deletion_protection"),
        (json!({"autoMinorUpgrade": false}), "/auto_minor_version_upgrade"),
        (json!({"logs": ["upgrade"]}), "/log_exports"),
        (json!({"performanceInsights": true}), "/performance_insights"),
        (json!({"caCertificate": "rds-ca-ecc384-g1"}), "/ca_certificate"),
        (json!({"parameters": {"max_connections": 500}}), "/parameter_group"),
        (json!({"kmsKeyId": "2222-3333"}), "/kms_key_id"),
    ] {
        check(settings, &[], &[path]);
    }
    check(json!({"backup": {"days": 0}}), &[], &["/automated_backups", "/backup_retention_days"]);
    check(json!({"multiAz": false}), &[], &["/availability_zone", "/multi_az"]);
    check(json!({"multiAz": false, "zone": "eu-west-1b"}), &[], &["/multi_az"]);
}

#[test]
fn what_somebody_changed_by_hand_is_a_difference() {
    check(
        json!({}),
        &[("<PubliclyAccessible>false", "<PubliclyAccessible>true")],
        &["/publicly_accessible"],
    );
    check(
        json!({}),
        &[("<CopyTagsToSnapshot>true", "<CopyTagsToSnapshot>false")],
        &["/copy_tags_to_snapshot"],
    );
    check(json!({}), &[("sg-1", "sg-2")], &["/security_groups"]);
    check(json!({}), &[("<Value>git-db</Value>", "<Value>mine</Value>")], &["/tags/Name"]);
    check(
        json!({"maxStorage": "off"}),
        &[("<MaxAllocatedStorage>400</MaxAllocatedStorage>", "")],
        &[],
    );
    check(
        json!({}),
        &[("<MaxAllocatedStorage>400</MaxAllocatedStorage>", "")],
        &["/max_allocated_storage"],
    );
}

#[test]
fn the_same_in_other_words_is_no_difference() {
    check(json!({"version": "17.6"}), &[], &[]);
    check(json!({"version": 17}), &[("17.6", "17.10")], &[]);
    check(json!({"version": 17}), &[("17.6", "17")], &[]);
    // Automatic minor upgrades moved it; without them, it would have to go back.
    check(json!({"version": "17.5"}), &[], &[]);
    check(
        json!({"version": "17.5", "autoMinorUpgrade": false}),
        &[("<AutoMinorVersionUpgrade>true", "<AutoMinorVersionUpgrade>false")],
        &["/engine_version"],
    );
    // Storage grew by itself.
    check(json!({}), &[("<AllocatedStorage>100", "<AllocatedStorage>250")], &[]);
    check(
        json!({"maxStorage": 0}),
        &[
            ("<AllocatedStorage>100", "<AllocatedStorage>250"),
            ("<MaxAllocatedStorage>400</MaxAllocatedStorage>", ""),
        ],
        &["/allocated_storage"],
    );
    check(json!({"logs": ["upgrade", "postgresql"]}), &[], &[]);
    check(json!({"maintenanceWindow": "Sun:04:30-Sun:05:30"}), &[], &[]);
    for key in ["0000-1111", "arn:aws:kms:eu-west-1:111122223333:key/0000-1111", "alias/database"] {
        check(json!({"kmsKeyId": key}), &[], &[]);
    }
    // How to change it is nothing that it has.
    check(json!({"apply": "now"}), &[], &[]);
}

/// What emulators leave out or make up (moto, MiniStack).
#[test]
fn what_the_answer_leaves_out_is_no_difference() {
    check(
        json!({"performanceInsights": true, "kmsKeyId": "0000"}),
        &[
            (
                "<EngineLifecycleSupport>open-source-rds-extended-support-disabled</EngineLifecycleSupport>",
                "",
            ),
            ("<PerformanceInsightsEnabled>false</PerformanceInsightsEnabled>", ""),
            ("<PendingModifiedValues></PendingModifiedValues>", ""),
            ("<PubliclyAccessible>false</PubliclyAccessible>", ""),
            ("arn:aws:kms:eu-west-1:111122223333:key/0000-1111", "default_kms_key_id"),
            ("default.postgres17", "default.postgres"),
        ],
        &[],
    );
    check(
        json!({}),
        &[(
            "git-db.c0ffee.eu-west-1.rds.amazonaws.com</Address><Port>5432",
            "localhost</Address><Port>15432",
        )],
        &[],
    );
}

#[test]
fn what_waits_for_the_window_counts_as_done() {
    let waiting = "<PendingModifiedValues>\
        <DBInstanceClass>db.m7g.xlarge</DBInstanceClass><EngineVersion>18.1</EngineVersion>\
        <AllocatedStorage>200</AllocatedStorage><MultiAZ>true</MultiAZ>\
        <BackupRetentionPeriod>30</BackupRetentionPeriod><StorageType>gp2</StorageType><Port>5433</Port>\
        <CACertificateIdentifier>rds-ca-ecc384-g1</CACertificateIdentifier>\
        </PendingModifiedValues>";
    let settings = |apply: &str| {
        json!({
            "class": "db.m7g.xlarge", "version": 18, "storage": 200, "maxStorage": 400, "storageType": "gp2",
            "backup": {"days": 30}, "port": 5433, "caCertificate": "rds-ca-ecc384-g1", "apply": apply,
        })
    };
    check(settings("window"), &pending(waiting), &[]);
    // Switching to `now` asks for it again, which flushes what waits; but not while RDS is at it.
    let all = [
        "/allocated_storage",
        "/backup_retention_days",
        "/ca_certificate",
        "/class",
        "/engine_version",
        "/port",
        "/storage_type",
    ];
    check(settings("now"), &pending(waiting), &all);
    let modifying = [pending(waiting)[0], ("available", "modifying")];
    check(settings("now"), &modifying, &[]);
}

#[test]
fn logs_that_are_being_switched_count() {
    let waiting = "<PendingModifiedValues><PendingCloudwatchLogsExports>\
        <LogTypesToEnable><member>iam-db-auth-error</member></LogTypesToEnable>\
        <LogTypesToDisable><member>upgrade</member></LogTypesToDisable>\
        </PendingCloudwatchLogsExports></PendingModifiedValues>";
    check(json!({"logs": ["postgresql", "iam-db-auth-error"]}), &pending(waiting), &[]);
}

#[test]
fn our_own_parameter_group_has_to_go_with_the_parameters() {
    check(json!({}), &[("default.postgres17", "git-db-postgres17")], &["/parameter_group"]);
    check(json!({}), &[("default.postgres17", "somebody-elses")], &[]);
    check(
        json!({"parameters": {"work_mem": 8192}}),
        &[("default.postgres17", "git-db-postgres17")],
        &[],
    );
}
