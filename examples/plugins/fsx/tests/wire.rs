//! The driver on the wire: what is sent to FSx, and what is made of its answers. Every call made twice.

mod service;

use std::sync::Mutex;

use aws_sdk_fsx::config::{Credentials, SharedCredentialsProvider};
use serde_json::Value as Json;
use service::Service;
use zonestack_plugin_openzfs::driver::FileSystems;
use zonestack_plugin_openzfs::kind::KIND;
use zonestack_sdk::aws::client::{Given, of_given};
use zonestack_sdk::core::driver::Owner;
use zonestack_sdk::core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_sdk::prelude::*;

const ID: &str = "fs-0123456789abcdef0";

/// No specification of ours has a secret.
struct NoSecrets;

impl SecretSource for NoSecrets {
    fn resolve<'a>(
        &'a self,
        _: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        unreachable!("no specification has a reference")
    }
}

fn driver(service: &Service) -> FileSystems {
    let credentials = Credentials::new("AKID", "not-a-secret", None, None, "test");
    let given = Given {
        region: "eu-west-1".to_owned(),
        endpoint_url: Some(service.url.clone()),
        endpoint_urls: Default::default(),
        use_fips: None,
        use_dual_stack: None,
        user_agent: None,
        credentials: SharedCredentialsProvider::new(credentials),
    };
    FileSystems::new(&of_given(given).unwrap())
}

