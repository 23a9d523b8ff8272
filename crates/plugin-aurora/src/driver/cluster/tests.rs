use serde_json::json;
use zonestack_core::driver::{Driver, ErrorClass, Observation, Ownership, Status};

use super::super::CLUSTER;
use super::super::recorded::{
    ARN, GIT_DB, cluster, cx, described, driver, edited, owner, query, refused, spec_of, target,
};

#[tokio::test]
async fn a_cluster_is_found_as_it_was_asked_for() {
    let (driver, calls) = driver(vec![described(GIT_DB)]);
    let owner = owner();
    let spec = spec_of(CLUSTER, json!({}));
    let found = driver.observe(cx(&owner), &[query(cluster(), spec.clone())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.status, Status::Ready);
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.remote_id.as_deref(), Some(ARN));
    assert_eq!(found.attributes, spec);
    assert_eq!(
        json!(found.outputs),
        json!({
            "address": "git-db.cluster-c0ffee.eu-west-1.rds.amazonaws.com",
            "reader_address": "git-db.cluster-ro-c0ffee.eu-west-1.rds.amazonaws.com",
            "port": "5432",
            "arn": ARN,
            "resource_id": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "engine_version": "17.6",
        })
    );
    let call = calls.only();
    assert_eq!(call["Action"], "DescribeDBClusters");
    assert_eq!(call["Filters.Filter.1.Name"], "db-cluster-id");
    assert_eq!(call["Filters.Filter.1.Values.Value.1"], "git-db");
}

#[tokio::test]
async fn all_clusters_are_observed_in_one_call() {
    let other = GIT_DB.replace("git-db", "git-other");
    let (driver, calls) = driver(vec![described(&format!("{other}{GIT_DB}"))]);
    let owner = owner();
    let named = |name: &str| query(target(CLUSTER, "db/cluster", name), json!({}));
    let queries = [named("git-db"), named("git-gone"), named("git-other")];
    let found = driver.observe(cx(&owner), &queries).await;
    let arns: Vec<_> = found.iter().map(|f| f.as_ref().unwrap().remote_id.as_deref()).collect();
    let other = "arn:aws:rds:eu-west-1:111122223333:cluster:git-other";
    assert_eq!(arns, [Some(ARN), None, Some(other)]);
    assert_eq!(found[1], Ok(Observation::absent()));
    assert_eq!(calls.actions(), ["DescribeDBClusters"]);
}

#[tokio::test]
async fn a_stranger_is_told_by_its_tags() {
    let owner = owner();
    for edit in [("<Value>u1</Value>", "<Value>u2</Value>"), ("zonestack:", "other:")] {
        let (driver, _) = driver(vec![described(&edited(GIT_DB, &[edit]))]);
        let found = driver.observe(cx(&owner), &[query(cluster(), json!({}))]).await;
        assert_eq!(found[0].as_ref().unwrap().ownership, Ownership::Foreign);
    }
}

#[tokio::test]
async fn a_list_that_fails_fails_every_query() {
    let (driver, _) = driver(vec![refused(400, "Throttling", "Rate exceeded")]);
    let owner = owner();
    let found = driver
        .observe(cx(&owner), &[query(cluster(), json!({})), query(cluster(), json!({}))])
        .await;
    for found in found {
        let error = found.unwrap_err();
        assert_eq!(error.class, ErrorClass::Throttled);
        assert!(error.message.starts_with("DescribeDBClusters: Rate exceeded"), "{error}");
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
        .observe(cx(&owner), &[query(target("aws.rds.instance", "db/x", "x"), json!({}))])
        .await;
    assert_eq!(found[0].as_ref().unwrap_err().class, ErrorClass::Bug);
    assert_eq!(calls.actions(), Vec::<String>::new());
}
