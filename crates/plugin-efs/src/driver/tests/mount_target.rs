use super::*;

const LIST: &str = "GET /mount-targets?FileSystemId=fs-0123456789abcdef0";

fn mount_targets(shown: &[Json]) -> (&'static str, Canned) {
    (LIST, (200, json!({ "MountTargets": shown })))
}

fn shown_groups(groups: &[&str]) -> (&'static str, Canned) {
    ("EC2", wire::interfaces(&[("eni-a", groups)]))
}

/// The whole world of one mount target in zone a, as described, on a file system as described.
fn world(mount_target: Json, file_system: Json) -> Aws {
    let mut answers = details();
    answers.extend([
        mount_targets(&[mount_target]),
        shown_groups(&["sg-1"]),
        file_systems(&[file_system]),
    ]);
    Aws::new(answers)
}

#[tokio::test]
async fn outputs_name_the_zone() {
    let aws = world(mount_target_shown('a'), file_system_shown());
    let found =
        observe_one(&aws, mount_target_target('a', None), Some(mount_target_spec('a'))).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&found.outputs).unwrap(), @r#"
    {
      "dns_name": "eu-west-1a.fs-0123456789abcdef0.efs.eu-west-1.amazonaws.com",
      "id": "fsmt-a",
      "ip": "10.0.0.10",
      "network_interface": "eni-a"
    }
    "#);
}

#[tokio::test]
async fn it_belongs_to_whom_its_file_system_belongs() {
    let stranger = || {
        let tags = json!([{ "Key": "Name", "Value": "somebody's" }]);
        with(file_system_shown(), json!({ "Tags": tags, "CreationToken": "other" }))
    };
    for (file_system, wanted) in
        [(file_system_shown(), Ownership::Ours), (stranger(), Ownership::Foreign)]
    {
        let aws = world(mount_target_shown('a'), file_system);
        for id in [None, Some("fsmt-a")] {
            let target = mount_target_target('a', id);
            let found = observe_one(&aws, target, Some(mount_target_spec('a'))).await;
            assert_eq!(found.ownership, wanted, "{id:?}");
        }
        // The file system is asked for once, as long as the driver lives.
        let lines = aws.lines();
        let asked = lines.iter().filter(|line| line.starts_with("GET /file-systems?"));
        assert_eq!(asked.count(), 1, "{lines:?}");
    }
}

#[tokio::test]
async fn the_file_system_of_another_component_is_a_strangers() {
    let aws = world(mount_target_shown('a'), file_system_shown());
    observe_one(&aws, file_system_target(None), None).await;
    let target = target("files/mount-target@eu-west-1a", MOUNT_TARGET_KIND, None);
    let found = observe_one(&aws, target, Some(mount_target_spec('a'))).await;
    assert_eq!(found.ownership, Ownership::Foreign);
}

#[tokio::test]
async fn without_its_file_system_it_is_absent() {
    let aws = Aws::new(Vec::new());
    let unresolved = json!({ "$ref": "data/file-system#id" });
    let spec = with(mount_target_spec('a'), json!({ "file_system_id": unresolved }));
    let found = observe_one(&aws, mount_target_target('a', None), Some(spec)).await;
    assert_eq!(found, Observation::absent());
    assert_eq!(aws.lines(), [""; 0]);
}

#[tokio::test]
async fn a_file_system_that_never_was_is_a_mistake() {
    let aws = Aws::new(vec![("GET", refused(404, "FileSystemNotFound", "no such"))]);
    let query =
        Query { target: mount_target_target('a', None), spec: Some(mount_target_spec('a')) };
    let error = observe(&aws, &[query]).await.remove(0).unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    insta::assert_snapshot!(error, @"data/mount-target@eu-west-1a: there is no file system fs-0123456789abcdef0 in this account and region; correct `existing`");
}

