use zonestack_core::driver::Status;
use zonestack_core::secret::{Generator, SecretRef};
use zonestack_core::value::{generate, secret};

use super::*;
use crate::scripted::{
    Answer, Calls, context, list, not_found, ours, owner, refusal, server, target,
};

const CONFIG: &str = "k8s.v1.ConfigMap";
const SECRET: &str = "k8s.v1.Secret";
const NAMESPACE: &str = "k8s.v1.Namespace";

fn driver(answers: Vec<Answer>) -> (KubernetesDriver, Calls) {
    let (client, calls) = server(answers);
    (KubernetesDriver::new(client), calls)
}

fn config(name: &str) -> Json {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "dev" }, "data": { "k": "v" } })
}

fn query(kind: &str, name: &str, spec: Option<Json>) -> Query {
    Query { target: target(kind, name), spec }
}

async fn look(
    answers: Vec<Answer>,
    queries: &[Query],
) -> (Vec<Result<Observation, DriverError>>, Vec<String>) {
    let (driver, calls) = driver(answers);
    let owner = owner();
    let observations = driver.observe(context(&owner), queries).await;
    (observations, calls.lines())
}

#[tokio::test]
async fn many_objects_of_a_kind_are_one_list_and_only_what_it_lacks_is_asked_for() {
    let mut foreign = config("c");
    foreign["metadata"]["uid"] = json!("uid-c");
    let mut a = ours("a");
    a["data"] = json!({ "k": "v" });
    let queries =
        ["a", "b", "c"].map(|name| query(CONFIG, &format!("dev/{name}"), Some(config(name))));
    let (found, calls) = look(
        vec![
            ("GET /api/v1/namespaces/dev/configmaps", 200, list(&[ours("b"), a])),
            ("GET /api/v1/namespaces/dev/configmaps/c", 200, foreign),
        ],
        &queries,
    )
    .await;
    let found: Vec<Observation> = found.into_iter().map(Result::unwrap).collect();
    assert_eq!(found[0].remote_id.as_deref(), Some("uid-a"));
    assert_eq!(found[0].ownership, Ownership::Ours);
    assert_eq!(found[0].status, Status::Ready);
    assert_eq!(found[0].attributes["data"], json!({ "k": "v" }));
    assert_eq!(found[1].attributes.get("data"), None);
    assert_eq!(found[2].ownership, Ownership::Foreign);
    insta::assert_debug_snapshot!(calls);
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_its_end_and_again_when_a_page_expires() {
    let path = "GET /api/v1/namespaces/dev/configmaps";
    let mut first = list(&[ours("a")]);
    first["metadata"]["continue"] = json!("next");
    let queries = ["a", "b"].map(|name| query(CONFIG, &format!("dev/{name}"), None));
    let (found, calls) =
        look(vec![(path, 200, first.clone()), (path, 200, list(&[ours("b")]))], &queries).await;
    assert!(found.iter().all(|found| found.as_ref().unwrap().is_present()));
    assert_eq!(calls.len(), 2);
    assert!(calls[1].contains("continue=next"), "{calls:?}");

    let expired = refusal(410, "Expired", "the continue token is too old");
    let whole = list(&[ours("a"), ours("b")]);
    let (found, calls) =
        look(vec![(path, 200, first), (path, 410, expired), (path, 200, whole)], &queries).await;
    assert!(found.iter().all(|found| found.as_ref().unwrap().is_present()));
    assert!(!calls[2].contains("limit") && !calls[2].contains("continue"), "{calls:?}");
}

#[tokio::test]
async fn where_there_is_no_namespace_nothing_in_it_is_asked_for() {
    let queries = [
        query(CONFIG, "dev/a", Some(config("a"))),
        query(CONFIG, "dev/b", Some(config("b"))),
        query(NAMESPACE, "dev", Some(json!({ "metadata": { "name": "dev" } }))),
    ];
    let (found, calls) =
        look(vec![("GET /api/v1/namespaces/dev", 404, not_found())], &queries).await;
    assert!(found.iter().all(|found| !found.as_ref().unwrap().is_present()));
    assert_eq!(calls, ["GET /api/v1/namespaces/dev"]);
}

#[tokio::test]
async fn a_list_that_may_not_be_read_fails_each_of_its_objects() {
    let queries = ["a", "b"].map(|name| query(CONFIG, &format!("dev/{name}"), None));
    let message = "configmaps is forbidden: User \"ann\" cannot list resource \"configmaps\"";
    let denied = refusal(403, "Forbidden", message);
    let (found, _) =
        look(vec![("GET /api/v1/namespaces/dev/configmaps", 403, denied)], &queries).await;
    let right = Some("list resource \"configmaps\"".to_owned());
    for found in found {
        assert_eq!(found.unwrap_err().class, ErrorClass::Denied(right.clone()));
    }
}

#[tokio::test]
async fn a_deployment_that_gave_up_says_why_from_its_pods() {
    let mut object = ours("web");
    object["spec"] = json!({ "replicas": 1, "selector": { "matchLabels": { "app": "web" } } });
    object["status"] = json!({ "conditions": [
        { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" },
    ] });
    let pod = json!({ "status": { "containerStatuses": [
        { "name": "web", "state": { "waiting": { "reason": "ErrImagePull" } } },
    ] } });
    let (found, calls) = look(
        vec![
            ("GET /apis/apps/v1/namespaces/dev/deployments/web", 200, object),
            ("GET /api/v1/namespaces/dev/pods", 200, list(&[pod])),
        ],
        &[query("k8s.apps/v1.Deployment", "dev/web", None)],
    )
    .await;
    let text = "0 of 1 pods ready within progressDeadlineSeconds: web: ErrImagePull".to_owned();
    assert_eq!(found[0].as_ref().unwrap().status, Status::Failed(text));
    assert!(calls[1].contains("labelSelector=app%3Dweb"), "{calls:?}");
}

#[tokio::test]
async fn a_kind_or_name_that_cannot_be_is_an_error_and_no_call() {
    let queries = [query("k8s.v1.Pod", "dev/a", None), query(CONFIG, "a", None)];
    let (found, calls) = look(Vec::new(), &queries).await;
    let classes: Vec<ErrorClass> =
        found.into_iter().map(|found| found.unwrap_err().class).collect();
    assert_eq!(classes, [ErrorClass::Unsupported, ErrorClass::Bug]);
    assert!(calls.is_empty());
}

#[tokio::test]
async fn a_creation_applies_with_our_labels() {
    let path = "/api/v1/namespaces/dev/configmaps/a";
    let (driver, calls) = driver(vec![
        ("GET /api/v1/namespaces/dev/configmaps/a", 404, not_found()),
        ("PATCH /api/v1/namespaces/dev/configmaps/a", 201, ours("a")),
    ]);
    let owner = owner();
    let created =
        driver.create(context(&owner), &target(CONFIG, "dev/a"), &config("a")).await.unwrap();
    assert_eq!(created.remote_id.as_deref(), Some("uid-a"));
    let query = "fieldManager=zonestack&fieldValidation=Strict";
    assert_eq!(calls.lines()[1], format!("PATCH {path}?&{query}"));
    insta::assert_snapshot!(format!("{:#}", calls.body(1)));
}

#[tokio::test]
async fn a_creation_adopts_what_is_ours_and_leaves_a_stranger_alone() {
    let owner = owner();
    let get = "GET /api/v1/namespaces/dev/configmaps/a";
    let patch = "PATCH /api/v1/namespaces/dev/configmaps/a";
    let (ours_there, _) = driver(vec![(get, 200, ours("a")), (patch, 200, ours("a"))]);
    let created = ours_there.create(context(&owner), &target(CONFIG, "dev/a"), &config("a")).await;
    assert_eq!(created.unwrap().remote_id.as_deref(), Some("uid-a"));

    let (stranger_there, calls) = driver(vec![(get, 200, config("a"))]);
    let refused =
        stranger_there.create(context(&owner), &target(CONFIG, "dev/a"), &config("a")).await;
    assert_eq!(refused.unwrap_err().class, ErrorClass::AlreadyExists);
    assert_eq!(calls.lines(), [get]);
}

#[tokio::test]
async fn an_update_names_the_object_that_it_means() {
    let (driver, calls) =
        driver(vec![("PATCH /api/v1/namespaces/dev/configmaps/a", 200, ours("a"))]);
    let owner = owner();
    let mut target = target(CONFIG, "dev/a");
    target.remote_id = Some("uid-a".to_owned());
    driver.update(context(&owner), &target, &config("a"), &[]).await.unwrap();
    assert_eq!(calls.body(0)["metadata"]["uid"], "uid-a");
}

fn conflict_with(manager: &str) -> Json {
    let mut conflict = refusal(409, "Conflict", "Apply failed with 1 conflict");
    conflict["details"] = json!({ "causes": [{
        "reason": "FieldManagerConflict",
        "field": ".data.k",
        "message": format!("conflict with \"{manager}\" using v1"),
    }] });
    conflict
}

#[tokio::test]
async fn what_somebody_set_in_our_name_is_ours() {
    let path = "PATCH /api/v1/namespaces/dev/configmaps/a";
    let (driver, calls) =
        driver(vec![(path, 409, conflict_with("zonestack")), (path, 200, ours("a"))]);
    let owner = owner();
    driver.update(context(&owner), &target(CONFIG, "dev/a"), &config("a"), &[]).await.unwrap();
    let forced: Vec<bool> = calls.lines().iter().map(|line| line.contains("force=true")).collect();
    assert_eq!(forced, [false, true]);
}

#[tokio::test]
async fn a_conflict_stops_with_the_other_managers_name() {
    let path = "PATCH /api/v1/namespaces/dev/configmaps/a";
    let (driver, _) = driver(vec![(path, 409, conflict_with("helm"))]);
    let owner = owner();
    let error = driver
        .update(context(&owner), &target(CONFIG, "dev/a"), &config("a"), &[])
        .await
        .unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    assert!(error.message.contains(".data.k (set by helm)"), "{}", error.message);
}

#[tokio::test]
async fn a_released_volume_is_freed_for_its_claim() {
    let (driver, calls) = driver(vec![("PATCH /api/v1/persistentvolumes/v", 200, ours("v"))]);
    let owner = owner();
    let difference =
        Difference { path: "/spec/claimRef/uid".to_owned(), from: Some(json!("u")), to: None };
    let target = target("k8s.v1.PersistentVolume", "v");
    driver.update(context(&owner), &target, &json!({}), &[difference]).await.unwrap();
    let expected = json!({ "spec": { "claimRef": { "uid": null, "resourceVersion": null } } });
    assert_eq!(calls.body(0), expected);
}

fn secret_spec() -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "s", "namespace": "dev" },
        "stringData": {
            "made": generate(&Generator::Alphanumeric(32)),
            "fetched": secret(&SecretRef::Env("PASSWORD".to_owned())),
            "plain": "x",
        },
    })
}

