use serde_json::{Value as Json, json};
use zonestack_core::driver::{Deletion, Driver, Ownership, Status};

use super::super::INSTANCE;
use super::super::recorded::{
    Answer, GIT_DB_A, INSTANCE_ARN, cx, described_instances, differences, driver, edited, instance,
    ok, owner, paths, query, refused, run, spec_of,
};
use super::*;

#[tokio::test]
async fn an_instance_is_found_as_it_was_asked_for() {
    let (driver, calls) = driver(vec![described_instances(GIT_DB_A)]);
    let owner = owner();
    let spec = spec_of(INSTANCE, json!({}));
    let found = driver.observe(cx(&owner), &[query(instance(), spec.clone())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.status, Status::Ready);
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.remote_id.as_deref(), Some(INSTANCE_ARN));
    assert_eq!(found.attributes, spec);
    assert_eq!(
        json!(found.outputs),
        json!({
            "address": "git-db-eu-west-1a.c0ffee.eu-west-1.rds.amazonaws.com",
            "arn": INSTANCE_ARN,
            "resource_id": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        })
    );
    let call = calls.only();
    assert_eq!(call["Action"], "DescribeDBInstances");
    assert_eq!(call["Filters.Filter.1.Name"], "db-instance-id");
    assert_eq!(call["Filters.Filter.1.Values.Value.1"], "git-db-eu-west-1a");
}

#[tokio::test]
async fn one_that_is_not_there_is_absent_and_a_list_that_fails_is_an_error() {
    let owner = owner();
    let (found, _) = driver(vec![described_instances("")]);
    let found = found.observe(cx(&owner), &[query(instance(), json!({}))]).await;
    assert_eq!(found, [Ok(Observation::absent())]);
    let (found, _) = driver(vec![refused(400, "Throttling", "Rate exceeded")]);
    let found = found.observe(cx(&owner), &[query(instance(), json!({}))]).await;
    assert_eq!(found[0].as_ref().unwrap_err().class, ErrorClass::Throttled);
}

/// Observes it with some of its description replaced, against settings, and names what differs.
#[track_caller]
fn check(settings: Json, edits: &[(&str, &str)], expected: &[&str]) {
    let (driver, _) = driver(vec![described_instances(&edited(GIT_DB_A, edits))]);
    let owner = owner();
    let spec = spec_of(INSTANCE, settings);
    let found = run(driver.observe(cx(&owner), &[query(instance(), spec.clone())])).remove(0);
    let differences = differences(&spec, &found.unwrap().attributes);
    assert_eq!(paths(&differences), expected, "{edits:?}");
}

#[test]
fn what_differs_is_told() {
    check(json!({"class": "db.r7g.xlarge"}), &[], &["/class"]);
    check(json!({"serverless": {"min": 1, "max": 8}}), &[], &["/class"]);
    check(json!({"autoMinorUpgrade": false}), &[], &["/auto_minor_version_upgrade"]);
    check(json!({"performanceInsights": true}), &[], &["/performance_insights"]);
    check(json!({"maintenanceWindow": "mon:04:30-mon:05:30"}), &[], &["/maintenance_window"]);
    check(json!({"caCertificate": "rds-ca-ecc384-g1"}), &[], &["/ca_certificate"]);
    let edits = [
        (("<PubliclyAccessible>false", "<PubliclyAccessible>true"), "/publicly_accessible"),
        (("<AvailabilityZone>eu-west-1a", "<AvailabilityZone>eu-west-1c"), "/availability_zone"),
        (("<DBClusterIdentifier>git-db", "<DBClusterIdentifier>git-other"), "/cluster"),
        (("<DBClusterIdentifier>git-db</DBClusterIdentifier>", ""), "/cluster"),
        (("<Value>git-db</Value>", "<Value>mine</Value>"), "/tags/Name"),
    ];
    for (edit, path) in edits {
        check(json!({}), &[edit], &[path]);
    }
}

#[test]
fn what_is_left_out_or_waits_is_no_difference() {
    let left_out = [
        ("<PerformanceInsightsEnabled>false</PerformanceInsightsEnabled>", ""),
        ("<CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier>", ""),
    ];
    check(
        json!({"performanceInsights": true, "caCertificate": "rds-ca-ecc384-g1"}),
        &left_out,
        &[],
    );
    let waiting = [(
        "<PendingModifiedValues></PendingModifiedValues>",
        "<PendingModifiedValues><DBInstanceClass>db.r7g.xlarge</DBInstanceClass></PendingModifiedValues>",
    )];
    check(json!({"class": "db.r7g.xlarge"}), &waiting, &[]);
    check(json!({"class": "db.r7g.xlarge", "apply": "now"}), &waiting, &["/class"]);
    let at_it = [waiting[0], ("available", "modifying")];
    check(json!({"class": "db.r7g.xlarge", "apply": "now"}), &at_it, &[]);
}

/// What a cluster says for all of its instances (storage, version, backups, protection) is not said again.
#[tokio::test]
async fn an_instance_is_made_in_its_zone_of_its_cluster() {
    let (driver, calls) = driver(vec![ok("CreateDBInstance", GIT_DB_A)]);
    let owner = owner();
    let settings =
        json!({"maintenanceWindow": "sun:04:30-sun:05:30", "caCertificate": "rds-ca-ecc384-g1"});
    let spec = spec_of(INSTANCE, settings);
    let created = driver.create(cx(&owner), &instance(), &spec).await;
    assert_eq!(created, Ok(Created { remote_id: Some(INSTANCE_ARN.to_owned()) }));
    insta::assert_snapshot!(format!("{:#}", json!(calls.only())));
}

