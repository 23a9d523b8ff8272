//! What the adapter does for every driver.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use serde_json::json;
use zonestack_core::driver::{Created, Observation, Ownership, Query};
use zonestack_core::marks::marks;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource};

use super::*;
use crate::things::{Thing, Things};

struct NoSecrets;

impl SecretSource for NoSecrets {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        Box::pin(async { Err(SecretError::Missing(reference.clone())) })
    }
}

fn owner(uid: &str) -> Owner {
    Owner {
        stack: "git".to_owned(),
        uid: Some(uid.to_owned()),
        namespace: "git".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

fn target(remote_id: Option<&str>) -> Target {
    let declared = Things::<true>::declaration();
    Target {
        id: "x/thing".parse().unwrap(),
        kind: declared.kind,
        name: Some("git-x".to_owned()),
        token: None,
        remote_id: remote_id.map(str::to_owned),
        parent: None,
    }
}

/// A service in which these are, with the marks of that uid.
fn holding<const NAMED: bool>(ids: &[&str], uid: &str) -> Things<NAMED> {
    let things = Things::default();
    let mut tags = marks(&owner(uid), &target(None).id);
    tags.insert("team".to_owned(), "a".to_owned());
    for id in ids {
        let thing = Thing { text: "hello".to_owned(), password: None, tags: tags.clone() };
        things.kept().insert((*id).to_owned(), thing);
    }
    things
}

async fn look(
    driver: Arc<dyn Driver>,
    remote_id: Option<&str>,
    spec: Option<Json>,
) -> Outcome<Observation> {
    let (owner, query) = (owner("u1"), Query { target: target(remote_id), spec });
    driver.observe(CallContext::new(&owner, &NoSecrets), &[query]).await.remove(0)
}

async fn make(driver: &dyn Driver, spec: &Json) -> Outcome<Created> {
    let (owner, nothing) = (owner("u1"), BTreeSet::new());
    let cx = CallContext { owner: &owner, secrets: &NoSecrets, taken_over: &nothing };
    driver.create(cx, &target(None), spec).await
}

#[tokio::test]
async fn what_is_found_is_told_in_the_words_of_the_specification() {
    let spec = json!({ "text": "hello", "tags": { "team": "b" } });
    let driver = holding::<true>(&["git-x"], "u1").into_driver();
    let seen = look(driver, None, Some(spec)).await.unwrap();
    assert_eq!((seen.status, seen.ownership), (Status::Ready, Ownership::Ours));
    assert_eq!(seen.attributes, json!({ "text": "hello", "tags": { "team": "a" } }));
    assert_eq!(seen.outputs, [("address".to_owned(), json!("git-x"))].into());
}

#[tokio::test]
async fn what_another_made_is_foreign() {
    let driver = holding::<true>(&["git-x"], "u2").into_driver();
    assert_eq!(look(driver, None, None).await.unwrap().ownership, Ownership::Foreign);
    let driver = holding::<false>(&["thing-0"], "u2").into_driver();
    // By its id it is found; nobody finds it by marks that it does not have.
    let seen = look(Arc::clone(&driver), Some("thing-0"), None).await.unwrap();
    assert_eq!(seen.ownership, Ownership::Foreign);
    assert_eq!(look(driver, None, None).await, Ok(Observation::absent()));
}

#[tokio::test]
async fn without_a_name_it_is_found_by_marks() {
    let driver = holding::<false>(&["thing-0"], "u1").into_driver();
    for forgotten in [None, Some("gone")] {
        let seen = look(Arc::clone(&driver), forgotten, None).await.unwrap();
        assert_eq!(seen.remote_id.as_deref(), Some("thing-0"));
    }
    let spec = json!({ "text": "hello" });
    let again = make(driver.as_ref(), &spec).await.unwrap();
    assert_eq!(again.remote_id.as_deref(), Some("thing-0"));
    let driver = holding::<false>(&["thing-0", "thing-1"], "u1").into_driver();
    let error = look(driver, None, None).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    assert!(error.message.contains("thing-0 and thing-1 both carry its marks"), "{error}");
}

#[tokio::test]
async fn a_specification_of_another_type_is_a_bug() {
    let driver = Things::<true>::default().into_driver();
    for (spec, reason) in [
        (json!({ "text": 1 }), "invalid type"),
        (json!({ "text": "a", "tags": [] }), "there is no map at /tags"),
        (json!("text"), "there is no map at /tags"),
    ] {
        let error = make(driver.as_ref(), &spec).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Bug);
        assert!(error.message.starts_with("x/thing: its specification is none of sdk.thing: "));
        assert!(error.message.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_secret_that_is_missing_and_a_field_that_has_none_are_told_apart() {
    let driver = Things::<true>::default().into_driver();
    let spec = |password: Json| json!({ "text": "hello", "password": password });
    let missing = json!({ "$secret": { "env": "PASSWORD" } });
    let error = make(driver.as_ref(), &spec(missing)).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    let error = make(driver.as_ref(), &spec(json!("plain"))).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Bug);
    assert!(!error.message.contains("plain"), "{error}");
}