#[tokio::test]
async fn a_secret_is_made_by_a_plain_create() {
    let (driver, calls) = driver(vec![("POST /api/v1/namespaces/dev/secrets", 201, ours("s"))]);
    let owner = owner();
    driver.create(context(&owner), &target(SECRET, "dev/s"), &secret_spec()).await.unwrap();
    assert_eq!(calls.lines().len(), 1);
    let sent = calls.body(0);
    assert_eq!(sent["stringData"]["made"].as_str().unwrap().len(), 32);
    assert_eq!(sent["stringData"]["fetched"], "correct horse");
    assert_eq!(sent["stringData"]["plain"], "x");
    assert_eq!(sent["metadata"]["labels"]["zonestack.io/uid"], "u1");
    assert_eq!(sent["metadata"]["annotations"]["zonestack.io/node"], "web/thing");
}

/// A specification as the core marks it.
fn labelled(mut spec: Json) -> Json {
    spec["metadata"]["labels"] =
        json!({ "zonestack.io/stack": "git", "zonestack.io/component": "web" });
    spec
}

/// What differs, and whose it is.
async fn seen_as(kind: &str, name: &str, spec: &Json, live: Json) -> (Ownership, bool) {
    let path: &'static str = match kind {
        SECRET => "GET /api/v1/namespaces/dev/secrets/s",
        _ => "GET /api/v1/namespaces/dev/configmaps/a",
    };
    let (found, _) = look(vec![(path, 200, live)], &[query(kind, name, Some(spec.clone()))]).await;
    let found = found.into_iter().next().unwrap().unwrap();
    (found.ownership, found.attributes == *spec)
}

