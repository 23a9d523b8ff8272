use serde_json::json;
use zonestack_core::driver::{Driver, ErrorClass, Observation, Ownership, Status};

use super::super::REPLICATION_GROUP;
use super::super::recorded::{
    ARN, GIT_CACHE, answering, clusters, cx, described, driver, edited, group, nodes, owner, query,
    refused, seen, spec_of, tagged, tags, target,
};

#[tokio::test]
async fn a_replication_group_is_found_as_it_was_asked_for_in_three_calls() {
    let (driver, calls) = driver(seen(&[]));
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, json!({}));
    let found = driver.observe(cx(&owner), &[query(group(), spec.clone())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.status, Status::Ready);
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.remote_id.as_deref(), Some(ARN));
    assert_eq!(found.attributes, spec);
    assert_eq!(
        json!(found.outputs),
        json!({
            "address": "git-cache.c0ffee.ng.0001.euw1.cache.amazonaws.com",
            "port": "6379",
            "arn": ARN,
            "engine_version": "8.1.0",
        })
    );
    let expected = ["DescribeReplicationGroups", "DescribeCacheClusters", "ListTagsForResource"];
    assert_eq!(calls.actions(), expected);
}

#[tokio::test]
async fn all_are_observed_from_the_same_lists() {
    let (driver, calls) = answering(|call| match call["Action"].as_str() {
        "DescribeReplicationGroups" => {
            described(&format!("{}{GIT_CACHE}", GIT_CACHE.replace("git-cache", "git-other")))
        }
        "DescribeCacheClusters" => clusters(&nodes(&["a", "b", "c"])),
        _ => tags(),
    });
    let owner = owner();
    let named =
        |name: &str| query(target(REPLICATION_GROUP, "cache/replication-group", name), json!({}));
    let queries = [named("git-cache"), named("git-gone"), named("git-other")];
    let found = driver.observe(cx(&owner), &queries).await;
    let other = ARN.replace("git-cache", "git-other");
    let arns: Vec<_> = found.iter().map(|f| f.as_ref().unwrap().remote_id.as_deref()).collect();
    assert_eq!(arns, [Some(ARN), None, Some(other.as_str())]);
    assert_eq!(found[1], Ok(Observation::absent()));
    let count = |action: &str| calls.actions().iter().filter(|a| *a == action).count();
    assert_eq!(count("DescribeReplicationGroups"), 1);
    assert_eq!(count("DescribeCacheClusters"), 1);
    assert_eq!(count("ListTagsForResource"), 2);
}

/// The list of nodes may be long: nobody asks for it in vain.
#[tokio::test]
async fn what_is_not_there_takes_one_call() {
    let (driver, calls) = driver(vec![described("")]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(group(), json!({}))]).await;
    assert_eq!(found, [Ok(Observation::absent())]);
    assert_eq!(calls.actions(), ["DescribeReplicationGroups"]);
}

#[tokio::test]
async fn every_state_has_its_place_and_tags_are_asked_for_in_one_only() {
    let owner = owner();
    for (word, status) in [
        ("creating", Status::Pending("creating".to_owned())),
        ("modifying", Status::Busy("modifying".to_owned())),
        ("snapshotting", Status::Busy("snapshotting".to_owned())),
        ("deleting", Status::Deleting),
    ] {
        let (description, nodes) = edited(&[("available", word)]);
        let (driver, calls) = driver(vec![described(&description), clusters(&nodes)]);
        let spec = spec_of(REPLICATION_GROUP, json!({}));
        let found = driver.observe(cx(&owner), &[query(group(), spec.clone())]).await;
        let found = found[0].as_ref().unwrap();
        assert_eq!((&found.status, found.ownership), (&status, Ownership::Ours));
        assert_eq!(found.attributes, spec, "{word}");
        assert_eq!(calls.actions().len(), 2, "{word}");
    }
    let (description, _) = edited(&[("available", "create-failed")]);
    let (driver, _) = driver(vec![described(&description), clusters("")]);
    let found = driver.observe(cx(&owner), &[query(group(), json!({}))]).await;
    assert!(matches!(&found[0].as_ref().unwrap().status, Status::Failed(_)));
}

#[tokio::test]
async fn one_that_is_being_made_has_neither_endpoint_nor_nodes() {
    let (head, rest) = GIT_CACHE.split_once("<NodeGroups>").unwrap();
    let (_, tail) = rest.split_once("</NodeGroups>").unwrap();
    let creating = format!("{head}{tail}").replace("available", "creating");
    let (driver, _) = driver(vec![described(&creating), clusters("")]);
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, json!({}));
    let found = driver.observe(cx(&owner), &[query(group(), spec.clone())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.outputs.keys().collect::<Vec<_>>(), ["arn"]);
    assert_eq!(found.attributes, spec);
}

#[tokio::test]
async fn a_stranger_is_told_by_its_tags_and_unread_tags_are_no_stranger() {
    let owner = owner();
    let observe = async |answers| {
        let (driver, _) = driver(answers);
        driver.observe(cx(&owner), &[query(group(), json!({}))]).await.remove(0)
    };
    let with = |tags| {
        let (description, nodes) = edited(&[]);
        vec![described(&description), clusters(&nodes), tags]
    };
    let stranger = observe(with(tagged("u2", "cache/replication-group"))).await.unwrap();
    assert_eq!(stranger.ownership, Ownership::Foreign);
    // It became busy between two calls.
    let busy = refused(400, "InvalidReplicationGroupState", "Cluster not in available state.");
    assert_eq!(observe(with(busy)).await.unwrap().ownership, Ownership::Ours);
    // Nobody's marks are in the description either: not known is not foreign.
    let (description, nodes) = edited(&[("available", "modifying"), ("zonestack:", "other:")]);
    let unknown = observe(vec![described(&description), clusters(&nodes)]).await.unwrap();
    assert_eq!(unknown.ownership, Ownership::Unknown);
    let denied = refused(403, "AccessDenied", "No.");
    assert_eq!(observe(with(denied)).await.unwrap_err().class, ErrorClass::Denied(None));
}

#[tokio::test]
async fn a_list_that_fails_fails_every_query() {
    let owner = owner();
    let throttled = || refused(400, "Throttling", "Rate exceeded");
    for (answers, call) in [
        (vec![throttled()], "DescribeReplicationGroups"),
        (vec![described(GIT_CACHE), throttled()], "DescribeCacheClusters"),
    ] {
        let (driver, _) = driver(answers);
        let queries = [query(group(), json!({})), query(group(), json!({}))];
        for found in driver.observe(cx(&owner), &queries).await {
            let error = found.unwrap_err();
            assert_eq!(error.class, ErrorClass::Throttled);
            assert!(error.message.starts_with(&format!("{call}: Rate exceeded")), "{error}");
        }
    }
}

#[tokio::test]
async fn without_queries_nothing_is_asked_and_other_kinds_are_a_mistake() {
    let (driver, calls) = driver(Vec::new());
    let owner = owner();
    assert_eq!(driver.observe(cx(&owner), &[]).await, []);
    let other = query(target("aws.elasticache.user", "cache/x", "x"), json!({}));
    let found = driver.observe(cx(&owner), &[other]).await;
    assert_eq!(found[0].as_ref().unwrap_err().class, ErrorClass::Bug);
    assert_eq!(calls.actions(), Vec::<String>::new());
}
