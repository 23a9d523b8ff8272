use zonestack_core::driver::Owner;

use super::*;

async fn observe_shown(shown: Json, spec: Json) -> Observation {
    observe_one(&Aws::new(world(shown)), target(Some(FS)), Some(spec)).await
}

#[tokio::test]
async fn a_plan_without_changes_costs_three_calls() {
    let other = |id: &str, node: &str, root: &str| {
        let shown = configured(shown(), json!({ "RootVolumeId": root }));
        let tags = json!([
            { "Key": "zonestack:stack", "Value": "git" },
            { "Key": "zonestack:uid", "Value": "uid1" },
            { "Key": "zonestack:node", "Value": node },
        ]);
        with(shown, json!({ "FileSystemId": id, "Tags": tags, "NetworkInterfaceIds": ["eni-c"] }))
    };
    let aws = Aws::new(vec![
        file_systems(&[shown(), other("fs-2", "more/openzfs", "fsvol-2")]),
        volumes(&[root_shown(), with(root_shown(), json!({ "VolumeId": "fsvol-2" }))]),
        interfaces(&[("eni-a", &["sg-1"]), ("eni-b", &["sg-1"]), ("eni-c", &["sg-1"])]),
    ]);
    let second = Target { id: "more/openzfs".parse().unwrap(), ..target(Some("fs-2")) };
    let second_spec = with(spec(), json!({ "tags": {} }));
    let queries = [
        Query { target: target(Some(FS)), spec: Some(spec()) },
        Query { target: second, spec: Some(second_spec.clone()) },
    ];
    let found = observe(&aws, &queries).await;
    for (found, spec) in found.into_iter().zip([spec(), second_spec]) {
        let found = found.unwrap();
        assert_eq!((found.status, found.ownership), (Status::Ready, Ownership::Ours));
        assert_eq!(found.attributes, spec);
    }
    let mut operations = aws.operations();
    operations.sort();
    assert_eq!(operations, ["DescribeFileSystems", "DescribeNetworkInterfaces", "DescribeVolumes"]);
}

#[tokio::test]
async fn it_is_found_by_id_and_by_marks() {
    let check = async |shown: Json, id: Option<&str>, wanted: Option<Ownership>| {
        let found = observe_one(&Aws::new(world(shown.clone())), target(id), Some(spec())).await;
        let ownership = found.is_present().then_some(found.ownership);
        assert_eq!(ownership, wanted, "{shown} {id:?}");
    };
    let untagged = || with(shown(), json!({ "Tags": [] }));
    let stranger = json!({ "Tags": [{ "Key": "zonestack:uid", "Value": "uid2" }] });
    let stranger = || with(shown(), stranger.clone());
    check(shown(), Some(FS), Some(Ownership::Ours)).await;
    // Its creation was cut off, or the inventory was lost.
    check(shown(), None, Some(Ownership::Ours)).await;
    check(shown(), Some("fs-gone"), Some(Ownership::Ours)).await;
    check(untagged(), Some(FS), Some(Ownership::Foreign)).await;
    check(untagged(), None, None).await;
    check(stranger(), Some(FS), Some(Ownership::Foreign)).await;
    check(stranger(), None, None).await;
    // One that is going away is not the one to be adopted.
    let going = || with(shown(), json!({ "Lifecycle": "DELETING" }));
    check(going(), None, None).await;
    check(going(), Some(FS), Some(Ownership::Ours)).await;
    // Another service under the same roof.
    check(with(shown(), json!({ "FileSystemType": "LUSTRE" })), None, None).await;
}

#[tokio::test]
async fn two_with_the_same_marks_are_not_chosen_from() {
    let aws =
        Aws::new(vec![file_systems(&[shown(), with(shown(), json!({ "FileSystemId": "fs-2" }))])]);
    let query = Query { target: target(None), spec: Some(spec()) };
    let error = observe(&aws, &[query]).await.remove(0).unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    insta::assert_snapshot!(error, @"data/openzfs: fs-0123456789abcdef0 and fs-2 both carry its marks; remove the tag `zonestack:node` from the one that the stack shall not use");
}

