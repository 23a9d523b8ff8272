use serde_json::{Value as Json, json};
use zonestack_core::component::Component;
use zonestack_core::diagnostic::Severity;

use super::*;
use crate::Aurora;

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
    for good in [json!(17), json!("17"), json!("17.6"), json!("16.13"), json!(14), json!("18.3")] {
        check_settings(json!({"version": good}), &[]);
    }
    check_settings(
        json!({"version": "12.7"}),
        &[
            "version-unsupported at version: PostgreSQL 12.7 is out of support: AWS would bill extended support",
        ],
    );
    check_settings(
        json!({"version": 13}),
        &[
            "version-ageing (advisory) at version: Aurora's standard support for PostgreSQL 13 has ended. zonestack does not buy extended support, so AWS moves the cluster to a newer major version by itself",
        ],
    );
    check_settings(
        json!({"version": 19}),
        &[
            "version-unknown (advisory) at version: PostgreSQL 19 is newer than the versions of Aurora that zonestack knows",
        ],
    );
    check_settings(
        json!({"version": "17.2"}),
        &["version-unsupported at version: Aurora has no PostgreSQL 17.2: its 17 began with 17.4"],
    );
}

#[test]
fn classes() {
    for good in ["db.r7g.large", "db.r9g.4xlarge", "db.t4g.medium", "db.x2iedn.xlarge"] {
        check_settings(json!({"class": good}), &[]);
    }
    check_settings(
        json!({"class": "r7g.large"}),
        &["class-invalid at class: \"r7g.large\" is no instance class"],
    );
    check_settings(
        json!({"class": "db.serverless"}),
        &["class-invalid at class: db.serverless needs to know its capacities"],
    );
    // The default of the rds component.
    check_settings(
        json!({"class": "db.m7g.large"}),
        &["class-not-of-aurora at class: db.m7g.large is of a family that Aurora does not have"],
    );
    check_settings(
        json!({"class": "db.r4.large"}),
        &[
            "class-retired at class: db.r4.large is of a generation that Aurora does not offer for PostgreSQL 17",
        ],
    );
    check_settings(
        json!({"class": "db.r7g.large", "serverless": {"min": 1, "max": 8}}),
        &["class-of-serverless at class: serverless instances have no class of their own"],
    );
}

#[test]
fn a_class_that_aurora_does_not_have_is_answered_with_one_that_it_has() {
    for class in ["db.m7g.large", "db.c6gd.large", "db.mac2.large", "db.r3.large"] {
        let found = check(&settings(json!({"class": class})));
        let hint = found[0].hint.as_deref().unwrap();
        let named = hint.split_whitespace().rev().find(|word| word.starts_with("db.r")).unwrap();
        check_settings(json!({"class": named}), &[]);
    }
}

#[test]
fn capacities() {
    for (min, max) in [(0.0, 1.0), (0.5, 8.0), (2.5, 2.5), (256.0, 256.0)] {
        check_settings(json!({"serverless": {"min": min, "max": max}}), &[]);
    }
    check_settings(
        json!({"serverless": {"min": -1, "max": 0.5}}),
        &[
            "serverless-capacity at serverless.min: -1 ACUs: Aurora takes 0 to 256",
            "serverless-capacity at serverless.max: 0.5 ACUs: Aurora takes 1 to 256",
        ],
    );
    check_settings(
        json!({"serverless": {"min": 0.25, "max": 300}}),
        &[
            "serverless-capacity at serverless.min: 0.25 ACUs: Aurora counts in steps of 0.5",
            "serverless-capacity at serverless.max: 300 ACUs: Aurora takes 1 to 256",
        ],
    );
    check_settings(
        json!({"serverless": {"min": 8, "max": 4}}),
        &["serverless-capacity at serverless.min: min is 8 ACUs, more than max: 4"],
    );
    for bad in [json!({"min": 1}), json!({"max": 1}), json!(8), json!({"min": 1, "max": 2, "x": 3})]
    {
        assert!(serde_json::from_value::<Settings>(json!({"serverless": bad})).is_err(), "{bad}");
    }
}

#[test]
fn numbers_of_instances() {
    for good in [2, 3, 16] {
        check_settings(json!({"instances": good}), &[]);
    }
    check_settings(json!({"instances": 1, "allowSingleInstance": true}), &[]);
    check_settings(
        json!({"instances": 1}),
        &[
            "instances at instances: with one instance the database stands still when its zone is lost",
        ],
    );
    for (bad, message) in
        [(0, "0 instances: a cluster has 1 to 16"), (17, "17 instances: a cluster has 1 to 16")]
    {
        let message = format!("instances at instances: {message}");
        check_settings(json!({"instances": bad, "allowSingleInstance": true}), &[&message]);
    }
}

