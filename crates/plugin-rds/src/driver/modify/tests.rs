use serde_json::{Value as Json, json};
use zonestack_core::driver::{Difference, Driver, DriverError, ErrorClass, Ownership};

use super::super::INSTANCE;
use super::super::recorded::{
    ARN, Answer, Calls, GIT_DB, PASSWORD, cx, described, differences, driver, instance, ok, owner,
    query, refused, run, spec_of,
};

/// Observes `git-db` against the settings and updates once.
async fn update(
    settings: Json,
    xml: &str,
    answer: Answer,
) -> (Result<(), DriverError>, Vec<String>) {
    let (driver, calls) = driver(vec![described(xml), answer]);
    let owner = owner();
    let spec = spec_of(INSTANCE, settings);
    let found = driver.observe(cx(&owner), &[query(instance(), spec.clone())]).await;
    let differences = differences(&spec, &found[0].as_ref().unwrap().attributes);
    assert_ne!(differences, []);
    let updated = driver.update(cx(&owner), &instance(), &spec, &differences).await;
    assert_eq!(calls.actions().len(), 2, "one call to observe, one to update");
    (updated, sent(&calls))
}

/// The last call as `key=value`, without what every call has.
fn sent(calls: &Calls) -> Vec<String> {
    let noise = ["Version", "DBInstanceIdentifier"];
    let last = calls.last();
    last.iter()
        .filter(|(k, _)| !noise.contains(&k.as_str()))
        .map(|(k, v)| format!("{k}={v}"))
        .collect()
}

#[track_caller]
fn check(settings: Json, expected: &[&str]) {
    check_against(settings, GIT_DB, expected);
}

#[track_caller]
fn check_against(settings: Json, xml: &str, expected: &[&str]) {
    let (updated, sent) = run(update(settings, xml, ok("ModifyDBInstance", GIT_DB)));
    assert_eq!(updated, Ok(()));
    let mut expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
    expected.push("Action=ModifyDBInstance".to_owned());
    if !expected.iter().any(|text| text.starts_with("ApplyImmediately")) {
        expected.push("ApplyImmediately=false".to_owned());
    }
    expected.sort();
    assert_eq!(sent, expected);
}

#[test]
fn only_what_differs_is_sent() {
    check(json!({"class": "db.m7g.xlarge"}), &["DBInstanceClass=db.m7g.xlarge"]);
    check(json!({"version": "17.7"}), &["EngineVersion=17.7"]);
    check(json!({"version": 18}), &["AllowMajorVersionUpgrade=true", "EngineVersion=18"]);
    check(json!({"storage": 150, "maxStorage": 400}), &["AllocatedStorage=150"]);
    check(json!({"maxStorage": 500}), &["MaxAllocatedStorage=500"]);
    check(json!({"maxStorage": "off"}), &["MaxAllocatedStorage=100"]);
    check(json!({"port": 5433}), &["DBPortNumber=5433"]);
    check(json!({"backup": {"days": 30}}), &["BackupRetentionPeriod=30"]);
    check(json!({"backup": {"days": 0}}), &["BackupRetentionPeriod=0"]);
    check(json!({"backup": {"window": "05:00-05:30"}}), &["PreferredBackupWindow=05:00-05:30"]);
    check(
        json!({"maintenanceWindow": "mon:04:30-mon:05:30"}),
        &["PreferredMaintenanceWindow=mon:04:30-mon:05:30"],
    );
    check(json!({"deletionProtection": false}), &["DeletionProtection=false"]);
    check(json!({"autoMinorUpgrade": false}), &["AutoMinorVersionUpgrade=false"]);
    check(json!({"performanceInsights": true}), &["EnablePerformanceInsights=true"]);
    check(
        json!({"caCertificate": "rds-ca-ecc384-g1"}),
        &["CACertificateIdentifier=rds-ca-ecc384-g1"],
    );
    check(json!({"parameters": {"work_mem": 8192}}), &["DBParameterGroupName=git-db-postgres17"]);
    check(
        json!({"logs": ["iam-db-auth-error", "upgrade"]}),
        &[
            "CloudwatchLogsExportConfiguration.DisableLogTypes.member.1=postgresql",
            "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1=iam-db-auth-error",
        ],
    );
    check(
        json!({"logs": ["upgrade"]}),
        &["CloudwatchLogsExportConfiguration.DisableLogTypes.member.1=postgresql"],
    );
    check(
        json!({"class": "db.m7g.xlarge", "apply": "now"}),
        &["ApplyImmediately=true", "DBInstanceClass=db.m7g.xlarge"],
    );
}

#[test]
fn everything_that_differs_goes_into_one_call() {
    check(
        json!({"class": "db.m7g.xlarge", "version": 18, "backup": {"days": 30}, "parameters": {"work_mem": 8192}}),
        &[
            "AllowMajorVersionUpgrade=true",
            "BackupRetentionPeriod=30",
            "DBInstanceClass=db.m7g.xlarge",
            "DBParameterGroupName=git-db-postgres18",
            "EngineVersion=18",
        ],
    );
}

#[test]
fn storage_that_grew_by_itself_is_not_asked_to_shrink() {
    let grown = GIT_DB
        .replace("<AllocatedStorage>100", "<AllocatedStorage>450")
        .replace("<MaxAllocatedStorage>400", "<MaxAllocatedStorage>1000");
    check_against(
        json!({"storage": 400, "maxStorage": 1000, "iops": 16000, "throughput": 1000}),
        &grown,
        &["AllocatedStorage=450", "Iops=16000", "StorageThroughput=1000"],
    );
    check_against(
        json!({"maxStorage": "off", "storage": 450}),
        &grown,
        &["MaxAllocatedStorage=450"],
    );
}