#[tokio::test]
async fn a_file_system_that_is_gone_takes_its_mount_targets_with_it() {
    let mut answers = details();
    answers.push(("GET /mount-targets", refused(404, "FileSystemNotFound", "gone")));
    answers.push(file_systems(&[file_system_shown()]));
    let aws = Aws::new(answers);
    observe_one(&aws, file_system_target(None), None).await;
    let found =
        observe_one(&aws, mount_target_target('a', None), Some(mount_target_spec('a'))).await;
    assert_eq!(found, Observation::absent());
}

#[tokio::test]
async fn it_speaks_the_words_of_the_specification() {
    let check = async |asked: Json, shown: Json, groups: &[&str], wanted: Json| {
        let aws = Aws::new(vec![
            mount_targets(&[with(mount_target_shown('a'), shown)]),
            shown_groups(groups),
            file_systems(&[file_system_shown()]),
        ]);
        let spec = with(mount_target_spec('a'), asked);
        let found = observe_one(&aws, mount_target_target('a', None), Some(spec.clone())).await;
        assert_eq!(found.attributes, with(spec, wanted));
    };
    let none = || json!({});
    check(none(), none(), &["sg-1"], none()).await;
    check(none(), none(), &["sg-2", "sg-0"], json!({ "security_groups": ["sg-0", "sg-2"] })).await;
    check(json!({ "security_groups": ["sg-2", "sg-1"] }), none(), &["sg-1", "sg-2"], none()).await;
    // Another subnet of the same zone serves as well; another VPC does not.
    check(none(), json!({ "SubnetId": "subnet-other" }), &["sg-1"], none()).await;
    check(none(), json!({ "VpcId": "vpc-2" }), &["sg-1"], json!({ "vpc_id": "vpc-2" })).await;
    // A group that is not there yet takes whatever is there.
    let unresolved = json!({ "security_groups": [{ "$ref": "data/security-group#id" }] });
    check(unresolved, none(), &["sg-9"], json!({ "security_groups": ["sg-9"] })).await;
}

#[tokio::test]
async fn efs_is_asked_for_groups_that_ec2_does_not_show() {
    let check = async |ec2: Canned| {
        let aws = Aws::new(vec![
            mount_targets(&[mount_target_shown('a'), mount_target_shown('b')]),
            (
                "GET /mount-targets/fsmt-b/security-groups",
                (200, json!({ "SecurityGroups": ["sg-b"] })),
            ),
            (
                "GET /mount-targets/fsmt-a/security-groups",
                (200, json!({ "SecurityGroups": ["sg-1"] })),
            ),
            ("EC2", ec2),
            file_systems(&[file_system_shown()]),
        ]);
        let queries = ['a', 'b'].map(|letter| Query {
            target: mount_target_target(letter, None),
            spec: Some(mount_target_spec(letter)),
        });
        let groups: Vec<Json> = observe(&aws, &queries)
            .await
            .into_iter()
            .map(|found| found.unwrap().attributes["security_groups"].clone())
            .collect();
        assert_eq!(groups, [json!(["sg-1"]), json!(["sg-b"])]);
        aws.lines().iter().filter(|line| line.ends_with("/security-groups")).count()
    };
    assert_eq!(check(wire::interfaces(&[("eni-a", &["sg-1"])])).await, 1);
    let denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
    assert_eq!(check((403, json!(denied))).await, 2);
}

#[tokio::test]
async fn groups_that_nobody_tells_count_as_asked() {
    let aws = Aws::new(vec![
        mount_targets(&[with(mount_target_shown('a'), json!({ "LifeCycleState": "creating" }))]),
        ("GET /mount-targets/fsmt-a", refused(409, "IncorrectMountTargetState", "creating")),
        ("EC2", wire::interfaces(&[])),
        file_systems(&[file_system_shown()]),
    ]);
    let spec = mount_target_spec('a');
    let found = observe_one(&aws, mount_target_target('a', None), Some(spec.clone())).await;
    assert_eq!(found.status, Status::Pending("creating".to_owned()));
    assert_eq!(found.attributes, spec);
}

