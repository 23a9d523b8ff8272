#![expect(clippy::needless_pass_by_value, reason = "cases read better as json!({…})")]

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use zonestack_core::component::Component;
use zonestack_core::name::ComponentName;
use zonestack_core::value::Value;

use super::*;
use crate::Aurora;

fn context(zones: &str) -> Context {
    let zones: Vec<Zone> =
        zones.chars().map(|letter| format!("eu-west-1{letter}").parse().unwrap()).collect();
    Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones)
}

fn rendered(settings: Json, zones: &str) -> Rendered {
    rendered_as("db", "db", &context(zones), settings)
}

/// As the component of a name, which was called otherwise when it made its things.
fn rendered_as(name: &str, called: &str, context: &Context, settings: Json) -> Rendered {
    let component: ComponentName = name.parse().unwrap();
    let called: ComponentName = called.parse().unwrap();
    let requirements = BTreeMap::new();
    Component::render(
        &Aurora,
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

fn postgres(rendered: &Rendered) -> &Postgres {
    match rendered.exports.as_slice() {
        [Export::Postgres(postgres)] => postgres,
        other => panic!("{other:?}"),
    }
}

fn instances(rendered: &Rendered) -> Vec<&Resource> {
    rendered.resources.iter().filter(|resource| resource.kind.as_str() == INSTANCE).collect()
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

/// Of the resources of a kind.
fn specs(rendered: &Rendered, kinds: &[&str]) -> String {
    let of_kind = rendered.resources.iter().filter(|r| kinds.contains(&r.kind.as_str()));
    let specs: BTreeMap<_, _> = of_kind.map(|r| (r.id.to_string(), r.spec.to_json())).collect();
    format!("{:#}", json!(specs))
}

#[test]
fn over_two_zones() {
    insta::assert_snapshot!(format!("{:#}", json!(summary(&rendered(json!({}), "ab")))));
}

#[test]
fn over_three_zones_with_everything() {
    let settings = json!({
        "version": "16.9", "class": "db.r8g.xlarge", "instances": 3, "storageType": "aurora-iopt1", "kmsKeyId": "alias/db",
        "backup": {"days": 30, "window": "04:00-04:30"}, "maintenanceWindow": "Sun:04:30-Sun:05:30", "apply": "now",
        "deletionProtection": false, "parameters": {"max_connections": 500, "rds.force_ssl": false},
        "logs": ["iam-db-auth-error", "postgresql"], "performanceInsights": true, "autoMinorUpgrade": false,
        "caCertificate": "rds-ca-ecc384-g1",
    });
    let rendered = rendered(settings, "abc");
    insta::assert_snapshot!(specs(&rendered, &[CLUSTER, INSTANCE, PARAMETER_GROUP]));
}

#[test]
fn serverless_has_its_capacity_on_the_cluster_and_a_class_on_the_instances() {
    let rendered = rendered(json!({"serverless": {"min": 0.5, "max": 8}}), "ab");
    insta::assert_snapshot!(specs(&rendered, &[CLUSTER, INSTANCE]));
}

#[test]
fn a_snapshot_is_named_on_the_cluster_where_the_declaration_looks_for_it() {
    let rendered = rendered(json!({"fromSnapshot": "git-db-final-1"}), "ab");
    insta::assert_snapshot!(specs(&rendered, &[CLUSTER]));
    let declared = crate::AuroraDriver::declarations();
    let cluster = declared.iter().find(|kind| kind.kind.as_str() == CLUSTER).unwrap();
    let named = find(&rendered, "db/cluster").spec.at(cluster.restores_from.unwrap());
    assert_eq!(named.and_then(Value::as_str), Some("git-db-final-1"));
}

#[test]
fn a_renamed_component_keeps_every_physical_name() {
    let context = context("ab");
    let before = rendered_as("db", "db", &context, json!({}));
    let after = rendered_as("main", "db", &context, json!({}));
    let is_before = |text: String| text.replace("\"main/", "\"db/");
    for (old, new) in before.resources.iter().zip(&after.resources) {
        assert_eq!(new.id.to_string(), old.id.to_string().replace("db/", "main/"));
        assert_eq!(new.name, old.name);
        assert_eq!(is_before(new.spec.to_json().to_string()), old.spec.to_json().to_string());
    }
    assert_eq!(postgres(&after).password, postgres(&before).password);
}

#[test]
fn instances_go_over_the_zones_in_turn() {
    #[track_caller]
    fn check(count: u32, zones: &str, expected: &[&str]) {
        let settings = json!({"instances": count, "allowSingleInstance": true});
        let rendered = rendered(settings, zones);
        let names: Vec<_> =
            instances(&rendered).into_iter().map(|r| format!("{} {}", r.id, name(r))).collect();
        assert_eq!(names, expected);
        for instance in instances(&rendered) {
            let zone = instance.id.zone.clone().unwrap();
            assert_eq!(
                instance.spec.at("/availability_zone").and_then(Value::as_str),
                Some(zone.as_str())
            );
            assert_eq!(instance.placement, Placement::Zonal(zone));
        }
    }
    fn name(instance: &Resource) -> &str {
        instance.name.as_deref().unwrap()
    }
    check(1, "ab", &["db/instance@eu-west-1a git-db-eu-west-1a"]);
    let two =
        ["db/instance@eu-west-1a git-db-eu-west-1a", "db/instance@eu-west-1b git-db-eu-west-1b"];
    check(2, "ab", &two);
    // A zone more moves nothing.
    check(2, "abc", &two);
    let five = [
        "db/instance@eu-west-1a git-db-eu-west-1a",
        "db/instance@eu-west-1b git-db-eu-west-1b",
        "db/instance-2@eu-west-1a git-db-eu-west-1a-2",
        "db/instance-2@eu-west-1b git-db-eu-west-1b-2",
        "db/instance-3@eu-west-1a git-db-eu-west-1a-3",
    ];
    check(5, "ab", &five);
}

/// Domain.md 7.11: 63 characters.
#[test]
fn the_longest_names_fit() {
    let zones = ["ap-southeast-1a", "ap-southeast-1b"].map(|zone| zone.parse().unwrap());
    let stack = "a23456789-123456789b".parse().unwrap();
    let context = Context::nominal(stack, "x", "ap-southeast-1", &zones);
    let component = "c23456789-123456789d";
    let rendered = rendered_as(component, component, &context, json!({"instances": 16}));
    let longest = rendered.resources.iter().filter_map(|r| r.name.as_deref()).map(str::len).max();
    assert!(longest.unwrap() <= 63, "{longest:?}");
}

#[test]
fn the_cluster_survives_what_its_instances_survive() {
    let placement =
        |settings: Json| find(&rendered(settings, "abc"), "db/cluster").placement.clone();
    let zone = |letter: char| -> Zone { format!("eu-west-1{letter}").parse().unwrap() };
    let replicated = |letters: &str| Placement::Replicated {
        zones: letters.chars().map(zone).collect(),
        failover: FAILOVER,
    };
    assert_eq!(placement(json!({})), replicated("ab"));
    assert_eq!(placement(json!({"instances": 7})), replicated("abc"));
    let one = json!({"instances": 1, "allowSingleInstance": true});
    assert_eq!(placement(one), Placement::Zonal(zone('a')));
}

#[test]
fn one_zone_is_refused_and_exports_are_there_nevertheless() {
    let rendered = rendered(json!({}), "a");
    let [finding] = rendered.findings.as_slice() else { panic!("{:?}", rendered.findings) };
    assert_eq!(finding.code, "zones");
    assert_eq!(
        finding.message,
        "Aurora needs subnets in at least two zones; this stack has one: eu-west-1a"
    );
    assert_eq!(postgres(&rendered).port, 5432);
}

#[test]
fn what_is_exported_is_what_the_settings_say() {
    let settings = json!({
        "version": "16.9", "class": "db.t4g.medium", "port": 5433, "database": "gitlab_production", "user": "gitlab",
    });
    let rendered = rendered(settings, "ab");
    insta::assert_debug_snapshot!(postgres(&rendered));
    insta::assert_debug_snapshot!("outputs", rendered.outputs);
}

#[test]
fn a_password_is_made_copied_or_used_where_it_is() {
    #[track_caller]
    fn check(settings: Json, secret: Option<Json>, used: Json) {
        let rendered = rendered(settings, "ab");
        let made = rendered.resources.iter().find(|r| r.id.name == "password");
        let value = made.map(|r| r.spec.to_json()["stringData"]["password"].clone());
        assert_eq!(value, secret);
        let cluster = find(&rendered, "db/cluster");
        assert_eq!(cluster.spec.to_json()["master_password"], json!({"$secret": {"secret": used}}));
        assert_eq!(json!(postgres(&rendered).password), used);
        let waits = cluster.needs.iter().any(|need| need.id.name == "password");
        assert_eq!(waits, made.is_some());
        assert!(made.is_none_or(|r| r.data == DataClass::Key));
    }
    let ours = json!({"name": "git-db", "key": "password"});
    check(json!({}), Some(json!({"$generate": {"alphanumeric": 32}})), ours.clone());
    check(json!({"password": {"env": "DB"}}), Some(json!({"$secret": {"env": "DB"}})), ours);
    let theirs = json!({"name": "vault", "key": "db"});
    check(json!({"password": {"secret": theirs}}), None, theirs.clone());
}
