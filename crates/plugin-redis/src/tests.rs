use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use zonestack_core::component::{Component, RenderContext, Rendered};
use zonestack_core::context::Context;
use zonestack_core::interface::Export;
use zonestack_core::resource::{DataClass, Placement};

use crate::Redis;
use crate::config::ADVISORIES;

fn findings(config: &Json) -> String {
    Redis
        .check(config)
        .into_iter()
        .map(|f| format!("{} at {:?}: {}\n", f.code, f.path, f.message))
        .collect::<Vec<_>>()
        .concat()
}

fn rendered(config: &Json) -> Rendered {
    rendered_in(false, config)
}

fn rendered_in(is_nominal: bool, config: &Json) -> Rendered {
    rendered_as("cache", "cache", is_nominal, config)
}

/// As the component of a name, which was called otherwise when it made its things.
fn rendered_as(name: &str, called: &str, is_nominal: bool, config: &Json) -> Rendered {
    let zones = ["eu-west-1a", "eu-west-1b"].map(|zone| zone.parse().unwrap());
    let mut context = Context::nominal("git".parse().unwrap(), "dev", "eu-west-1", &zones);
    context.is_nominal = is_nominal;
    let cx = RenderContext {
        component: &name.parse().unwrap(),
        called: &called.parse().unwrap(),
        context: &context,
        requirements: &BTreeMap::new(),
        consumers: 1,
    };
    Redis.render(config, &cx)
}

fn manifest(rendered: &Rendered, id: &str) -> String {
    let resource = rendered.resources.iter().find(|r| r.id.to_string() == id).unwrap();
    serde_json::to_string_pretty(&resource.spec.to_json()).unwrap()
}

fn codes(rendered: &Rendered) -> Vec<&str> {
    rendered.findings.iter().map(|finding| finding.code).collect()
}

/// Checks one configuration; an empty text means that nothing is wrong.
#[track_caller]
fn check(config: &Json, expected: &str) {
    let found = findings(config);
    assert!(
        if expected.is_empty() { found.is_empty() } else { found.contains(expected) },
        "{config} gives {found:?}"
    );
}

#[test]
fn settings_are_checked() {
    for (config, expected) in [
        (json!({}), ""),
        (json!({"engine": "redis", "version": "7.2.5", "memory": "1Gi", "cpu": "0.5"}), ""),
        (json!({"memory": 134_217_728}), ""),
        (json!({"image": "mirror.example:5000/valkey:8.1-alpine"}), ""),
        (json!({"image": format!("valkey/valkey@sha256:{}", "0".repeat(64))}), ""),
        (json!({"storage": {"size": "1Gi", "class": "gp3"}}), ""),
        (json!({"version": "8"}), "invalid-version at \"version\""),
        (json!({"version": "latest"}), "invalid-version at \"version\""),
        (json!({"version": "6.2"}), "Valkey 6.2 does not exist"),
        (json!({"image": "mirror.example:5000/valkey"}), "unpinned-image at \"image\""),
        (json!({"image": "valkey/valkey:latest"}), "unpinned-image at \"image\""),
        (json!({"memory": "10Mi"}), "invalid-memory at \"memory\": 10Mi is less than 64Mi"),
        (json!({"memory": "lots"}), "such as 512Mi or 8Gi"),
        (json!({"memory": -1}), "such as 512Mi or 8Gi"),
        (json!({"cpu": "many"}), "invalid-cpu at \"cpu\""),
        (json!({"cpu": "inf"}), "invalid-cpu at \"cpu\""),
        (json!({"storage": {"size": "512Mi"}}), "storage-too-small at \"storage.size\""),
        (json!({"storage": {"size": "8Gi", "zone": "A"}}), "invalid-zone at \"storage.zone\""),
        (json!({"password": "x"}), "unknown field `password`"),
    ] {
        check(&config, expected);
    }
}

#[test]
fn every_advisory_is_listed() {
    for config in [json!({}), json!({"storage": {"size": "8Gi"}})] {
        assert_eq!(codes(&rendered(&config)), ADVISORIES, "{config}");
    }
    assert_eq!(Component::describe(&Redis).advisories, ADVISORIES);
}

