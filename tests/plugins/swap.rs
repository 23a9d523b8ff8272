//! A plugin instead of what is built in: the same description, and the same bytes.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use zonestack_core::component::{Component, RenderContext, Rendered};
use zonestack_core::context::Context;
use zonestack_plugin_efs::{Efs, EfsDriver};
use zonestack_plugin_redis::Redis;
use zonestack_sdk::message::{FindingMessage, RenderAnswer};

use super::{WAYS, built};

fn rendered(component: &dyn Component, config: &Json, zones: &[&str]) -> String {
    let zones: Vec<_> = zones.iter().map(|zone| zone.parse().unwrap()).collect();
    let mut context = Context::nominal("git".parse().unwrap(), "dev", "eu-west-1", &zones);
    context.is_nominal = false;
    let cx = RenderContext {
        component: &"data".parse().unwrap(),
        called: &"files".parse().unwrap(),
        context: &context,
        requirements: &BTreeMap::new(),
        consumers: 2,
    };
    written(component.render(config, &cx))
}

fn written(rendered: Rendered) -> String {
    let answer = RenderAnswer {
        resources: rendered.resources,
        exports: rendered.exports,
        findings: rendered.findings.into_iter().map(FindingMessage::from).collect(),
        outputs: rendered.outputs,
    };
    serde_json::to_string_pretty(&answer).unwrap()
}

#[track_caller]
fn check(name: &str, own: &dyn Component, configs: &[Json]) {
    for way in WAYS {
        let plugin = built(name, way);
        let described = plugin.describe().unwrap();
        let remote = plugin.components(&described).remove(0);
        assert_eq!(remote.describe(), own.describe());
        for config in configs {
            assert_eq!(remote.check(config), own.check(config));
            for zones in [&["eu-west-1a"][..], &["eu-west-1a", "eu-west-1b", "eu-west-1c"]] {
                let ours = rendered(own, config, zones);
                assert_eq!(rendered(remote.as_ref(), config, zones), ours);
                assert!(ours.len() > 500, "{ours}");
            }
        }
    }
}

#[test]
fn efs_renders_the_same_bytes_when_it_is_loaded() {
    let configs = [
        json!({}),
        json!({ "lifecycle": { "toIa": 90 }, "extraMountOptions": ["noatime"], "mount": "csi" }),
        json!({ "existing": "fs-0123456789abcdef0", "path": "/gitlab" }),
        json!({ "no such setting": 1 }),
    ];
    check("efs", &Efs, &configs[..3]);
    for way in WAYS {
        let plugin = built("efs", way);
        let described = plugin.describe().unwrap();
        assert_eq!(plugin.kinds(&described), EfsDriver::declarations());
        let remote = plugin.components(&described).remove(0);
        assert_eq!(remote.check(&configs[3]), Efs.check(&configs[3]));
    }
}

#[test]
fn redis_renders_the_same_bytes_when_it_is_loaded() {
    let storage = json!({ "memory": "1Gi", "storage": { "size": "8Gi" } });
    check("redis", &Redis, &[json!({}), storage]);
}
