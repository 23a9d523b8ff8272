use serde_json::{Value as Json, json};
use zonestack_core::driver::{Difference, Driver, DriverError, ErrorClass, Ownership};

use super::super::REPLICATION_GROUP;
use super::super::recorded::{
    ARN, Answer, Calls, GIT_CACHE, clusters, cx, described, differences, driver, edited, group,
    nodes, ok, owner, query, refused, run, seen, spec_of, tags,
};

/// Observes `git-cache` with some of its description replaced against the settings, and updates once.
async fn update(
    settings: Json,
    edits: &[(&str, &str)],
    answer: Answer,
) -> (Result<(), DriverError>, Vec<String>) {
    let (driver, calls) = driver([seen(edits), vec![answer]].into_iter().flatten().collect());
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, settings);
    let found = driver.observe(cx(&owner), &[query(group(), spec.clone())]).await;
    let differences = differences(&spec, &found[0].as_ref().unwrap().attributes);
    assert_ne!(differences, []);
    let updated = driver.update(cx(&owner), &group(), &spec, &differences).await;
    assert_eq!(calls.actions().len(), 4, "three calls to observe, one to update");
    (updated, sent(&calls))
}

/// The last call as `key=value`, without what every call has.
fn sent(calls: &Calls) -> Vec<String> {
    let noise = ["Version", "ReplicationGroupId"];
    let last = calls.last();
    last.iter()
        .filter(|(k, _)| !noise.contains(&k.as_str()))
        .map(|(k, v)| format!("{k}={v}"))
        .collect()
}

#[track_caller]
fn check(settings: Json, edits: &[(&str, &str)], now: bool, expected: &[&str]) {
    let (updated, sent) = run(update(settings, edits, ok("ModifyReplicationGroup", GIT_CACHE)));
    assert_eq!(updated, Ok(()));
    let mut expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
    expected.push("Action=ModifyReplicationGroup".to_owned());
    expected.push(format!("ApplyImmediately={now}"));
    expected.sort();
    assert_eq!(sent, expected);
}

#[test]
fn only_what_differs_is_sent() {
    for (settings, expected) in [
        (json!({"class": "cache.r7g.large"}), "CacheNodeType=cache.r7g.large"),
        (json!({"version": "8.2"}), "EngineVersion=8.2"),
        (json!({"backup": {"days": 14}}), "SnapshotRetentionLimit=14"),
        (json!({"backup": {"window": "01:00-02:00"}}), "SnapshotWindow=01:00-02:00"),
        (
            json!({"maintenanceWindow": "mon:04:30-mon:05:30"}),
            "PreferredMaintenanceWindow=mon:04:30-mon:05:30",
        ),
        (json!({"autoMinorUpgrade": false}), "AutoMinorVersionUpgrade=false"),
    ] {
        check(settings, &[], false, &[expected]);
    }
    for (edit, expected) in [
        (("<MultiAZ>enabled", "<MultiAZ>disabled"), "MultiAZEnabled=true"),
        (
            ("<AutomaticFailover>enabled", "<AutomaticFailover>disabled"),
            "AutomaticFailoverEnabled=true",
        ),
        (("sg-1", "sg-2"), "SecurityGroupIds.SecurityGroupId.1=sg-1"),
        ((">git-cache-valkey8<", ">default.valkey8<"), "CacheParameterGroupName=git-cache-valkey8"),
        (
            ("Cache, sessions and", "Something like"),
            "ReplicationGroupDescription=Cache, sessions and queues of git-cache zonestack:stack=git zonestack:uid=u1 \
             zonestack:node=cache/replication-group",
        ),
    ] {
        check(json!({}), &[edit], false, &[expected]);
    }
    let now = json!({"class": "cache.m7g.xlarge", "apply": "now"});
    check(now, &[], true, &["CacheNodeType=cache.m7g.xlarge"]);
}

/// Encryption and nodes are calls of their own, after the rest.
#[test]
fn everything_that_goes_together_goes_into_one_call() {
    check(
        json!({"class": "cache.m7g.xlarge", "version": "9.0", "tls": "required", "replicas": 1, "backup": {"days": 14}}),
        &[],
        false,
        &[
            "CacheNodeType=cache.m7g.xlarge",
            "CacheParameterGroupName=git-cache-valkey9",
            "EngineVersion=9.0",
            "SnapshotRetentionLimit=14",
        ],
    );
}

