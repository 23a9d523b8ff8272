use serde_json::{Value as Json, json};
use zonestack_core::driver::{Difference, Driver, DriverError, ErrorClass, Ownership};

use super::super::super::CLUSTER;
use super::super::super::recorded::{
    ARN, Answer, Calls, GIT_DB, PASSWORD, cluster, cx, described, differences, driver, edited, ok,
    owner, query, refused, run, spec_of,
};

/// Observes `git-db` against the settings and updates once.
async fn update(
    settings: Json,
    xml: &str,
    answer: Answer,
) -> (Result<(), DriverError>, Vec<String>) {
    let (driver, calls) = driver(vec![described(xml), answer]);
    let owner = owner();
    let spec = spec_of(CLUSTER, settings);
    let found = driver.observe(cx(&owner), &[query(cluster(), spec.clone())]).await;
    let differences = differences(&spec, &found[0].as_ref().unwrap().attributes);
    assert_ne!(differences, []);
    let updated = driver.update(cx(&owner), &cluster(), &spec, &differences).await;
    assert_eq!(calls.actions().len(), 2, "one call to observe, one to update");
    (updated, sent(&calls))
}

/// The last call as `key=value`, without what every call has.
fn sent(calls: &Calls) -> Vec<String> {
    let noise = ["Version", "DBClusterIdentifier"];
    let last = calls.last();
    last.iter()
        .filter(|(k, _)| !noise.contains(&k.as_str()))
        .map(|(k, v)| format!("{k}={v}"))
        .collect()
}

#[track_caller]
fn check(settings: Json, expected: &[&str]) {
    let (updated, sent) = run(update(settings, GIT_DB, ok("ModifyDBCluster", GIT_DB)));
    assert_eq!(updated, Ok(()));
    let mut expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
    expected.push("Action=ModifyDBCluster".to_owned());
    if !expected.iter().any(|text| text.starts_with("ApplyImmediately")) {
        expected.push("ApplyImmediately=false".to_owned());
    }
    expected.sort();
    assert_eq!(sent, expected);
}

#[test]
fn only_what_differs_is_sent() {
    check(json!({"version": "17.7"}), &["EngineVersion=17.7"]);
    check(
        json!({"version": 18}),
        &[
            "AllowMajorVersionUpgrade=true",
            "DBClusterParameterGroupName=git-db-aurora-postgresql18",
            "EngineVersion=18",
        ],
    );
    check(json!({"storageType": "aurora-iopt1"}), &["StorageType=aurora-iopt1"]);
    check(
        json!({"serverless": {"min": 0.5, "max": 8}}),
        &[
            "ServerlessV2ScalingConfiguration.MaxCapacity=8.0",
            "ServerlessV2ScalingConfiguration.MinCapacity=0.5",
        ],
    );
    check(json!({"port": 5433}), &["Port=5433"]);
    check(json!({"backup": {"days": 30}}), &["BackupRetentionPeriod=30"]);
    check(json!({"backup": {"window": "05:00-05:30"}}), &["PreferredBackupWindow=05:00-05:30"]);
    check(
        json!({"maintenanceWindow": "mon:04:30-mon:05:30"}),
        &["PreferredMaintenanceWindow=mon:04:30-mon:05:30"],
    );
    check(json!({"deletionProtection": false}), &["DeletionProtection=false"]);
    check(json!({"autoMinorUpgrade": false}), &["AutoMinorVersionUpgrade=false"]);
    check(
        json!({"logs": ["instance"]}),
        &[
            "CloudwatchLogsExportConfiguration.DisableLogTypes.member.1=postgresql",
            "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1=instance",
        ],
    );
    check(
        json!({"version": "17.7", "backup": {"days": 30}, "apply": "now"}),
        &["ApplyImmediately=true", "BackupRetentionPeriod=30", "EngineVersion=17.7"],
    );
}

#[tokio::test]
async fn tags_go_first_and_alone() {
    let bare = edited(GIT_DB, &[("<Key>Name</Key>", "<Key>Other</Key>")]);
    let (updated, sent) = update(json!({"port": 5433}), &bare, ok("AddTagsToResource", "")).await;
    assert_eq!(updated, Ok(()));
    assert!(sent.contains(&"Action=AddTagsToResource".to_owned()));
    assert!(sent.contains(&format!("ResourceName={ARN}")));
    assert!(sent.contains(&"Tags.Tag.1.Value=git-db".to_owned()), "{sent:?}");
}