#[tokio::test]
async fn all_pages_are_read() {
    let other = with(shown(), json!({ "FileSystemId": "fs-2", "Tags": [] }));
    let aws = Aws::new(vec![
        ("DescribeFileSystems", (200, json!({ "FileSystems": [other], "NextToken": "n" }))),
        // FSx may answer with none and go on.
        ("DescribeFileSystems", (200, json!({ "FileSystems": [], "NextToken": "o" }))),
        file_systems(&[shown()]),
    ]);
    let found = observe_one(&aws, target(None), None).await;
    assert_eq!(found.remote_id.as_deref(), Some(FS));
    assert_eq!(found.attributes, Json::Null);
    assert_eq!(aws.operations(), ["DescribeFileSystems"; 3], "no details without a specification");
}

#[tokio::test]
async fn states_have_a_status() {
    let check = async |change: Json, wanted: Status| {
        let found = observe_shown(with(shown(), change.clone()), spec()).await;
        assert_eq!(found.status, wanted, "{change}");
    };
    let state = |state: &str| json!({ "Lifecycle": state });
    let failed = |words: &str| Status::Failed(words.to_owned());
    check(state("AVAILABLE"), Status::Ready).await;
    check(state("CREATING"), Status::Pending("CREATING".to_owned())).await;
    check(state("UPDATING"), Status::Busy("UPDATING".to_owned())).await;
    check(state("DELETING"), Status::Deleting).await;
    check(state("FAILED"), failed("FSx reports the state FAILED")).await;
    check(
        state("MISCONFIGURED_UNAVAILABLE"),
        failed("FSx reports the state MISCONFIGURED_UNAVAILABLE"),
    )
    .await;
    check(state("SOMETHING_NEW"), Status::Pending("SOMETHING_NEW".to_owned())).await;
    // An emulator.
    check(json!({ "Lifecycle": null }), Status::Ready).await;
    let why = json!({ "Lifecycle": "MISCONFIGURED", "FailureDetails": { "Message": "a route is missing" } });
    check(why, failed("MISCONFIGURED: a route is missing")).await;
    for (status, wanted) in [
        ("PENDING", Status::Busy("UPDATING".to_owned())),
        ("IN_PROGRESS", Status::Busy("UPDATING".to_owned())),
        ("UPDATED_OPTIMIZING", Status::Ready),
        ("COMPLETED", Status::Ready),
        ("FAILED", Status::Ready),
    ] {
        check(under_way(status, json!({ "StorageCapacity": 200 })), wanted).await;
    }
}

#[tokio::test]
async fn it_speaks_the_words_of_the_specification() {
    let found = observe_shown(
        configured(
            shown(),
            json!({ "DiskIopsConfiguration": { "Mode": "USER_PROVISIONED", "Iops": 3000 } }),
        ),
        full_spec(),
    )
    .await;
    assert_eq!(found.attributes, full_spec());
    let check = async |asked: Json, change: Json, wanted: Json| {
        let spec = with(full_spec(), asked.clone());
        let iops = json!({ "DiskIopsConfiguration": { "Mode": "USER_PROVISIONED", "Iops": 3000 } });
        let shown = configured(configured(shown(), iops), change.clone());
        let found = observe_shown(shown, spec.clone()).await;
        assert_eq!(found.attributes, with(spec, wanted), "{asked} {change}");
    };
    // The key: by id, by ARN, by alias; and another one.
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
    for key in ["1234abcd", arn, "alias/files"] {
        check(json!({ "kms_key_id": key }), json!({}), json!({})).await;
    }
    check(json!({ "kms_key_id": "5678" }), json!({}), json!({ "kms_key_id": arn })).await;
    check(
        json!({}),
        json!({ "RouteTableIds": ["rtb-0c000000"] }),
        json!({ "route_tables": ["rtb-0c000000"] }),
    )
    .await;
    check(json!({}), json!({ "ThroughputCapacity": 320 }), json!({ "throughput_mbps": 320 })).await;
    check(
        json!({}),
        json!({ "DeploymentType": "SINGLE_AZ_HA_2" }),
        json!({ "deployment": "SINGLE_AZ_HA_2", "multi_az": false }),
    )
    .await;
    check(
        json!({}),
        json!({ "AutomaticBackupRetentionDays": 0, "CopyTagsToBackups": false }),
        json!({ "backup_days": 0, "backup_tags": false }),
    )
    .await;
    // What the answer lacks, as with some emulators, is no difference.
    let silent = json!({
        "AutomaticBackupRetentionDays": null, "CopyTagsToBackups": null, "DeploymentType": null,
        "DiskIopsConfiguration": null, "EndpointIpAddressRange": null, "PreferredSubnetId": null,
        "RootVolumeId": null, "RouteTableIds": null, "ThroughputCapacity": null,
        "WeeklyMaintenanceStartTime": null, "DailyAutomaticBackupStartTime": null,
    });
    check(json!({}), silent, json!({})).await;
}

