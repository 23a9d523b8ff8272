use zonestack_core::driver::Owner;

use super::*;

async fn observe_shown(shown: Json, spec: Json) -> Observation {
    let mut answers = details();
    answers.push(file_systems(&[shown]));
    observe_one(&Aws::new(answers), file_system_target(Some(FS)), Some(spec)).await
}

#[tokio::test]
async fn it_is_found_by_id_by_token_and_by_marks() {
    let check = async |shown: Json, id: Option<&str>, wanted: Option<Ownership>| {
        let mut answers = details();
        answers.push(file_systems(std::slice::from_ref(&shown)));
        let found =
            observe_one(&Aws::new(answers), file_system_target(id), Some(file_system_spec())).await;
        let ownership = found.is_present().then_some(found.ownership);
        assert_eq!(ownership, wanted, "{shown} {id:?}");
    };
    let shown = file_system_shown;
    let other_token = || with(shown(), json!({ "CreationToken": "other" }));
    let untagged = || with(shown(), json!({ "Tags": [] }));
    let stranger = json!([{ "Key": "zonestack:uid", "Value": "uid2" }]);
    let stranger = || with(shown(), json!({ "Tags": stranger.clone() }));
    check(shown(), None, Some(Ownership::Ours)).await;
    check(other_token(), Some(FS), Some(Ownership::Ours)).await;
    // By marks alone: the inventory was lost and rebuilt.
    check(other_token(), None, Some(Ownership::Ours)).await;
    check(other_token(), Some("fs-gone"), Some(Ownership::Ours)).await;
    // Nobody can take the token off.
    check(untagged(), None, Some(Ownership::Ours)).await;
    check(stranger(), None, Some(Ownership::Foreign)).await;
    let unknown = with(untagged(), json!({ "CreationToken": "other" }));
    check(unknown.clone(), Some(FS), Some(Ownership::Foreign)).await;
    check(unknown, None, None).await;
    // One that is going away is not the one to be adopted.
    check(with(other_token(), json!({ "LifeCycleState": "deleting" })), None, None).await;
}

#[tokio::test]
async fn two_with_the_same_marks_are_not_chosen_from() {
    let first = with(file_system_shown(), json!({ "CreationToken": "other" }));
    let second = with(first.clone(), json!({ "FileSystemId": "fs-2" }));
    let aws = Aws::new(vec![file_systems(&[first, second])]);
    let query = Query { target: file_system_target(None), spec: Some(file_system_spec()) };
    let error = observe(&aws, &[query]).await.remove(0).unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    insta::assert_snapshot!(error, @"data/file-system: fs-0123456789abcdef0 and fs-2 both carry its marks; remove the tag `zonestack:node` from the one that the stack shall not use");
}

#[tokio::test]
async fn all_pages_are_read() {
    let mut answers = details();
    let other = with(
        file_system_shown(),
        json!({ "FileSystemId": "fs-2", "CreationToken": "x", "Tags": [] }),
    );
    answers.push((
        "GET /file-systems?MaxItems=100&Marker=m",
        (200, json!({ "FileSystems": [file_system_shown()] })),
    ));
    answers.push((
        "GET /file-systems?Marker=m",
        (200, json!({ "FileSystems": [file_system_shown()] })),
    ));
    answers
        .push(("GET /file-systems?", (200, json!({ "FileSystems": [other], "NextMarker": "m" }))));
    let aws = Aws::new(answers);
    let found = observe_one(&aws, file_system_target(None), None).await;
    assert_eq!(found.remote_id.as_deref(), Some(FS));
    assert_eq!(found.attributes, Json::Null);
    assert_eq!(aws.lines().len(), 2, "no details without a specification");
}

#[tokio::test]
async fn it_speaks_the_words_of_the_specification() {
    let check = async |asked: Json, shown: Json, wanted: Json| {
        let spec = with(file_system_spec(), asked.clone());
        let found = observe_shown(with(file_system_shown(), shown), spec.clone()).await;
        assert_eq!(found.attributes, with(spec, wanted), "{asked}");
    };
    let provisioned =
        json!({ "throughput_mode": "provisioned", "provisioned_throughput_mibps": 128 });
    let shown = json!({ "ThroughputMode": "provisioned", "ProvisionedThroughputInMibps": 128.0 });
    check(provisioned.clone(), shown, json!({})).await;
    check(
        json!({}),
        json!({ "ThroughputMode": "bursting" }),
        json!({ "throughput_mode": "bursting" }),
    )
    .await;
    check(json!({ "encrypted": false }), json!({}), json!({ "encrypted": true })).await;
    // The key: by id, by ARN, by alias; and another one.
    for key in ["1234abcd", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd", "alias/files"] {
        check(json!({ "kms_key_id": key }), json!({}), json!({})).await;
    }
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
    check(json!({ "kms_key_id": "5678" }), json!({}), json!({ "kms_key_id": arn })).await;
    // A zone that the specification does not have is a difference all the same.
    let zone = json!({ "AvailabilityZoneName": "eu-west-1a" });
    check(json!({}), zone, json!({ "availability_zone": "eu-west-1a" })).await;
    // What the answer lacks, as with some emulators, is no difference.
    let silent = json!({ "Encrypted": null, "ThroughputMode": null, "KmsKeyId": null });
    check(json!({ "kms_key_id": "5678" }), silent, json!({})).await;
    check(
        json!({ "tags": { "Name": "git-data", "team": "a" } }),
        json!({}),
        json!({ "tags": { "Name": "git-data" } }),
    )
    .await;
}

