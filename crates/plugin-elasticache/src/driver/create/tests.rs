use serde_json::{Value as Json, json};
use zonestack_core::driver::{Created, Driver, DriverError, ErrorClass};
use zonestack_core::secret::SecretRef;
use zonestack_core::value::secret;

use super::super::REPLICATION_GROUP;
use super::super::recorded::{
    ARN, Answer, Calls, GIT_CACHE, PASSWORD, clusters, cx, described, driver, group, ok, owner,
    query, refused, spec_of, tags,
};

async fn create(spec: &Json, answers: Vec<Answer>) -> (Result<Created, DriverError>, Calls) {
    let (driver, calls) = driver(answers);
    let owner = owner();
    let created = driver.create(cx(&owner), &group(), spec).await;
    (created, calls)
}

fn created() -> Vec<Answer> {
    vec![ok("CreateReplicationGroup", &GIT_CACHE.replace("available", "creating"))]
}

/// Everything is said, nothing is left to a default of the API (domain.md 5.5).
#[tokio::test]
async fn one_call_says_everything() {
    let (created, calls) = create(&spec_of(REPLICATION_GROUP, json!({})), created()).await;
    assert_eq!(created, Ok(Created { remote_id: Some(ARN.to_owned()) }));
    insta::assert_snapshot!(format!("{:#}", json!(calls.only())));
}

#[tokio::test]
async fn what_is_optional_is_said_when_asked_for() {
    let settings = json!({
        "engine": "redis", "replicas": 1, "port": 6380, "tls": "required", "auth": true, "kmsKeyId": "alias/cache",
        "backup": {"days": 14, "window": "03:00-04:00"}, "maintenanceWindow": "Sun:04:30-Sun:05:30",
        "fromSnapshot": "git-old-final", "encrypted": true, "autoMinorUpgrade": false,
    });
    let (_, calls) = create(&spec_of(REPLICATION_GROUP, settings), created()).await;
    let call = calls.only();
    let said = |key: &str| call.get(key).map(String::as_str);
    assert_eq!(said("Engine"), Some("redis"));
    assert_eq!(said("EngineVersion"), Some("7.1"));
    assert_eq!(said("NumCacheClusters"), Some("2"));
    assert_eq!(said("PreferredCacheClusterAZs.AvailabilityZone.2"), Some("eu-west-1b"));
    assert_eq!(said("PreferredCacheClusterAZs.AvailabilityZone.3"), None);
    assert_eq!(said("Port"), Some("6380"));
    assert_eq!(said("TransitEncryptionEnabled"), Some("true"));
    assert_eq!(said("TransitEncryptionMode"), None);
    assert_eq!(said("AuthToken"), Some(PASSWORD));
    assert_eq!(said("KmsKeyId"), Some("alias/cache"));
    assert_eq!(said("SnapshotRetentionLimit"), Some("14"));
    assert_eq!(said("SnapshotWindow"), Some("03:00-04:00"));
    assert_eq!(said("PreferredMaintenanceWindow"), Some("sun:04:30-sun:05:30"));
    assert_eq!(said("SnapshotName"), Some("git-old-final"));
    assert_eq!(said("CacheParameterGroupName"), Some("git-cache-redis7"));
    assert_eq!(said("AutoMinorVersionUpgrade"), Some("false"));

    let settings = json!({"tls": "preferred"});
    let (_, calls) = create(&spec_of(REPLICATION_GROUP, settings), created()).await;
    assert_eq!(calls.only()["TransitEncryptionMode"], "preferred");
}

#[tokio::test]
async fn a_refusal_has_its_class() {
    let check = async |status: u16, code: &str, class: ErrorClass| {
        let spec = spec_of(REPLICATION_GROUP, json!({}));
        let (created, _) = create(&spec, vec![refused(status, code, "No.")]).await;
        let error = created.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        assert!(error.message.starts_with("CreateReplicationGroup: No. ("), "{error}");
        assert!(error.message.contains(code), "{error}");
    };
    check(400, "ReplicationGroupAlreadyExists", ErrorClass::AlreadyExists).await;
    check(400, "ClusterQuotaForCustomerExceeded", ErrorClass::Quota).await;
    check(400, "NodeQuotaForCustomerExceeded", ErrorClass::Quota).await;
    check(400, "NodeQuotaForClusterExceeded", ErrorClass::Quota).await;
    check(400, "InsufficientCacheClusterCapacity", ErrorClass::ZoneUnavailable).await;
    check(400, "InvalidParameterCombination", ErrorClass::Invalid).await;
    check(400, "InvalidParameterValue", ErrorClass::Invalid).await;
    check(400, "InvalidVPCNetworkStateFault", ErrorClass::Invalid).await;
    check(400, "CacheSubnetGroupNotFoundFault", ErrorClass::Transient).await;
    check(404, "CacheParameterGroupNotFound", ErrorClass::Transient).await;
    check(404, "SnapshotNotFoundFault", ErrorClass::Invalid).await;
    check(400, "Throttling", ErrorClass::Throttled).await;
    check(403, "AccessDenied", ErrorClass::Denied(None)).await;
    check(403, "ExpiredToken", ErrorClass::Expired).await;
    check(500, "InternalFailure", ErrorClass::Ambiguous).await;
}

#[tokio::test]
async fn a_password_that_cannot_be_used_stops_before_the_call() {
    let mut spec = spec_of(REPLICATION_GROUP, json!({"tls": "required", "auth": true}));
    for (name, words) in [
        ("MISSING", "environment variable MISSING does not exist"),
        ("BAD", "ElastiCache does not take the password in environment variable BAD"),
    ] {
        spec["auth_token"] = secret(&SecretRef::Env(name.to_owned()));
        let (created, calls) = create(&spec, Vec::new()).await;
        let error = created.unwrap_err();
        assert_eq!(error.class, ErrorClass::Invalid);
        assert!(error.message.contains(words), "{error}");
        assert!(!error.message.contains(PASSWORD), "{error}");
        assert_eq!(calls.actions(), Vec::<String>::new());
    }
}

/// Invariant 10: a password is in no specification, no observation, no error.
#[tokio::test]
async fn the_password_is_in_the_call_and_nowhere_else() {
    let settings = json!({"tls": "required", "auth": true, "authToken": {"env": "TOKEN"}});
    let spec = spec_of(REPLICATION_GROUP, settings);
    let (driver, calls) = driver(vec![
        ok("CreateReplicationGroup", GIT_CACHE),
        refused(400, "InvalidParameterValue", "Invalid AuthToken provided."),
        described(GIT_CACHE),
        clusters(""),
        tags(),
    ]);
    let owner = owner();
    let created = driver.create(cx(&owner), &group(), &spec).await;
    let error = driver.create(cx(&owner), &group(), &spec).await;
    let found = driver.observe(cx(&owner), &[query(group(), spec.clone())]).await;
    assert_eq!(calls.actions().len(), 5);
    assert_eq!(found[0].as_ref().unwrap().attributes["auth_token"], spec["auth_token"]);
    for text in
        [format!("{created:?}"), format!("{error:?}"), format!("{found:?}"), spec.to_string()]
    {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}
