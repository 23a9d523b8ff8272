use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use zonestack_core::component::{Component, RenderContext};
use zonestack_core::diagnostic::Severity;
use zonestack_core::interface::{CsiVolume, PostgresService};
use zonestack_core::secret::SecretKey;
use zonestack_core::value::Value;

use super::{World, zones};
use crate::Gitlab;
use crate::config::ADVISORIES;

/// Checks the findings of a world: errors first by their codes, then advisories in brackets. What every world has
/// (`git-on-nfs`, `shared-gitaly`, `plain-http`) is left out.
#[track_caller]
fn check(world: &World, expected: &str) {
    let rendered = world.render();
    let usual = ["git-on-nfs", "shared-gitaly", "plain-http"];
    let found: Vec<_> = rendered
        .findings
        .iter()
        .filter(|finding| !usual.contains(&finding.code))
        .map(|finding| match finding.severity {
            Severity::Error => finding.code.to_owned(),
            Severity::Advisory => format!("({})", finding.code),
        })
        .collect();
    assert_eq!(found.join(" "), expected, "{:#?}", rendered.findings);
}

fn version(text: &str, postgres: u32, engine: &str, redis: (u32, u32)) -> World {
    let mut world = World::new(3).with(json!({ "version": text }));
    world.database.major = postgres;
    world.cache.engine = engine.to_owned();
    world.cache.version = redis;
    world
}

#[test]
fn gitlab_is_checked_against_the_database_and_the_cache() {
    for (gitlab, postgres, engine, redis, expected) in [
        ("19.2.0", 17, "valkey", (8, 1), ""),
        ("19.2.0", 16, "valkey", (8, 1), "postgres-version"),
        ("19.2.0", 18, "valkey", (8, 1), "postgres-version"),
        ("18.11.0", 16, "redis", (7, 2), ""),
        ("18.11.0", 17, "valkey", (8, 1), "redis-version"),
        ("17.11.0", 14, "redis", (6, 2), ""),
        ("17.11.0", 17, "redis", (7, 2), "postgres-version"),
        ("16.11.0", 13, "redis", (7, 2), ""),
        ("19.2.0", 17, "redis", (6, 2), "redis-version"),
        ("20.0.0", 17, "valkey", (8, 1), "(untested-version)"),
        ("20.0.0", 16, "valkey", (8, 1), "(untested-version) postgres-version"),
    ] {
        check(&version(gitlab, postgres, engine, redis), expected);
    }
}

#[test]
fn a_cache_with_tls_or_a_password_is_refused() {
    let mut world = World::new(3);
    world.cache.tls = true;
    check(&world, "redis-access");
    world.cache.tls = false;
    world.cache.auth = Some(SecretKey { name: "cache".to_owned(), key: "password".to_owned() });
    check(&world, "redis-access");
}

#[test]
fn unsupported_databases_are_named() {
    for (service, expected) in [
        (PostgresService::RdsInstance, ""),
        (PostgresService::Other, ""),
        (PostgresService::RdsCluster, "(rds-cluster)"),
        (PostgresService::Aurora, "(aurora)"),
    ] {
        let mut world = World::new(3);
        world.database.service = service;
        check(&world, expected);
    }
}

#[test]
fn burstable_databases_are_named_whatever_the_service() {
    for (service, also) in
        [(PostgresService::RdsInstance, ""), (PostgresService::Aurora, "(aurora) ")]
    {
        for (size, expected) in [
            ("db.t3.2xlarge", "(burstable-database)"),
            ("db.t4g.2xlarge", "(burstable-database)"),
            ("db.r7g.large", ""),
            ("db.serverless of 0.5 to 16 ACUs", ""),
            ("db.theirs", ""),
        ] {
            let mut world = World::new(3);
            world.database.service = service;
            world.database.size = size.to_owned();
            check(&world, format!("{also}{expected}").trim());
        }
    }
}

#[test]
fn connections_of_all_zones_must_fit() {
    let mut world = World::new(3);
    for (is_nominal, max, expected) in [
        (false, None, ""),
        (false, Some(521), ""),
        (false, Some(519), "too-many-connections"),
        // Three zones may be made up, two are the least that are meant.
        (true, Some(347), ""),
        (true, Some(346), "too-many-connections"),
    ] {
        world.context.is_nominal = is_nominal;
        world.database.max_connections = max;
        check(&world, expected);
    }
    let one_pod =
        World { config: json!({ "host": "git.example.com", "mode": "failover" }), ..world };
    check(&one_pod, "");
}

