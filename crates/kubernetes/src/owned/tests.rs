use serde_json::json;
use zonestack_core::driver::ErrorClass;
use zonestack_core::name::Kind;

use super::*;
use crate::scripted::{Answer, Calls, list, not_found, ours, owner, refusal, server};

/// An answer for every list: what is not named is empty.
fn lists(mut named: Vec<Answer>) -> Vec<Answer> {
    for kind in KINDS.iter().filter(|kind| kind.readiness != Readiness::Namespace) {
        let path = kind.path(kind.namespaced.then_some("dev"));
        let line: &'static str = Box::leak(format!("GET {path}").into_boxed_str());
        if named.iter().all(|(known, ..)| *known != line) {
            named.push((line, 200, list(&[])));
        }
    }
    named
}

const HOME: &str = "GET /api/v1/namespaces/dev";

async fn look(answers: Vec<Answer>) -> (Result<Vec<Owned>, DriverError>, Calls) {
    let (client, calls) = server(answers);
    // The uid is what a lost inventory takes along.
    let nobody = Owner { uid: None, ..owner() };
    (owned(&ApiServer::new(client), &nobody).await, calls)
}

fn of_node(name: &str, node: &str) -> Json {
    let mut object = ours(name);
    object["metadata"]["annotations"] = json!({ "zonestack.io/node": node });
    object
}

fn in_dev(mut object: Json) -> Json {
    object["metadata"]["namespace"] = json!("dev");
    object
}

#[tokio::test]
async fn everything_that_carries_the_label_is_listed_without_values() {
    let mut copied = ours("copy");
    copied["metadata"]["ownerReferences"] = json!([{ "kind": "Operator", "controller": true }]);
    let mut going = ours("going");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-23T07:00:00Z");
    let mut inventory = ours("zonestack-git");
    inventory["metadata"]["labels"]["applyset.kubernetes.io/id"] = json!("applyset-x-v1");
    let (found, calls) = look(lists(vec![
        (HOME, 200, ours("dev")),
        (
            "GET /api/v1/namespaces/dev/configmaps",
            200,
            list(&[in_dev(ours("a")), in_dev(inventory), in_dev(copied), in_dev(going)]),
        ),
        (
            "GET /api/v1/namespaces/dev/secrets",
            200,
            list(&[in_dev(of_node("keys", "web/secrets@eu-west-1a"))]),
        ),
        ("GET /api/v1/persistentvolumes", 200, list(&[of_node("dev-git-web", "web/volume")])),
    ]))
    .await;
    let of = |kind: &str, id: Option<&str>, name: &str, uid: &str| Owned {
        kind: Kind::new(kind),
        id: id.map(|id| id.parse().unwrap()),
        uid: Some("u1".to_owned()),
        cluster: None,
        name: Some(name.to_owned()),
        remote_id: Some(uid.to_owned()),
    };
    assert_eq!(
        found.unwrap(),
        [
            of("k8s.v1.Secret", Some("web/secrets@eu-west-1a"), "dev/keys", "uid-keys"),
            of("k8s.v1.ConfigMap", None, "dev/a", "uid-a"),
            of("k8s.v1.PersistentVolume", Some("web/volume"), "dev-git-web", "uid-dev-git-web"),
            of("k8s.v1.Namespace", Some("stack/namespace"), "dev", "uid-dev"),
        ]
    );
    let lines = calls.lines();
    assert_eq!(lines.len(), KINDS.len(), "{lines:?}");
    let selected = |line: &&String| line.contains("labelSelector=zonestack.io%2Fstack%3Dgit");
    assert_eq!(lines.iter().filter(selected).count(), KINDS.len() - 1);
}

#[tokio::test]
async fn only_the_stacks_own_namespace_counts() {
    let (found, _) = look(lists(vec![(HOME, 200, json!({ "metadata": { "name": "dev" } }))])).await;
    assert_eq!(found.unwrap(), []);
}

#[tokio::test]
async fn where_there_is_no_namespace_only_what_needs_none_is_left() {
    let mut going = ours("dev");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-23T07:00:00Z");
    for (code, home) in [(404, not_found()), (200, going)] {
        let volume = list(&[of_node("dev-git-web", "web/volume")]);
        let (found, calls) =
            look(vec![(HOME, code, home), ("GET /api/v1/persistentvolumes", 200, volume)]).await;
        let names: Vec<_> = found.unwrap().into_iter().map(|owned| owned.name.unwrap()).collect();
        assert_eq!(names, ["dev-git-web"]);
        assert_eq!(calls.lines().len(), 2, "{:?}", calls.lines());
    }
}

#[tokio::test]
async fn a_kind_that_may_not_be_listed_hides_no_other() {
    let denied =
        || refusal(403, "Forbidden", "jobs is forbidden: User \"ann\" cannot list resource");
    let jobs = "GET /apis/batch/v1/namespaces/dev/jobs";
    let configs = "GET /api/v1/namespaces/dev/configmaps";
    let named = vec![
        (HOME, 403, denied()),
        (jobs, 403, denied()),
        (configs, 200, list(&[in_dev(ours("a"))])),
    ];
    let (found, _) = look(lists(named)).await;
    assert_eq!(found.unwrap().len(), 1);

    let all = lists(vec![(HOME, 403, denied())]);
    let all = all.into_iter().map(|(line, ..)| (line, 403, denied())).collect();
    let (found, _) = look(all).await;
    assert!(matches!(found.unwrap_err().class, ErrorClass::Denied(_)));
}

#[tokio::test]
async fn a_list_that_fails_is_an_error() {
    let down = refusal(503, "ServiceUnavailable", "later");
    let named = vec![(HOME, 200, ours("dev")), ("GET /api/v1/namespaces/dev/secrets", 503, down)];
    let (found, _) = look(lists(named)).await;
    let error = found.unwrap_err();
    assert_eq!(error.class, ErrorClass::Transient);
    assert!(error.message.starts_with("list secrets of the stack"), "{error}");
}