#[tokio::test]
async fn what_was_adopted_or_renamed_is_ours_once_it_is_applied() {
    let owner = owner();
    let spec = labelled(config("a"));
    let mut unmarked = config("a");
    unmarked["metadata"]["uid"] = json!("uid-a");
    assert_eq!(
        seen_as(CONFIG, "dev/a", &spec, unmarked.clone()).await,
        (Ownership::Foreign, false)
    );
    let mut target = target(CONFIG, "dev/a");
    target.remote_id = Some("uid-a".to_owned());
    let path = "PATCH /api/v1/namespaces/dev/configmaps/a";
    let (driver, calls) = driver(vec![(path, 200, ours("a"))]);
    driver.update(context(&owner), &target, &spec, &[]).await.unwrap();
    // What the server has then: what was sent, and who applied it.
    let mut applied = calls.body(0);
    assert_eq!(applied["metadata"]["annotations"]["zonestack.io/node"], "web/thing");
    applied["metadata"]["managedFields"] = json!([{
        "manager": "zonestack",
        "operation": "Apply",
        "fieldsV1": { "f:metadata": {
            "f:labels": {
                "f:zonestack.io/stack": {}, "f:zonestack.io/uid": {}, "f:zonestack.io/component": {},
                "f:app.kubernetes.io/managed-by": {}, "f:applyset.kubernetes.io/part-of": {},
            },
            "f:annotations": { "f:zonestack.io/node": {} },
        }, "f:data": { "f:k": {} } },
    }]);
    assert_eq!(seen_as(CONFIG, "dev/a", &spec, applied.clone()).await, (Ownership::Ours, true));
    // The annotation by itself is no difference: not another component's, not none.
    applied["metadata"]["annotations"]["zonestack.io/node"] = json!("old/thing");
    assert_eq!(seen_as(CONFIG, "dev/a", &spec, applied.clone()).await, (Ownership::Ours, true));
    applied["metadata"].as_object_mut().unwrap().remove("annotations");
    assert_eq!(seen_as(CONFIG, "dev/a", &spec, applied).await, (Ownership::Ours, true));
}

