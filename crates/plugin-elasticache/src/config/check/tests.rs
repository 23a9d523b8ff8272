use serde_json::{Value as Json, json};
use zonestack_core::component::Component;
use zonestack_core::diagnostic::Severity;

use super::*;
use crate::ElastiCache;

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
    let settings = settings(json!({}));
    assert_eq!(settings.version().to_string(), "8.1");
    assert_eq!(settings.parameters()["maxmemory-policy"], "noeviction");
}

#[test]
fn versions_and_their_families() {
    #[track_caller]
    fn good(engine: &str, version: &str, family: &str) {
        let written = json!({"engine": engine, "version": version});
        check_settings(written.clone(), &[]);
        assert_eq!(settings(written).family(), family);
    }
    good("valkey", "7.2", "valkey7");
    good("valkey", "8.0", "valkey8");
    good("valkey", "9.0", "valkey9");
    good("redis", "6.2", "redis6.x");
    good("redis", "7.0", "redis7");
    good("redis", "7.1", "redis7");
    assert_eq!(settings(json!({"engine": "redis"})).family(), "redis7");
    check_settings(
        json!({"engine": "redis", "version": "7.2"}),
        &["version-unsupported at version: ElastiCache has Redis OSS up to 7.1 only"],
    );
    check_settings(
        json!({"engine": "redis", "version": "5.0"}),
        &[
            "version-unsupported at version: Redis OSS 5.0 is out of standard support, and GitLab needs 6.2 or later",
        ],
    );
    check_settings(
        json!({"version": "7.1"}),
        &["version-unsupported at version: Valkey 7.1 does not exist: the first version was 7.2"],
    );
    check_settings(
        json!({"version": "10.0"}),
        &[
            "version-unknown (advisory) at version: Valkey 10.0 is newer than the versions that zonestack knows",
        ],
    );
}

#[test]
fn classes() {
    for good in ["cache.m7g.large", "cache.t4g.micro", "cache.r7g.16xlarge"] {
        check_settings(json!({"class": good}), &[]);
    }
    check_settings(
        json!({"class": "m7g.large"}),
        &["class-invalid at class: \"m7g.large\" is no node type"],
    );
    check_settings(
        json!({"class": "cache.m3.large"}),
        &[
            "class-retired at class: cache.m3.large is of a generation that ElastiCache makes no nodes of",
        ],
    );
    check_settings(
        json!({"class": "cache.r6gd.xlarge"}),
        &[
            "class-tiered at class: cache.r6gd.xlarge keeps data on disks, which this component does not set up",
        ],
    );
}

#[test]
fn replicas_and_ports() {
    for good in [json!({"replicas": 1}), json!({"replicas": 5}), json!({"port": 6380})] {
        check_settings(good, &[]);
    }
    for (given, message) in [(0, "0 replicas"), (6, "6 replicas")] {
        let expected = format!("replicas at replicas: {message}: ElastiCache takes 1 to 5");
        check_settings(json!({"replicas": given}), &[&expected]);
    }
    check_settings(json!({"port": 0}), &["port at port: 0 is no TCP port"]);
}

#[test]
fn encryption_on_the_way_and_passwords() {
    for good in [
        json!({"tls": "preferred"}),
        json!({"tls": "required"}),
        json!({"tls": "required", "auth": true}),
        json!({"tls": "required", "auth": true, "authToken": {"env": "TOKEN"}}),
        json!({"engine": "redis", "version": "7.0", "tls": "preferred"}),
        json!({"engine": "redis", "version": "6.2", "tls": "required"}),
    ] {
        check_settings(good, &[]);
    }
    check_settings(
        json!({"engine": "redis", "version": "6.2", "tls": "preferred"}),
        &[
            "tls-version at tls: Redis OSS 6.2 takes either encrypted or plain connections, not both",
        ],
    );
    for tls in ["disabled", "preferred"] {
        let expected = format!(
            "auth-without-tls at auth: ElastiCache takes a password over encrypted connections only, and tls is {tls}"
        );
        check_settings(json!({"tls": tls, "auth": true}), &[&expected]);
    }
    check_settings(
        json!({"authToken": {"env": ""}}),
        &[
            "auth-token-unused at authToken: a password is given, but auth is off",
            "auth-token-reference at authToken.env: the reference to the password is empty",
        ],
    );
    for (reference, path) in
        [(json!({"file": ""}), "file"), (json!({"secret": {"name": "x", "key": ""}}), "secret")]
    {
        let expected = format!(
            "auth-token-reference at authToken.{path}: the reference to the password is empty"
        );
        let written = json!({"tls": "required", "auth": true, "authToken": reference});
        check_settings(written, &[&expected]);
    }
}

