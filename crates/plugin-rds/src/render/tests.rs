#![expect(clippy::needless_pass_by_value, reason = "cases read better as json!({…})")]

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use zonestack_core::component::Component;
use zonestack_core::name::ComponentName;

use super::*;
use crate::Rds;

fn context(zones: usize) -> Context {
    let zones: Vec<Zone> = ["a", "b", "c", "d", "e", "f"][..zones]
        .iter()
        .map(|z| format!("eu-west-1{z}").parse().unwrap())
        .collect();
    Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones)
}

fn rendered(settings: Json, zones: usize) -> Rendered {
    rendered_in(&context(zones), settings)
}

fn rendered_in(context: &Context, settings: Json) -> Rendered {
    rendered_as("db", "db", context, settings)
}

/// As the component of a name, which was called otherwise when it made its things.
fn rendered_as(name: &str, called: &str, context: &Context, settings: Json) -> Rendered {
    let component: ComponentName = name.parse().unwrap();
    let called: ComponentName = called.parse().unwrap();
    let requirements = BTreeMap::new();
    Component::render(
        &Rds,
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
    insta::assert_snapshot!(format!("{:#}", json!(summary(&rendered(json!({}), 2)))));
}

#[test]
fn a_renamed_component_keeps_every_physical_name() {
    let settings = json!({"parameters": {"max_connections": 500}});
    let context = context(2);
    let before = rendered_as("db", "db", &context, settings.clone());
    let after = rendered_as("main", "db", &context, settings);
    let is_before = |text: String| text.replace("\"main/", "\"db/");
    for (old, new) in before.resources.iter().zip(&after.resources) {
        assert_eq!(new.id.to_string(), old.id.to_string().replace("db/", "main/"));
        assert_eq!(new.name, old.name);
        assert_eq!(is_before(new.spec.to_json().to_string()), old.spec.to_json().to_string());
    }
    assert_eq!(postgres(&after).password, postgres(&before).password);
}

#[test]
fn over_three_and_six_zones_only_subnets_and_placement_grow() {
    let spec = |zones| find(&rendered(json!({}), zones), "db/instance").spec.clone();
    assert_eq!(spec(3), spec(2));
    assert_eq!(spec(6), spec(2));
    let shape = |zones: usize| {
        let rendered = rendered(json!({}), zones);
        json!([
            find(&rendered, "db/subnet-group").spec.to_json()["subnet_ids"],
            format!("{:?}", find(&rendered, "db/instance").placement),
        ])
    };
    insta::assert_snapshot!(format!("{:#}", json!([shape(3), shape(6)])));
}

#[test]
fn one_zone_is_refused_and_exports_are_there_nevertheless() {
    for settings in [json!({}), json!({"multiAz": false})] {
        let rendered = rendered(settings, 1);
        let [finding] = rendered.findings.as_slice() else { panic!("{:?}", rendered.findings) };
        assert_eq!(finding.code, "zones");
        assert_eq!(
            finding.message,
            "RDS needs subnets in at least two zones; this stack has one: eu-west-1a"
        );
        let hint = finding.hint.as_deref().unwrap();
        assert!(hint.contains("lists `zones`") && hint.contains("the cluster"), "{hint}");
        assert_eq!(postgres(&rendered).port, 5432);
    }
    assert_eq!(rendered(json!({}), 2).findings, []);
}

#[test]
fn without_a_standby_the_zone_is_chosen_and_known() {
    #[track_caller]
    fn check(settings: Json, zone: &str) {
        let rendered = rendered(settings, 3);
        let instance = find(&rendered, "db/instance");
        assert_eq!(instance.placement, Placement::Zonal(zone.parse().unwrap()));
        assert_eq!(instance.spec.at("/availability_zone").and_then(Value::as_str), Some(zone));
        assert_eq!(rendered.findings, []);
    }
    check(json!({"multiAz": false}), "eu-west-1a");
    check(json!({"multiAz": false, "zone": "eu-west-1c"}), "eu-west-1c");
    let elsewhere = json!({"multiAz": false, "zone": "eu-west-1f"});
    let real = Context { is_nominal: false, ..context(3) };
    assert_eq!(rendered(elsewhere.clone(), 3).findings, [], "made-up zones refuse nothing");
    let findings = rendered_in(&real, elsewhere).findings;
    assert_eq!(
        findings[0].message,
        "eu-west-1f is not among the zones of this stack: eu-west-1a, eu-west-1b, eu-west-1c"
    );
}

#[test]
fn what_is_exported_is_what_the_settings_say() {
    let settings = json!({
        "version": "16.9", "class": "db.t4g.medium", "port": 5433, "database": "gitlab_production", "user": "gitlab",
    });
    let rendered = rendered(settings, 3);
    insta::assert_debug_snapshot!(postgres(&rendered));
    insta::assert_debug_snapshot!("outputs", rendered.outputs);
}

#[test]
fn the_default_names_come_from_the_stack() {
    let rendered = rendered(json!({}), 3);
    let export = postgres(&rendered);
    assert_eq!((export.database.as_str(), export.user.as_str()), ("git_production", "git"));
    assert_eq!(export.max_connections, Some(879));
}

#[test]
fn a_password_is_made_copied_or_used_where_it_is() {
    #[track_caller]
    fn check(settings: Json, secret: Option<Json>, used: Json) {
        let rendered = rendered(settings, 2);
        let made = rendered.resources.iter().find(|r| r.id.name == "password");
        let value = made.map(|r| r.spec.to_json()["stringData"]["password"].clone());
        assert_eq!(value, secret);
        let instance = find(&rendered, "db/instance");
        assert_eq!(
            instance.spec.to_json()["master_password"],
            json!({"$secret": {"secret": used}})
        );
        assert_eq!(json!(postgres(&rendered).password), used);
        let waits = instance.needs.iter().any(|need| need.id.name == "password");
        assert_eq!(waits, made.is_some());
        assert!(made.is_none_or(|r| r.data == DataClass::Key));
    }
    let ours = json!({"name": "git-db", "key": "password"});
    check(json!({}), Some(json!({"$generate": {"alphanumeric": 32}})), ours.clone());
    check(
        json!({"password": {"env": "DB"}}),
        Some(json!({"$secret": {"env": "DB"}})),
        ours.clone(),
    );
    check(
        json!({"password": {"file": "/run/db"}}),
        Some(json!({"$secret": {"file": "/run/db"}})),
        ours,
    );
    let theirs = json!({"name": "vault", "key": "db"});
    check(json!({"password": {"secret": theirs}}), None, theirs.clone());
}

#[test]
fn parameters_make_a_group_for_the_major_version() {
    let parameters = json!({"max_connections": 500, "rds.force_ssl": true, "log_statement": "ddl"});
    let rendered = rendered(json!({"version": "16.9", "parameters": parameters}), 2);
    let group = find(&rendered, "db/parameter-group-16");
    assert_eq!(group.name.as_deref(), Some("git-db-postgres16"));
    insta::assert_snapshot!(format!("{:#}", json!(group.spec.to_json())));
    let instance = find(&rendered, "db/instance");
    assert_eq!(
        instance.spec.at("/parameter_group").and_then(Value::as_str),
        Some("git-db-postgres16")
    );
    let need = instance.needs.iter().find(|need| need.id == group.id).unwrap();
    assert_eq!(need.until, Until::Ready);
    assert_eq!(postgres(&rendered).max_connections, Some(500));
}