#[tokio::test]
async fn provisioned_throughput_that_is_gone_is_a_difference() {
    let spec = with(
        file_system_spec(),
        json!({ "throughput_mode": "provisioned", "provisioned_throughput_mibps": 128 }),
    );
    let found = observe_shown(file_system_shown(), spec).await;
    assert_eq!(found.attributes["throughput_mode"], "elastic");
    assert_eq!(found.attributes.get("provisioned_throughput_mibps"), None);
}

#[tokio::test]
async fn life_cycle_and_backup_are_what_is_set() {
    let check = async |lifecycle: Json, backup: Canned, wanted: (Json, bool)| {
        let aws = Aws::new(vec![
            (
                "GET /file-systems/fs-0123456789abcdef0/lifecycle-configuration",
                (200, json!({ "LifecyclePolicies": lifecycle })),
            ),
            ("GET /file-systems/fs-0123456789abcdef0/backup-policy", backup),
            file_systems(&[file_system_shown()]),
        ]);
        let found = observe_one(&aws, file_system_target(Some(FS)), Some(file_system_spec())).await;
        assert_eq!(found.attributes["lifecycle"], wanted.0);
        assert_eq!(found.attributes["backup"], wanted.1);
    };
    let status = |status: &str| (200, json!({ "BackupPolicy": { "Status": status } }));
    let lifecycle = json!([
        { "TransitionToIA": "AFTER_30_DAYS" },
        { "TransitionToArchive": "AFTER_90_DAYS" },
        { "TransitionToPrimaryStorageClass": "AFTER_1_ACCESS" },
    ]);
    let rules = json!({ "to_ia": "AFTER_30_DAYS", "to_archive": "AFTER_90_DAYS", "to_primary": "AFTER_1_ACCESS" });
    check(lifecycle, status("ENABLED"), (rules, true)).await;
    check(json!([]), status("ENABLING"), (json!({}), true)).await;
    check(json!([]), status("DISABLED"), (json!({}), false)).await;
    check(json!([]), status("DISABLING"), (json!({}), false)).await;
    // Never set.
    check(json!([]), refused(404, "PolicyNotFound", "none"), (json!({}), false)).await;
}

#[tokio::test]
async fn what_cannot_be_read_while_it_is_made_counts_as_asked() {
    let shown = with(file_system_shown(), json!({ "LifeCycleState": "creating" }));
    let aws = Aws::new(vec![file_systems(&[shown])]);
    let spec = with(file_system_spec(), json!({ "lifecycle": { "to_ia": "AFTER_30_DAYS" } }));
    let found = observe_one(&aws, file_system_target(Some(FS)), Some(spec.clone())).await;
    assert_eq!(found.status, Status::Pending("creating".to_owned()));
    assert_eq!(found.attributes, spec);
    assert_eq!(aws.lines(), ["GET /file-systems?MaxItems=100"]);
}

#[tokio::test]
async fn outputs_are_id_name_and_arn() {
    let found = observe_shown(file_system_shown(), file_system_spec()).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&found.outputs).unwrap(), @r#"
    {
      "arn": "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-0123456789abcdef0",
      "dns_name": "fs-0123456789abcdef0.efs.eu-west-1.amazonaws.com",
      "id": "fs-0123456789abcdef0"
    }
    "#);
}

#[tokio::test]
async fn it_is_created_in_one_call_with_token_and_marks() {
    let aws = Aws::new(vec![("POST /file-systems", (201, file_system_shown()))]);
    let spec = with(
        file_system_spec(),
        json!({
            "throughput_mode": "provisioned",
            "provisioned_throughput_mibps": 128,
            "kms_key_id": "alias/files",
            "availability_zone": "eu-west-1a",
        }),
    );
    let owner = owner();
    let made = aws.driver.create(cx(&owner), &file_system_target(None), &spec).await.unwrap();
    assert_eq!(made.remote_id.as_deref(), Some(FS));
    let (line, body) = aws.only_call();
    assert_eq!(line, "POST /file-systems");
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
}