#[tokio::test]
async fn one_that_is_only_remembered_is_found_in_its_file_system() {
    // Even one whose id was never written down.
    for id in [None, Some("fsmt-a")] {
        let aws = world(mount_target_shown('a'), file_system_shown());
        let target = Target { parent: Some(FS.to_owned()), ..mount_target_target('a', id) };
        let queries = [
            Query { target, spec: None },
            Query { target: file_system_target(Some(FS)), spec: None },
        ];
        let found = observe(&aws, &queries).await.remove(0).unwrap();
        assert_eq!(found.remote_id.as_deref(), Some("fsmt-a"));
        assert_eq!(found.ownership, Ownership::Ours);
        assert_eq!(found.attributes, Json::Null);
        assert_eq!(aws.lines(), ["GET /file-systems?MaxItems=100", LIST]);
    }
}

#[tokio::test]
async fn one_in_an_existing_file_system_is_found_there_without_a_specification_too() {
    let tags = json!([{ "Key": "Name", "Value": "somebody's" }]);
    let existing = || with(file_system_shown(), json!({ "Tags": tags, "CreationToken": "other" }));
    for id in [None, Some("fsmt-a")] {
        let aws = world(mount_target_shown('a'), existing());
        let target = Target { parent: Some(FS.to_owned()), ..mount_target_target('a', id) };
        let found = observe_one(&aws, target, None).await;
        assert_eq!(found.remote_id.as_deref(), Some("fsmt-a"), "{id:?}");
        // Whether it was made or found, the engine remembers.
        assert_eq!(found.ownership, Ownership::Foreign);
    }
    // Another zone's is not it, and without a place to look there is nothing.
    let aws = world(mount_target_shown('a'), existing());
    let target = Target { parent: Some(FS.to_owned()), ..mount_target_target('b', None) };
    assert_eq!(observe_one(&aws, target, None).await, Observation::absent());
    let aws = Aws::new(Vec::new());
    assert_eq!(
        observe_one(&aws, mount_target_target('a', None), None).await,
        Observation::absent()
    );
    assert_eq!(aws.lines(), [""; 0]);
}

#[tokio::test]
async fn one_whose_remembered_file_system_is_gone_is_gone_too() {
    let aws = Aws::new(vec![("GET /mount-targets", refused(404, "FileSystemNotFound", "gone"))]);
    let target = Target { parent: Some(FS.to_owned()), ..mount_target_target('a', None) };
    assert_eq!(observe_one(&aws, target, None).await, Observation::absent());
}

#[tokio::test]
async fn one_that_was_left_on_another_file_system_is_found_by_its_id() {
    let old = with(mount_target_shown('a'), json!({ "FileSystemId": "fs-old" }));
    let check = async |by_id: Canned, wanted: Option<&str>| {
        let aws = Aws::new(vec![
            mount_targets(&[]),
            ("GET /mount-targets?MountTargetId=fsmt-a", by_id),
            shown_groups(&["sg-1"]),
            file_systems(&[file_system_shown()]),
        ]);
        let target = mount_target_target('a', Some("fsmt-a"));
        let found = observe_one(&aws, target, Some(mount_target_spec('a'))).await;
        let home = found.attributes.get("file_system_id").and_then(Json::as_str);
        assert_eq!(home, wanted);
    };
    check((200, json!({ "MountTargets": [old] })), Some("fs-old")).await;
    check(refused(404, "MountTargetNotFound", "gone"), None).await;
}

#[tokio::test]
async fn it_is_created_in_one_call() {
    let aws = Aws::new(vec![("POST /mount-targets", (200, mount_target_shown('a')))]);
    let owner = owner();
    let target = mount_target_target('a', None);
    let made = aws.driver.create(cx(&owner), &target, &mount_target_spec('a')).await.unwrap();
    assert_eq!(made.remote_id.as_deref(), Some("fsmt-a"));
    let body = json!({ "FileSystemId": FS, "SubnetId": "subnet-a", "SecurityGroups": ["sg-1"] });
    assert_eq!(aws.only_call(), ("POST /mount-targets".to_owned(), body));
}