#[tokio::test]
async fn an_adopted_secret_gets_its_marks_and_keeps_its_values() {
    let owner = owner();
    let spec = labelled(secret_spec());
    let mut live = json!({
        "metadata": { "name": "s", "namespace": "dev", "uid": "uid-s", "resourceVersion": "7" },
        "data": { "made": "b2xk", "fetched": "b2xk", "plain": "eA==" },
    });
    assert_eq!(seen_as(SECRET, "dev/s", &spec, live.clone()).await, (Ownership::Foreign, false));
    let (driver, calls) = driver(vec![
        ("GET /api/v1/namespaces/dev/secrets/s", 200, live.clone()),
        ("PATCH /api/v1/namespaces/dev/secrets/s", 200, ours("s")),
    ]);
    driver.update(context(&owner), &target(SECRET, "dev/s"), &spec, &[]).await.unwrap();
    let sent = calls.body(1);
    assert_eq!(sent.as_object().unwrap().keys().collect::<Vec<_>>(), ["metadata"]);
    assert_eq!(sent["metadata"]["annotations"], json!({ "zonestack.io/node": "web/thing" }));
    for field in ["labels", "annotations"] {
        live["metadata"][field] = sent["metadata"][field].clone();
    }
    assert_eq!(seen_as(SECRET, "dev/s", &spec, live).await, (Ownership::Ours, true));
}

