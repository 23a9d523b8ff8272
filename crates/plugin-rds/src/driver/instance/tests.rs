use serde_json::json;
use zonestack_core::driver::{Driver, ErrorClass, Observation, Ownership, Status};

use super::super::INSTANCE;
use super::super::recorded::{
    ARN, GIT_DB, cx, described, driver, instance, owner, query, refused, spec_of, target,
};

#[tokio::test]
async fn an_instance_is_found_as_it_was_asked_for() {
    let (driver, calls) = driver(vec![described(GIT_DB)]);
    let owner = owner();
    let spec = spec_of(INSTANCE, json!({}));
    let found = driver.observe(cx(&owner), &[query(instance(), spec.clone())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.status, Status::Ready);
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.remote_id.as_deref(), Some(ARN));
    assert_eq!(found.attributes, spec);
    assert_eq!(
        json!(found.outputs),
        json!({
            "address": "git-db.c0ffee.eu-west-1.rds.amazonaws.com",
            "port": "5432",
            "arn": ARN,
            "resource_id": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "engine_version": "17.6",
        })
    );
    let call = calls.only();
    assert_eq!(call["Action"], "DescribeDBInstances");
    assert_eq!(call["Filters.Filter.1.Name"], "db-instance-id");
    assert_eq!(call["Filters.Filter.1.Values.Value.1"], "git-db");
}

#[tokio::test]
async fn all_instances_are_observed_in_one_call() {
    let other = GIT_DB.replace("git-db", "git-other");
    let (driver, calls) = driver(vec![described(&format!("{other}{GIT_DB}"))]);
    let owner = owner();
    let named = |name: &str| query(target(INSTANCE, "db/instance", name), json!({}));
    let queries = [named("git-db"), named("git-gone"), named("git-other")];
    let found = driver.observe(cx(&owner), &queries).await;
    let arns: Vec<_> = found.iter().map(|f| f.as_ref().unwrap().remote_id.as_deref()).collect();
    assert_eq!(arns, [Some(ARN), None, Some("arn:aws:rds:eu-west-1:111122223333:db:git-other")]);
    assert_eq!(found[1], Ok(Observation::absent()));
    assert_eq!(calls.actions(), ["DescribeDBInstances"]);
}

#[tokio::test]
async fn an_instance_that_is_being_made_has_no_outputs_that_need_an_endpoint() {
    let creating = GIT_DB.replace("available", "creating").replace(
        "<Address>git-db.c0ffee.eu-west-1.rds.amazonaws.com</Address><Port>5432</Port>",
        "",
    );
    let (driver, _) = driver(vec![described(&creating)]);
    let owner = owner();
    let spec = spec_of(INSTANCE, json!({}));
    let found = driver.observe(cx(&owner), &[query(instance(), spec.clone())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.status, Status::Pending("creating".to_owned()));
    assert_eq!(found.outputs.get("address"), None);
    assert_eq!(found.attributes, spec);
}

#[tokio::test]
async fn a_stranger_is_told_by_its_tags() {
    let owner = owner();
    for stranger in [
        GIT_DB.replace("<Value>u1</Value>", "<Value>u2</Value>"),
        GIT_DB.replace("zonestack:", "other:"),
    ] {
        let (driver, _) = driver(vec![described(&stranger)]);
        let found = driver.observe(cx(&owner), &[query(instance(), json!({}))]).await;
        assert_eq!(found[0].as_ref().unwrap().ownership, Ownership::Foreign);
    }
}

/// Those are `aws.rds.cluster-instance`, of another driver; a stack may have both.
#[tokio::test]
async fn a_member_of_a_cluster_is_a_stranger_whatever_its_tags() {
    let owner = owner();
    let member = "<DBInstance><DBClusterIdentifier>git-db</DBClusterIdentifier>";
    let (driver, _) = driver(vec![described(&GIT_DB.replace("<DBInstance>", member))]);
    let found = driver.observe(cx(&owner), &[query(instance(), json!({}))]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!((&found.status, found.ownership), (&Status::Ready, Ownership::Foreign));
}

#[tokio::test]
async fn a_list_that_fails_fails_every_query() {
    let (driver, _) = driver(vec![refused(400, "Throttling", "Rate exceeded")]);
    let owner = owner();
    let found = driver
        .observe(cx(&owner), &[query(instance(), json!({})), query(instance(), json!({}))])
        .await;
    for found in found {
        let error = found.unwrap_err();
        assert_eq!(error.class, ErrorClass::Throttled);
        assert!(error.message.starts_with("DescribeDBInstances: Rate exceeded"), "{error}");
    }
}

#[tokio::test]
async fn without_queries_nothing_is_asked() {
    let (driver, calls) = driver(Vec::new());
    let owner = owner();
    assert_eq!(driver.observe(cx(&owner), &[]).await, []);
    assert_eq!(calls.actions(), Vec::<String>::new());
}

#[tokio::test]
async fn a_kind_of_another_driver_is_a_mistake() {
    let (driver, calls) = driver(Vec::new());
    let owner = owner();
    let found = driver
        .observe(cx(&owner), &[query(target("aws.rds.cluster", "db/x", "x"), json!({}))])
        .await;
    assert_eq!(found[0].as_ref().unwrap_err().class, ErrorClass::Bug);
    assert_eq!(calls.actions(), Vec::<String>::new());
}