#[tokio::test]
async fn it_never_gets_the_default_group_of_the_vpc() {
    let aws = Aws::new(Vec::new());
    let owner = owner();
    for groups in [json!([]), json!(null), json!([{ "$ref": "data/security-group#id" }])] {
        let spec = with(mount_target_spec('a'), json!({ "security_groups": groups }));
        let target = mount_target_target('a', None);
        let error = aws.driver.create(cx(&owner), &target, &spec).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Bug, "{spec}");
    }
    assert_eq!(aws.lines(), [""; 0]);
}

#[tokio::test]
async fn security_groups_change_in_place_and_nothing_else_does() {
    let aws = Aws::new(vec![("PUT", (204, Json::Null))]);
    let owner = owner();
    let target = mount_target_target('a', Some("fsmt-a"));
    let spec = mount_target_spec('a');
    let update =
        async |path: &str| aws.driver.update(cx(&owner), &target, &spec, &[difference(path)]).await;
    update("/security_groups/0").await.unwrap();
    let line = "PUT /mount-targets/fsmt-a/security-groups".to_owned();
    assert_eq!(aws.only_call(), (line, json!({ "SecurityGroups": ["sg-1"] })));
    assert_eq!(update("/vpc_id").await.unwrap_err().class, ErrorClass::Unsupported);
    assert_eq!(aws.lines(), [""; 0]);
}

#[tokio::test]
async fn refusals_have_their_class() {
    let create = async |aws: &Aws| {
        let owner = owner();
        let target = mount_target_target('a', None);
        aws.driver.create(cx(&owner), &target, &mount_target_spec('a')).await.unwrap_err()
    };
    let words = "the service's words";
    for (status, code, class) in [
        (409, "MountTargetConflict", ErrorClass::AlreadyExists),
        (409, "IncorrectFileSystemLifeCycleState", ErrorClass::Busy),
        (400, "UnsupportedAvailabilityZone", ErrorClass::ZoneUnavailable),
        (409, "NoFreeAddressesInSubnet", ErrorClass::ZoneUnavailable),
        (409, "NetworkInterfaceLimitExceeded", ErrorClass::Quota),
        (400, "SecurityGroupLimitExceeded", ErrorClass::Quota),
        (400, "AvailabilityZonesMismatch", ErrorClass::Invalid),
        (400, "SubnetNotFound", ErrorClass::Invalid),
        (404, "FileSystemNotFound", ErrorClass::Invalid),
        (400, "SecurityGroupNotFound", ErrorClass::Transient),
        (500, "InternalServerError", ErrorClass::Ambiguous),
    ] {
        check_refusal(create, status, code, words, class).await;
    }
    let other_vpc =
        "requested subnet for new mount target is not in the same VPC as existing mount targets";
    check_refusal(create, 409, "MountTargetConflict", other_vpc, ErrorClass::Invalid).await;
}

#[tokio::test]
async fn deleting_what_is_gone_or_going_succeeds() {
    let owner = owner();
    let target = mount_target_target('a', Some("fsmt-a"));
    for (answer, succeeds) in [
        ((204, Json::Null), true),
        (refused(404, "MountTargetNotFound", "gone"), true),
        (refused(409, "IncorrectMountTargetState", "mount target is in state deleting"), true),
        (refused(409, "IncorrectMountTargetState", "mount target is in state creating"), false),
        (refused(504, "DependencyTimeout", "later"), false),
    ] {
        let aws = Aws::new(vec![("DELETE", answer.clone())]);
        let result = aws.driver.delete(cx(&owner), &target, &Deletion::default()).await;
        assert_eq!(result.is_ok(), succeeds, "{answer:?}");
        assert_eq!(aws.lines(), ["DELETE /mount-targets/fsmt-a"]);
    }
}