#[tokio::test]
async fn an_existing_secret_is_not_changed_by_a_creation() {
    let exists = refusal(409, "AlreadyExists", "secrets \"s\" already exists");
    let (driver, _) = driver(vec![("POST /api/v1/namespaces/dev/secrets", 409, exists)]);
    let owner = owner();
    let error =
        driver.create(context(&owner), &target(SECRET, "dev/s"), &secret_spec()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::AlreadyExists);
}

#[tokio::test]
async fn a_server_that_repeats_a_value_does_not_leak_it() {
    let rude = refusal(422, "Invalid", "Invalid value: \"correct horse\" (Y29ycmVjdCBob3JzZQ==)");
    let (driver, _) = driver(vec![("POST /api/v1/namespaces/dev/secrets", 422, rude)]);
    let owner = owner();
    let error =
        driver.create(context(&owner), &target(SECRET, "dev/s"), &secret_spec()).await.unwrap_err();
    insta::assert_snapshot!(error.message);
}

#[tokio::test]
async fn completing_a_secret_touches_no_value_that_is_there() {
    let mut live = ours("s");
    live["data"] = json!({ "made": "b2xk", "fetched": "b2xk", "plain": "b2xk", "extra": "b2xk" });
    let mut spec = secret_spec();
    spec["stringData"]["more"] = generate(&Generator::Alphanumeric(8));
    let (driver, calls) = driver(vec![
        ("GET /api/v1/namespaces/dev/secrets/s", 200, live),
        ("PATCH /api/v1/namespaces/dev/secrets/s", 200, ours("s")),
    ]);
    let owner = owner();
    driver.update(context(&owner), &target(SECRET, "dev/s"), &spec, &[]).await.unwrap();
    let sent = calls.body(1);
    let keys: Vec<&String> = sent["stringData"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["plain", "more"]);
    assert_eq!(sent["stringData"]["plain"], "x");
    assert_eq!(sent["metadata"]["resourceVersion"], "7");
    assert_eq!(sent.get("data"), None);
}

#[tokio::test]
async fn a_complete_secret_is_not_written() {
    let mut live = ours("s");
    live["data"] = json!({ "made": "b2xk", "fetched": "b2xk", "plain": "eA==" });
    let owner = owner();
    let id = target(SECRET, "dev/s").id;
    let marked = marks::mark(&live, &owner, &id);
    live = marked;
    let (driver, calls) = driver(vec![("GET /api/v1/namespaces/dev/secrets/s", 200, live)]);
    driver.update(context(&owner), &target(SECRET, "dev/s"), &secret_spec(), &[]).await.unwrap();
    assert_eq!(calls.lines().len(), 1);
}

async fn end(target: &Target, answers: Vec<Answer>) -> (Result<(), DriverError>, Calls) {
    let (driver, calls) = driver(answers);
    let owner = owner();
    (driver.delete(context(&owner), target, &Deletion::default()).await, calls)
}

