use serde_json::json;
use zonestack_core::driver::{Deletion, Driver, DriverError, ErrorClass};

use super::super::super::recorded::{
    Answer, Calls, GIT_DB, cluster, cx, described, driver, ok, owner, query, refused,
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
    driver.observe(cx(&owner), &[query(cluster(), json!({}))]).await[0].as_ref().unwrap();
    (driver.delete(cx(&owner), &cluster(), &deletion).await, calls)
}

#[tokio::test]
async fn a_final_snapshot_is_made_and_backups_are_kept() {
    let (driver, calls) = driver(vec![ok("DeleteDBCluster", GIT_DB)]);
    let owner = owner();
    driver.delete(cx(&owner), &cluster(), &snapshot()).await.unwrap();
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
        refused(404, "DBClusterNotFoundFault", "DBCluster git-db not found."),
        refused(400, "InvalidDBClusterStateFault", "Cluster git-db is already being deleted."),
    ] {
        let (deleted, _) = delete("deleting", snapshot(), vec![answer]).await;
        assert_eq!(deleted, Ok(()));
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let check = async |state: &str, code: &str, said: &str, class: ErrorClass, words: &str| {
        let answers = vec![refused(400, code, said)];
        let (deleted, _) = delete(state, snapshot(), answers).await;
        let error = deleted.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    check(
        "available",
        "InvalidParameterCombination",
        "Cannot delete protected Cluster, please disable deletion protection and try again.",
        ErrorClass::Invalid,
        "deletion protection is on: only `down --delete-data`",
    )
    .await;
    check(
        "available",
        "InvalidDBClusterStateFault",
        "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
        ErrorClass::Dependency,
        "still contains DB instances",
    )
    .await;
    check(
        "modifying",
        "InvalidDBClusterStateFault",
        "Cluster git-db is currently modifying.",
        ErrorClass::Busy,
        "currently modifying",
    )
    .await;
    check(
        "available",
        "DBClusterSnapshotAlreadyExistsFault",
        "Cannot create the snapshot git-db-final-1.",
        ErrorClass::Invalid,
        "an older snapshot has the name git-db-final-1 of its final one. To keep that snapshot, copy it under another name",
    )
    .await;
    check(
        "migration-failed",
        "InvalidDBClusterStateFault",
        "Cluster git-db is in state migration-failed.",
        ErrorClass::Invalid,
        "--skip-final-snapshot",
    )
    .await;
}

#[tokio::test]
async fn without_a_name_only_what_is_beyond_a_snapshot_is_deleted() {
    let (deleted, calls) = delete("available", Deletion::default(), Vec::new()).await;
    assert_eq!(deleted.unwrap_err().class, ErrorClass::Invalid);
    assert_eq!(calls.actions(), ["DescribeDBClusters"]);

    let answers = vec![ok("DeleteDBCluster", GIT_DB)];
    let (deleted, calls) = delete("migration-failed", Deletion::default(), answers).await;
    assert_eq!(deleted, Ok(()));
    let last = calls.last();
    assert_eq!(last["SkipFinalSnapshot"], "true");
    assert_eq!(last["DeleteAutomatedBackups"], "false");
}
