use super::*;

async fn create(aws: &Aws, spec: &Json) -> Result<Created, DriverError> {
    let owner = owner();
    aws.driver.create(cx(&owner), &target(None), spec).await
}

async fn update(aws: &Aws, spec: &Json, differences: &[Difference]) -> Result<(), DriverError> {
    let owner = owner();
    aws.driver.update(cx(&owner), &target(Some(FS)), spec, differences).await
}

fn made(operation: &'static str) -> Vec<(&'static str, Canned)> {
    let creating = with(shown(), json!({ "Lifecycle": "CREATING" }));
    vec![(operation, (200, json!({ "FileSystem": creating })))]
}

#[tokio::test]
async fn it_is_created_in_one_call_with_token_and_marks() {
    let aws = Aws::new(made("CreateFileSystem"));
    let made = create(&aws, &full_spec()).await.unwrap();
    assert_eq!(made.remote_id.as_deref(), Some(FS));
    let (operation, body) = aws.last_call();
    assert_eq!(operation, "CreateFileSystem");
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
}

#[tokio::test]
async fn from_a_backup_it_is_created_by_another_call() {
    let aws = Aws::new(made("CreateFileSystemFromBackup"));
    let spec = with(spec(), json!({ "backup": "backup-0123456789abcdef0" }));
    create(&aws, &spec).await.unwrap();
    let (operation, body) = aws.last_call();
    assert_eq!(operation, "CreateFileSystemFromBackup");
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
}

#[tokio::test]
async fn in_one_zone_there_is_nothing_to_prefer() {
    let aws = Aws::new(made("CreateFileSystem"));
    let one = json!({
        "deployment": "SINGLE_AZ_HA_2", "multi_az": false,
        "subnets": ["subnet-b"], "preferred_subnet": "subnet-b",
    });
    create(&aws, &with(spec(), one)).await.unwrap();
    let (_, body) = aws.last_call();
    assert_eq!(body["SubnetIds"], json!(["subnet-b"]));
    assert_eq!(body["OpenZFSConfiguration"]["DeploymentType"], "SINGLE_AZ_HA_2");
    assert_eq!(body["OpenZFSConfiguration"].get("PreferredSubnetId"), None);
}

#[tokio::test]
async fn it_is_never_created_without_a_token_or_with_what_is_not_known() {
    let aws = Aws::new(Vec::new());
    let owner = owner();
    let tokenless = Target { token: None, ..target(None) };
    let error = aws.driver.create(cx(&owner), &tokenless, &spec()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Bug);
    let unresolved = json!({ "security_groups": [{ "$ref": "data/security-group#id" }] });
    let error = create(&aws, &with(spec(), unresolved)).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Bug);
    assert_eq!(aws.operations(), [""; 0]);
}

