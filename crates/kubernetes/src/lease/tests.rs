use super::*;
use crate::scripted::{Answer, Calls, not_found, refusal, server};

const GET: &str = "GET /apis/coordination.k8s.io/v1/namespaces/dev/leases/zonestack-git";
const PUT: &str = "PUT /apis/coordination.k8s.io/v1/namespaces/dev/leases/zonestack-git";
const POST: &str = "POST /apis/coordination.k8s.io/v1/namespaces/dev/leases";
const DELETE: &str = "DELETE /apis/coordination.k8s.io/v1/namespaces/dev/leases/zonestack-git";
const HOME: &str = "GET /api/v1/namespaces/dev";

fn lease(answers: Vec<Answer>) -> (LeaseInNamespace, Calls) {
    let (client, calls) = server(answers);
    (LeaseInNamespace::new(client, "dev", "git"), calls)
}

fn held() -> LeaseRecord {
    LeaseRecord {
        holder: "eva@laptop/4242/1f0c9a52".to_owned(),
        since: "2026-11-23T07:00:00Z".to_owned(),
        renewed: "2026-11-23T07:00:15Z".to_owned(),
    }
}

fn stored(version: &str, acquired: &str, renewed: &str) -> Json {
    json!({
        "metadata": { "resourceVersion": version },
        "spec": {
            "holderIdentity": "eva@laptop/4242/1f0c9a52",
            "leaseDurationSeconds": 60,
            "acquireTime": acquired,
            "renewTime": renewed,
        },
    })
}

fn version(text: &str) -> Version {
    Version(text.to_owned())
}

fn no_namespace() -> Json {
    let mut status = refusal(404, "NotFound", "namespaces \"dev\" not found");
    status["details"] = json!({ "name": "dev", "kind": "namespaces" });
    status
}

fn going_namespace() -> Json {
    let mut status = refusal(403, "Forbidden", "namespace dev is being terminated");
    status["details"] = json!({ "causes": [{ "reason": "NamespaceTerminating" }] });
    status
}

#[tokio::test]
async fn both_forms_of_times_are_read() {
    for (acquired, renewed) in [
        ("2026-11-23T07:00:00.000000Z", "2026-11-23T07:00:15.123456Z"),
        ("2026-11-23T07:00:00Z", "2026-11-23T07:00:15Z"),
    ] {
        let (lease, _) = lease(vec![(GET, 200, stored("41", acquired, renewed))]);
        assert_eq!(lease.read().await, Ok(Some((held(), version("41")))));
    }
    let (none, _) = lease(vec![(GET, 404, not_found())]);
    assert_eq!(none.read().await, Ok(None));
}

#[test]
fn times_are_written_with_six_digits() {
    for (time, written) in [
        ("2026-11-23T07:00:00Z", "2026-11-23T07:00:00.000000Z"),
        ("2026-11-23T07:00:00.5Z", "2026-11-23T07:00:00.500000Z"),
        ("2026-11-23T07:00:00.123456789Z", "2026-11-23T07:00:00.123456Z"),
        ("2026-11-23T07:00:00+01:00", "2026-11-23T07:00:00.000000+01:00"),
    ] {
        assert_eq!(with_micros(time), written);
    }
    assert_eq!(without_micros("2026-11-23T07:00:00.25+01:00"), "2026-11-23T07:00:00+01:00");
    assert_eq!(without_micros(""), "");
}

