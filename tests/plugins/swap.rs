//! A plugin instead of what is built in: the same description, and the same bytes.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use zonestack_core::component::{Component, RenderContext, Rendered};
use zonestack_core::context::Context;
use zonestack_core::kind::KindDeclaration;
use zonestack_plugin_aurora::{Aurora, AuroraDriver};
use zonestack_plugin_efs::{Efs, EfsDriver};
use zonestack_plugin_elasticache::{ElastiCache, ElastiCacheDriver};
use zonestack_plugin_fsx::{FsxDriver, FsxOpenZfs};
use zonestack_plugin_gitlab::Gitlab;
use zonestack_plugin_rds::{Rds, RdsDriver};
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
fn check(name: &str, own: &dyn Component, kinds: &[KindDeclaration], configs: &[Json]) {
    for way in WAYS {
        let plugin = built(name, way);
        let described = plugin.describe().unwrap();
        assert_eq!(plugin.kinds(&described), kinds);
        let remote = plugin.components(&described).remove(0);
        assert_eq!(remote.describe(), own.describe());
        let wrong = json!({ "no such setting": 1 });
        assert_eq!(remote.check(&wrong), own.check(&wrong));
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
    ];
    check("efs", &Efs, &EfsDriver::declarations(), &configs);
}

#[test]
fn fsx_renders_the_same_bytes_when_it_is_loaded() {
    let larger = json!({ "storage": 500, "throughput": 320 });
    check("fsx", &FsxOpenZfs, &FsxDriver::declarations(), &[json!({}), larger]);
}

#[test]
fn rds_renders_the_same_bytes_when_it_is_loaded() {
    let more = json!({ "storage": 400, "parameters": { "work_mem": 8192 } });
    check("rds", &Rds, &RdsDriver::declarations(), &[json!({}), more]);
}

#[test]
fn aurora_renders_the_same_bytes_when_it_is_loaded() {
    let serverless = json!({ "serverless": { "min": 0.5, "max": 8 } });
    check("aurora", &Aurora, &AuroraDriver::declarations(), &[json!({}), serverless]);
}

#[test]
fn elasticache_renders_the_same_bytes_when_it_is_loaded() {
    let more = json!({ "class": "cache.m7g.xlarge", "backup": { "days": 14 } });
    check("elasticache", &ElastiCache, &ElastiCacheDriver::declarations(), &[json!({}), more]);
}

#[test]
fn redis_renders_the_same_bytes_when_it_is_loaded() {
    let storage = json!({ "memory": "1Gi", "storage": { "size": "8Gi" } });
    check("redis", &Redis, &[], &[json!({}), storage]);
}

/// What it renders hangs on its requirements: the sandbox tests with loaded plugins show that.
#[test]
fn gitlab_says_the_same_when_it_is_loaded() {
    check("gitlab", &Gitlab, &[], &[]);
}
