use serde_json::json;

use super::*;
use crate::kinds::named;

/// What the engine would see as different, as `path: is -> shall be`.
#[track_caller]
fn check(kind: &str, spec: &Json, live: &Json, expected: &[&str]) {
    let attributes = attributes(named(kind).unwrap(), spec, live);
    let mut found = Vec::new();
    differences("", spec, &attributes, &mut found);
    assert_eq!(found, expected);
}

/// As the core compares: maps by key, lists of one length place by place, everything else whole.
fn differences(path: &str, wanted: &Json, actual: &Json, found: &mut Vec<String>) {
    match (wanted, actual) {
        (Json::Object(map), Json::Object(there)) if !is_marker(wanted) => {
            for (key, wanted) in map {
                let actual = there.get(key).unwrap_or(&Json::Null);
                differences(&format!("{path}/{key}"), wanted, actual, found);
            }
            let extra = there.iter().filter(|(key, _)| !map.contains_key(*key));
            found.extend(extra.map(|(key, value)| format!("{path}/{key}: {value} -> -")));
        }
        (Json::Array(list), Json::Array(there)) if list.len() == there.len() => {
            for (index, (wanted, actual)) in list.iter().zip(there).enumerate() {
                differences(&format!("{path}/{index}"), wanted, actual, found);
            }
        }
        _ if wanted == actual => {}
        (_, Json::Null) => found.push(format!("{path}: - -> {wanted}")),
        _ => found.push(format!("{path}: {actual} -> {wanted}")),
    }
}

fn applied(fields: &Json) -> Json {
    json!([{ "manager": "zonestack", "operation": "Apply", "fieldsV1": fields }])
}

fn deployment(containers: &Json) -> Json {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "dev" },
        "spec": { "replicas": 1, "template": { "spec": { "containers": containers } } },
    })
}

#[test]
fn what_the_server_adds_and_respells_is_no_difference() {
    let spec = deployment(&json!([{
        "name": "web",
        "image": "web:1",
        "ports": [{ "containerPort": 80 }],
        "env": [{ "name": "EMPTY", "value": "" }, { "name": "A", "value": "1" }],
        "resources": { "requests": { "cpu": 2, "memory": "8192Mi" }, "limits": { "cpu": "1000m" } },
    }]));
    let mut live = deployment(&json!([
        { "name": "sidecar", "image": "proxy:1" },
        {
            "name": "web",
            "image": "web:1",
            "imagePullPolicy": "IfNotPresent",
            "ports": [{ "containerPort": 80, "protocol": "TCP" }],
            "env": [{ "name": "INJECTED", "value": "x" }, { "name": "A", "value": "1" }, { "name": "EMPTY" }],
            "resources": { "requests": { "cpu": "2", "memory": "8Gi" }, "limits": { "cpu": "1" } },
        },
    ]));
    live["metadata"]["uid"] = json!("u");
    live["metadata"]["annotations"] = json!({ "deployment.kubernetes.io/revision": "1" });
    live["spec"]["progressDeadlineSeconds"] = json!(600);
    live["status"] = json!({ "replicas": 1 });
    check("Deployment", &spec, &live, &[]);
}

#[test]
fn a_list_leaves_out_kind_and_version_and_they_do_not_differ() {
    let spec = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "data": { "k": "v" } });
    check("ConfigMap", &spec, &json!({ "metadata": { "name": "a" }, "data": { "k": "v" } }), &[]);
}

#[test]
fn a_changed_leaf_differs_whoever_changed_it() {
    let spec = deployment(&json!([{ "name": "web", "image": "web:1" }]));
    let mut live = deployment(&json!([{ "name": "web", "image": "web:2" }]));
    live["spec"]["replicas"] = json!(3);
    check(
        "Deployment",
        &spec,
        &live,
        &[
            "/spec/replicas: 3 -> 1",
            r#"/spec/template/spec/containers/0/image: "web:2" -> "web:1""#,
        ],
    );
}