#[test]
fn names_and_passwords() {
    check_settings(json!({"database": "gitlab_production", "user": "gitlab"}), &[]);
    check_settings(
        json!({"database": "a-b", "user": "admin"}),
        &[
            "database-name at database: the database name \"a-b\" must be letters, digits and underscores, beginning with a letter",
            "user-name at user: the user name \"admin\" is kept by RDS for itself",
        ],
    );
    check_settings(json!({"password": {"env": "DB"}}), &[]);
    check_settings(
        json!({"password": {"env": ""}}),
        &["password-reference at password.env: the reference to the password is empty"],
    );
}

#[test]
fn ports_and_backups() {
    check_settings(json!({"port": 1150, "backup": {"days": 35}}), &[]);
    check_settings(
        json!({"port": 443, "backup": {"days": 0}}),
        &[
            "port at port: 443 as TCP port: Aurora takes 1150 to 65535",
            "backup-days at backup.days: 0 days of backups: Aurora takes 1 to 35",
        ],
    );
}

#[test]
fn windows_are_apart() {
    let windows = |daily: &str, weekly: &str| json!({"backup": {"window": daily}, "maintenanceWindow": weekly});
    check_settings(windows("04:00-04:30", "sun:04:30-sun:05:30"), &[]);
    check_settings(
        windows("04:00-05:00", "sun:04:30-sun:05:30"),
        &[
            "windows-overlap at maintenanceWindow: the maintenance window sun:04:30-sun:05:30 and the daily backup window 04:00-05:00 overlap; RDS wants them apart",
        ],
    );
    check_settings(
        windows("4-5", "04:30-05:30"),
        &[
            "backup-window at backup.window: \"4-5\" is not written as hh:mm-hh:mm, in UTC",
            "maintenance-window at maintenanceWindow: \"04:30-05:30\" is not written as ddd:hh:mm-ddd:hh:mm, in UTC",
        ],
    );
}

#[test]
fn snapshots() {
    for good in [
        "git-db-final-1",
        "rds:git-db-2026-11-23-04-00",
        "arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:git-db-final-1",
        "arn:aws:rds:eu-west-1:111122223333:snapshot:git-db-moving",
    ] {
        check_settings(json!({"fromSnapshot": good}), &[]);
    }
    for bad in ["", "1a", "a b", "arn:aws:rds:eu-west-1:111122223333:db:git-db"] {
        let message = format!("snapshot-name at fromSnapshot: {bad:?} is no snapshot");
        check_settings(json!({"fromSnapshot": bad}), &[&message]);
    }
}

#[test]
fn the_rest() {
    check_settings(
        json!({
            "kmsKeyId": "a b", "parameters": {"Max Connections": 1}, "logs": ["postgresql", "postgresql"],
            "caCertificate": "mine",
        }),
        &[
            "kms-key at kmsKeyId: this is no KMS key: write a key id, an ARN or alias/NAME",
            "parameter-name at parameters: \"Max Connections\" is no parameter name: small letters, digits, _ and .",
            "log-twice at logs.1: postgresql stands here twice",
            "ca-certificate at caCertificate: \"mine\" is no certificate authority of RDS",
        ],
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let wrong = json!({
        "version": 9, "class": "x", "serverless": {"min": 9, "max": 4}, "instances": 0, "database": "", "user": "", "port": 1,
        "backup": {"days": 99}, "fromSnapshot": "",
    });
    let codes: Vec<_> = check(&settings(wrong)).into_iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        [
            "version-unsupported",
            "class-of-serverless",
            "serverless-capacity",
            "instances",
            "database-name",
            "user-name",
            "port",
            "backup-days",
            "snapshot-name",
        ]
    );
}

#[test]
fn every_advisory_is_declared() {
    for written in [json!({"version": 13}), json!({"version": 99})] {
        for finding in check(&settings(written)) {
            assert!(ADVISORIES.contains(&finding.code), "{}", finding.code);
        }
    }
    assert_eq!(Component::describe(&Aurora).advisories, ADVISORIES);
}

#[test]
fn connections_come_from_the_parameter_the_class_or_the_capacity() {
    #[track_caller]
    fn check(written: Json, size: &str, expected: Option<u32>) {
        let settings = settings(written);
        assert_eq!((settings.size().as_str(), settings.max_connections()), (size, expected));
    }
    check(json!({}), "db.r7g.large", Some(1780));
    check(json!({"class": "db.t4g.medium"}), "db.t4g.medium", Some(428));
    check(json!({"class": "db.x2iedn.xlarge"}), "db.x2iedn.xlarge", None);
    let serverless = json!({"min": 0.5, "max": 8});
    check(json!({"serverless": serverless}), "db.serverless of 0.5 to 8 ACUs", Some(1667));
    let parameters = json!({"max_connections": 600});
    check(
        json!({"serverless": serverless, "parameters": parameters}),
        "db.serverless of 0.5 to 8 ACUs",
        Some(600),
    );
}

#[test]
fn unknown_keys_are_refused() {
    let error = serde_json::from_value::<Settings>(json!({"multiAz": true})).unwrap_err();
    assert!(error.to_string().contains("unknown field `multiAz`"), "{error}");
}
