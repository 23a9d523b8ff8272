//! Pods by zone, claims and volumes, load balancers, namespaces, Secrets.

use serde_json::{Value as Json, json};
use zonestack_core::driver::{Observation, Status};
use zonestack_core::secret::{Generator, SecretKey, SecretRef, SecretSource as _};
use zonestack_core::value::{generate, secret};

use super::bed::{Bed, CLAIM, DEPLOYMENT, NAMESPACE, SECRET, SERVICE, STORE, VOLUME, class};

/// A Deployment in a zone, with more in its pod's specification.
fn deployment(zone: &str, more: &Json) -> Json {
    let mut pod = json!({ "nodeSelector": { "topology.kubernetes.io/zone": zone } });
    pod.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "spec": { "replicas": 1, "template": { "spec": pod } } })
}

#[track_caller]
fn check(bed: &Bed, expected: &str) {
    let status = bed.status(DEPLOYMENT, "app/web");
    let text = match &status {
        Status::Pending(text) => text,
        _ => "",
    };
    assert_eq!(text, expected, "{status:?}");
}

#[test]
fn pods_wait_for_what_they_need_and_then_take_their_time() {
    let bed = Bed::new();
    bed.namespace();
    let needs = json!({
        "volumes": [{ "persistentVolumeClaim": { "claimName": "data" } }],
        "containers": [{ "env": [{ "valueFrom": { "secretKeyRef": { "name": "db", "key": "password" } } }] }],
    });
    bed.made(DEPLOYMENT, "app/web", deployment("eu-west-1b", &needs));
    check(&bed, "0 of 1 pods ready: persistentvolumeclaim \"data\" not found");
    bed.made(CLAIM, "app/data", json!({ "spec": { "volumeName": "volume" } }));
    check(&bed, "0 of 1 pods ready: persistentvolumeclaim \"data\" is not bound");
    assert_eq!(bed.status(CLAIM, "app/data"), Status::Pending("unbound: no volume volume".into()));
    bed.made(VOLUME, "app/volume", json!({}));
    assert_eq!(bed.status(CLAIM, "app/data"), Status::Ready);
    check(&bed, "0 of 1 pods ready: secret \"db\" not found");
    bed.made(SECRET, "app/db", json!({ "stringData": { "user": "git" } }));
    check(&bed, "0 of 1 pods ready: secret \"db\" has no key password");
    bed.change(|world| world.tamper(SECRET, "git/db", "/stringData/password", json!("x"))).unwrap();
    check(&bed, "0 of 1 pods ready: starting");
    bed.wait(10);
    assert_eq!(bed.status(DEPLOYMENT, "app/web"), Status::Ready);
}

#[test]
fn pods_go_with_their_zone_and_come_back_with_it() {
    let bed = Bed::new();
    bed.namespace();
    bed.made(DEPLOYMENT, "app/web", deployment("eu-west-1b", &json!({})));
    bed.wait(10);
    assert_eq!(bed.status(DEPLOYMENT, "app/web"), Status::Ready);
    bed.change(|world| world.lose_zone("eu-west-1b")).unwrap();
    check(&bed, "0 of 1 pods ready: no node in eu-west-1b");
    bed.wait(60);
    bed.change(|world| world.restore_zone("eu-west-1b")).unwrap();
    check(&bed, "0 of 1 pods ready: starting");
    bed.wait(10);
    assert_eq!(bed.status(DEPLOYMENT, "app/web"), Status::Ready);
}

#[test]
fn no_replicas_are_ready_at_once_and_a_change_rolls() {
    let bed = Bed::new();
    bed.namespace();
    let spec = |replicas: u32| {
        let mut spec = deployment("eu-west-1x", &json!({}));
        spec["spec"]["replicas"] = json!(replicas);
        spec
    };
    bed.made(DEPLOYMENT, "app/web", spec(0));
    assert_eq!(bed.status(DEPLOYMENT, "app/web"), Status::Ready);
    let scale = |from: u32, to: u32| {
        bed.update(DEPLOYMENT, "app/web", spec(to), "/spec/replicas", json!(from), json!(to))
    };
    scale(0, 2).unwrap();
    check(&bed, "0 of 2 pods ready: no node in eu-west-1x");
    let zone = "/spec/template/spec/nodeSelector/topology.kubernetes.io/zone";
    let mut there = spec(2);
    there["spec"]["template"]["spec"] =
        json!({ "nodeSelector": { "topology.kubernetes.io/zone": "eu-west-1a" } });
    bed.update(DEPLOYMENT, "app/web", there, zone, json!("eu-west-1x"), json!("eu-west-1a"))
        .unwrap();
    check(&bed, "0 of 2 pods ready: starting");
    bed.wait(4);
    assert_eq!(bed.status(DEPLOYMENT, "app/web"), Status::Ready);
}

#[test]
fn a_load_balancer_gets_its_name_after_a_while() {
    let bed = Bed::new();
    bed.namespace();
    bed.made(SERVICE, "app/inside", json!({ "spec": { "type": "ClusterIP" } }));
    bed.made(SERVICE, "app/web", json!({ "spec": { "type": "LoadBalancer" } }));
    assert_eq!(bed.status(SERVICE, "app/inside"), Status::Ready);
    let found = bed.look(SERVICE, "app/web");
    assert_eq!(found.status, Status::Pending("no load balancer yet".to_owned()));
    assert!(!found.outputs.contains_key("hostname"));
    bed.wait(10);
    let found = bed.look(SERVICE, "app/web");
    assert_eq!(found.status, Status::Ready);
    assert!(found.outputs["hostname"].as_str().unwrap().starts_with("web-"));
}