#[tokio::test]
async fn each_difference_has_its_call() {
    let spec = full_spec();
    let check = async |paths: &[&str], operation: &str, wanted: Json| {
        let done = || (200, json!({}));
        let aws = Aws::new(vec![
            file_systems(&[configured(
                shown(),
                json!({ "RouteTableIds": ["rtb-0a000000", "rtb-main0000"] }),
            )]),
            ("UpdateFileSystem", done()),
            ("UpdateVolume", done()),
            ("TagResource", done()),
        ]);
        let differences: Vec<_> = paths.iter().map(|path| difference(path)).collect();
        update(&aws, &spec, &differences).await.unwrap();
        let (called, mut body) = aws.last_call();
        // Random: what an update sends is absolute, and may be sent twice.
        body.as_object_mut().unwrap().remove("ClientRequestToken");
        assert_eq!((called.as_str(), body), (operation, wanted), "{paths:?}");
    };
    let configure = |change: Json| json!({ "FileSystemId": FS, "OpenZFSConfiguration": change });
    let iops = json!({ "DiskIopsConfiguration": { "Mode": "USER_PROVISIONED", "Iops": 3000 } });
    check(
        &["/storage_gib", "/throughput_mbps"],
        "UpdateFileSystem",
        json!({ "FileSystemId": FS, "StorageCapacity": 100 }),
    )
    .await;
    // More storage may need more operations per second: both at once.
    check(
        &["/iops", "/storage_gib"],
        "UpdateFileSystem",
        with(configure(iops.clone()), json!({ "StorageCapacity": 100 })),
    )
    .await;
    check(&["/iops_mode"], "UpdateFileSystem", configure(iops)).await;
    check(
        &["/throughput_mbps", "/backup_days"],
        "UpdateFileSystem",
        configure(json!({ "ThroughputCapacity": 160 })),
    )
    .await;
    for path in ["/backup_days", "/backup_start", "/backup_tags", "/maintenance"] {
        let schedule = json!({
            "AutomaticBackupRetentionDays": 30,
            "CopyTagsToBackups": true,
            "DailyAutomaticBackupStartTime": "02:30",
            "WeeklyMaintenanceStartTime": "7:04:30",
        });
        check(&[path], "UpdateFileSystem", configure(schedule)).await;
    }
    for path in ["/route_tables", "/route_tables/1"] {
        let tables = json!({
            "AddRouteTableIds": ["rtb-0b000000"], "RemoveRouteTableIds": ["rtb-main0000"],
        });
        check(&[path], "UpdateFileSystem", configure(tables)).await;
    }
    for path in ["/root_volume/compression", "/root_volume/exports/0/clients"] {
        let root = json!({
            "RecordSizeKiB": 128,
            "DataCompressionType": "LZ4",
            "NfsExports": [{ "ClientConfigurations": [{
                "Clients": "10.0.0.0/16",
                "Options": ["rw", "crossmnt", "sync", "no_root_squash"],
            }] }],
        });
        check(&[path], "UpdateVolume", json!({ "VolumeId": ROOT, "OpenZFSConfiguration": root }))
            .await;
    }
    check(
        &["/tags/Name"],
        "TagResource",
        json!({
            "ResourceARN": format!("arn:aws:fsx:eu-west-1:111122223333:file-system/{FS}"),
            "Tags": [
                { "Key": "Name", "Value": "git-data" },
                { "Key": "managed-by", "Value": "zonestack" },
                { "Key": "zonestack:node", "Value": "data/openzfs" },
                { "Key": "zonestack:stack", "Value": "git" },
                { "Key": "zonestack:uid", "Value": "uid1" },
            ],
        }),
    )
    .await;
}

#[tokio::test]
async fn security_groups_are_exchanged_on_one_interface_at_a_time() {
    let done = json!(
        "<ModifyNetworkInterfaceAttributeResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><return>true</return></ModifyNetworkInterfaceAttributeResponse>"
    );
    let aws = Aws::new(vec![
        file_systems(&[shown()]),
        interfaces(&[("eni-a", &["sg-1"]), ("eni-b", &["sg-old"])]),
        ("ModifyNetworkInterfaceAttribute", (200, done)),
    ]);
    update(&aws, &spec(), &[difference("/security_groups/0")]).await.unwrap();
    let (operation, form) = aws.last_call();
    assert_eq!(operation, "ModifyNetworkInterfaceAttribute");
    let form = form.as_str().unwrap();
    assert!(form.contains("NetworkInterfaceId=eni-b"), "{form}");
    assert!(form.contains("SecurityGroupId.1=sg-1") && !form.contains("sg-old"), "{form}");
}

#[tokio::test]
async fn storage_that_grows_too_little_is_not_tried() {
    let check = async |from: u32, to: u32, least: Option<u32>| {
        let aws = Aws::new(vec![("UpdateFileSystem", (200, json!({})))]);
        let path = "/storage_gib".to_owned();
        let grows = Difference { path, from: Some(json!(from)), to: Some(json!(to)) };
        let result = update(&aws, &with(spec(), json!({ "storage_gib": to })), &[grows]).await;
        match least {
            None => result.unwrap(),
            Some(least) => {
                let error = result.unwrap_err();
                assert_eq!(error.class, ErrorClass::Invalid);
                assert!(error.message.contains(&format!("set `storage: {least}`")), "{error}");
                assert_eq!(aws.operations(), [""; 0]);
            }
        }
    };
    check(100, 110, None).await;
    check(100, 109, Some(110)).await;
    check(64, 70, Some(71)).await;
    check(64, 71, None).await;
}