#[tokio::test]
async fn the_first_is_made_and_the_next_replaces_the_version_that_it_names() {
    let answer = || stored("42", "", "");
    let (first, calls) = lease(vec![(POST, 201, answer())]);
    assert_eq!(first.write(&held(), None).await, Ok(version("42")));
    insta::assert_snapshot!(format!("{:#}", calls.body(0)), @r#"
    {
      "apiVersion": "coordination.k8s.io/v1",
      "kind": "Lease",
      "metadata": {
        "name": "zonestack-git",
        "namespace": "dev",
        "labels": {
          "zonestack.io/stack": "git",
          "app.kubernetes.io/managed-by": "zonestack"
        }
      },
      "spec": {
        "holderIdentity": "eva@laptop/4242/1f0c9a52",
        "leaseDurationSeconds": 60,
        "acquireTime": "2026-11-23T07:00:00.000000Z",
        "renewTime": "2026-11-23T07:00:15.000000Z"
      }
    }
    "#);
    let (next, calls) = lease(vec![(PUT, 200, answer())]);
    assert_eq!(next.write(&held(), Some(&version("41"))).await, Ok(version("42")));
    assert_eq!(calls.body(0)["metadata"]["resourceVersion"], "41");
}

/// A write that fails: the first one, or one that replaces.
async fn check(answers: Vec<Answer>, replaces: bool, expected: fn(&LeaseError) -> bool) {
    let shown = format!("{answers:?}");
    let made = answers.len();
    let (lease, calls) = lease(answers);
    let old = version("41");
    let error = lease.write(&held(), replaces.then_some(&old)).await.unwrap_err();
    assert!(expected(&error), "{error:?} after {shown}");
    assert_eq!(calls.lines().len(), made, "no other call after {shown}");
}

#[tokio::test]
async fn whoever_comes_second_conflicts() {
    let is_conflict = |error: &LeaseError| *error == LeaseError::Conflict;
    let modified = refusal(409, "Conflict", "the object has been modified");
    check(vec![(PUT, 409, modified)], true, is_conflict).await;
    let exists = refusal(409, "AlreadyExists", "already exists");
    check(vec![(POST, 409, exists)], false, is_conflict).await;
    // Removed by somebody, in a namespace that stays.
    let home = json!({ "metadata": { "name": "dev" } });
    check(vec![(PUT, 404, not_found()), (HOME, 200, home)], true, is_conflict).await;
}

#[tokio::test]
async fn without_its_namespace_there_is_no_place_and_none_is_made() {
    let is_nowhere = |error: &LeaseError| *error == LeaseError::NoPlace;
    check(vec![(POST, 404, no_namespace())], false, is_nowhere).await;
    check(vec![(POST, 403, going_namespace())], false, is_nowhere).await;
    check(vec![(PUT, 404, no_namespace())], true, is_nowhere).await;
    check(vec![(PUT, 404, not_found()), (HOME, 404, not_found())], true, is_nowhere).await;
    let going =
        json!({ "metadata": { "name": "dev", "deletionTimestamp": "2026-11-23T07:00:00Z" } });
    check(vec![(PUT, 404, not_found()), (HOME, 200, going)], true, is_nowhere).await;
}

#[tokio::test]
async fn a_refusal_and_an_absence_are_told_apart() {
    let is_denied = |error: &LeaseError| matches!(error, LeaseError::Denied(words) if words.contains("dev/zonestack-git"));
    let is_away = |error: &LeaseError| matches!(error, LeaseError::Unreachable(_));
    let denied = || refusal(403, "Forbidden", "User \"ann\" cannot create resource \"leases\"");
    let down = || refusal(503, "ServiceUnavailable", "later");
    check(vec![(POST, 403, denied())], false, is_denied).await;
    check(vec![(PUT, 403, denied())], true, is_denied).await;
    check(vec![(POST, 503, down())], false, is_away).await;
    check(vec![(PUT, 504, refusal(504, "Timeout", "late"))], true, is_away).await;
    check(vec![(PUT, 404, not_found()), (HOME, 503, down())], true, is_away).await;
    check(vec![(PUT, 401, refusal(401, "Unauthorized", "no"))], true, is_away).await;
    let (denied_read, _) = lease(vec![(GET, 403, denied())]);
    assert!(is_denied(&denied_read.read().await.unwrap_err()));
    let (down_read, _) = lease(vec![(GET, 503, down())]);
    assert!(is_away(&down_read.read().await.unwrap_err()));
}

#[tokio::test]
async fn a_removal_takes_the_version_that_it_names_or_nothing() {
    let (there, calls) = lease(vec![(DELETE, 200, json!({}))]);
    there.remove(&version("41")).await.unwrap();
    assert_eq!(calls.body(0)["preconditions"], json!({ "resourceVersion": "41" }));
    let (gone, _) = lease(vec![(DELETE, 404, not_found())]);
    gone.remove(&version("41")).await.unwrap();
    let (changed, _) = lease(vec![(DELETE, 409, refusal(409, "Conflict", "changed"))]);
    assert_eq!(changed.remove(&version("41")).await, Err(LeaseError::Conflict));
}