#[tokio::test]
async fn it_is_never_created_without_a_token() {
    let aws = Aws::new(Vec::new());
    let target = Target { token: None, ..file_system_target(None) };
    let owner = owner();
    let error = aws.driver.create(cx(&owner), &target, &file_system_spec()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Bug);
    assert_eq!(aws.lines(), [""; 0]);
}

#[tokio::test]
async fn each_difference_has_its_call() {
    let spec = with(
        file_system_spec(),
        json!({
            "throughput_mode": "provisioned",
            "provisioned_throughput_mibps": 128,
            "lifecycle": { "to_ia": "AFTER_30_DAYS", "to_primary": "AFTER_1_ACCESS" },
        }),
    );
    let check = async |paths: &[&str], line: &str, body: Json| {
        let aws = Aws::new(vec![("PUT", (200, json!({}))), ("POST", (200, json!({})))]);
        let differences: Vec<_> = paths.iter().map(|path| difference(path)).collect();
        let owner = owner();
        let result =
            aws.driver.update(cx(&owner), &file_system_target(Some(FS)), &spec, &differences).await;
        // What the answer of the call lacks does not matter here.
        drop(result);
        assert_eq!(aws.only_call(), (line.to_owned(), body), "{paths:?}");
    };
    check(
        &["/lifecycle/to_ia", "/tags/Name"],
        &format!("PUT /file-systems/{FS}/lifecycle-configuration"),
        json!({ "LifecyclePolicies": [
            { "TransitionToIA": "AFTER_30_DAYS" },
            { "TransitionToPrimaryStorageClass": "AFTER_1_ACCESS" },
        ] }),
    )
    .await;
    check(
        &["/backup"],
        &format!("PUT /file-systems/{FS}/backup-policy"),
        json!({ "BackupPolicy": { "Status": "ENABLED" } }),
    )
    .await;
    for path in ["/throughput_mode", "/provisioned_throughput_mibps"] {
        check(
            &[path, "/backup"],
            &format!("PUT /file-systems/{FS}"),
            json!({ "ThroughputMode": "provisioned", "ProvisionedThroughputInMibps": 128.0 }),
        )
        .await;
    }
    check(
        &["/tags/Name"],
        &format!("POST /resource-tags/{FS}"),
        json!({ "Tags": [
            { "Key": "Name", "Value": "git-data" },
            { "Key": "managed-by", "Value": "zonestack" },
            { "Key": "zonestack:node", "Value": "data/file-system" },
            { "Key": "zonestack:stack", "Value": "git" },
            { "Key": "zonestack:uid", "Value": "uid1" },
        ] }),
    )
    .await;
}

#[tokio::test]
async fn what_efs_cannot_change_is_not_tried() {
    let aws = Aws::new(Vec::new());
    let owner = owner();
    for path in ["/encrypted", "/performance_mode", "/kms_key_id", "/availability_zone"] {
        let target = file_system_target(Some(FS));
        let spec = file_system_spec();
        let result = aws.driver.update(cx(&owner), &target, &spec, &[difference(path)]).await;
        assert_eq!(result.unwrap_err().class, ErrorClass::Unsupported, "{path}");
    }
    assert_eq!(aws.lines(), [""; 0]);
}

#[tokio::test]
async fn refusals_have_their_class() {
    let create = async |aws: &Aws| {
        let owner = owner();
        let spec = file_system_spec();
        aws.driver.create(cx(&owner), &file_system_target(None), &spec).await.unwrap_err()
    };
    let update = async |aws: &Aws| {
        let owner = owner();
        let target = file_system_target(Some(FS));
        let differences = [difference("/throughput_mode")];
        let spec = file_system_spec();
        aws.driver.update(cx(&owner), &target, &spec, &differences).await.unwrap_err()
    };
    let delete = async |aws: &Aws| {
        let owner = owner();
        let target = file_system_target(Some(FS));
        aws.driver.delete(cx(&owner), &target, &Deletion::default()).await.unwrap_err()
    };
    let words = "the service's words";
    for (status, code, class) in [
        (409, "FileSystemAlreadyExists", ErrorClass::AlreadyExists),
        (403, "FileSystemLimitExceeded", ErrorClass::Quota),
        (400, "UnsupportedAvailabilityZone", ErrorClass::ZoneUnavailable),
        (400, "BadRequest", ErrorClass::Invalid),
        (400, "ValidationException", ErrorClass::Invalid),
        (429, "ThrottlingException", ErrorClass::Throttled),
        (500, "InternalServerError", ErrorClass::Ambiguous),
        (403, "AccessDeniedException", ErrorClass::Denied(None)),
    ] {
        check_refusal(create, status, code, words, class).await;
    }
    check_refusal(update, 409, "IncorrectFileSystemLifeCycleState", words, ErrorClass::Busy).await;
    // Once in 24 hours: neither throttling nor something to wait for.
    check_refusal(update, 429, "TooManyRequests", words, ErrorClass::Invalid).await;
    check_refusal(delete, 409, "FileSystemInUse", words, ErrorClass::Dependency).await;
}

