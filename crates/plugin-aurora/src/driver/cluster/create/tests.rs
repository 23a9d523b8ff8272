use serde_json::{Value as Json, json};
use zonestack_core::driver::{Created, Driver, DriverError, ErrorClass};
use zonestack_core::secret::SecretRef;
use zonestack_core::value::secret;

use super::super::super::CLUSTER;
use super::super::super::recorded::{
    ARN, Answer, Calls, GIT_DB, PASSWORD, cluster, cx, described, differences, driver, edited, ok,
    owner, paths, query, refused, spec_of,
};

async fn create(spec: &Json, answers: Vec<Answer>) -> (Result<Created, DriverError>, Calls) {
    let (driver, calls) = driver(answers);
    let owner = owner();
    let created = driver.create(cx(&owner), &cluster(), spec).await;
    (created, calls)
}

fn created() -> Vec<Answer> {
    vec![ok("CreateDBCluster", &GIT_DB.replace("available", "creating"))]
}

fn from_snapshot() -> Json {
    spec_of(
        CLUSTER,
        json!({"fromSnapshot": "git-db-final-1", "serverless": {"min": 1, "max": 8}, "maintenanceWindow": "mon:04:30-mon:05:30"}),
    )
}

/// Everything is said, nothing is left to a default of the API (domain.md 4.3 and 4.8).
#[tokio::test]
async fn one_call_says_everything() {
    let (created, calls) = create(&spec_of(CLUSTER, json!({})), created()).await;
    assert_eq!(created, Ok(Created { remote_id: Some(ARN.to_owned()) }));
    let mut call = calls.only();
    assert_eq!(call.remove("MasterUserPassword").as_deref(), Some(PASSWORD));
    insta::assert_snapshot!(format!("{:#}", json!(call)));
}

#[tokio::test]
async fn what_is_optional_is_said_when_asked_for() {
    let settings = json!({
        "version": "17.6", "serverless": {"min": 0.5, "max": 16}, "storageType": "aurora-iopt1", "kmsKeyId": "alias/database",
        "backup": {"window": "04:00-04:30"}, "maintenanceWindow": "Sun:04:30-Sun:05:30", "logs": [],
    });
    let (_, calls) = create(&spec_of(CLUSTER, settings), created()).await;
    let call = calls.only();
    let said = |key: &str| call.get(key).map(String::as_str);
    assert_eq!(said("EngineVersion"), Some("17.6"));
    assert_eq!(said("ServerlessV2ScalingConfiguration.MinCapacity"), Some("0.5"));
    assert_eq!(said("ServerlessV2ScalingConfiguration.MaxCapacity"), Some("16.0"));
    assert_eq!(said("StorageType"), Some("aurora-iopt1"));
    assert_eq!(said("KmsKeyId"), Some("alias/database"));
    assert_eq!(said("PreferredBackupWindow"), Some("04:00-04:30"));
    assert_eq!(said("PreferredMaintenanceWindow"), Some("sun:04:30-sun:05:30"));
    assert_eq!(said("EnableCloudwatchLogsExports.member.1"), None);
}

#[tokio::test]
async fn a_snapshot_is_restored_and_marked_until_it_has_our_password() {
    let restored =
        vec![ok("RestoreDBClusterFromSnapshot", &GIT_DB.replace("available", "creating"))];
    let (created, calls) = create(&from_snapshot(), restored).await;
    assert_eq!(created, Ok(Created { remote_id: Some(ARN.to_owned()) }));
    let call = calls.only();
    assert!(!call.values().any(|value| value == PASSWORD), "{call:?}");
    insta::assert_snapshot!(format!("{:#}", json!(call)));
}

/// What the call to restore does not take is brought about afterwards, a call at a time, the password first.
#[tokio::test]
async fn a_restored_cluster_gets_its_password_before_anything_else() {
    let mark =
        "<TagList><Tag><Key>zonestack:restored-from</Key><Value>git-db-final-1</Value></Tag>";
    let scaling = "<ServerlessV2ScalingConfiguration><MinCapacity>1</MinCapacity><MaxCapacity>8</MaxCapacity>\
        </ServerlessV2ScalingConfiguration><Engine>";
    let marked = edited(GIT_DB, &[("<TagList>", mark), ("<Engine>", scaling)]);
    let unmarked = edited(GIT_DB, &[("<Engine>", scaling)]);
    let (driver, calls) = driver(vec![
        described(&marked),
        ok("ModifyDBCluster", GIT_DB),
        described(&marked),
        ok("RemoveTagsFromResource", ""),
        described(&unmarked),
        ok("ModifyDBCluster", GIT_DB),
    ]);
    let owner = owner();
    let spec = from_snapshot();
    let queries = [query(cluster(), spec.clone())];
    let look = async || {
        let found = driver.observe(cx(&owner), &queries).await.remove(0).unwrap();
        differences(&spec, &found.attributes)
    };
    let update = async |found: &[_]| driver.update(cx(&owner), &cluster(), &spec, found).await;

    let found = look().await;
    assert_eq!(paths(&found), ["/maintenance_window", "/master_password"]);
    update(&found).await.unwrap();
    let call = calls.last();
    assert_eq!(call["MasterUserPassword"], PASSWORD);
    assert_eq!(call["ApplyImmediately"], "true");
    assert!(!call.contains_key("PreferredMaintenanceWindow"), "{call:?}");

    let found = look().await;
    assert_eq!(paths(&found), ["/maintenance_window", "/tags/zonestack:restored-from"]);
    update(&found).await.unwrap();
    let call = calls.last();
    assert_eq!(call["Action"], "RemoveTagsFromResource");
    assert_eq!(call["ResourceName"], ARN);
    assert_eq!(call["TagKeys.member.1"], "zonestack:restored-from");

    let found = look().await;
    assert_eq!(paths(&found), ["/maintenance_window"]);
    update(&found).await.unwrap();
    assert_eq!(calls.last()["PreferredMaintenanceWindow"], "mon:04:30-mon:05:30");
}

