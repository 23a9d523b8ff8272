//! Whole lives on the wire: the calls that the engine makes, one after the other, with FSx's answers in between. No emulator
//! plays them.

use super::*;

/// One look as the engine takes it: where it stands, and whether it is as asked.
async fn look(aws: &Aws, spec: &Json) -> (Status, bool) {
    let found = observe_one(aws, target(Some(FS)), Some(spec.clone())).await;
    aws.operations();
    (found.status, found.attributes == *spec)
}

fn answers(states: Vec<Json>) -> Vec<(&'static str, Canned)> {
    let listed = states.into_iter().map(|shown| match shown {
        Json::Null => file_systems(&[]),
        shown => file_systems(&[shown]),
    });
    listed.chain([volumes(&[root_shown()]), in_group("sg-1")]).collect()
}

#[tokio::test]
async fn from_its_creation_to_its_last_copy() {
    let creating = with(shown(), json!({ "Lifecycle": "CREATING", "NetworkInterfaceIds": [] }));
    let larger = json!({ "StorageCapacity": 200 });
    let updating = with(
        with(shown(), json!({ "Lifecycle": "UPDATING" })),
        under_way("IN_PROGRESS", larger.clone()),
    );
    let optimizing =
        with(with(shown(), larger.clone()), under_way("UPDATED_OPTIMIZING", larger.clone()));
    let states = vec![
        Json::Null,
        creating.clone(),
        shown(),
        shown(),
        updating,
        optimizing,
        with(shown(), json!({ "Lifecycle": "DELETING", "StorageCapacity": 200 })),
        Json::Null,
    ];
    let copy = |lifecycle: &str| {
        let backup = json!({
            "BackupId": "backup-1",
            "Lifecycle": lifecycle,
            "Tags": [{ "Key": "zonestack:final-copy", "Value": "git-data-uid1-1" }],
            "FileSystem": { "FileSystemId": FS },
        });
        ("DescribeBackups", (200, json!({ "Backups": [backup] })))
    };
    let mut answers = answers(states);
    answers.extend([
        ("CreateFileSystem", (200, json!({ "FileSystem": creating }))),
        ("UpdateFileSystem", (200, json!({ "FileSystem": shown() }))),
        ("DeleteFileSystem", (200, json!({ "FileSystemId": FS, "Lifecycle": "DELETING" }))),
        copy("CREATING"),
        copy("AVAILABLE"),
    ]);
    let aws = Aws::new(answers);
    let owner = owner();
    let first = spec();
    let busy = |word: &str| Status::Busy(word.to_owned());

    let nothing = observe_one(&aws, target(None), Some(first.clone())).await;
    assert_eq!(nothing.status, Status::Absent);
    let made = aws.driver.create(cx(&owner), &target(None), &first).await.unwrap();
    assert_eq!(made.remote_id.as_deref(), Some(FS));
    assert_eq!(look(&aws, &first).await, (Status::Pending("CREATING".to_owned()), true));
    assert_eq!(look(&aws, &first).await, (Status::Ready, true));

    let second = with(first, json!({ "storage_gib": 200 }));
    assert_eq!(look(&aws, &second).await, (Status::Ready, false));
    let path = "/storage_gib".to_owned();
    let grows = Difference { path, from: Some(json!(100)), to: Some(json!(200)) };
    aws.driver.update(cx(&owner), &target(Some(FS)), &second, &[grows]).await.unwrap();
    assert_eq!(aws.last_call().1["StorageCapacity"], 200);
    assert_eq!(look(&aws, &second).await, (busy("UPDATING"), true));
    assert_eq!(look(&aws, &second).await, (Status::Ready, true));

    let deletion = Deletion { final_copy: Some("git-data-uid1-1".to_owned()) };
    aws.driver.delete(cx(&owner), &target(Some(FS)), &deletion).await.unwrap();
    assert_eq!(look(&aws, &second).await.0, Status::Deleting);
    assert_eq!(look(&aws, &second).await.0, Status::Absent);
    let copy = async || {
        aws.driver.final_copy(cx(&owner), &target(Some(FS)), "git-data-uid1-1").await.unwrap()
    };
    assert_eq!(copy().await, Status::Pending("CREATING".to_owned()));
    assert_eq!(copy().await, Status::Ready);
}

/// A creation whose answer was lost: FSx knows the token and answers with what it made; with other parameters it refuses, and
/// the marks lead to what is there.
#[tokio::test]
async fn a_creation_whose_answer_was_lost_makes_no_second_one() {
    let mut answers = answers(vec![shown()]);
    answers.extend([
        ("CreateFileSystem", refused("InternalServerError", "lost")),
        ("CreateFileSystem", (200, json!({ "FileSystem": shown() }))),
        ("CreateFileSystem", refused("IncompatibleParameterError", "another size")),
    ]);
    let aws = Aws::new(answers);
    let owner = owner();
    let create = async |spec: Json| {
        let result = aws.driver.create(cx(&owner), &target(None), &spec).await;
        (result, aws.last_call().1["ClientRequestToken"].clone())
    };
    let (lost, first_token) = create(spec()).await;
    assert_eq!(lost.unwrap_err().class, ErrorClass::Ambiguous);
    let (again, token) = create(spec()).await;
    assert_eq!(again.unwrap().remote_id.as_deref(), Some(FS));
    assert_eq!((&first_token, &token), (&json!(TOKEN), &json!(TOKEN)));
    // The stack file was changed between the two.
    let (other, _) = create(with(spec(), json!({ "storage_gib": 200 }))).await;
    assert_eq!(other.unwrap_err().class, ErrorClass::AlreadyExists);
    let found = observe_one(&aws, target(None), Some(spec())).await;
    assert_eq!((found.remote_id.as_deref(), found.ownership), (Some(FS), Ownership::Ours));
}

#[tokio::test]
async fn a_creation_that_fails_says_why() {
    let why =
        json!({ "Lifecycle": "FAILED", "FailureDetails": { "Message": "the key cannot be used" } });
    let aws = Aws::new(vec![file_systems(&[with(shown(), why)])]);
    let found = observe_one(&aws, target(Some(FS)), Some(spec())).await;
    assert_eq!(found.status, Status::Failed("FAILED: the key cannot be used".to_owned()));
    assert_eq!(found.ownership, Ownership::Ours);
}