#[tokio::test]
async fn what_was_accepted_counts_as_done() {
    let target = json!({
        "StorageCapacity": 200,
        "OpenZFSConfiguration": { "ThroughputCapacity": 320, "AutomaticBackupRetentionDays": 7 },
    });
    let check = async |status: &str, wanted: Json| {
        let found = observe_shown(with(shown(), under_way(status, target.clone())), spec()).await;
        assert_eq!(found.attributes, with(spec(), wanted), "{status}");
    };
    let new = json!({ "storage_gib": 200, "throughput_mbps": 320, "backup_days": 7 });
    check("PENDING", new.clone()).await;
    check("IN_PROGRESS", new).await;
    // It came to nothing: what is there counts.
    check("FAILED", json!({})).await;
}

#[tokio::test]
async fn the_root_volume_is_compared_whatever_the_order() {
    let exports = |exports: Json| json!({ "NfsExports": [{ "ClientConfigurations": exports }] });
    let check = async |change: Json, asked: Json, wanted: Json| {
        let mut root = root_shown();
        root["OpenZFSConfiguration"] = with(root["OpenZFSConfiguration"].take(), change);
        let aws = Aws::new(vec![file_systems(&[shown()]), volumes(&[root]), in_group("sg-1")]);
        let asked = with(spec()["root_volume"].clone(), asked);
        let spec = with(spec(), json!({ "root_volume": asked }));
        let found = observe_one(&aws, target(Some(FS)), Some(spec)).await;
        assert_eq!(found.attributes["root_volume"], with(asked, wanted));
    };
    let none = || json!({});
    check(none(), none(), none()).await;
    check(json!({ "DataCompressionType": "NONE" }), none(), json!({ "compression": "NONE" })).await;
    check(json!({ "RecordSizeKiB": 64 }), none(), json!({ "record_size_kib": 64 })).await;
    let two = json!([
        { "clients": "10.0.0.0/16", "options": ["rw", "sync"] },
        { "clients": "10.1.0.0/16", "options": ["ro"] },
    ]);
    let found = json!([
        { "Clients": "10.1.0.0/16", "Options": ["ro"] },
        { "Clients": "10.0.0.0/16", "Options": ["sync", "rw"] },
    ]);
    check(exports(found), json!({ "exports": two }), none()).await;
    let default = json!([{ "Clients": "*", "Options": ["crossmnt", "sync"] }]);
    let strange = json!({ "exports": [{ "clients": "*", "options": ["crossmnt", "sync"] }] });
    check(exports(default), none(), strange).await;
    // A change of the volume that is under way counts as done.
    let root = with(
        root_shown(),
        json!({ "AdministrativeActions": [{
            "AdministrativeActionType": "VOLUME_UPDATE",
            "Status": "IN_PROGRESS",
            "TargetVolumeValues": { "OpenZFSConfiguration": { "DataCompressionType": "ZSTD" } },
        }] }),
    );
    let aws = Aws::new(vec![file_systems(&[shown()]), volumes(&[root]), in_group("sg-1")]);
    let found = observe_one(&aws, target(Some(FS)), Some(spec())).await;
    assert_eq!(found.status, Status::Busy("UPDATING".to_owned()));
    assert_eq!(found.attributes["root_volume"]["compression"], "ZSTD");
}