#[tokio::test]
async fn a_deletion_names_the_object_that_it_saw() {
    let get = "GET /api/v1/namespaces/dev/configmaps/a";
    let delete = "DELETE /api/v1/namespaces/dev/configmaps/a";
    let (done, calls) =
        end(&target(CONFIG, "dev/a"), vec![(get, 200, ours("a")), (delete, 200, json!({}))]).await;
    done.unwrap();
    assert_eq!(calls.body(1)["preconditions"], json!({ "uid": "uid-a" }));
    assert_eq!(calls.body(1)["propagationPolicy"], "Background");
}

#[tokio::test]
async fn deleting_what_is_gone_or_somebody_elses_by_now_succeeds_without_a_deletion() {
    let get = "GET /api/v1/namespaces/dev/configmaps/a";
    let mut going = ours("a");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-23T07:00:00Z");
    for (code, body) in [(404, not_found()), (200, config("a")), (200, going)] {
        let (done, calls) = end(&target(CONFIG, "dev/a"), vec![(get, code, body)]).await;
        done.unwrap();
        assert_eq!(calls.lines(), [get]);
    }
}

#[tokio::test]
async fn what_a_controller_owns_is_not_deleted() {
    let mut owned = ours("a");
    owned["metadata"]["ownerReferences"] = json!([{ "kind": "Operator", "controller": true }]);
    let get = "GET /api/v1/namespaces/dev/configmaps/a";
    let (refused, calls) = end(&target(CONFIG, "dev/a"), vec![(get, 200, owned)]).await;
    assert_eq!(refused.unwrap_err().class, ErrorClass::Dependency);
    assert_eq!(calls.lines(), [get]);
}

/// Answers for a namespace of ours with these Secrets that are not ours.
fn namespace_with(secrets: &[Json]) -> Vec<Answer> {
    let empty = || list(&[]);
    vec![
        ("GET /api/v1/namespaces/dev", 200, ours("dev")),
        ("GET /api/v1/namespaces/dev/pods", 200, empty()),
        ("GET /api/v1/namespaces/dev/persistentvolumeclaims", 200, empty()),
        ("GET /api/v1/namespaces/dev/services", 200, empty()),
        ("GET /api/v1/namespaces/dev/secrets", 200, list(secrets)),
        (
            "GET /api/v1/namespaces/dev/configmaps",
            200,
            list(&[json!({ "metadata": { "name": "kube-root-ca.crt" } })]),
        ),
        ("GET /apis/apps/v1/namespaces/dev/deployments", 200, empty()),
        ("GET /apis/apps/v1/namespaces/dev/statefulsets", 200, empty()),
        ("DELETE /api/v1/namespaces/dev", 200, json!({})),
    ]
}

#[tokio::test]
async fn a_namespace_is_deleted_only_without_strangers_in_it() {
    let (done, calls) = end(&target(NAMESPACE, "dev"), namespace_with(&[])).await;
    done.unwrap();
    assert_eq!(calls.lines().last().unwrap(), "DELETE /api/v1/namespaces/dev");

    let stranger = json!({ "metadata": { "name": "theirs" } });
    let (refused, calls) = end(&target(NAMESPACE, "dev"), namespace_with(&[stranger])).await;
    let error = refused.unwrap_err();
    assert_eq!(error.class, ErrorClass::Dependency);
    insta::assert_snapshot!(error.message);
    assert!(!calls.lines().iter().any(|line| line.starts_with("DELETE")));
    assert!(
        calls
            .lines()
            .iter()
            .any(|line| line.contains("labelSelector=zonestack.io%2Fstack%21%3Dgit"))
    );
}

#[tokio::test]
async fn a_write_without_a_sure_answer_is_ambiguous() {
    let late = refusal(504, "Timeout", "the server was too slow");
    let (driver, _) = driver(vec![("PATCH /api/v1/namespaces/dev/configmaps/a", 504, late)]);
    let owner = owner();
    let error = driver
        .update(context(&owner), &target(CONFIG, "dev/a"), &config("a"), &[])
        .await
        .unwrap_err();
    assert_eq!(error.class, ErrorClass::Ambiguous);
}