#[test]
fn storage_must_reach_the_zones() {
    let mut one_zone = World::new(3);
    one_zone.storage = super::efs(&zones(1));
    one_zone.storage.regional = false;
    check(&one_zone, "(storage-one-zone)");

    let mut gap = World::new(3);
    gap.storage = super::efs(&zones(2));
    check(&gap, "no-endpoint");

    let mut none = World::new(1);
    none.storage = super::efs(&[]);
    check(&none, "no-endpoint");

    let mut csi = World::new(3);
    csi.storage = super::efs(&[]);
    csi.storage.csi = Some(CsiVolume {
        driver: "efs.csi.aws.com".to_owned(),
        handle: Value::from("fs-1"),
        attributes: std::collections::BTreeMap::new(),
    });
    check(&csi, "");

    let mut bound = World::new(3).with(json!({ "mode": "failover" }));
    bound.storage.regional_server = None;
    check(&bound, "(storage-zone-bound)");
}

#[test]
fn what_is_said_of_files_names_the_service_that_has_them() {
    for mode in ["active", "failover"] {
        let mut world = World::new(3).with(json!({ "mode": mode }));
        world.storage = super::fsx(&zones(3));
        check(&world, "");
        let rendered = world.render();
        let on_nfs = rendered.findings.iter().find(|finding| finding.code == "git-on-nfs").unwrap();
        assert!(on_nfs.message.contains("NFS (Amazon FSx for OpenZFS)"), "{}", on_nfs.message);
        let pods = rendered.findings.iter().any(|finding| finding.code == "shared-gitaly");
        assert_eq!(pods, mode == "active");
        for finding in &rendered.findings {
            let words = format!("{} {}", finding.message, finding.hint.clone().unwrap_or_default());
            assert!(!words.contains("EFS") && !words.contains("mount target"), "{words}");
        }
        world.storage.regional = false;
        check(&world, "(storage-one-zone)");
    }
}

#[test]
fn zones_must_carry_their_pods() {
    let mut world = World::new(3);
    world.context.zones[1].largest_node_memory = 4 << 30;
    check(&world, "");
    world.context.is_nominal = false;
    check(&world, "zone-too-small");
    world.context.zones[2].cpu_millis = 1000;
    check(&world, "zone-too-small zone-too-small");
    world = world.with(json!({ "mode": "failover" }));
    check(&world, "");
    world.context.zones[0].largest_node_memory = 4 << 30;
    check(&world, "zone-too-small zone-too-small zone-too-small");
}

#[test]
fn a_certificate_is_of_the_region_of_the_load_balancer() {
    let https = |region: &str| json!({ "https": { "certificate": format!("arn:aws:acm:{region}:111122223333:certificate/a") } });
    check(&World::new(3).with(https("eu-west-1")), "");
    check(&World::new(3).with(https("us-east-1")), "certificate-elsewhere");
}

#[test]
fn backups_are_made_in_a_zone_of_the_stack() {
    let backup = |zone: &str| json!({ "backup": { "schedule": "daily", "zone": zone } });
    check(&World::new(3).with(backup("eu-west-1c")), "");
    let mut world = World::new(2).with(backup("eu-west-1c"));
    check(&world, "");
    world.context.is_nominal = false;
    check(&world, "unknown-zone");
}

#[test]
fn every_advisory_is_listed() {
    let mut worlds =
        [World::new(3), World::new(3).with(json!({ "mode": "failover", "version": "20.0.0" }))];
    worlds[0].database.service = PostgresService::Aurora;
    worlds[0].database.size = "db.t4g.2xlarge".to_owned();
    worlds[0].storage.regional = false;
    worlds[1].database.service = PostgresService::RdsCluster;
    worlds[1].storage.regional_server = None;
    let mut seen: Vec<_> = worlds
        .iter()
        .flat_map(|world| world.render().findings)
        .filter(|finding| finding.severity == Severity::Advisory)
        .map(|finding| finding.code)
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, ADVISORIES, "the list of known advisories is the list of those there are");
    assert_eq!(Gitlab.describe().advisories, ADVISORIES);
}

#[test]
fn messages_say_what_to_do() {
    let mut world = version("19.2.0", 16, "redis", (6, 2));
    world.cache.tls = true;
    world.database.max_connections = Some(430);
    world.database.size = "db.t4g.medium".to_owned();
    world.context.is_nominal = false;
    world.context.zones[0].largest_node_memory = 4 << 30;
    let text: String = world
        .render()
        .findings
        .iter()
        .map(|f| {
            format!(
                "{} at {:?}\n  {}\n  {}\n",
                f.code,
                f.path,
                f.message,
                f.hint.as_deref().unwrap_or("-")
            )
        })
        .collect::<Vec<_>>()
        .concat();
    assert_snapshot!(text);
}

#[test]
fn a_wrong_wiring_is_an_error_and_not_a_panic() {
    let world = World::new(1);
    let cx = RenderContext {
        component: &"gitlab".parse().unwrap(),
        called: &"gitlab".parse().unwrap(),
        context: &world.context,
        requirements: &std::collections::BTreeMap::new(),
        consumers: 0,
    };
    let rendered = Gitlab.render(&json!({ "host": "git.example.com" }) as &Json, &cx);
    assert_eq!(rendered.findings[0].code, "not-wired");
}
