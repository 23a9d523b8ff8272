use zonestack_core::driver::{Driver, DriverError, ErrorClass, Status};

use super::super::recorded::{Answer, cluster, cx, driver, ok, owner, refused};

const NAME: &str = "git-db-0123ab-1";

async fn look(answer: Answer) -> Result<Status, DriverError> {
    let (driver, calls) = driver(vec![answer]);
    let owner = owner();
    let status = driver.final_copy(cx(&owner), &cluster(), NAME).await;
    let call = calls.only();
    assert_eq!(call["Action"], "DescribeDBClusterSnapshots");
    assert_eq!(call["DBClusterSnapshotIdentifier"], NAME);
    status
}

fn snapshot(of: &str, state: &str) -> Answer {
    ok(
        "DescribeDBClusterSnapshots",
        &format!(
            "<DBClusterSnapshots><DBClusterSnapshot><DBClusterSnapshotIdentifier>{NAME}</DBClusterSnapshotIdentifier>\
             <DBClusterIdentifier>{of}</DBClusterIdentifier><Status>{state}</Status></DBClusterSnapshot></DBClusterSnapshots>"
        ),
    )
}

#[tokio::test]
async fn its_state_says_whether_the_copy_is_there() {
    let check = async |state: &str, wanted: fn(&Status) -> bool| {
        let status = look(snapshot("git-db", state)).await.unwrap();
        assert!(wanted(&status), "{state}: {status:?}");
    };
    check("available", |s| *s == Status::Ready).await;
    check("creating", |s| *s == Status::Pending("creating".to_owned())).await;
    check("a-word-to-come", |s| matches!(s, Status::Pending(_))).await;
    check("deleting", |s| *s == Status::Deleting).await;
    for state in ["failed", "error", "incompatible-restore", "inaccessible-encryption-credentials"]
    {
        check(state, |s| matches!(s, Status::Failed(_))).await;
    }
    let Status::Failed(words) = look(snapshot("git-db", "failed")).await.unwrap() else { panic!() };
    assert!(words.starts_with("failed: ") && words.contains("automated backups"), "{words}");
}

#[tokio::test]
async fn one_that_is_not_there_is_absent_and_what_cannot_be_asked_is_an_error() {
    for code in ["DBClusterSnapshotNotFound", "DBClusterSnapshotNotFoundFault"] {
        assert_eq!(look(refused(404, code, "No.")).await, Ok(Status::Absent));
    }
    let none = ok("DescribeDBClusterSnapshots", "<DBClusterSnapshots></DBClusterSnapshots>");
    assert_eq!(look(none).await, Ok(Status::Absent));
    let denied =
        "User: x is not authorized to perform: rds:DescribeDBClusterSnapshots on resource: y";
    let error = look(refused(403, "AccessDenied", denied)).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Denied(Some("rds:DescribeDBClusterSnapshots".to_owned())));
}

#[tokio::test]
async fn a_snapshot_of_another_cluster_is_no_copy_of_this_one() {
    let status = look(snapshot("git-other", "available")).await.unwrap();
    assert!(matches!(&status, Status::Failed(words) if words.contains("git-other")), "{status:?}");
}