#[tokio::test]
async fn what_was_adopted_is_ours_once_it_is_tagged() {
    let (head, rest) = GIT_DB.split_once("<TagList>").unwrap();
    let (_, tail) = rest.split_once("</TagList>").unwrap();
    let (adopting, calls) =
        driver(vec![described(&format!("{head}{tail}")), ok("AddTagsToResource", "")]);
    let owner = owner();
    let spec = spec_of(CLUSTER, json!({}));
    let query = query(cluster(), spec.clone());
    let found = adopting.observe(cx(&owner), std::slice::from_ref(&query)).await.remove(0).unwrap();
    assert_eq!(found.ownership, Ownership::Foreign);
    // An answer without a list of tags says nothing about them.
    let differences = differences(&json!({ "tags": spec["tags"] }), &json!({ "tags": {} }));
    adopting.update(cx(&owner), &cluster(), &spec, &differences).await.unwrap();
    let last = calls.last();
    let tags: String = (1..)
        .map_while(|n| {
            let part = |part| last.get(&format!("Tags.Tag.{n}.{part}"));
            let (key, value) = (part("Key")?, part("Value")?);
            Some(format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"))
        })
        .collect();
    let after = format!("{head}<TagList>{tags}</TagList>{tail}");
    let found = driver(vec![described(&after)]).0.observe(cx(&owner), &[query]).await.remove(0);
    let found = found.unwrap();
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.attributes, spec);
}

#[tokio::test]
async fn a_refusal_has_its_class() {
    let check = async |code: &str, message: &str, class: ErrorClass| {
        let (updated, _) =
            update(json!({"version": "17.7"}), GIT_DB, refused(400, code, message)).await;
        let error = updated.unwrap_err();
        assert_eq!(error.class, class, "{error}");
    };
    let busy = "DBCluster git-db isn't available for modification with status modifying.";
    check("InvalidDBClusterStateFault", busy, ErrorClass::Busy).await;
    check("DBClusterNotFoundFault", "DBCluster git-db not found.", ErrorClass::NotFound).await;
    check("InvalidParameterCombination", "Cannot upgrade.", ErrorClass::Invalid).await;
    check("DBClusterParameterGroupNotFound", "No.", ErrorClass::Transient).await;
}

#[tokio::test]
async fn what_cannot_change_is_refused_without_a_call() {
    let (driver, calls) = driver(Vec::new());
    let owner = owner();
    let spec = spec_of(CLUSTER, json!({}));
    let difference = Difference { path: "/database".to_owned(), from: None, to: Some(json!("x")) };
    let error = driver.update(cx(&owner), &cluster(), &spec, &[difference]).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unsupported);
    assert_eq!(error.message, "database of git-db cannot be changed in place");
    assert_eq!(calls.actions(), Vec::<String>::new());
}

#[tokio::test]
async fn a_password_is_sent_alone_and_at_once() {
    let (driver, calls) = driver(vec![ok("ModifyDBCluster", GIT_DB)]);
    let owner = owner();
    let spec = spec_of(CLUSTER, json!({"version": "17.7"}));
    let changed = |path: &str| Difference { path: path.to_owned(), from: None, to: None };
    let both = [changed("/engine_version"), changed("/master_password")];
    driver.update(cx(&owner), &cluster(), &spec, &both).await.unwrap();
    let expected = ["ApplyImmediately=true".to_owned(), format!("MasterUserPassword={PASSWORD}")];
    assert_eq!(calls.parameters(), expected);
}

/// On the way down there is no stack file: the engine says the one field that it clears.
#[tokio::test]
async fn protection_is_cleared_without_the_rest_of_the_specification() {
    let (driver, calls) = driver(vec![ok("ModifyDBCluster", GIT_DB)]);
    let owner = owner();
    let (from, to) = (Some(json!(true)), Some(json!(false)));
    let difference = Difference { path: "/deletion_protection".to_owned(), from, to };
    let spec = json!({"deletion_protection": false});
    driver.update(cx(&owner), &cluster(), &spec, &[difference]).await.unwrap();
    assert_eq!(calls.parameters(), ["ApplyImmediately=false", "DeletionProtection=false"]);
}