/// Nothing was remembered, so the password is set once more: a second time does no harm.
#[tokio::test]
async fn a_run_that_died_between_restoring_and_the_password_is_taken_up() {
    let mark =
        "<TagList><Tag><Key>zonestack:restored-from</Key><Value>git-db-final-1</Value></Tag>";
    let marked = edited(GIT_DB, &[("<TagList>", mark)]);
    let (driver, _) = driver(vec![described(&marked)]);
    let owner = owner();
    // The stack file has lost `fromSnapshot` meanwhile.
    let spec = spec_of(CLUSTER, json!({}));
    let found = driver.observe(cx(&owner), &[query(cluster(), spec.clone())]).await.remove(0);
    let found = differences(&spec, &found.unwrap().attributes);
    assert_eq!(paths(&found), ["/master_password"]);
}

#[tokio::test]
async fn a_refusal_has_its_class() {
    let check = async |settings: Json, status: u16, code: &str, class: ErrorClass| {
        let call = if settings["fromSnapshot"].is_null() {
            "CreateDBCluster"
        } else {
            "RestoreDBClusterFromSnapshot"
        };
        let answers = vec![refused(status, code, "No.")];
        let error = create(&spec_of(CLUSTER, settings), answers).await.0.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        assert!(error.message.starts_with(&format!("{call}: No. (")), "{error}");
        assert!(error.message.contains(code), "{error}");
    };
    for settings in [json!({}), json!({"fromSnapshot": "git-db-final-1"})] {
        let check = |status, code, class| check(settings.clone(), status, code, class);
        check(400, "DBClusterAlreadyExistsFault", ErrorClass::AlreadyExists).await;
        check(403, "DBClusterQuotaExceededFault", ErrorClass::Quota).await;
        check(400, "InsufficientStorageClusterCapacity", ErrorClass::Quota).await;
        check(400, "DBSubnetGroupDoesNotCoverEnoughAZs", ErrorClass::Invalid).await;
        check(400, "InvalidParameterCombination", ErrorClass::Invalid).await;
        check(404, "DBSubnetGroupNotFoundFault", ErrorClass::Transient).await;
        check(404, "DBClusterParameterGroupNotFound", ErrorClass::Transient).await;
        check(400, "KMSKeyNotAccessibleFault", ErrorClass::Denied(None)).await;
        check(400, "Throttling", ErrorClass::Throttled).await;
        check(403, "ExpiredToken", ErrorClass::Expired).await;
        check(500, "InternalFailure", ErrorClass::Ambiguous).await;
    }
    let restoring = || json!({"fromSnapshot": "git-db-final-1"});
    check(restoring(), 404, "DBClusterSnapshotNotFoundFault", ErrorClass::Invalid).await;
    check(restoring(), 404, "DBSnapshotNotFound", ErrorClass::Invalid).await;
    check(restoring(), 400, "InvalidDBClusterSnapshotStateFault", ErrorClass::Busy).await;
    check(restoring(), 400, "InvalidRestoreFault", ErrorClass::Invalid).await;
}

#[tokio::test]
async fn a_password_that_cannot_be_used_stops_before_the_call() {
    for mut spec in [spec_of(CLUSTER, json!({})), from_snapshot()] {
        for (name, words) in [
            ("MISSING", "environment variable MISSING does not exist"),
            ("BAD", "Aurora does not take the password in environment variable BAD"),
        ] {
            spec["master_password"] = secret(&SecretRef::Env(name.to_owned()));
            let (created, calls) = create(&spec, Vec::new()).await;
            let error = created.unwrap_err();
            assert_eq!(error.class, ErrorClass::Invalid);
            assert!(error.message.contains(words), "{error}");
            assert!(!error.message.contains(PASSWORD), "{error}");
            assert_eq!(calls.actions(), Vec::<String>::new());
        }
    }
}

/// Invariant 10: a password is in no specification, no observation, no error.
#[tokio::test]
async fn the_password_is_in_the_call_and_nowhere_else() {
    let spec = spec_of(CLUSTER, json!({"password": {"env": "DB_PASSWORD"}}));
    let message = "The parameter MasterUserPassword is not a valid password.";
    let (driver, calls) = driver(vec![
        ok("CreateDBCluster", GIT_DB),
        refused(400, "InvalidParameterValue", message),
        described(GIT_DB),
    ]);
    let owner = owner();
    let queries = [query(cluster(), spec.clone())];
    let created = driver.create(cx(&owner), &cluster(), &spec).await;
    let error = driver.create(cx(&owner), &cluster(), &spec).await;
    let found = driver.observe(cx(&owner), &queries).await;
    assert_eq!(calls.actions(), ["CreateDBCluster", "CreateDBCluster", "DescribeDBClusters"]);
    assert_eq!(found[0].as_ref().unwrap().attributes["master_password"], spec["master_password"]);
    for text in
        [format!("{created:?}"), format!("{error:?}"), format!("{found:?}"), spec.to_string()]
    {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}
