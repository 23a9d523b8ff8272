use serde_json::{Value as Json, json};
use zonestack_core::component::Component;
use zonestack_core::diagnostic::Severity;

use super::*;
use crate::Rds;

fn settings(written: Json) -> Settings {
    serde_json::from_value(written).unwrap()
}

/// Every finding as `code at path: message`.
#[track_caller]
fn check_settings(written: Json, expected: &[&str]) {
    let found: Vec<String> = check(&settings(written))
        .iter()
        .map(|f| {
            let weight = if f.severity == Severity::Error { "" } else { " (advisory)" };
            format!("{}{weight} at {}: {}", f.code, f.path, f.message)
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_defaults_have_no_findings() {
    check_settings(json!({}), &[]);
}

#[test]
fn versions() {
    for good in [json!(17), json!("17"), json!("17.6"), json!("16.13"), json!(14), json!(18)] {
        check_settings(json!({"version": good}), &[]);
    }
    check_settings(
        json!({"version": "9.3"}),
        &[
            "version-unsupported at version: PostgreSQL 9.3 is out of support: RDS would bill extended support",
        ],
    );
    check_settings(
        json!({"version": 12}),
        &[
            "version-unsupported at version: PostgreSQL 12 is out of support: RDS would bill extended support",
        ],
    );
    check_settings(
        json!({"version": 13}),
        &[
            "version-ageing (advisory) at version: RDS's standard support for PostgreSQL 13 has ended. zonestack does not buy extended support, so RDS moves the instance to a newer major version by itself",
        ],
    );
    check_settings(
        json!({"version": 19}),
        &[
            "version-unknown (advisory) at version: PostgreSQL 19 is newer than the versions that zonestack knows",
        ],
    );
    check_settings(
        json!({"version": "17.4"}),
        &[
            "version-retired (advisory) at version: RDS makes no new instance with PostgreSQL 17.4 any more; one that runs it already will be upgraded",
        ],
    );
}

#[test]
fn classes() {
    for good in ["db.m7g.large", "db.t4g.medium", "db.r8g.4xlarge", "db.x2iedn.xlarge"] {
        check_settings(json!({"class": good}), &[]);
    }
    check_settings(
        json!({"class": "m7g.large"}),
        &["class-invalid at class: \"m7g.large\" is no instance class"],
    );
    // The post's.
    check_settings(
        json!({"class": "db.t2.medium"}),
        &[
            "class-retired at class: db.t2.medium is of a generation that RDS does not offer for PostgreSQL 17",
        ],
    );
}

#[test]
fn storage_sizes() {
    for good in [
        json!({"storage": 20}),
        json!({"storage": 65536}),
        json!({"storage": 100, "maxStorage": 110}),
        json!({"storage": 100, "maxStorage": "off"}),
        json!({"storage": 100, "maxStorage": 0}),
        json!({"storage": 100, "storageType": "gp2"}),
    ] {
        check_settings(good, &[]);
    }
    check_settings(
        json!({"storage": 19}),
        &["storage-size at storage: 19 GiB of gp3 storage: RDS takes 20 to 65536"],
    );
    check_settings(
        json!({"storage": 65537}),
        &["storage-size at storage: 65537 GiB of gp3 storage: RDS takes 20 to 65536"],
    );
    check_settings(
        json!({"storage": 50, "storageType": "io2", "iops": 1000}),
        &["storage-size at storage: 50 GiB of io2 storage: RDS takes 100 to 65536"],
    );
    check_settings(
        json!({"storage": 101, "maxStorage": 111}),
        &[
            "max-storage at maxStorage: 111 GiB must be at least 10 % more than storage: 112 for 101",
        ],
    );
    check_settings(
        json!({"maxStorage": 70000}),
        &["max-storage at maxStorage: 70000 GiB is more than the 65536 that RDS takes"],
    );
}

#[test]
fn the_ceiling_is_four_times_the_storage_where_it_fits() {
    #[track_caller]
    fn check(written: Json, expected: u32) {
        assert_eq!(settings(written).ceiling(), expected);
    }
    check(json!({}), 400);
    check(json!({"storage": 20000}), 65536);
    check(json!({"storage": 65000}), 0);
    check(json!({"maxStorage": 250}), 250);
    check(json!({"maxStorage": "off"}), 0);
}

#[test]
fn iops_and_throughput() {
    for good in [
        json!({"storage": 400, "iops": 12000}),
        json!({"storage": 400, "iops": 16000, "throughput": 4000}),
        json!({"storage": 400, "throughput": 500}),
        json!({"storageType": "io1", "iops": 5000}),
        json!({"storageType": "io2", "iops": 100_000}),
    ] {
        check_settings(good, &[]);
    }
    check_settings(
        json!({"storage": 399, "iops": 12000, "throughput": 500}),
        &[
            "iops at iops: gp3 under 400 GiB always has 3000 IOPS, which cannot be set",
            "throughput at throughput: gp3 under 400 GiB always has 125 MiB/s, which cannot be set",
        ],
    );
    check_settings(
        json!({"storage": 400, "iops": 3000}),
        &["iops at iops: 3000 IOPS: RDS takes 12000 to 64000"],
    );
    check_settings(
        json!({"storage": 400, "throughput": 125}),
        &["throughput at throughput: 125 MiB/s: RDS takes 500 to 4000"],
    );
    check_settings(
        json!({"storage": 400, "throughput": 4000}),
        &["throughput at throughput: 4000 MiB/s need 16000 IOPS: four for each MiB/s"],
    );
    check_settings(
        json!({"storageType": "gp2", "iops": 3000, "throughput": 500}),
        &[
            "iops at iops: the IOPS of gp2 follow from its size and cannot be set",
            "throughput at throughput: the throughput of gp2 cannot be set",
        ],
    );
    check_settings(
        json!({"storageType": "io1"}),
        &["iops at iops: io1 needs iops: 1000 to 256000"],
    );
    check_settings(
        json!({"storageType": "io1", "iops": 5001}),
        &["iops at iops: 5001 IOPS for 100 GiB of io1: at most 50 for each GiB, 5000"],
    );
    check_settings(
        json!({"storageType": "io2", "iops": 999}),
        &["iops at iops: 999 IOPS: RDS takes 1000 to 256000"],
    );
}

#[test]
fn names_and_references() {
    check_settings(
        json!({"database": "gitlab_production", "user": "gitlab", "password": {"env": "DB_PASSWORD"}}),
        &[],
    );
    check_settings(
        json!({"database": "git-lab", "user": "admin"}),
        &[
            "database-name at database: the database name \"git-lab\" must be letters, digits and underscores, beginning with a letter",
            "user-name at user: the user name \"admin\" is kept by RDS for itself",
        ],
    );
    check_settings(
        json!({"user": "gitlab_production"}),
        &[
            "user-name at user: the user name \"gitlab_production\" has 17 characters, at most 16 are allowed",
        ],
    );
    for (reference, path) in [
        (json!({"env": ""}), "env"),
        (json!({"file": ""}), "file"),
        (json!({"secret": {"name": "db", "key": ""}}), "secret"),
    ] {
        let expected = format!(
            "password-reference at password.{path}: the reference to the password is empty"
        );
        check_settings(json!({"password": reference}), &[&expected]);
    }
}

#[test]
fn ports() {
    check_settings(json!({"port": 1150}), &[]);
    check_settings(
        json!({"port": 1149}),
        &["port at port: 1149 as TCP port: RDS takes 1150 to 65535"],
    );
}

#[test]
fn backups_and_windows() {
    // The post's own windows touch.
    check_settings(
        json!({"backup": {"window": "04:00-04:30"}, "maintenanceWindow": "sun:04:30-sun:05:30"}),
        &[],
    );
    check_settings(json!({"backup": {"days": 35}}), &[]);
    check_settings(
        json!({"backup": {"days": 36}}),
        &["backup-days at backup.days: 36 days of backups: RDS takes 0 to 35"],
    );
    check_settings(
        json!({"backup": {"days": 0}}),
        &[
            "no-backups (advisory) at backup.days: there are no backups: what is lost in the database is lost for good",
        ],
    );
    check_settings(
        json!({"backup": {"window": "04:00-04:31"}, "maintenanceWindow": "sun:04:30-sun:05:30"}),
        &[
            "windows-overlap at maintenanceWindow: the maintenance window sun:04:30-sun:05:30 and the daily backup window 04:00-04:31 overlap; RDS wants them apart",
        ],
    );
    check_settings(
        json!({"backup": {"window": "4am"}, "maintenanceWindow": "sun:04:30-sun:04:45"}),
        &[
            "backup-window at backup.window: \"4am\" is not written as hh:mm-hh:mm, in UTC",
            "maintenance-window at maintenanceWindow: \"sun:04:30-sun:04:45\" is 15 minutes long, the least is 30",
        ],
    );
}

#[test]
fn encryption() {
    check_settings(json!({"kmsKeyId": "alias/database"}), &[]);
    check_settings(
        json!({"encrypted": false}),
        &[
            "not-encrypted (advisory) at encrypted: the storage, its snapshots and backups are not encrypted, and never can be",
        ],
    );
    check_settings(
        json!({"encrypted": false, "kmsKeyId": "alias/database"}),
        &["kms-key at kmsKeyId: a key is given, but the storage is not encrypted"],
    );
    check_settings(
        json!({"kmsKeyId": "my key"}),
        &["kms-key at kmsKeyId: this is no KMS key: write a key id, an ARN or alias/NAME"],
    );
}

#[test]
fn the_rest() {
    check_settings(json!({"parameters": {"max_connections": 500, "rds.force_ssl": true}}), &[]);
    check_settings(
        json!({"parameters": {"Max Connections": 500}}),
        &[
            "parameter-name at parameters: \"Max Connections\" is no parameter name: small letters, digits, _ and .",
        ],
    );
    check_settings(json!({"logs": []}), &[]);
    check_settings(
        json!({"logs": ["upgrade", "postgresql", "upgrade"]}),
        &["log-twice at logs.2: upgrade stands here twice"],
    );
    check_settings(json!({"caCertificate": "rds-ca-rsa4096-g1"}), &[]);
    check_settings(
        json!({"caCertificate": "letsencrypt"}),
        &["ca-certificate at caCertificate: \"letsencrypt\" is no certificate authority of RDS"],
    );
    check_settings(json!({"multiAz": false, "zone": "eu-west-1b"}), &[]);
    check_settings(
        json!({"zone": "eu-west-1b"}),
        &[
            "zone-of-multi-az at zone: with multiAz, RDS chooses the zones of the instance and its standby",
        ],
    );
}

#[test]
fn every_advisory_is_listed() {
    let mut seen: Vec<_> = [
        json!({"backup": {"days": 0}, "encrypted": false}),
        json!({"version": 13}),
        json!({"version": 19}),
        json!({"version": "17.4"}),
    ]
    .into_iter()
    .flat_map(|written| check(&settings(written)))
    .map(|finding| {
        assert_eq!(finding.severity, Severity::Advisory);
        finding.code
    })
    .collect();
    seen.sort_unstable();
    assert_eq!(seen, ADVISORIES, "the list of known advisories is the list of those there are");
    assert_eq!(Component::describe(&Rds).advisories, ADVISORIES);
}

#[test]
fn every_problem_is_reported_at_once() {
    let findings = check(&settings(json!({"version": 9, "class": "x", "storage": 1, "port": 1})));
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["version-unsupported", "class-invalid", "storage-size", "port"]);
}

#[test]
fn connections_come_from_the_parameter_or_the_class() {
    #[track_caller]
    fn check(written: Json, expected: Option<u32>) {
        assert_eq!(settings(written).max_connections(), expected);
    }
    check(json!({}), Some(879));
    check(json!({"class": "db.t4g.medium"}), Some(428));
    check(json!({"parameters": {"max_connections": 600}}), Some(600));
    check(
        json!({"parameters": {"max_connections": "LEAST({DBInstanceClassMemory/9531392},5000)"}}),
        None,
    );
    check(json!({"class": "db.x2iedn.xlarge"}), None);
}

#[test]
fn unknown_keys_are_refused() {
    let error =
        serde_json::from_value::<Settings>(json!({"publiclyAccessible": true})).unwrap_err();
    assert!(error.to_string().contains("unknown field `publiclyAccessible`"), "{error}");
}