#[test]
fn snapshots_and_windows() {
    check_settings(
        json!({"backup": {"days": 35, "window": "03:30-04:30"}, "maintenanceWindow": "sun:04:30-sun:05:30"}),
        &[],
    );
    check_settings(
        json!({"backup": {"days": 36}}),
        &["backup-days at backup.days: 36 days of snapshots: ElastiCache takes 0 to 35"],
    );
    check_settings(
        json!({"backup": {"days": 0}}),
        &[
            "no-backups (advisory) at backup.days: there are no snapshots: sessions and queued jobs that are lost are lost for good",
        ],
    );
    check_settings(
        json!({"backup": {"window": "03:30-04:31"}, "maintenanceWindow": "sun:04:30-sun:05:30"}),
        &[
            "windows-overlap at maintenanceWindow: the maintenance window sun:04:30-sun:05:30 and the daily snapshot window 03:30-04:31 overlap; ElastiCache wants them apart",
        ],
    );
    check_settings(
        json!({"backup": {"window": "4am"}, "maintenanceWindow": "sun:04:30-sun:05:00"}),
        &[
            "backup-window at backup.window: \"4am\" is not written as hh:mm-hh:mm, in UTC",
            "maintenance-window at maintenanceWindow: \"sun:04:30-sun:05:00\" is 30 minutes long, the least is 60",
        ],
    );
    check_settings(json!({"fromSnapshot": "automatic.git-cache-2026-11-23-05-00"}), &[]);
    for bad in ["", "a b", "arn:aws:s3:::bucket/x.rdb"] {
        let expected = format!("snapshot-name at fromSnapshot: {bad:?} is no name of a snapshot");
        check_settings(json!({"fromSnapshot": bad}), &[&expected]);
    }
}

#[test]
fn encryption_at_rest() {
    check_settings(json!({"kmsKeyId": "alias/cache"}), &[]);
    check_settings(
        json!({"encrypted": false}),
        &[
            "not-encrypted (advisory) at encrypted: snapshots and what nodes write to disk are not encrypted, and never can be",
        ],
    );
    check_settings(
        json!({"encrypted": false, "kmsKeyId": "alias/cache"}),
        &["kms-key at kmsKeyId: a key is given, but nothing is encrypted"],
    );
    check_settings(
        json!({"kmsKeyId": "my key"}),
        &["kms-key at kmsKeyId: this is no KMS key: write a key id, an ARN or alias/NAME"],
    );
}

#[test]
fn parameters() {
    check_settings(
        json!({"parameters": {"timeout": 300, "activedefrag": true, "maxmemory-policy": "noeviction"}}),
        &[],
    );
    check_settings(
        json!({"parameters": {"Time Out": 300, "cluster-enabled": "yes"}}),
        &[
            "parameter-name at parameters: \"Time Out\" is no parameter name: small letters, digits, - and _",
            "cluster-mode at parameters.cluster-enabled: this component makes replication groups without cluster mode, which no client of it speaks",
        ],
    );
    check_settings(
        json!({"parameters": {"maxmemory-policy": "allkeys-lru"}}),
        &[
            "eviction (advisory) at parameters.maxmemory-policy: with allkeys-lru, a full memory throws out what it likes, queued jobs too; GitLab needs noeviction",
        ],
    );
}

#[test]
fn every_advisory_is_listed() {
    let mut seen: Vec<_> = [
        json!({"backup": {"days": 0}, "encrypted": false}),
        json!({"version": "10.0", "parameters": {"maxmemory-policy": "volatile-lru"}}),
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
    assert_eq!(Component::describe(&ElastiCache).advisories, ADVISORIES);
}

#[test]
fn every_problem_is_reported_at_once() {
    let written = json!({
        "version": "1.0", "class": "x", "replicas": 9, "port": 0, "auth": true, "backup": {"days": 99},
    });
    let codes: Vec<_> = check(&settings(written)).iter().map(|finding| finding.code).collect();
    let expected = [
        "version-unsupported",
        "class-invalid",
        "replicas",
        "port",
        "auth-without-tls",
        "backup-days",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn unknown_keys_are_refused() {
    let error = serde_json::from_value::<Settings>(json!({"clusterMode": true})).unwrap_err();
    assert!(error.to_string().contains("unknown field `clusterMode`"), "{error}");
}
