#![expect(clippy::needless_pass_by_value, reason = "cases read better as json!({…})")]

use serde_json::{Value as Json, json};
use zonestack_core::component::Component;
use zonestack_core::name::ComponentName;

use super::*;
use crate::ElastiCache;

fn context(zones: usize) -> Context {
    context_of("git", zones)
}

fn context_of(stack: &str, zones: usize) -> Context {
    let zones: Vec<Zone> = ["a", "b", "c", "d", "e", "f"][..zones]
        .iter()
        .map(|z| format!("eu-west-1{z}").parse().unwrap())
        .collect();
    Context::nominal(stack.parse().unwrap(), "git", "eu-west-1", &zones)
}

fn rendered(settings: Json, zones: usize) -> Rendered {
    rendered_as("cache", "cache", &context(zones), settings)
}

/// As the component of a name, which was called otherwise when it made its things.
fn rendered_as(name: &str, called: &str, context: &Context, settings: Json) -> Rendered {
    let component: ComponentName = name.parse().unwrap();
    let called: ComponentName = called.parse().unwrap();
    let requirements = BTreeMap::new();
    Component::render(
        &ElastiCache,
        &settings,
        &RenderContext {
            component: &component,
            called: &called,
            context,
            requirements: &requirements,
            consumers: 1,
        },
    )
}

fn find<'a>(rendered: &'a Rendered, id: &str) -> &'a Resource {
    rendered.resources.iter().find(|resource| resource.id.to_string() == id).unwrap()
}

fn redis(rendered: &Rendered) -> &Redis {
    match rendered.exports.as_slice() {
        [Export::Redis(redis)] => redis,
        other => panic!("{other:?}"),
    }
}

/// Everything about the resources that matters to a reader.
fn summary(rendered: &Rendered) -> Json {
    let resources = rendered.resources.iter().map(|r| {
        let needs: Vec<_> =
            r.all_needs().iter().map(|n| format!("{} {:?}", n.id, n.until)).collect();
        json!({
            "id": r.id.to_string(),
            "kind": r.kind.as_str(),
            "name": r.name,
            "data": r.data.as_str(),
            "placement": format!("{:?}", r.placement),
            "needs": needs,
            "spec": r.spec.to_json(),
        })
    });
    resources.collect()
}

#[test]
fn over_two_zones() {
    let rendered = rendered(json!({}), 2);
    insta::assert_snapshot!(format!("{:#}", summary(&rendered)));
    assert_eq!(rendered.findings, []);
}

/// TLS, a password that is made, everything optional, and a snapshot to begin with.
#[test]
fn with_everything_set() {
    let settings = json!({
        "engine": "redis", "version": "6.2", "class": "cache.r7g.xlarge", "replicas": 3, "port": 6380,
        "tls": "required", "auth": true, "kmsKeyId": "alias/cache",
        "backup": {"days": 14, "window": "03:00-04:00"}, "maintenanceWindow": "Sun:04:30-Sun:05:30",
        "apply": "now", "parameters": {"timeout": 300, "activedefrag": true}, "autoMinorUpgrade": false,
        "fromSnapshot": "git-old-final",
    });
    let rendered = rendered(settings, 3);
    insta::assert_snapshot!(format!("{:#}", summary(&rendered)));
    insta::assert_debug_snapshot!("the_export", redis(&rendered));
    insta::assert_debug_snapshot!("outputs", rendered.outputs);
}

#[test]
fn one_zone_is_refused_and_exports_are_there_nevertheless() {
    let rendered = rendered(json!({}), 1);
    let [finding] = rendered.findings.as_slice() else { panic!("{:?}", rendered.findings) };
    assert_eq!(finding.code, "zones");
    assert_eq!(
        finding.message,
        "a failover to another zone needs at least two zones; this stack has one: eu-west-1a"
    );
    let hint = finding.hint.as_deref().unwrap();
    assert!(hint.contains("lists `zones`") && hint.contains("the cluster"), "{hint}");
    assert_eq!(redis(&rendered).port, 6379);
}