#[test]
fn a_claim_outlives_its_pods_and_a_volume_its_claim() {
    let bed = Bed::new();
    bed.namespace();
    bed.made(VOLUME, "app/volume", json!({}));
    bed.made(CLAIM, "app/data", json!({ "spec": { "volumeName": "volume" } }));
    let mount = json!({ "volumes": [{ "persistentVolumeClaim": { "claimName": "data" } }] });
    bed.made(DEPLOYMENT, "app/web", deployment("eu-west-1a", &mount));
    bed.delete(VOLUME, "app/volume").unwrap();
    bed.delete(CLAIM, "app/data").unwrap();
    bed.wait(60);
    assert_eq!(bed.status(VOLUME, "app/volume"), Status::Deleting);
    assert_eq!(bed.status(CLAIM, "app/data"), Status::Deleting);
    bed.delete(DEPLOYMENT, "app/web").unwrap();
    bed.wait(6);
    assert_eq!(bed.status(VOLUME, "app/volume"), Status::Absent);
}

#[test]
fn a_namespace_takes_its_content_along() {
    let bed = Bed::new();
    assert_eq!(class(bed.create(SECRET, "app/db", json!({}))), "not found");
    bed.namespace();
    bed.made(SECRET, "app/db", json!({}));
    bed.change(|world| world.overwrite_inventory("git/git", Some("{}")));
    bed.delete(NAMESPACE, "stack/git").unwrap();
    assert_eq!(bed.status(SECRET, "app/db"), Status::Deleting);
    assert_eq!(class(bed.create(SECRET, "app/other", json!({}))), "busy");
    bed.wait(6);
    assert_eq!(bed.look(NAMESPACE, "stack/git"), Observation::absent());
    assert!(bed.world().resources().is_empty());
    assert!(bed.world().inventories().is_empty());
}

#[test]
fn what_nobody_asks_for_any_more_shows_and_goes_unless_others_set_it() {
    let bed = Bed::new();
    bed.namespace();
    let labels = |labels: Json| json!({ "metadata": { "labels": labels } });
    bed.made(SECRET, "app/db", labels(json!({ "a": "1", "b/c": "2" })));
    let theirs = "/metadata/labels/their~1s";
    bed.change(|world| world.tamper(SECRET, "git/db", theirs, json!("3"))).unwrap();
    let wanted = labels(json!({ "a": "1" }));
    let found = bed.look_for(SECRET, "app/db", wanted.clone());
    assert_eq!(found.attributes, labels(json!({ "a": "1", "b/c": "2" })));
    let gone = "/metadata/labels/b~1c";
    bed.update(SECRET, "app/db", wanted.clone(), gone, json!("2"), Json::Null).unwrap();
    assert_eq!(bed.look_for(SECRET, "app/db", wanted.clone()).attributes, wanted);
    let there = bed.world().find(SECRET, "git/db").unwrap().spec.clone();
    assert_eq!(there, labels(json!({ "a": "1", "their/s": "3" })));
    // Of a service of AWS, what nobody asks for stays unseen.
    bed.made(STORE, "data/store", json!({ "mode": "x", "tags": { "a": "1" } }));
    let wanted = json!({ "tags": {} });
    assert_eq!(bed.look_for(STORE, "data/store", wanted.clone()).attributes, wanted);
}

#[test]
fn a_namespace_with_others_things_stays() {
    let bed = Bed::new();
    bed.namespace();
    bed.change(|world| world.plant(SECRET, "git/theirs", json!({})));
    let error = bed.delete(NAMESPACE, "stack/git").unwrap_err();
    assert_eq!(error.class.as_str(), "dependency");
    assert!(error.message.ends_with("did not make: k8s.v1.Secret git/theirs"), "{error}");
    bed.change(|world| world.remove_by_hand(SECRET, "git/theirs")).unwrap();
    bed.delete(NAMESPACE, "stack/git").unwrap();
}

#[test]
fn generated_values_are_read_again_the_same_and_kept_nowhere() {
    let bed = Bed::new();
    bed.namespace();
    let spec = json!({ "stringData": {
        "made": generate(&Generator::Alphanumeric(24)),
        "given": secret(&SecretRef::Env("GIVEN".to_owned())),
    } });
    bed.made(SECRET, "app/db", spec.clone());
    let read = |key: &str| {
        let at = SecretKey { name: "db".to_owned(), key: key.to_owned() };
        bed.clock.run(bed.secrets.resolve(&SecretRef::Secret(at.clone()))).unwrap()
    };
    let value = read("made").unwrap();
    assert_eq!(read("made").unwrap(), value);
    assert_eq!(value.expose().len(), 24);
    assert_eq!(read("given").unwrap().expose(), "value");
    assert_eq!(read("none").unwrap_err().to_string(), "Secret db key none does not exist");
    let kept = serde_json::to_string(&bed.world()).unwrap();
    assert!(!kept.contains(value.expose()) && !kept.contains("\"value\""));
    assert_eq!(bed.look_for(SECRET, "app/db", spec.clone()).attributes, spec);
    // Made anew, the Secret has another value.
    bed.delete(SECRET, "app/db").unwrap();
    bed.wait(6);
    bed.made(SECRET, "app/db", spec);
    assert_ne!(read("made").unwrap(), value);
}

#[test]
fn a_secret_that_is_not_there_refuses_what_needs_it() {
    let bed = Bed::new();
    bed.namespace();
    let spec = json!({ "stringData": { "x": secret(&SecretRef::Env("NOT_GIVEN".to_owned())) } });
    let error = bed.create(SECRET, "app/db", spec).unwrap_err();
    assert_eq!(error.to_string(), "environment variable NOT_GIVEN does not exist");
    assert_eq!(error.class.as_str(), "invalid");
}
