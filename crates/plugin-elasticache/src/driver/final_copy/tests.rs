use zonestack_core::driver::{Driver, DriverError, ErrorClass, Status};

use super::super::recorded::{Answer, cx, driver, group, ok, owner, refused};

const NAME: &str = "git-cache-0123ab-1";

async fn look(answer: Answer) -> Result<Status, DriverError> {
    let (driver, calls) = driver(vec![answer]);
    let owner = owner();
    let status = driver.final_copy(cx(&owner), &group(), NAME).await;
    let call = calls.only();
    assert_eq!(call["Action"], "DescribeSnapshots");
    assert_eq!(call["SnapshotName"], NAME);
    status
}

/// A snapshot of a replication group, or of a node, or of what is not told.
fn snapshot(group: &str, node: &str, state: &str) -> Answer {
    ok(
        "DescribeSnapshots",
        &format!(
            "<Snapshots><Snapshot><SnapshotName>{NAME}</SnapshotName><ReplicationGroupId>{group}</ReplicationGroupId>\
             <CacheClusterId>{node}</CacheClusterId><SnapshotStatus>{state}</SnapshotStatus></Snapshot></Snapshots>"
        ),
    )
}

#[tokio::test]
async fn its_state_says_whether_the_copy_is_there() {
    let check = async |state: &str, wanted: fn(&Status) -> bool| {
        let status = look(snapshot("git-cache", "", state)).await.unwrap();
        assert!(wanted(&status), "{state}: {status:?}");
    };
    check("available", |s| *s == Status::Ready).await;
    check("copying", |s| *s == Status::Ready).await;
    check("creating", |s| *s == Status::Pending("creating".to_owned())).await;
    check("a-word-to-come", |s| matches!(s, Status::Pending(_))).await;
    check("deleting", |s| *s == Status::Deleting).await;
    check("failed", |s| matches!(s, Status::Failed(words) if words.contains("could not make")))
        .await;
}

#[tokio::test]
async fn one_that_is_not_there_is_absent_and_what_cannot_be_asked_is_an_error() {
    assert_eq!(look(refused(404, "SnapshotNotFoundFault", "No.")).await, Ok(Status::Absent));
    let none = ok("DescribeSnapshots", "<Snapshots></Snapshots>");
    assert_eq!(look(none).await, Ok(Status::Absent));
    let denied =
        "User: x is not authorized to perform: elasticache:DescribeSnapshots on resource: y";
    let error = look(refused(403, "AccessDenied", denied)).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Denied(Some("elasticache:DescribeSnapshots".to_owned())));
}

#[tokio::test]
async fn a_snapshot_of_something_else_is_no_copy_of_this_one() {
    for (group, node, is_copy) in [
        ("git-cache", "git-cache-002", true),
        ("", "git-cache-002", true),
        ("", "", true),
        ("git-other", "", false),
        ("", "git-other-001", false),
        ("", "git-cache2-001", false),
    ] {
        let status = look(snapshot(group, node, "available")).await.unwrap();
        assert_eq!(status == Status::Ready, is_copy, "{group} {node}: {status:?}");
        assert_eq!(matches!(status, Status::Failed(_)), !is_copy);
    }
}