fn owner() -> Owner {
    Owner {
        stack: "git".to_owned(),
        uid: Some("uid1".to_owned()),
        namespace: "git".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

fn target(remote_id: Option<&str>) -> Target {
    Target {
        id: "data/file-system".parse().unwrap(),
        kind: Kind::new(KIND),
        name: None,
        token: Some("token1".to_owned()),
        remote_id: remote_id.map(str::to_owned),
        parent: None,
    }
}

fn spec() -> Json {
    json!({
        "subnets": ["subnet-a", "subnet-b"],
        "preferred_subnet": "subnet-b",
        "security_groups": ["sg-1"],
        "storage_gib": 100,
        "throughput_mbps": 160,
        "backup_days": 30,
        "route_tables": ["rtb-0a000000", "rtb-0b000000"],
        "tags": { "Name": "git-data" },
    })
}

/// A file system as FSx describes one of ours.
fn shown(lifecycle: &str, storage: u32) -> Json {
    let tags = [
        ("Name", "git-data"),
        ("zonestack:stack", "git"),
        ("zonestack:uid", "uid1"),
        ("zonestack:node", "data/file-system"),
        ("example:security-groups", "sg-1"),
    ];
    json!({
        "FileSystemId": ID,
        "FileSystemType": "OPENZFS",
        "Lifecycle": lifecycle,
        "StorageCapacity": storage,
        "SubnetIds": ["subnet-b", "subnet-a"],
        "DNSName": format!("{ID}.fsx.eu-west-1.amazonaws.com"),
        "ResourceARN": format!("arn:aws:fsx:eu-west-1:111122223333:file-system/{ID}"),
        "Tags": tags.map(|(key, value)| json!({ "Key": key, "Value": value })),
        "OpenZFSConfiguration": {
            "AutomaticBackupRetentionDays": 30,
            "DeploymentType": "MULTI_AZ_1",
            "ThroughputCapacity": 160,
            "PreferredSubnetId": "subnet-b",
            "RouteTableIds": ["rtb-0b000000", "rtb-0a000000"],
        },
    })
}

fn refused(code: &str, message: &str) -> (u16, Json) {
    (400, json!({ "__type": code, "message": message }))
}

#[tokio::test]
async fn a_creation_carries_token_marks_and_settings() {
    let service = Service::start(|_| (200, json!({ "FileSystem": shown("CREATING", 100) })));
    let (driver, owner, target, spec) = (driver(&service), owner(), target(None), spec());
    let cx = CallContext::new(&owner, &NoSecrets);
    // The second is the same request with the same token, so FSx answers with the same file system.
    for _ in 0..2 {
        let made = driver.create(cx, &target, &spec).await.unwrap();
        assert_eq!(made.remote_id.as_deref(), Some(ID));
    }
    let calls = service.calls();
    assert_eq!(calls[0].body, calls[1].body);
    let call = &calls[0];
    assert_eq!((call.operation.as_str(), call.session.as_str()), ("CreateFileSystem", ""));
    assert!(call.authorization.contains("AKID/"), "{}", call.authorization);
    let body = &call.body;
    assert_eq!(body["ClientRequestToken"], "token1");
    assert_eq!(body["SubnetIds"], json!(["subnet-a", "subnet-b"]));
    assert_eq!(body["SecurityGroupIds"], json!(["sg-1"]));
    assert_eq!(body["OpenZFSConfiguration"]["DeploymentType"], "MULTI_AZ_1");
    assert_eq!(body["OpenZFSConfiguration"]["PreferredSubnetId"], "subnet-b");
    for (key, value) in [("zonestack:uid", "uid1"), ("zonestack:node", "data/file-system")] {
        let tag = json!({ "Key": key, "Value": value });
        assert!(body["Tags"].as_array().unwrap().contains(&tag), "{body}");
    }
    let mut nobody = target.clone();
    nobody.token = None;
    let error = driver.create(cx, &nobody, &spec).await.unwrap_err();
    assert_eq!((error.class, service.calls().len()), (ErrorClass::Bug, 0));
}

#[tokio::test]
async fn what_is_there_is_found_by_id_or_marks_and_told_in_the_words_of_the_specification() {
    let service = Service::start(|_| (200, json!({ "FileSystems": [shown("AVAILABLE", 100)] })));
    let (driver, owner) = (driver(&service), owner());
    let cx = CallContext::new(&owner, &NoSecrets);
    let queries = [None, Some(ID)].map(|id| Query { target: target(id), spec: Some(spec()) });
    for found in driver.observe(cx, &queries).await {
        let found = found.unwrap();
        assert_eq!((found.status, found.ownership), (Status::Ready, Ownership::Ours));
        assert_eq!(found.attributes, spec());
        assert_eq!(found.outputs["dns_name"], format!("{ID}.fsx.eu-west-1.amazonaws.com"));
    }
    assert_eq!(service.calls().len(), 1, "one list for all queries");
    assert_eq!(driver.owned(cx).await.unwrap()[0].remote_id.as_deref(), Some(ID));
    let stranger = Owner { uid: Some("uid2".to_owned()), ..owner.clone() };
    let query = [Query { target: target(None), spec: Some(spec()) }];
    let cx = CallContext::new(&stranger, &NoSecrets);
    assert_eq!(driver.observe(cx, &query).await, [Ok(Observation::absent())]);
}

#[tokio::test]
async fn a_change_that_is_under_way_is_shown_as_it_will_be() {
    let mut changing = shown("AVAILABLE", 100);
    changing["AdministrativeActions"] = json!([{
        "AdministrativeActionType": "FILE_SYSTEM_UPDATE",
        "Status": "IN_PROGRESS",
        "TargetFileSystemValues": { "StorageCapacity": 200 },
    }]);
    let service = Service::start(move |_| (200, json!({ "FileSystems": [changing.clone()] })));
    let owner = owner();
    let query = [Query { target: target(Some(ID)), spec: Some(spec()) }];
    let found = driver(&service).observe(CallContext::new(&owner, &NoSecrets), &query).await;
    let found = found.into_iter().next().unwrap().unwrap();
    assert_eq!(found.status, Status::Busy("UPDATING".to_owned()));
    assert_eq!(found.attributes["storage_gib"], 200);
}

#[tokio::test]
async fn each_difference_is_one_call_and_a_refusal_has_its_class() {
    let answer = Mutex::new((200, json!({})));
    let answer = Arc::new(answer);
    let next = Arc::clone(&answer);
    let service = Service::start(move |call| match call.operation.as_str() {
        "DescribeFileSystems" => (200, json!({ "FileSystems": [shown("AVAILABLE", 100)] })),
        _ => next.lock().unwrap().clone(),
    });
    let (driver, owner, target) = (driver(&service), owner(), target(Some(ID)));
    let cx = CallContext::new(&owner, &NoSecrets);
    let mut wanted = spec();
    wanted["storage_gib"] = json!(200);
    wanted["route_tables"] = json!(["rtb-0b000000", "rtb-0c000000"]);
    let differs = |path: &str| [Difference { path: path.to_owned(), from: None, to: None }];
    let sent = async |path: &str| {
        driver.update(cx, &target, &wanted, &differs(path)).await.unwrap();
        service.calls().pop().unwrap()
    };
    let grown = sent("/storage_gib").await;
    assert_eq!(grown.operation, "UpdateFileSystem");
    assert_eq!(
        (&grown.body["StorageCapacity"], &grown.body["FileSystemId"]),
        (&json!(200), &json!(ID))
    );
    let routes = sent("/route_tables/1").await.body["OpenZFSConfiguration"].clone();
    assert_eq!(routes["AddRouteTableIds"], json!(["rtb-0c000000"]));
    assert_eq!(routes["RemoveRouteTableIds"], json!(["rtb-0a000000"]));
    assert_eq!(sent("/tags/Name").await.operation, "TagResource");

    let check = async |code: &str, message: &str, class: ErrorClass| {
        *answer.lock().unwrap() = refused(code, message);
        let failed = driver.update(cx, &target, &wanted, &differs("/storage_gib")).await;
        assert_eq!(failed.unwrap_err().class, class, "{code} {message}");
    };
    check("BadRequest", "An update is in progress", ErrorClass::Busy).await;
    check("BadRequest", "In progress; wait for 6 hours", ErrorClass::Invalid).await;
    check("FileSystemNotFound", "no such file system", ErrorClass::NotFound).await;
    check("AccessDeniedException", "not you", ErrorClass::Denied(None)).await;
}

#[tokio::test]
async fn a_deletion_leaves_a_backup_and_may_be_made_twice() {
    let gone = Arc::new(Mutex::new(false));
    let is_gone = Arc::clone(&gone);
    let service = Service::start(move |call| match call.operation.as_str() {
        "DeleteFileSystem" if std::mem::replace(&mut *is_gone.lock().unwrap(), true) => {
            refused("FileSystemNotFound", "no such file system")
        }
        "DeleteFileSystem" => (200, json!({ "FileSystemId": ID, "Lifecycle": "DELETING" })),
        "DescribeBackups" => (
            200,
            json!({ "Backups": [{
            "BackupId": "backup-1",
            "Lifecycle": "AVAILABLE",
            "Type": "USER_INITIATED",
            "CreationTime": 1_763_884_800.0,
            "FileSystem": { "FileSystemId": ID },
            "Tags": [{ "Key": "example:final-copy", "Value": "git-data-final" }],
        }] }),
        ),
        other => refused("UnknownOperationException", other),
    });
    let (driver, owner, target) = (driver(&service), owner(), target(Some(ID)));
    let cx = CallContext::new(&owner, &NoSecrets);
    let deletion = Deletion { final_copy: Some("git-data-final".to_owned()) };
    for _ in 0..2 {
        driver.delete(cx, &target, &deletion).await.unwrap();
    }
    let asked = &service.calls()[0].body["OpenZFSConfiguration"];
    assert_eq!(asked["SkipFinalBackup"], false);
    let name = json!({ "Key": "example:final-copy", "Value": "git-data-final" });
    assert!(asked["FinalBackupTags"].as_array().unwrap().contains(&name), "{asked}");
    let copy = async |name: &str| driver.final_copy(cx, &target, name).await.unwrap();
    assert_eq!(copy("git-data-final").await, Status::Ready);
    assert_eq!(copy("another").await, Status::Absent);
    // Without a name for its backup nothing is deleted.
    service.calls();
    let error = driver.delete(cx, &target, &Deletion::default()).await.unwrap_err();
    assert_eq!((error.class, service.calls().len()), (ErrorClass::Bug, 0));
}
