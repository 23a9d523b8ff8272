use serde_json::{Value as Json, json};
use zonestack_core::driver::Driver;

use super::super::REPLICATION_GROUP;
use super::super::recorded::{
    cx, differences, driver, group, owner, paths, query, run, seen, spec_of,
};

/// Observes `git-cache` with some of its description replaced, against settings, and names what differs.
#[track_caller]
fn check(settings: Json, edits: &[(&str, &str)], expected: &[&str]) {
    let (driver, _) = driver(seen(edits));
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, settings);
    let queries = [query(group(), spec.clone())];
    let found = run(driver.observe(cx(&owner), &queries));
    let found = found[0].as_ref().unwrap();
    assert_eq!(paths(&differences(&spec, &found.attributes)), expected, "{edits:?}");
}

const NO_NODE_WAITS: &str = "<PendingModifiedValues></PendingModifiedValues>";

#[test]
fn every_setting_that_differs_is_a_difference() {
    for (settings, path) in [
        (json!({"class": "cache.r7g.large"}), "/class"),
        (json!({"version": "8.2"}), "/engine_version"),
        (json!({"replicas": 1}), "/zones"),
        (json!({"replicas": 3}), "/zones"),
        (json!({"port": 6380}), "/port"),
        (json!({"tls": "preferred"}), "/tls"),
        (json!({"tls": "required"}), "/tls"),
        (json!({"encrypted": false}), "/at_rest_encryption"),
        (json!({"kmsKeyId": "2222-3333"}), "/kms_key_id"),
        (json!({"backup": {"days": 14}}), "/snapshot_retention_days"),
        (json!({"backup": {"window": "01:00-02:00"}}), "/snapshot_window"),
        (json!({"maintenanceWindow": "mon:04:30-mon:05:30"}), "/maintenance_window"),
        (json!({"autoMinorUpgrade": false}), "/auto_minor_version_upgrade"),
    ] {
        check(settings, &[], &[path]);
    }
    check(json!({"version": "9.0"}), &[], &["/engine_version", "/parameter_group"]);
    check(json!({"tls": "required", "auth": true}), &[], &["/auth", "/tls"]);
    check(json!({"engine": "redis"}), &[], &["/engine", "/engine_version", "/parameter_group"]);
}

#[test]
fn what_somebody_changed_by_hand_is_a_difference() {
    for (from, to, path) in [
        ("<MultiAZ>enabled", "<MultiAZ>disabled", "/multi_az"),
        ("<AutomaticFailover>enabled", "<AutomaticFailover>disabling", "/automatic_failover"),
        ("<ClusterEnabled>false", "<ClusterEnabled>true", "/cluster_mode"),
        ("sg-1", "sg-2", "/security_groups"),
        (">git-cache-valkey8<", ">default.valkey8<", "/parameter_group"),
        ("Cache, sessions and", "Something like", "/description"),
        ("eu-west-1c", "eu-west-1b", "/zones"),
    ] {
        check(json!({}), &[(from, to)], &[path]);
    }
}

/// One node that lags behind is enough for a difference.
#[test]
fn nodes_that_differ_are_a_difference() {
    let settings = json!({"version": "8.1", "autoMinorUpgrade": false});
    let old = [
        ("<AutoMinorVersionUpgrade>true", "<AutoMinorVersionUpgrade>false"),
        (
            "git-cache-003</CacheClusterId>\n  <ReplicationGroupId>git-cache</ReplicationGroupId>\n  \
             <CacheClusterStatus>available</CacheClusterStatus>\n  <Engine>valkey</Engine>\n  <EngineVersion>8.1.0",
            "git-cache-003</CacheClusterId>\n  <ReplicationGroupId>git-cache</ReplicationGroupId>\n  \
             <CacheClusterStatus>available</CacheClusterStatus>\n  <Engine>valkey</Engine>\n  <EngineVersion>8.0.1",
        ),
    ];
    check(settings, &old, &["/engine_version"]);
}

#[test]
fn the_same_in_other_words_is_no_difference() {
    check(json!({"version": "8.1"}), &[], &[]);
    // Automatic minor upgrades moved it.
    check(json!({"version": "8.0"}), &[], &[]);
    check(json!({"backup": {"window": "03:00-04:00"}}), &[], &[]);
    check(json!({"maintenanceWindow": "Sun:04:30-Sun:05:30"}), &[], &[]);
    for key in ["0000-1111", "arn:aws:kms:eu-west-1:111122223333:key/0000-1111", "alias/cache"] {
        check(json!({"kmsKeyId": key}), &[], &[]);
    }
    // How to change it, and what it was made from, is nothing that it has.
    check(json!({"apply": "now", "fromSnapshot": "git-old"}), &[], &[]);
    check(json!({}), &[("<AutomaticFailover>enabled", "<AutomaticFailover>enabling")], &[]);
    check(
        json!({"tls": "required"}),
        &[("<TransitEncryptionEnabled>false", "<TransitEncryptionEnabled>true")],
        &[],
    );
}

/// What emulators leave out or make up (moto, MiniStack).
#[test]
fn what_the_answer_leaves_out_is_no_difference() {
    check(
        json!({"kmsKeyId": "0000", "port": 6380}),
        &[
            ("arn:aws:kms:eu-west-1:111122223333:key/0000-1111", "default_kms_key_id"),
            ("git-cache.c0ffee.ng.0001.euw1.cache.amazonaws.com", "redis"),
            (
                "<SecurityGroups><member><SecurityGroupId>sg-1</SecurityGroupId><Status>active</Status></member></SecurityGroups>",
                "",
            ),
            ("<AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>", ""),
            ("<PreferredAvailabilityZone>eu-west-1b</PreferredAvailabilityZone>", ""),
            (NO_NODE_WAITS, ""),
        ],
        &[],
    );
}

#[test]
fn what_waits_for_the_window_counts_as_done() {
    let waiting = "<PendingModifiedValues><CacheNodeType>cache.m7g.xlarge</CacheNodeType>\
                   <EngineVersion>9.0</EngineVersion></PendingModifiedValues>";
    let settings =
        |apply: &str| json!({"class": "cache.m7g.xlarge", "version": "9.0", "apply": apply});
    let edits = [(NO_NODE_WAITS, waiting)];
    check(settings("window"), &edits, &[]);
    // Switching to `now` asks for it again, which flushes what waits; but not while ElastiCache is at it.
    check(settings("now"), &edits, &["/class", "/engine_version", "/parameter_group"]);
    let modifying = [
        edits[0],
        ("<Status>available</Status>\n  <Engine>", "<Status>modifying</Status>\n  <Engine>"),
    ];
    check(settings("now"), &modifying, &[]);
}

#[test]
fn encryption_that_is_being_switched_counts() {
    let waiting = "<PendingModifiedValues><TransitEncryptionEnabled>true</TransitEncryptionEnabled>\
                   <TransitEncryptionMode>preferred</TransitEncryptionMode></PendingModifiedValues>";
    check(json!({"tls": "preferred"}), &[(NO_NODE_WAITS, waiting)], &[]);
    check(json!({"tls": "required"}), &[(NO_NODE_WAITS, waiting)], &["/tls"]);
}
