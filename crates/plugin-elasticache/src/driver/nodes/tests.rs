use serde_json::json;
use zonestack_core::driver::{Driver, DriverError, ErrorClass};

use super::super::REPLICATION_GROUP;
use super::super::recorded::{
    Answer, Calls, GIT_CACHE, clusters, cx, described, differences, driver, group, members, ok,
    owner, query, refused, spec_of, tags,
};

/// `git-cache` with nodes in these zones, the primary's first.
fn in_zones(zones: &[&str]) -> String {
    let (head, rest) = GIT_CACHE.split_once("<NodeGroupMembers>").unwrap();
    let (_, tail) = rest.split_once("</NodeGroupMembers>").unwrap();
    format!("{head}<NodeGroupMembers>{}</NodeGroupMembers>{tail}", members(zones))
}

/// Observes it in some zones, and updates it once towards others.
async fn update(
    from: &[&str],
    to: &[&str],
    answer: Option<Answer>,
) -> (Result<(), DriverError>, Calls) {
    let mut answers = vec![described(&in_zones(from)), clusters(""), tags()];
    answers.extend(answer);
    let (driver, calls) = driver(answers);
    let owner = owner();
    let mut spec = spec_of(REPLICATION_GROUP, json!({}));
    spec["zones"] = to.iter().map(|zone| format!("eu-west-1{zone}")).collect();
    let found = driver.observe(cx(&owner), &[query(group(), spec.clone())]).await;
    let differences = differences(&spec, &found[0].as_ref().unwrap().attributes);
    assert_eq!(differences.len(), 1, "{differences:?}");
    (driver.update(cx(&owner), &group(), &spec, &differences).await, calls)
}

/// The action and its parameters, those of a shard in short.
fn sent(calls: &Calls) -> Vec<String> {
    let noise = ["Version", "ReplicationGroupId"];
    let shard = "ReplicaConfiguration.ConfigureShard.1.";
    let zone = "PreferredAvailabilityZones.PreferredAvailabilityZone.";
    let sent = calls.last();
    sent.iter()
        .filter(|(key, _)| !noise.contains(&key.as_str()))
        .map(|(key, value)| format!("{}={value}", key.replace(shard, "").replace(zone, "zone ")))
        .collect()
}

#[tokio::test]
async fn a_replica_more_in_a_call_that_says_every_zone() {
    let answer = || Some(ok("IncreaseReplicaCount", GIT_CACHE));
    let (updated, calls) = update(&["b", "a"], &["a", "b", "c"], answer()).await;
    assert_eq!(updated, Ok(()));
    assert_eq!(
        sent(&calls),
        [
            "Action=IncreaseReplicaCount",
            "ApplyImmediately=true",
            "NewReplicaCount=2",
            "NodeGroupId=0001",
            "zone 1=eu-west-1b",
            "zone 2=eu-west-1a",
            "zone 3=eu-west-1c",
        ]
    );
    // Another zone instead of one: the new replica comes before the old one goes.
    let (updated, calls) = update(&["a", "b"], &["a", "c"], answer()).await;
    assert_eq!(updated, Ok(()));
    assert_eq!(calls.last()["Action"], "IncreaseReplicaCount");
    assert!(sent(&calls).contains(&"zone 3=eu-west-1c".to_owned()));
}

#[tokio::test]
async fn replicas_that_are_too_many_go_by_their_ids() {
    let answer = || Some(ok("DecreaseReplicaCount", GIT_CACHE));
    for (from, to, gone) in [
        (vec!["a", "b", "c"], vec!["a", "b"], "git-cache-003"),
        (vec!["b", "a", "c"], vec!["b", "c"], "git-cache-002"),
        // Of two in a zone, the primary stays.
        (vec!["a", "a", "b"], vec!["a", "b"], "git-cache-002"),
        // No room for a seventh: one goes before the other comes.
        (vec!["a", "b", "c", "a", "b", "c"], vec!["a", "b", "c", "a", "b", "d"], "git-cache-006"),
    ] {
        let (updated, calls) = update(&from, &to, answer()).await;
        assert_eq!(updated, Ok(()), "{from:?}");
        let removed =
            calls.last().into_iter().filter(|(key, _)| key.starts_with("ReplicasToRemove"));
        assert_eq!(removed.map(|(_, id)| id).collect::<Vec<_>>(), [gone], "{from:?}");
        assert_eq!(calls.last()["Action"], "DecreaseReplicaCount");
        assert_eq!(calls.last()["ApplyImmediately"], "true");
    }
}

#[tokio::test]
async fn the_primary_is_not_removed_and_it_is_said_how_it_can_move() {
    let (updated, calls) = update(&["c", "a", "b"], &["a", "b"], None).await;
    let error = updated.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unsupported);
    assert!(error.message.contains("the primary of git-cache is in eu-west-1c"), "{error}");
    assert!(error.message.contains("aws elasticache test-failover"), "{error}");
    assert!(!calls.actions().iter().any(|action| action.contains("Count")));
}

#[tokio::test]
async fn nothing_to_do_is_a_success_and_a_refusal_has_its_class() {
    let more = async |answer| update(&["a", "b"], &["a", "b", "c"], Some(answer)).await.0;
    let less = async |answer| update(&["a", "b", "c"], &["a", "b"], Some(answer)).await.0;
    assert_eq!(more(refused(400, "NoOperationFault", "Nothing.")).await, Ok(()));
    assert_eq!(less(refused(400, "NoOperationFault", "Nothing.")).await, Ok(()));
    for (status, code, class) in [
        (400, "InvalidReplicationGroupState", ErrorClass::Busy),
        (400, "InsufficientCacheClusterCapacity", ErrorClass::ZoneUnavailable),
        (400, "NodeQuotaForCustomerExceeded", ErrorClass::Quota),
        (400, "InvalidParameterCombination", ErrorClass::Invalid),
        (404, "ReplicationGroupNotFoundFault", ErrorClass::NotFound),
        (503, "ServiceUnavailable", ErrorClass::Ambiguous),
    ] {
        assert_eq!(more(refused(status, code, "No.")).await.unwrap_err().class, class, "{code}");
        assert_eq!(less(refused(status, code, "No.")).await.unwrap_err().class, class, "{code}");
    }
    let missing = refused(400, "ServiceLinkedRoleNotFoundFault", "No.");
    assert_eq!(less(missing).await.unwrap_err().class, ErrorClass::Invalid);
}

#[tokio::test]
async fn nodes_that_were_not_seen_are_not_counted() {
    let (driver, calls) = driver(Vec::new());
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, json!({}));
    let differences = differences(&json!({"zones": ["a"]}), &json!({"zones": ["b"]}));
    let error = driver.update(cx(&owner), &group(), &spec, &differences).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Transient);
    assert_eq!(calls.actions(), Vec::<String>::new());
}