#[test]
fn what_we_set_once_and_do_not_want_any_more_has_to_go() {
    let spec = json!({
        "metadata": { "name": "a", "labels": { "app": "x" } },
        "data": { "kept": "1" },
    });
    let live = json!({
        "metadata": {
            "name": "a",
            "labels": { "app": "x", "old": "1", "theirs": "1", "zonestack.io/uid": "u", "app.kubernetes.io/managed-by": "zonestack" },
            "managedFields": applied(&json!({
                "f:metadata": { "f:labels": {
                    "f:app": {}, "f:old": {}, "f:zonestack.io/uid": {}, "f:app.kubernetes.io/managed-by": {},
                } },
                "f:data": { ".": {}, "f:kept": {}, "f:gone": {} },
            })),
        },
        "data": { "kept": "1", "gone": "2", "theirs": "3" },
    });
    check(
        "ConfigMap",
        &spec,
        &live,
        &[r#"/metadata/labels/old: "1" -> -"#, r#"/data/gone: "2" -> -"#],
    );
}

#[test]
fn a_whole_block_that_we_set_once_has_to_go_but_our_own_labels_do_not() {
    let spec = json!({ "metadata": { "name": "a" } });
    let live = json!({
        "metadata": {
            "name": "a",
            "labels": { "zonestack.io/uid": "u", "zonestack.io/stack": "git" },
            "annotations": { "ours": "1", "theirs": "2", "zonestack.io/node": "web/thing" },
            "managedFields": applied(&json!({
                "f:metadata": {
                    "f:labels": { "f:zonestack.io/uid": {}, "f:zonestack.io/stack": {} },
                    "f:annotations": { "f:ours": {}, "f:zonestack.io/node": {} },
                },
            })),
        },
    });
    check("ConfigMap", &spec, &live, &[r#"/metadata/annotations: {"ours":"1"} -> -"#]);
}

#[test]
fn our_own_annotation_is_never_a_difference() {
    let live = |node: &Json| {
        json!({ "metadata": {
            "name": "a",
            "annotations": { "wanted": "1", "zonestack.io/node": node },
            "managedFields": applied(&json!({
                "f:metadata": { "f:annotations": { "f:wanted": {}, "f:zonestack.io/node": {} } },
            })),
        } })
    };
    let with = json!({ "metadata": { "name": "a", "annotations": { "wanted": "1" } } });
    let without = json!({ "metadata": { "name": "a" } });
    for node in [json!("web/thing"), json!("another/thing")] {
        check("ConfigMap", &with, &live(&node), &[]);
        let gone = r#"/metadata/annotations: {"wanted":"1"} -> -"#;
        check("ConfigMap", &without, &live(&node), &[gone]);
    }
    let missing = json!({ "metadata": { "name": "a", "annotations": { "wanted": "1" } } });
    check("ConfigMap", &with, &missing, &[]);
}

#[test]
fn an_item_that_we_set_once_is_a_difference_of_its_list() {
    let spec = deployment(&json!([{ "name": "web", "env": [{ "name": "A", "value": "1" }] }]));
    let env = json!([{ "name": "OLD", "value": "0" }, { "name": "A", "value": "1" }, { "name": "THEIRS", "value": "2" }]);
    let mut live = deployment(&json!([{ "name": "web", "env": env }]));
    live["metadata"]["managedFields"] = applied(&json!({
        "f:spec": { "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"web\"}": {
            ".": {}, "f:name": {},
            "f:env": {
                "k:{\"name\":\"A\"}": { ".": {}, "f:name": {}, "f:value": {} },
                "k:{\"name\":\"OLD\"}": { ".": {}, "f:name": {}, "f:value": {} },
            },
        } } } } },
    }));
    check(
        "Deployment",
        &spec,
        &live,
        &[concat!(
            r#"/spec/template/spec/containers/0/env: [{"name":"A","value":"1"},{"name":"OLD","value":"0"}]"#,
            r#" -> [{"name":"A","value":"1"}]"#
        )],
    );
}

#[test]
fn lists_that_are_one_value_compare_place_by_place() {
    let spec = json!({ "spec": { "ingress": [{ "ports": [{ "port": 6379 }], "from": [{ "podSelector": {} }] }] } });
    let same = json!({ "spec": { "ingress": [{ "ports": [{ "port": 6379, "protocol": "TCP" }], "from": [{ "podSelector": {} }] }] } });
    check("NetworkPolicy", &with_names(&spec), &same, &[]);
    let mut more = same.clone();
    more["spec"]["ingress"].as_array_mut().unwrap().push(json!({}));
    let found = attributes(named("NetworkPolicy").unwrap(), &spec, &more);
    assert_eq!(found["spec"]["ingress"].as_array().unwrap().len(), 2);
}

fn with_names(spec: &Json) -> Json {
    let mut spec = spec.clone();
    spec["kind"] = json!("NetworkPolicy");
    spec
}

#[test]
fn zero_values_that_the_server_drops_are_no_difference_but_empty_texts_of_maps_are() {
    let spec = json!({
        "metadata": { "name": "pv", "labels": { "flag": "" } },
        "spec": { "storageClassName": "", "nfs": { "server": "s", "path": "/", "readOnly": false }, "mountOptions": [] },
    });
    let live = json!({
        "metadata": { "name": "pv", "labels": {} },
        "spec": { "nfs": { "server": "s", "path": "/" } },
    });
    check("PersistentVolume", &spec, &live, &[r#"/metadata/labels/flag: - -> """#]);
}

#[test]
fn a_released_volume_has_to_forget_its_former_claim() {
    let spec = json!({ "spec": { "claimRef": { "namespace": "dev", "name": "data" } } });
    let mut live = json!({
        "spec": { "claimRef": { "namespace": "dev", "name": "data", "uid": "u", "resourceVersion": "7" } },
        "status": { "phase": "Released" },
    });
    check(
        "PersistentVolume",
        &spec,
        &live,
        &[r#"/spec/claimRef/uid: "u" -> -"#, r#"/spec/claimRef/resourceVersion: "7" -> -"#],
    );
    live["status"]["phase"] = json!("Bound");
    check("PersistentVolume", &spec, &live, &[]);
}

#[test]
fn a_secret_shows_its_keys_and_never_a_value() {
    let generated = json!({ "$generate": { "alphanumeric": 32 } });
    let spec = json!({
        "kind": "Secret",
        "metadata": { "name": "a" },
        "stringData": { "there": generated, "missing": generated, "plain": "x", "other": "y" },
    });
    let live = json!({
        "metadata": { "name": "a" },
        "data": { "there": "c2VjcmV0LTE=", "plain": "eA==", "other": "c2VjcmV0LTI=", "extra": "c2VjcmV0LTM=" },
    });
    check(
        "Secret",
        &spec,
        &live,
        &[
            r#"/stringData/missing: - -> {"$generate":{"alphanumeric":32}}"#,
            r#"/stringData/other: "(another value)" -> "y""#,
        ],
    );
    let shown = attributes(named("Secret").unwrap(), &spec, &live).to_string();
    assert!(!shown.contains("c2VjcmV0") && !shown.contains("secret-"), "{shown}");
}

#[test]
fn a_reference_that_is_not_known_yet_takes_what_is_there() {
    let spec = json!({ "data": { "host": { "$ref": "db/instance#address" } } });
    let live = json!({ "data": { "host": "db.example" } });
    let found = attributes(named("ConfigMap").unwrap(), &spec, &live);
    assert_eq!(found["data"]["host"], "db.example");
}