#[tokio::test]
async fn security_groups_are_those_of_every_interface() {
    let check = async |a: &'static [&'static str], b: &'static [&'static str], wanted: Json| {
        let groups = interfaces(&[("eni-a", a), ("eni-b", b)]);
        let aws = Aws::new(vec![file_systems(&[shown()]), volumes(&[root_shown()]), groups]);
        let found = observe_one(&aws, target(Some(FS)), Some(spec())).await;
        assert_eq!(found.attributes["security_groups"], wanted);
    };
    check(&["sg-1"], &["sg-1"], json!(["sg-1"])).await;
    check(&["sg-1"], &["sg-2"], json!(["sg-2"])).await;
    check(&["sg-2", "sg-1"], &["sg-1"], json!(["sg-1", "sg-2"])).await;
    // The group is observed together with it, so its id is not known to the question: the interfaces tell, and while there
    // are none, what it was made with.
    let unresolved = json!({ "security_groups": [{ "$ref": "data/security-group#id" }] });
    let unresolved = || with(spec(), unresolved.clone());
    let mut made_with = tags();
    let tag = json!({ "Key": "zonestack:security-groups", "Value": "sg-1 sg-2" });
    made_with.as_array_mut().unwrap().push(tag);
    let creating = with(shown(), json!({ "Tags": made_with, "Lifecycle": "CREATING" }));
    let found = observe_one(&Aws::new(world(shown())), target(Some(FS)), Some(unresolved())).await;
    assert_eq!(found.attributes["security_groups"], json!(["sg-1"]));
    let aws = Aws::new(vec![file_systems(&[creating])]);
    let found = observe_one(&aws, target(Some(FS)), Some(unresolved())).await;
    assert_eq!(found.attributes["security_groups"], json!(["sg-1", "sg-2"]));
    let found = observe_one(&aws, target(Some(FS)), Some(spec())).await;
    assert_eq!(found.attributes["security_groups"], json!(["sg-1"]));
    // EC2 does not show them (yet).
    let aws = Aws::new(vec![file_systems(&[shown()]), volumes(&[root_shown()]), interfaces(&[])]);
    let found = observe_one(&aws, target(Some(FS)), Some(spec())).await;
    assert_eq!(found.attributes, spec());
}

#[tokio::test]
async fn a_backup_is_what_it_was_filled_from() {
    let check = async |tagged: Option<&str>, wanted: Option<&str>| {
        let mut tags = tags();
        if let Some(backup) = tagged {
            let tag = json!({ "Key": "zonestack:restored-from", "Value": backup });
            tags.as_array_mut().unwrap().push(tag);
        }
        let restored = with(shown(), json!({ "Tags": tags }));
        let asked = with(spec(), json!({ "backup": "backup-1" }));
        let found = observe_shown(restored.clone(), asked).await;
        assert_eq!(found.attributes.get("backup").and_then(Json::as_str), wanted);
        // Who does not ask any more gets no difference.
        assert_eq!(observe_shown(restored, spec()).await.attributes, spec());
    };
    check(Some("backup-1"), Some("backup-1")).await;
    check(Some("backup-2"), Some("backup-2")).await;
    check(None, None).await;
}

#[tokio::test]
async fn what_cannot_be_read_while_it_is_made_counts_as_asked() {
    let creating = json!({
        "Lifecycle": "CREATING", "NetworkInterfaceIds": null, "SubnetIds": null, "StorageCapacity": null,
    });
    let aws = Aws::new(vec![file_systems(&[with(shown(), creating)])]);
    let found = observe_one(&aws, target(Some(FS)), Some(spec())).await;
    assert_eq!(found.status, Status::Pending("CREATING".to_owned()));
    assert_eq!(found.attributes, spec());
    assert_eq!(aws.operations(), ["DescribeFileSystems"]);
}

