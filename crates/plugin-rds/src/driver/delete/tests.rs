use serde_json::json;
use zonestack_core::driver::{Deletion, Driver, DriverError, ErrorClass};

use super::super::recorded::{
    Answer, Calls, GIT_DB, cx, described, driver, instance, ok, owner, query, refused,
};

fn snapshot() -> Deletion {
    Deletion { final_copy: Some("git-db-final-1".to_owned()) }
}

/// Observes `git-db` in a state, then deletes.
async fn delete(
    state: &str,
    deletion: Deletion,
    answers: Vec<Answer>,
) -> (Result<(), DriverError>, Calls) {
    let seen = described(&GIT_DB.replace("available", state));
    let (driver, calls) = driver([vec![seen], answers].into_iter().flatten().collect());
    let owner = owner();
    driver.observe(cx(&owner), &[query(instance(), json!({}))]).await[0].as_ref().unwrap();
    (driver.delete(cx(&owner), &instance(), &deletion).await, calls)
}

#[tokio::test]
async fn a_final_snapshot_is_made_and_backups_are_kept() {
    let (driver, calls) = driver(vec![ok("DeleteDBInstance", GIT_DB)]);
    let owner = owner();
    driver.delete(cx(&owner), &instance(), &snapshot()).await.unwrap();
    assert_eq!(
        calls.parameters(),
        [
            "DeleteAutomatedBackups=false",
            "FinalDBSnapshotIdentifier=git-db-final-1",
            "SkipFinalSnapshot=false",
        ]
    );
}

#[tokio::test]
async fn what_is_gone_or_going_is_a_success() {
    for answer in [
        refused(404, "DBInstanceNotFound", "DBInstance git-db not found."),
        refused(400, "InvalidDBInstanceState", "Instance git-db is already being deleted."),
    ] {
        let (deleted, _) = delete("deleting", snapshot(), vec![answer]).await;
        assert_eq!(deleted, Ok(()));
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let check = async |state: &str, answer: Answer, class: ErrorClass, words: &str| {
        let (deleted, _) = delete(state, snapshot(), vec![answer]).await;
        let error = deleted.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    let protected =
        "Cannot delete protected DB Instance, please disable deletion protection and try again.";
    check(
        "available",
        refused(400, "InvalidParameterCombination", protected),
        ErrorClass::Invalid,
        "deletion protection is on: only `down --delete-data`",
    )
    .await;
    check(
        "modifying",
        refused(400, "InvalidDBInstanceState", "Instance git-db is currently modifying."),
        ErrorClass::Busy,
        "currently modifying",
    )
    .await;
    check(
        "available",
        refused(400, "DBSnapshotAlreadyExists", "Cannot create the snapshot git-db-final-1."),
        ErrorClass::Invalid,
        "an older snapshot has the name git-db-final-1 of its final one. To keep that snapshot, copy it under another name",
    )
    .await;
    check(
        "incompatible-restore",
        refused(400, "InvalidDBInstanceState", "Instance git-db is in state incompatible-restore."),
        ErrorClass::Invalid,
        "--skip-final-snapshot",
    )
    .await;
}

#[tokio::test]
async fn without_a_name_only_what_is_beyond_a_snapshot_is_deleted() {
    let (deleted, calls) = delete("available", Deletion::default(), Vec::new()).await;
    assert_eq!(deleted.unwrap_err().class, ErrorClass::Invalid);
    assert_eq!(calls.actions(), ["DescribeDBInstances"]);

    let answers = vec![ok("DeleteDBInstance", GIT_DB)];
    let (deleted, calls) = delete("failed", Deletion::default(), answers).await;
    assert_eq!(deleted, Ok(()));
    let last = calls.last();
    assert_eq!(last["SkipFinalSnapshot"], "true");
    assert_eq!(last["DeleteAutomatedBackups"], "false");
}