#[tokio::test]
async fn deleting_what_is_gone_succeeds() {
    for answer in [(204, Json::Null), refused(404, "FileSystemNotFound", "gone")] {
        let aws = Aws::new(vec![("DELETE", answer)]);
        let owner = owner();
        let target = file_system_target(Some(FS));
        aws.driver.delete(cx(&owner), &target, &Deletion::default()).await.unwrap();
        assert_eq!(aws.lines(), [format!("DELETE /file-systems/{FS}")]);
    }
}

#[tokio::test]
async fn a_list_that_fails_fails_every_query() {
    let aws = Aws::new(vec![(
        "GET",
        refused(
            403,
            "AccessDeniedException",
            "User is not authorized to perform: elasticfilesystem:DescribeFileSystems on the specified resource",
        ),
    )]);
    let query = Query { target: file_system_target(None), spec: Some(file_system_spec()) };
    for result in observe(&aws, &[query.clone(), query]).await {
        let action = Some("elasticfilesystem:DescribeFileSystems".to_owned());
        assert_eq!(result.unwrap_err().class, ErrorClass::Denied(action));
    }
}

#[tokio::test]
async fn what_carries_the_stacks_marks_is_listed_from_all_pages() {
    let named = |id: &str, change: Json| {
        with(with(file_system_shown(), json!({ "FileSystemId": id })), change)
    };
    let marks = |stack: &str, uid: &str| {
        json!({ "Tags": [
            { "Key": "zonestack:stack", "Value": stack },
            { "Key": "zonestack:uid", "Value": uid },
            { "Key": "zonestack:node", "Value": "data/file-system" },
            { "Key": "zonestack:cluster", "Value": "k8s.myzone.net" },
        ] })
    };
    let first = [
        named("fs-1", json!({})),
        named("fs-going", json!({ "LifeCycleState": "deleting" })),
        named("fs-other", marks("git-lab", "uid1")),
    ];
    let second = [named("fs-2", marks("git", "uid2")), named("fs-theirs", json!({ "Tags": [] }))];
    let aws = Aws::new(vec![
        ("GET /file-systems?MaxItems=100&Marker=m", (200, json!({ "FileSystems": second }))),
        ("GET /file-systems?Marker=m", (200, json!({ "FileSystems": second }))),
        ("GET /file-systems?", (200, json!({ "FileSystems": first, "NextMarker": "m" }))),
    ]);
    let nobody = Owner { uid: None, ..owner() };
    let found = aws.driver.owned(cx(&nobody)).await.unwrap();
    let owned = |id: &str, uid: &str, cluster: Option<&str>| Owned {
        kind: Kind::new(FILE_SYSTEM_KIND),
        id: Some("data/file-system".parse().unwrap()),
        uid: Some(uid.to_owned()),
        cluster: cluster.map(str::to_owned),
        name: None,
        remote_id: Some(id.to_owned()),
    };
    assert_eq!(found, [owned("fs-1", "uid1", None), owned("fs-2", "uid2", Some("k8s.myzone.net"))]);
    // Mount targets carry no marks: nobody asks for them.
    assert_eq!(aws.lines().len(), 2);

    let aws = Aws::new(vec![("GET", refused(403, "AccessDeniedException", "no"))]);
    let error = aws.driver.owned(cx(&nobody)).await.unwrap_err();
    assert!(matches!(error.class, ErrorClass::Denied(_)), "{error}");
}

#[tokio::test]
async fn what_was_adopted_or_renamed_is_ours_once_it_is_tagged() {
    let renamed = json!([
        { "Key": "Name", "Value": "git-files" },
        { "Key": "zonestack:stack", "Value": "git" },
        { "Key": "zonestack:uid", "Value": "uid1" },
        { "Key": "zonestack:node", "Value": "files/file-system" },
    ]);
    for before in [json!([]), renamed] {
        let shown = with(file_system_shown(), json!({ "Tags": before, "CreationToken": "other" }));
        let found = observe_shown(shown.clone(), file_system_spec()).await;
        assert_eq!(found.ownership, Ownership::Foreign);
        let aws = Aws::new(vec![("POST", (200, Json::Null))]);
        let owner = owner();
        let spec = file_system_spec();
        let target = file_system_target(Some(FS));
        aws.driver.update(cx(&owner), &target, &spec, &[difference("/tags/Name")]).await.unwrap();
        let (_, sent) = aws.only_call();
        let found = observe_shown(with(shown, json!({ "Tags": sent["Tags"] })), spec.clone()).await;
        assert_eq!(found.ownership, Ownership::Ours);
        assert_eq!(found.attributes, spec);
    }
}