#[tokio::test]
async fn outputs_are_id_names_and_the_root_volume() {
    let found = observe_shown(shown(), spec()).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&found.outputs).unwrap(), @r#"
    {
      "arn": "arn:aws:fsx:eu-west-1:111122223333:file-system/fs-0123456789abcdef0",
      "dns_name": "fs-0123456789abcdef0.fsx.eu-west-1.amazonaws.com",
      "id": "fs-0123456789abcdef0",
      "root_volume": "fsvol-0123456789abcdef0"
    }
    "#);
}

#[tokio::test]
async fn a_list_that_fails_fails_every_query() {
    let query = || Query { target: target(Some(FS)), spec: Some(spec()) };
    for (code, class) in [
        ("InternalServerError", ErrorClass::Transient),
        ("ThrottlingException", ErrorClass::Throttled),
        ("AccessDeniedException", ErrorClass::Denied(None)),
    ] {
        let aws = Aws::new(vec![("DescribeFileSystems", refused(code, "no"))]);
        for found in observe(&aws, &[query(), query()]).await {
            assert_eq!(found.unwrap_err().class, class, "{code}");
        }
    }
    // A volume that went meanwhile fails nothing.
    let gone = ("DescribeVolumes", refused("VolumeNotFound", "gone"));
    let aws = Aws::new(vec![file_systems(&[shown()]), gone, in_group("sg-1")]);
    assert_eq!(observe(&aws, &[query()]).await.remove(0).unwrap().attributes, spec());
}

#[tokio::test]
async fn another_kind_is_a_mistake() {
    let aws = Aws::new(world(shown()));
    let strange = Target { kind: Kind::new("aws.efs.file-system"), ..target(Some(FS)) };
    let queries = [
        Query { target: strange.clone(), spec: None },
        Query { target: target(None), spec: Some(spec()) },
    ];
    let found = observe(&aws, &queries).await;
    assert_eq!(found[0].as_ref().unwrap_err().class, ErrorClass::Bug);
    assert_eq!(found[1].as_ref().unwrap().remote_id.as_deref(), Some(FS));
    let owner = owner();
    let error = aws.driver.create(cx(&owner), &strange, &spec()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Bug);
}

#[tokio::test]
async fn what_carries_the_stacks_marks_is_listed_from_all_pages() {
    let marks = |stack: &str, uid: &str| {
        json!([
            { "Key": "zonestack:stack", "Value": stack },
            { "Key": "zonestack:uid", "Value": uid },
            { "Key": "zonestack:node", "Value": "data/openzfs" },
            { "Key": "zonestack:cluster", "Value": "k8s.myzone.net" },
        ])
    };
    let named = |id: &str, tags: Json| with(shown(), json!({ "FileSystemId": id, "Tags": tags }));
    let going = with(named("fs-going", tags()), json!({ "Lifecycle": "DELETING" }));
    let first = [named("fs-1", tags()), going, named("fs-other", marks("git-lab", "uid1"))];
    let second = [named("fs-2", marks("git", "uid2")), named("fs-theirs", json!([]))];
    let aws = Aws::new(vec![
        ("DescribeFileSystems", (200, json!({ "FileSystems": first, "NextToken": "n" }))),
        file_systems(&second),
    ]);
    let nobody = Owner { uid: None, ..owner() };
    let found = aws.driver.owned(cx(&nobody)).await.unwrap();
    let owned = |id: &str, uid: &str, cluster: Option<&str>| Owned {
        kind: Kind::new(FILE_SYSTEM_KIND),
        id: Some("data/openzfs".parse().unwrap()),
        uid: Some(uid.to_owned()),
        cluster: cluster.map(str::to_owned),
        name: None,
        remote_id: Some(id.to_owned()),
    };
    assert_eq!(found, [owned("fs-1", "uid1", None), owned("fs-2", "uid2", Some("k8s.myzone.net"))]);
}