#[tokio::test]
async fn what_fsx_cannot_change_is_not_tried() {
    let aws = Aws::new(Vec::new());
    for path in [
        "/deployment",
        "/subnets/0",
        "/preferred_subnet",
        "/kms_key_id",
        "/endpoint_range",
        "/backup",
    ] {
        let result = update(&aws, &full_spec(), &[difference(path)]).await;
        assert_eq!(result.unwrap_err().class, ErrorClass::Unsupported, "{path}");
    }
    assert_eq!(aws.operations(), [""; 0]);
    let gone = Aws::new(vec![("DescribeFileSystems", refused("FileSystemNotFound", "gone"))]);
    let result = update(&gone, &full_spec(), &[difference("/root_volume/compression")]).await;
    assert_eq!(result.unwrap_err().class, ErrorClass::NotFound);
}

#[tokio::test]
async fn refusals_of_a_creation_have_their_class() {
    let check = async |code: &str, class: ErrorClass, advice: &str| {
        for (operation, spec) in [
            ("CreateFileSystem", spec()),
            ("CreateFileSystemFromBackup", with(spec(), json!({ "backup": "backup-1" }))),
        ] {
            let aws = Aws::new(vec![(operation, refused(code, "the service's words"))]);
            let error = create(&aws, &spec).await.unwrap_err();
            assert_eq!(error.class, class, "{code}: {error}");
            for words in [operation, code, "the service's words", advice] {
                assert!(error.message.contains(words), "{code}: {error}");
            }
        }
    };
    check("IncompatibleParameterError", ErrorClass::AlreadyExists, "").await;
    check("ServiceLimitExceeded", ErrorClass::Quota, "Service Quotas").await;
    check("InvalidNetworkSettings", ErrorClass::Invalid, "routeTables").await;
    check("MissingFileSystemConfiguration", ErrorClass::Invalid, "").await;
    check("BadRequest", ErrorClass::Invalid, "").await;
    check("ThrottlingException", ErrorClass::Throttled, "").await;
    check("InternalServerError", ErrorClass::Ambiguous, "").await;
    check("AccessDeniedException", ErrorClass::Denied(None), "").await;
    check("ExpiredTokenException", ErrorClass::Expired, "").await;

    let backup = with(spec(), json!({ "backup": "backup-1" }));
    for (code, class) in
        [("BackupNotFound", ErrorClass::Invalid), ("SourceBackupUnavailable", ErrorClass::Busy)]
    {
        let aws = Aws::new(vec![("CreateFileSystemFromBackup", refused(code, "no"))]);
        assert_eq!(create(&aws, &backup).await.unwrap_err().class, class, "{code}");
    }
}

#[tokio::test]
async fn refusals_of_a_change_have_their_class() {
    let check = async |code: &str, words: &str, class: ErrorClass, advice: &str| {
        let aws = Aws::new(vec![("UpdateFileSystem", refused(code, words))]);
        let error = update(&aws, &spec(), &[difference("/throughput_mbps")]).await.unwrap_err();
        assert_eq!(error.class, class, "{code}: {error}");
        assert!(error.message.contains(words) && error.message.contains(advice), "{error}");
    };
    let busy = "there is an update in progress for this file system";
    check("BadRequest", busy, ErrorClass::Busy, "").await;
    // Nothing to wait for within a run.
    let early = "the last update was less than 6 hours ago, or is still in progress";
    check("BadRequest", early, ErrorClass::Invalid, "run zonestack again later").await;
    check("BadRequest", "the value is not valid", ErrorClass::Invalid, "").await;
    // Whatever the words: another change is under way.
    let aws = Aws::new(vec![
        ("UpdateFileSystem", refused("BadRequest", "not now")),
        file_systems(&[with(shown(), under_way("PENDING", json!({ "StorageCapacity": 200 })))]),
    ]);
    let error = update(&aws, &spec(), &[difference("/throughput_mbps")]).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Busy);
    assert!(error.message.contains("not now"), "{error}");
    check("IncompatibleParameterError", "token", ErrorClass::Invalid, "").await;
    check("FileSystemNotFound", "gone", ErrorClass::NotFound, "").await;
    check("UnsupportedOperation", "no", ErrorClass::Unsupported, "").await;
    check("InternalServerError", "no", ErrorClass::Ambiguous, "").await;
}
