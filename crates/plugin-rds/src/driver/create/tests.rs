use serde_json::{Value as Json, json};
use zonestack_core::driver::{Created, Driver, DriverError, ErrorClass};
use zonestack_core::secret::SecretRef;
use zonestack_core::value::secret;

use super::super::INSTANCE;
use super::super::recorded::{
    ARN, Answer, Calls, GIT_DB, PASSWORD, cx, driver, instance, ok, owner, refused, spec_of,
};

async fn create(spec: &Json, answers: Vec<Answer>) -> (Result<Created, DriverError>, Calls) {
    let (driver, calls) = driver(answers);
    let owner = owner();
    let created = driver.create(cx(&owner), &instance(), spec).await;
    (created, calls)
}

fn created() -> Vec<Answer> {
    vec![ok("CreateDBInstance", &GIT_DB.replace("available", "creating"))]
}

/// Everything is said, nothing is left to a default of the API (domain.md 4.3).
#[tokio::test]
async fn one_call_says_everything() {
    let (created, calls) = create(&spec_of(INSTANCE, json!({})), created()).await;
    assert_eq!(created, Ok(Created { remote_id: Some(ARN.to_owned()) }));
    let mut call = calls.only();
    assert_eq!(call.remove("MasterUserPassword").as_deref(), Some(PASSWORD));
    insta::assert_snapshot!(format!("{:#}", json!(call)));
}

#[tokio::test]
async fn what_is_optional_is_said_when_asked_for() {
    let settings = json!({
        "version": "17.6", "storage": 400, "iops": 16000, "throughput": 1000, "maxStorage": "off", "multiAz": false,
        "zone": "eu-west-1c", "backup": {"window": "04:00-04:30"}, "maintenanceWindow": "Sun:04:30-Sun:05:30",
        "kmsKeyId": "alias/database", "parameters": {"max_connections": 500}, "logs": [],
        "performanceInsights": true, "caCertificate": "rds-ca-ecc384-g1",
    });
    let (_, calls) = create(&spec_of(INSTANCE, settings), created()).await;
    let call = calls.only();
    let said = |key: &str| call.get(key).map(String::as_str);
    assert_eq!(said("EngineVersion"), Some("17.6"));
    assert_eq!(said("Iops"), Some("16000"));
    assert_eq!(said("StorageThroughput"), Some("1000"));
    assert_eq!(said("MaxAllocatedStorage"), None);
    assert_eq!(said("MultiAZ"), Some("false"));
    assert_eq!(said("AvailabilityZone"), Some("eu-west-1c"));
    assert_eq!(said("PreferredBackupWindow"), Some("04:00-04:30"));
    assert_eq!(said("PreferredMaintenanceWindow"), Some("sun:04:30-sun:05:30"));
    assert_eq!(said("KmsKeyId"), Some("alias/database"));
    assert_eq!(said("DBParameterGroupName"), Some("git-db-postgres17"));
    assert_eq!(said("EnableCloudwatchLogsExports.member.1"), None);
    assert_eq!(said("EnablePerformanceInsights"), Some("true"));
    assert_eq!(said("CACertificateIdentifier"), Some("rds-ca-ecc384-g1"));
}

#[tokio::test]
async fn a_refusal_has_its_class() {
    let check = async |status: u16, code: &str, class: ErrorClass| {
        let (created, _) =
            create(&spec_of(INSTANCE, json!({})), vec![refused(status, code, "No.")]).await;
        let error = created.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        assert!(error.message.starts_with("CreateDBInstance: No. ("), "{error}");
        assert!(error.message.contains(code), "{error}");
    };
    check(400, "DBInstanceAlreadyExists", ErrorClass::AlreadyExists).await;
    check(400, "InstanceQuotaExceeded", ErrorClass::Quota).await;
    check(400, "StorageQuotaExceeded", ErrorClass::Quota).await;
    check(400, "InsufficientDBInstanceCapacity", ErrorClass::ZoneUnavailable).await;
    check(400, "ProvisionedIopsNotAvailableInAZFault", ErrorClass::ZoneUnavailable).await;
    check(400, "DBSubnetGroupDoesNotCoverEnoughAZs", ErrorClass::Invalid).await;
    check(400, "InvalidParameterCombination", ErrorClass::Invalid).await;
    check(400, "InvalidParameterValue", ErrorClass::Invalid).await;
    check(404, "DBSubnetGroupNotFoundFault", ErrorClass::Transient).await;
    check(404, "DBParameterGroupNotFound", ErrorClass::Transient).await;
    check(404, "CertificateNotFound", ErrorClass::Invalid).await;
    check(400, "Throttling", ErrorClass::Throttled).await;
    check(403, "AccessDenied", ErrorClass::Denied(None)).await;
    check(403, "ExpiredToken", ErrorClass::Expired).await;
    check(500, "InternalFailure", ErrorClass::Ambiguous).await;
}

#[tokio::test]
async fn a_password_that_cannot_be_used_stops_before_the_call() {
    let mut spec = spec_of(INSTANCE, json!({}));
    for (name, words) in [
        ("MISSING", "environment variable MISSING does not exist"),
        ("BAD", "RDS does not take the password in environment variable BAD"),
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

/// Invariant 10: a password is in no specification, no observation, no error.
#[tokio::test]
async fn the_password_is_in_the_call_and_nowhere_else() {
    let spec = spec_of(INSTANCE, json!({"password": {"env": "DB_PASSWORD"}}));
    let (driver, calls) = driver(vec![
        ok("CreateDBInstance", GIT_DB),
        refused(
            400,
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password.",
        ),
        super::super::recorded::described(GIT_DB),
    ]);
    let owner = owner();
    let queries = [super::super::recorded::query(instance(), spec.clone())];
    let created = driver.create(cx(&owner), &instance(), &spec).await;
    let error = driver.create(cx(&owner), &instance(), &spec).await;
    let found = driver.observe(cx(&owner), &queries).await;
    assert_eq!(calls.actions(), ["CreateDBInstance", "CreateDBInstance", "DescribeDBInstances"]);
    assert_eq!(found[0].as_ref().unwrap().attributes["master_password"], spec["master_password"]);
    for text in
        [format!("{created:?}"), format!("{error:?}"), format!("{found:?}"), spec.to_string()]
    {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}