#[test]
fn without_parameters_the_default_group_comes_back() {
    let ours = GIT_DB.replace("default.postgres17", "git-db-postgres17");
    check_against(json!({}), &ours, &["DBParameterGroupName=default.postgres17"]);
}

#[tokio::test]
async fn tags_go_first_and_alone() {
    let bare = GIT_DB.replace("<Key>Name</Key>", "<Key>Other</Key>");
    let (updated, sent) =
        update(json!({"class": "db.m7g.xlarge"}), &bare, ok("AddTagsToResource", "")).await;
    assert_eq!(updated, Ok(()));
    assert!(sent.contains(&"Action=AddTagsToResource".to_owned()));
    assert!(sent.contains(&format!("ResourceName={ARN}")));
    assert!(sent.contains(&"Tags.Tag.2.Key=managed-by".to_owned()), "{sent:?}");
    assert!(sent.contains(&"Tags.Tag.1.Value=git-db".to_owned()), "{sent:?}");
}

#[tokio::test]
async fn what_was_adopted_or_renamed_is_ours_once_it_is_tagged() {
    let (head, rest) = GIT_DB.split_once("<TagList>").unwrap();
    let (_, tail) = rest.split_once("</TagList>").unwrap();
    let renamed = GIT_DB
        .replace("<Value>db/instance</Value>", "<Value>old/instance</Value>")
        .replace("<Key>Name</Key><Value>git-db</Value>", "<Key>Name</Key><Value>git-old</Value>");
    for before in [format!("{head}{tail}"), renamed] {
        let (driver, calls) = driver(vec![described(&before), ok("AddTagsToResource", "")]);
        let owner = owner();
        let spec = spec_of(INSTANCE, json!({}));
        let query = query(instance(), spec.clone());
        let found =
            driver.observe(cx(&owner), std::slice::from_ref(&query)).await.remove(0).unwrap();
        assert_eq!(found.ownership, Ownership::Foreign);
        // An answer without a list of tags says nothing about them.
        let wanted = json!({ "tags": spec["tags"] });
        let differences = differences(&wanted, &json!({ "tags": {} }));
        driver.update(cx(&owner), &instance(), &spec, &differences).await.unwrap();
        let last = calls.last();
        assert_eq!(last["Action"], "AddTagsToResource");
        let tags: String = (1..)
            .map_while(|n| {
                let part = |part| last.get(&format!("Tags.Tag.{n}.{part}"));
                let (key, value) = (part("Key")?, part("Value")?);
                Some(format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"))
            })
            .collect();
        let after = format!("{head}<TagList>{tags}</TagList>{tail}");
        let (driver, _) = super::super::recorded::driver(vec![described(&after)]);
        let found = driver.observe(cx(&owner), &[query]).await.remove(0).unwrap();
        assert_eq!(found.ownership, Ownership::Ours);
        assert_eq!(found.attributes, spec);
    }
}

#[tokio::test]
async fn a_refusal_has_its_class() {
    let check = async |code: &str, message: &str, class: ErrorClass| {
        let answer = refused(400, code, message);
        let (updated, _) = update(json!({"class": "db.m7g.xlarge"}), GIT_DB, answer).await;
        let error = updated.unwrap_err();
        assert_eq!(error.class, class, "{error}");
    };
    check(
        "InvalidDBInstanceState",
        "Database instance is not in available state.",
        ErrorClass::Busy,
    )
    .await;
    check("DBInstanceNotFound", "DBInstance git-db not found.", ErrorClass::NotFound).await;
    check("InvalidParameterCombination", "Cannot upgrade.", ErrorClass::Invalid).await;
    check("DBUpgradeDependencyFailure", "No.", ErrorClass::Invalid).await;
}

#[tokio::test]
async fn what_cannot_change_is_refused_without_a_call() {
    let (driver, calls) = driver(Vec::new());
    let owner = owner();
    let spec = spec_of(INSTANCE, json!({}));
    let difference = Difference { path: "/database".to_owned(), from: None, to: Some(json!("x")) };
    let error = driver.update(cx(&owner), &instance(), &spec, &[difference]).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unsupported);
    assert_eq!(error.message, "database of git-db cannot be changed in place");
    assert_eq!(calls.actions(), Vec::<String>::new());
}

#[tokio::test]
async fn a_password_is_sent_when_it_is_asked_for() {
    let (driver, calls) = driver(vec![ok("ModifyDBInstance", GIT_DB)]);
    let owner = owner();
    let spec = spec_of(INSTANCE, json!({}));
    let difference = Difference { path: "/master_password".to_owned(), from: None, to: None };
    driver.update(cx(&owner), &instance(), &spec, &[difference]).await.unwrap();
    assert_eq!(calls.only()["MasterUserPassword"], PASSWORD);
}

/// On the way down there is no stack file: the engine says the one field that it clears.
#[tokio::test]
async fn protection_is_cleared_without_the_rest_of_the_specification() {
    let (driver, calls) = driver(vec![ok("ModifyDBInstance", GIT_DB)]);
    let owner = owner();
    let (from, to) = (Some(json!(true)), Some(json!(false)));
    let difference = Difference { path: "/deletion_protection".to_owned(), from, to };
    let spec = json!({"deletion_protection": false});
    driver.update(cx(&owner), &instance(), &spec, &[difference]).await.unwrap();
    assert_eq!(calls.parameters(), ["ApplyImmediately=false", "DeletionProtection=false"]);
}
