use zonestack_core::driver::{Deletion, Driver, DriverError, ErrorClass};

use super::super::recorded::{Answer, Calls, GIT_CACHE, cx, driver, group, ok, owner, refused};

fn snapshot() -> Deletion {
    Deletion { final_copy: Some("git-cache-final-1".to_owned()) }
}

async fn delete(deletion: Deletion, answers: Vec<Answer>) -> (Result<(), DriverError>, Calls) {
    let (driver, calls) = driver(answers);
    let owner = owner();
    (driver.delete(cx(&owner), &group(), &deletion).await, calls)
}

#[tokio::test]
async fn a_final_snapshot_is_made() {
    let (deleted, calls) = delete(snapshot(), vec![ok("DeleteReplicationGroup", GIT_CACHE)]).await;
    assert_eq!(deleted, Ok(()));
    assert_eq!(calls.only()["Action"], "DeleteReplicationGroup");
    let expected = ["FinalSnapshotIdentifier=git-cache-final-1", "RetainPrimaryCluster=false"];
    assert_eq!(calls.parameters(), expected);
}

#[tokio::test]
async fn what_is_gone_or_going_is_a_success() {
    for answer in [
        refused(404, "ReplicationGroupNotFoundFault", "ReplicationGroup git-cache not found."),
        refused(
            400,
            "InvalidReplicationGroupState",
            "Replication group git-cache has status deleting which is not valid for deletion.",
        ),
    ] {
        assert_eq!(delete(snapshot(), vec![answer]).await.0, Ok(()));
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let check = async |code: &str, message: &str, class: ErrorClass, words: &str| {
        let (deleted, _) = delete(snapshot(), vec![refused(400, code, message)]).await;
        let error = deleted.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    let busy = "Replication group git-cache has status modifying which is not valid for deletion.";
    check("InvalidReplicationGroupState", busy, ErrorClass::Busy, "status modifying").await;
    let never = "Replication group git-cache has status create-failed.";
    check(
        "InvalidReplicationGroupState",
        never,
        ErrorClass::Invalid,
        "aws elasticache delete-replication-group --replication-group-id git-cache",
    )
    .await;
    check(
        "SnapshotAlreadyExistsFault",
        "Snapshot with specified name already exists.",
        ErrorClass::Invalid,
        "an older snapshot has the name git-cache-final-1 of its final one. To keep that snapshot, copy it under another name",
    )
    .await;
    check("SnapshotQuotaExceededFault", "No.", ErrorClass::Quota, "No.").await;
    check("SnapshotFeatureNotSupportedFault", "No.", ErrorClass::Invalid, "No.").await;
}

#[tokio::test]
async fn without_a_name_for_the_snapshot_nothing_is_deleted() {
    let (deleted, calls) = delete(Deletion::default(), Vec::new()).await;
    assert_eq!(deleted.unwrap_err().class, ErrorClass::Invalid);
    assert_eq!(calls.actions(), Vec::<String>::new());
}
