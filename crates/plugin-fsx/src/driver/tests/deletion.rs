use super::*;

const COPY: &str = "git-data-uid1-1";

fn deletion() -> Deletion {
    Deletion { final_copy: Some(COPY.to_owned()) }
}

async fn delete(aws: &Aws, deletion: &Deletion) -> Result<(), DriverError> {
    let owner = owner();
    aws.driver.delete(cx(&owner), &target(Some(FS)), deletion).await
}

fn backup(lifecycle: &str, name: &str, of: &str) -> Json {
    json!({
        "BackupId": "backup-1",
        "Lifecycle": lifecycle,
        "Type": "USER_INITIATED",
        "CreationTime": 1_763_884_800.0,
        "Tags": [{ "Key": "zonestack:final-copy", "Value": name }],
        "FileSystem": { "FileSystemId": of, "FileSystemType": "OPENZFS" },
    })
}

#[tokio::test]
async fn it_is_deleted_with_a_final_backup_and_without_others_volumes() {
    let answer = json!({ "FileSystemId": FS, "Lifecycle": "DELETING" });
    let aws = Aws::new(vec![("DeleteFileSystem", (200, answer))]);
    delete(&aws, &deletion()).await.unwrap();
    let (_, mut body) = aws.last_call();
    body.as_object_mut().unwrap().remove("ClientRequestToken");
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
}

#[tokio::test]
async fn without_a_name_for_the_final_backup_nothing_is_deleted() {
    let aws = Aws::new(Vec::new());
    let error = delete(&aws, &Deletion::default()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Bug);
    assert_eq!(aws.operations(), [""; 0]);
}

#[tokio::test]
async fn deleting_twice_succeeds() {
    let gone = ("DeleteFileSystem", refused("FileSystemNotFound", "gone"));
    delete(&Aws::new(vec![gone]), &deletion()).await.unwrap();
    let refusal = || ("DeleteFileSystem", refused("BadRequest", "not in this state"));
    let going = with(shown(), json!({ "Lifecycle": "DELETING" }));
    delete(&Aws::new(vec![refusal(), file_systems(&[going])]), &deletion()).await.unwrap();
    let gone = ("DescribeFileSystems", refused("FileSystemNotFound", "gone"));
    delete(&Aws::new(vec![refusal(), gone]), &deletion()).await.unwrap();
    // It stands as it stood: the refusal counts.
    let aws = Aws::new(vec![refusal(), file_systems(&[shown()])]);
    let error = delete(&aws, &deletion()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    assert!(error.message.contains("volumes and snapshots that others made"), "{error}");
}

#[tokio::test]
async fn refusals_of_a_deletion_have_their_class() {
    for (code, class) in [
        ("BackupInProgress", ErrorClass::Busy),
        ("IncompatibleParameterError", ErrorClass::Invalid),
        ("InternalServerError", ErrorClass::Ambiguous),
        ("ThrottlingException", ErrorClass::Throttled),
    ] {
        let aws =
            Aws::new(vec![("DeleteFileSystem", refused(code, "no")), file_systems(&[shown()])]);
        assert_eq!(delete(&aws, &deletion()).await.unwrap_err().class, class, "{code}");
    }
}

#[tokio::test]
async fn the_final_backup_is_told_by_its_name_and_its_file_system() {
    let check = async |shown: &[Json], wanted: Status| {
        let aws = Aws::new(vec![("DescribeBackups", (200, json!({ "Backups": shown })))]);
        let owner = owner();
        let found = aws.driver.final_copy(cx(&owner), &target(Some(FS)), COPY).await.unwrap();
        assert_eq!(found, wanted, "{shown:?}");
        let (_, body) = aws.last_call();
        assert_eq!(body["Filters"], json!([{ "Name": "file-system-id", "Values": [FS] }]));
    };
    let state = |state: &str| backup(state, COPY, FS);
    check(&[], Status::Absent).await;
    check(&[state("AVAILABLE")], Status::Ready).await;
    for pending in ["CREATING", "PENDING", "TRANSFERRING", "COPYING", "SOMETHING_NEW"] {
        check(&[state(pending)], Status::Pending(pending.to_owned())).await;
    }
    check(&[state("DELETED")], Status::Absent).await;
    let failed = with(state("FAILED"), json!({ "FailureDetails": { "Message": "no key" } }));
    check(std::slice::from_ref(&failed), Status::Failed("FAILED: no key".to_owned())).await;
    check(&[failed, state("AVAILABLE")], Status::Ready).await;
    // A daily one, that of another generation, and one of another file system.
    let daily = with(state("AVAILABLE"), json!({ "Tags": tags(), "Type": "AUTOMATIC" }));
    let older = backup("AVAILABLE", "git-data-uid1-0", FS);
    check(&[daily, older, backup("AVAILABLE", COPY, "fs-2")], Status::Absent).await;
}

#[tokio::test]
async fn the_final_backup_is_looked_for_on_all_pages_and_without_an_id() {
    let other = backup("AVAILABLE", "other", "fs-2");
    let aws = Aws::new(vec![
        ("DescribeBackups", (200, json!({ "Backups": [other], "NextToken": "n" }))),
        ("DescribeBackups", (200, json!({ "Backups": [backup("AVAILABLE", COPY, FS)] }))),
    ]);
    let owner = owner();
    let found = aws.driver.final_copy(cx(&owner), &target(None), COPY).await.unwrap();
    assert_eq!(found, Status::Ready);
    let (_, body) = aws.last_call();
    assert_eq!((body.get("Filters"), &body["NextToken"]), (None, &json!("n")));

    let aws = Aws::new(vec![("DescribeBackups", refused("AccessDeniedException", "no"))]);
    let error = aws.driver.final_copy(cx(&owner), &target(None), COPY).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Denied(None));
}