#[tokio::test]
async fn a_refusal_has_its_class() {
    let owner = owner();
    let check = async |status: u16, code: &str, class: ErrorClass| {
        let (driver, _) = driver(vec![refused(status, code, "No.")]);
        let spec = spec_of(INSTANCE, json!({}));
        let error = driver.create(cx(&owner), &instance(), &spec).await.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        assert!(error.message.starts_with("CreateDBInstance: No. ("), "{error}");
    };
    check(400, "DBInstanceAlreadyExists", ErrorClass::AlreadyExists).await;
    check(404, "DBClusterNotFoundFault", ErrorClass::Transient).await;
    check(400, "InvalidDBClusterStateFault", ErrorClass::Busy).await;
    check(400, "InstanceQuotaExceeded", ErrorClass::Quota).await;
    check(400, "InsufficientDBInstanceCapacity", ErrorClass::ZoneUnavailable).await;
    check(400, "InvalidParameterCombination", ErrorClass::Invalid).await;
    check(404, "CertificateNotFound", ErrorClass::Invalid).await;
    check(500, "InternalFailure", ErrorClass::Ambiguous).await;
}

async fn update(settings: Json, answer: Answer) -> (Result<(), DriverError>, Vec<String>) {
    let (driver, calls) = driver(vec![answer]);
    let owner = owner();
    let spec = spec_of(INSTANCE, settings);
    let mut there = spec_of(INSTANCE, json!({}));
    there["apply"] = spec["apply"].clone();
    let found = differences(&spec, &there);
    let updated = driver.update(cx(&owner), &instance(), &spec, &found).await;
    (updated, calls.parameters())
}

#[tokio::test]
async fn only_what_differs_is_sent() {
    let check = async |settings: Json, expected: &[&str]| {
        let (updated, sent) = update(settings, ok("ModifyDBInstance", GIT_DB_A)).await;
        assert_eq!((updated, sent), (Ok(()), expected.iter().map(|s| (*s).to_owned()).collect()));
    };
    let later = "ApplyImmediately=false";
    check(json!({"class": "db.r7g.xlarge"}), &[later, "DBInstanceClass=db.r7g.xlarge"]).await;
    let serverless = json!({"serverless": {"min": 1, "max": 8}});
    check(serverless, &[later, "DBInstanceClass=db.serverless"]).await;
    check(json!({"performanceInsights": true}), &[later, "EnablePerformanceInsights=true"]).await;
    check(json!({"autoMinorUpgrade": false}), &[later, "AutoMinorVersionUpgrade=false"]).await;
    check(
        json!({"maintenanceWindow": "mon:04:30-mon:05:30", "caCertificate": "rds-ca-ecc384-g1"}),
        &[
            later,
            "CACertificateIdentifier=rds-ca-ecc384-g1",
            "PreferredMaintenanceWindow=mon:04:30-mon:05:30",
        ],
    )
    .await;
    check(
        json!({"class": "db.r7g.xlarge", "apply": "now"}),
        &["ApplyImmediately=true", "DBInstanceClass=db.r7g.xlarge"],
    )
    .await;
}

#[tokio::test]
async fn what_cannot_change_is_refused_without_a_call() {
    let (driver, calls) = driver(Vec::new());
    let owner = owner();
    let spec = spec_of(INSTANCE, json!({}));
    for key in ["cluster", "availability_zone", "engine"] {
        let difference = Difference { path: format!("/{key}"), from: None, to: Some(json!("x")) };
        let error = driver.update(cx(&owner), &instance(), &spec, &[difference]).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Unsupported);
    }
    assert_eq!(calls.actions(), Vec::<String>::new());
}

/// RDS makes no snapshot of an instance of a cluster, and refuses a name for one; the last instance goes as any other.
#[tokio::test]
async fn an_instance_goes_without_a_snapshot() {
    let owner = owner();
    let (driver, calls) = driver(vec![ok("DeleteDBInstance", GIT_DB_A)]);
    driver.delete(cx(&owner), &instance(), &Deletion::default()).await.unwrap();
    assert_eq!(calls.parameters(), ["SkipFinalSnapshot=true"]);
    assert_eq!(calls.only()["DBInstanceIdentifier"], "git-db-eu-west-1a");
}

#[tokio::test]
async fn what_is_gone_or_going_is_a_success_and_what_is_busy_is_waited_for() {
    let owner = owner();
    let delete = async |status: u16, code: &str, message: &str| {
        let (driver, _) = driver(vec![refused(status, code, message)]);
        driver.delete(cx(&owner), &instance(), &Deletion::default()).await
    };
    assert_eq!(delete(404, "DBInstanceNotFound", "not found").await, Ok(()));
    let going = "Instance git-db-eu-west-1a is already being deleted.";
    assert_eq!(delete(400, "InvalidDBInstanceState", going).await, Ok(()));
    let error = delete(400, "InvalidDBInstanceState", "It is creating.").await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Busy);
}