#[test]
fn without_storage_it_may_run_in_any_zone() {
    let rendered = rendered(&json!({}));
    let ids: Vec<_> = rendered.resources.iter().map(|r| r.id.to_string()).collect();
    assert_eq!(ids, ["cache/service", "cache/network-policy", "cache/deployment"]);
    assert!(rendered.resources.iter().all(|r| r.placement == Placement::Regional));
    assert_eq!(rendered.resources[2].data, DataClass::Cache);
    assert_snapshot!("deployment", manifest(&rendered, "cache/deployment"));
    assert_snapshot!("service", manifest(&rendered, "cache/service"));
    assert_snapshot!("network-policy", manifest(&rendered, "cache/network-policy"));
}

#[test]
fn with_storage_it_is_bound_to_one_zone_and_the_volume_is_kept() {
    let config = json!({"storage": {"size": "8Gi", "class": "gp3", "zone": "eu-west-1b"}, "engine": "redis"});
    let rendered = rendered(&config);
    let placed: Vec<_> =
        rendered.resources.iter().map(|r| (r.id.name.as_str(), r.data, &r.placement)).collect();
    let zonal = Placement::Zonal("eu-west-1b".parse().unwrap());
    assert_eq!(placed[0], ("claim", DataClass::Data, &zonal));
    assert_eq!(placed[3], ("deployment", DataClass::Cache, &zonal));
    assert_snapshot!("claim", manifest(&rendered, "cache/claim"));
    assert_snapshot!("deployment-with-storage", manifest(&rendered, "cache/deployment"));
}

#[test]
fn a_volume_in_a_zone_of_another_stack_is_refused() {
    let rendered = rendered(&json!({"storage": {"size": "8Gi", "zone": "eu-west-1c"}}));
    assert_eq!(codes(&rendered), ["unknown-zone", "single-redis"]);
    assert!(rendered.findings[0].hint.as_deref().unwrap().contains("eu-west-1a, eu-west-1b"));
    assert_eq!(rendered.exports.len(), 1);

    let config = json!({"storage": {"size": "8Gi", "zone": "eu-west-1c"}});
    let nominal = rendered_in(true, &config);
    assert_eq!(codes(&nominal), ["single-redis"], "the zones of a nominal context may be made up");
}

#[test]
fn the_policy_lets_in_exactly_the_exported_labels() {
    let rendered = rendered(&json!({}));
    let [Export::Redis(export)] = &rendered.exports[..] else { panic!("no redis/v1") };
    let policy = &rendered.resources[1].spec;
    assert_eq!(
        policy.at("/spec/ingress/0/from/0/podSelector/matchLabels").unwrap().to_json(),
        json!(export.client_labels)
    );
    assert_eq!((export.version, export.tls, export.auth.as_ref()), ((8, 1), false, None));
    assert_eq!(export.host.as_str(), Some("cache.dev.svc"));
    let needs: Vec<_> = export.needs.iter().map(|need| need.id.to_string()).collect();
    assert_eq!(needs, ["cache/deployment", "cache/service"]);
}

#[test]
fn the_documented_stack_is_right() {
    let lines = include_str!("lib.rs").lines().filter_map(|line| line.strip_prefix("//!"));
    let block = lines.skip_while(|line| line.trim() != "```yaml").skip(1);
    let text: String = block
        .take_while(|line| line.trim() != "```")
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect::<Vec<_>>()
        .concat();
    let stack: Json = serde_yaml::from_str(&text).unwrap();
    assert_eq!(stack["components"]["cache"]["use"], "redis");
    check(&stack["components"]["cache"]["with"], "");
}

#[test]
fn a_renamed_component_keeps_every_object_selector_and_name() {
    let config = json!({"storage": {"size": "8Gi"}});
    let before = rendered_as("cache", "cache", false, &config);
    let after = rendered_as("queues", "cache", false, &config);
    for (old, new) in before.resources.iter().zip(&after.resources) {
        assert_eq!(new.id.to_string(), old.id.to_string().replace("cache/", "queues/"));
        assert_eq!((&new.name, &new.spec), (&old.name, &old.spec));
    }
    assert_eq!(after.outputs, before.outputs);
    let [Export::Redis(old)] = &before.exports[..] else { panic!("{:?}", before.exports) };
    let [Export::Redis(new)] = &after.exports[..] else { panic!("{:?}", after.exports) };
    assert_eq!((&new.host, &new.client_labels), (&old.host, &old.client_labels));
    // What a person reads names the component as the stack file does.
    let words: Vec<_> = after.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(words.iter().any(|words| words.starts_with("queues is one pod")), "{words:?}");
}
