use std::collections::BTreeMap;

use super::*;
use crate::scripted::{Answer, Calls, not_found, refusal, server};

const OBJECT: &str = "/api/v1/namespaces/dev/configmaps/zonestack-git";

fn store(answers: Vec<Answer>) -> (ConfigMapInventory, Calls) {
    let (client, calls) = server(answers);
    (ConfigMapInventory::new(client, "dev", "git"), calls)
}

fn inventory() -> Inventory {
    Inventory {
        stack: "git".to_owned(),
        uid: "u1".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        cluster: "k8s.myzone.net".to_owned(),
        epoch: 1,
        called: BTreeMap::new(),
        entries: BTreeMap::new(),
    }
}

fn stored(version: &str) -> Json {
    json!({ "metadata": { "resourceVersion": version }, "data": { KEY: inventory().to_text() } })
}

fn no_namespace() -> Json {
    let mut status = refusal(404, "NotFound", "namespaces \"dev\" not found");
    status["details"] = json!({ "name": "dev", "kind": "namespaces" });
    status
}

#[tokio::test]
async fn what_was_saved_is_loaded_with_its_version() {
    let (store, _) = store(vec![(
        concat!("GET /api/v1/namespaces/dev/configmaps/", "zonestack-git"),
        200,
        stored("41"),
    )]);
    assert_eq!(store.load().await.unwrap(), Some((inventory(), Version("41".to_owned()))));
}

#[tokio::test]
async fn no_inventory_is_none_and_a_damaged_one_is_an_error() {
    let get = "GET /api/v1/namespaces/dev/configmaps/zonestack-git";
    let (empty, _) = store(vec![(get, 404, not_found())]);
    assert_eq!(empty.load().await.unwrap(), None);
    let (damaged, _) = store(vec![(get, 200, json!({ "data": {} }))]);
    assert!(matches!(damaged.load().await, Err(InventoryError::Read(_))));
}

#[tokio::test]
async fn a_save_replaces_the_version_that_it_names() {
    let put = "PUT /api/v1/namespaces/dev/configmaps/zonestack-git";
    let (saved, calls) = store(vec![(put, 200, stored("42"))]);
    let old = Version("41".to_owned());
    assert_eq!(saved.save(&inventory(), Some(&old)).await.unwrap(), Version("42".to_owned()));
    assert!(calls.lines()[0].starts_with(&format!("PUT {OBJECT}")));
    insta::assert_snapshot!(format!("{:#}", calls.body(0)));
}

#[tokio::test]
async fn whoever_comes_second_conflicts() {
    let put = "PUT /api/v1/namespaces/dev/configmaps/zonestack-git";
    let post = "POST /api/v1/namespaces/dev/configmaps";
    let old = Version("41".to_owned());
    let conflict = refusal(409, "Conflict", "the object has been modified");
    let exists = refusal(409, "AlreadyExists", "already exists");
    for (answer, replaces) in [
        ((put, 409, conflict), Some(&old)),
        ((put, 404, not_found()), Some(&old)),
        ((post, 409, exists), None),
    ] {
        let (store, _) = store(vec![answer]);
        let saved = store.save(&inventory(), replaces).await;
        assert!(matches!(saved, Err(InventoryError::Conflict)), "{saved:?}");
    }
}

#[tokio::test]
async fn the_first_save_makes_the_namespace_marked_as_ours() {
    let post = "POST /api/v1/namespaces/dev/configmaps";
    let (store, calls) = store(vec![
        (post, 404, no_namespace()),
        ("POST /api/v1/namespaces", 201, json!({})),
        (post, 201, stored("1")),
    ]);
    assert_eq!(store.save(&inventory(), None).await.unwrap(), Version("1".to_owned()));
    let labels = &calls.body(1)["metadata"]["labels"];
    assert_eq!(labels["zonestack.io/stack"], "git");
    assert_eq!(labels["zonestack.io/uid"], "u1");
    let annotations = &calls.body(1)["metadata"]["annotations"];
    assert_eq!(annotations["zonestack.io/node"], "stack/namespace");
}

#[tokio::test]
async fn the_namespace_tells_the_uid_of_a_run_that_ended_early() {
    let get = "GET /api/v1/namespaces/dev";
    let labels = |stack: &str, tool: &str| {
        json!({ "metadata": { "name": "dev", "labels": {
            "zonestack.io/stack": stack,
            "zonestack.io/uid": "u1",
            "app.kubernetes.io/managed-by": tool,
        } } })
    };
    let mut going = labels("git", "zonestack");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-23T07:00:00Z");
    for (code, body, expected) in [
        (200, labels("git", "zonestack"), Some("u1")),
        (200, labels("git-lab", "zonestack"), None),
        (200, labels("git", "helm"), None),
        (200, json!({ "metadata": { "name": "dev" } }), None),
        (200, going, None),
        (404, not_found(), None),
    ] {
        let (store, calls) = store(vec![(get, code, body.clone())]);
        assert_eq!(store.claimed_uid().await.unwrap().as_deref(), expected, "{body}");
        assert_eq!(calls.lines(), [get]);
    }
    let (denied, _) = store(vec![(get, 403, refusal(403, "Forbidden", "no"))]);
    assert!(matches!(denied.claimed_uid().await, Err(InventoryError::Denied(_))));
    let (down, _) = store(vec![(get, 503, refusal(503, "ServiceUnavailable", "later"))]);
    assert!(matches!(down.claimed_uid().await, Err(InventoryError::Unreachable(_))));
}

#[tokio::test]
async fn a_removal_takes_the_version_that_it_names_or_nothing() {
    let delete = "DELETE /api/v1/namespaces/dev/configmaps/zonestack-git";
    let version = Version("41".to_owned());
    let (there, calls) = store(vec![(delete, 200, json!({}))]);
    there.remove(&version).await.unwrap();
    assert_eq!(calls.body(0)["preconditions"], json!({ "resourceVersion": "41" }));
    let (gone, _) = store(vec![(delete, 404, not_found())]);
    gone.remove(&version).await.unwrap();
    let (changed, _) = store(vec![(delete, 409, refusal(409, "Conflict", "changed"))]);
    assert!(matches!(changed.remove(&version).await, Err(InventoryError::Conflict)));
}

#[tokio::test]
async fn a_refusal_and_an_absence_are_told_apart() {
    let get = "GET /api/v1/namespaces/dev/configmaps/zonestack-git";
    let (denied, _) = store(vec![(get, 403, refusal(403, "Forbidden", "no"))]);
    assert!(matches!(denied.load().await, Err(InventoryError::Denied(_))));
    let later = || refusal(503, "ServiceUnavailable", "later");
    let (down, _) = store((0..5).map(|_| (get, 503, later())).collect());
    assert!(matches!(down.load().await, Err(InventoryError::Unreachable(_))));
}