/// Nodes over the zones in turn, and the zones whose loss is survived.
#[test]
fn every_zone_has_a_node_unless_fewer_are_asked_for() {
    #[track_caller]
    fn check(settings: Json, zones: usize, nodes: &str, placed: &str) {
        let rendered = rendered(settings, zones);
        let group = find(&rendered, "cache/replication-group");
        let short = |zone: &str| zone.trim_start_matches("eu-west-1").to_owned();
        let spec = group.spec.to_json();
        let zones = spec["zones"].as_array().unwrap().iter();
        assert_eq!(zones.map(|zone| short(zone.as_str().unwrap())).collect::<String>(), nodes);
        let Placement::Replicated { zones, failover } = &group.placement else { panic!() };
        assert_eq!(zones.iter().map(|zone| short(zone.as_str())).collect::<String>(), placed);
        assert_eq!(*failover, FAILOVER);
        assert_eq!(rendered.findings, []);
        let subnets = find(&rendered, "cache/subnet-group").spec.to_json();
        assert!(subnets["subnet_ids"].as_array().unwrap().len() >= placed.len());
    }
    check(json!({}), 2, "ab", "ab");
    check(json!({}), 3, "abc", "abc");
    check(json!({}), 6, "abcdef", "abcdef");
    check(json!({"replicas": 1}), 3, "ab", "ab");
    check(json!({"replicas": 3}), 2, "abab", "ab");
    check(json!({"replicas": 5}), 3, "abcabc", "abc");
}

#[test]
fn a_renamed_component_keeps_every_physical_name() {
    let settings = json!({"tls": "required", "auth": true});
    let context = context(2);
    let before = rendered_as("cache", "cache", &context, settings.clone());
    let after = rendered_as("queue", "cache", &context, settings);
    let is_before = |text: String| text.replace("\"queue/", "\"cache/");
    for (old, new) in before.resources.iter().zip(&after.resources) {
        assert_eq!(new.id.to_string(), old.id.to_string().replace("cache/", "queue/"));
        assert_eq!(new.name, old.name);
        assert_eq!(is_before(new.spec.to_json().to_string()), old.spec.to_json().to_string());
    }
    assert_eq!(redis(&after).auth, redis(&before).auth);
}

/// Stack and component may have twenty characters each: with the hyphen one more than ElastiCache takes.
#[test]
fn a_name_that_is_too_long_is_refused() {
    let (twenty, nineteen) = ("a2345678901234567890", "b234567890123456789");
    let fits = rendered_as(nineteen, nineteen, &context_of(twenty, 2), json!({}));
    assert_eq!(fits.findings, []);
    let long = rendered_as(twenty, twenty, &context_of(twenty, 2), json!({}));
    let [finding] = long.findings.as_slice() else { panic!("{:?}", long.findings) };
    assert_eq!(finding.code, "name-length");
    assert!(finding.message.contains("41 characters"), "{}", finding.message);
}

#[test]
fn only_clients_that_must_are_told_to_speak_tls() {
    for (tls, expected) in [("disabled", false), ("preferred", false), ("required", true)] {
        assert_eq!(redis(&rendered(json!({"tls": tls}), 2)).tls, expected, "{tls}");
    }
}

#[test]
fn a_password_is_made_copied_or_used_where_it_is() {
    #[track_caller]
    fn check(token: Option<Json>, secret: Option<Json>, used: Json) {
        let mut settings = json!({"tls": "required", "auth": true});
        if let Some(token) = token {
            settings["authToken"] = token;
        }
        let rendered = rendered(settings, 2);
        let made = rendered.resources.iter().find(|r| r.id.name == "auth-token");
        let value = made.map(|r| r.spec.to_json()["stringData"]["token"].clone());
        assert_eq!(value, secret);
        let group = find(&rendered, "cache/replication-group");
        assert_eq!(group.spec.to_json()["auth_token"], json!({"$secret": {"secret": used}}));
        assert_eq!(json!(redis(&rendered).auth), used);
        let waits = group.needs.iter().any(|need| need.id.name == "auth-token");
        assert_eq!(waits, made.is_some());
        assert!(made.is_none_or(|r| r.data == DataClass::Key));
    }
    let ours = json!({"name": "git-cache", "key": "token"});
    check(None, Some(json!({"$generate": {"alphanumeric": 32}})), ours.clone());
    check(Some(json!({"env": "T"})), Some(json!({"$secret": {"env": "T"}})), ours.clone());
    check(Some(json!({"file": "/run/t"})), Some(json!({"$secret": {"file": "/run/t"}})), ours);
    let theirs = json!({"name": "vault", "key": "cache"});
    check(Some(json!({"secret": theirs})), None, theirs.clone());
    let without = rendered(json!({}), 2);
    assert_eq!(redis(&without).auth, None);
    assert!(find(&without, "cache/replication-group").spec.at("/auth_token").is_none());
}

#[test]
fn another_major_version_has_a_parameter_group_of_its_own() {
    let name = |settings: Json, id: &str| {
        find(&rendered(settings, 2), &format!("cache/parameter-group-{id}")).name.clone().unwrap()
    };
    assert_eq!(name(json!({}), "valkey8"), "git-cache-valkey8");
    assert_eq!(name(json!({"version": "9.0"}), "valkey9"), "git-cache-valkey9");
    let redis = json!({"engine": "redis", "version": "6.2"});
    assert_eq!(name(redis, "redis6"), "git-cache-redis6");
}