#[test]
fn encryption_leads_over_preferred() {
    let plain = "<TransitEncryptionEnabled>false</TransitEncryptionEnabled>";
    let with = |mode: &str| {
        format!(
            "<TransitEncryptionEnabled>true</TransitEncryptionEnabled><TransitEncryptionMode>{mode}</TransitEncryptionMode>"
        )
    };
    let (preferred, required) = (with("preferred"), with("required"));
    let on = ["TransitEncryptionEnabled=true", "TransitEncryptionMode=preferred"];
    check(json!({"tls": "preferred"}), &[], true, &on);
    check(json!({"tls": "required", "replicas": 1}), &[], true, &on);
    check(
        json!({"tls": "required"}),
        &[(plain, preferred.as_str())],
        true,
        &["TransitEncryptionMode=required"],
    );
    for tls in ["preferred", "disabled"] {
        let expected = ["TransitEncryptionMode=preferred"];
        check(json!({"tls": tls}), &[(plain, required.as_str())], true, &expected);
    }
    check(json!({}), &[(plain, preferred.as_str())], true, &["TransitEncryptionEnabled=false"]);
}

#[tokio::test]
async fn tags_go_first_and_alone() {
    let (description, nodes) = edited(&[]);
    let bare = ok("ListTagsForResource", "<TagList></TagList>");
    let answers =
        vec![described(&description), clusters(&nodes), bare, ok("AddTagsToResource", "")];
    let (driver, calls) = driver(answers);
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, json!({"class": "cache.m7g.xlarge"}));
    let found = driver.observe(cx(&owner), &[query(group(), spec.clone())]).await;
    let found = found[0].as_ref().unwrap();
    // Tags that can be read count, whatever the description says.
    assert_eq!(found.ownership, Ownership::Foreign);
    let differences = differences(&spec, &found.attributes);
    driver.update(cx(&owner), &group(), &spec, &differences).await.unwrap();
    let sent = sent(&calls);
    assert!(sent.contains(&"Action=AddTagsToResource".to_owned()), "{sent:?}");
    assert!(sent.contains(&format!("ResourceName={ARN}")));
    assert!(sent.contains(&"Tags.Tag.1.Value=git-cache".to_owned()), "{sent:?}");
    assert!(sent.contains(&"Tags.Tag.2.Key=managed-by".to_owned()), "{sent:?}");
}

#[tokio::test]
async fn tags_wait_until_it_is_available() {
    let busy = "Cluster not in available state to perform tagging operations.";
    let (driver, _) = driver(vec![refused(400, "InvalidReplicationGroupState", busy)]);
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, json!({}));
    let difference = Difference { path: "/tags/Name".to_owned(), from: None, to: None };
    let error = driver.update(cx(&owner), &group(), &spec, &[difference]).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Busy);
}

#[tokio::test]
async fn a_refusal_has_its_class() {
    let check = async |status: u16, code: &str, class: ErrorClass| {
        let answer = refused(status, code, "No.");
        let (updated, _) = update(json!({"class": "cache.m7g.xlarge"}), &[], answer).await;
        let error = updated.unwrap_err();
        assert_eq!(error.class, class, "{error}");
    };
    check(400, "InvalidReplicationGroupState", ErrorClass::Busy).await;
    check(400, "InvalidCacheClusterState", ErrorClass::Busy).await;
    check(404, "ReplicationGroupNotFoundFault", ErrorClass::NotFound).await;
    check(400, "InvalidParameterCombination", ErrorClass::Invalid).await;
    check(400, "InvalidKMSKeyFault", ErrorClass::Invalid).await;
    check(400, "InsufficientCacheClusterCapacity", ErrorClass::ZoneUnavailable).await;
    check(400, "APICallRateForCustomerExceeded", ErrorClass::Throttled).await;
    check(404, "CacheParameterGroupNotFound", ErrorClass::Transient).await;
    check(500, "InternalFailure", ErrorClass::Ambiguous).await;
}

#[tokio::test]
async fn what_cannot_change_is_refused_without_a_call() {
    let (driver, calls) = driver(Vec::new());
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, json!({}));
    for key in ["port", "auth_token", "subnet_group"] {
        let difference = Difference { path: format!("/{key}"), from: None, to: None };
        let error = driver.update(cx(&owner), &group(), &spec, &[difference]).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Unsupported);
        assert_eq!(error.message, format!("{key} of git-cache cannot be changed in place"));
    }
    assert_eq!(calls.actions(), Vec::<String>::new());
}

/// From its creation by a run that was killed to its marks: known by its description, then by its tags.
#[tokio::test]
async fn what_is_being_made_is_ours_before_its_tags_can_be_read() {
    let (description, _) = edited(&[("available", "creating")]);
    let answers = vec![described(&description), clusters(""), described(GIT_CACHE)];
    let rest = vec![clusters(&nodes(&["a", "b", "c"])), tags()];
    let (driver, calls) = driver([answers, rest].into_iter().flatten().collect());
    let owner = owner();
    let spec = spec_of(REPLICATION_GROUP, json!({}));
    for _ in 0..2 {
        let found = driver.observe(cx(&owner), &[query(group(), spec.clone())]).await;
        let found = found[0].as_ref().unwrap();
        assert_eq!((found.ownership, &found.attributes), (Ownership::Ours, &spec));
    }
    assert_eq!(calls.actions().iter().filter(|a| *a == "ListTagsForResource").count(), 1);
}
