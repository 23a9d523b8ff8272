mod file_system;
mod mount_target;
mod wire;

use serde_json::{Value as Json, json};
use zonestack_core::driver::{Driver, ErrorClass, Observation, Query, Target};
use zonestack_core::kind::Identity;
use zonestack_core::name::Kind;

use super::*;
use wire::{Aws, Canned, cx, owner, refused};

const FS: &str = "fs-0123456789abcdef0";
const TOKEN: &str = "token1";

fn target(id: &str, kind: &str, remote_id: Option<&str>) -> Target {
    Target {
        id: id.parse().unwrap(),
        kind: Kind::new(kind),
        name: None,
        token: Some(TOKEN.to_owned()),
        remote_id: remote_id.map(str::to_owned),
        parent: None,
    }
}

fn file_system_target(remote_id: Option<&str>) -> Target {
    target("data/file-system", FILE_SYSTEM_KIND, remote_id)
}

fn mount_target_target(letter: char, remote_id: Option<&str>) -> Target {
    target(&format!("data/mount-target@eu-west-1{letter}"), MOUNT_TARGET_KIND, remote_id)
}

fn file_system_spec() -> Json {
    json!({
        "performance_mode": "generalPurpose",
        "throughput_mode": "elastic",
        "encrypted": true,
        "backup": true,
        "lifecycle": {},
        "tags": { "Name": "git-data" },
    })
}

fn mount_target_spec(letter: char) -> Json {
    json!({
        "file_system_id": FS,
        "subnet_id": format!("subnet-{letter}"),
        "vpc_id": "vpc-1",
        "security_groups": ["sg-1"],
    })
}

/// A file system as EFS describes one of ours.
fn file_system_shown() -> Json {
    json!({
        "OwnerId": "111122223333",
        "CreationToken": TOKEN,
        "FileSystemId": FS,
        "FileSystemArn": format!("arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/{FS}"),
        "CreationTime": 1_763_884_800.0,
        "LifeCycleState": "available",
        "NumberOfMountTargets": 3,
        "SizeInBytes": { "Value": 6144 },
        "PerformanceMode": "generalPurpose",
        "Encrypted": true,
        "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd",
        "ThroughputMode": "elastic",
        "Tags": [
            { "Key": "Name", "Value": "git-data" },
            { "Key": "zonestack:stack", "Value": "git" },
            { "Key": "zonestack:uid", "Value": "uid1" },
            { "Key": "zonestack:node", "Value": "data/file-system" },
            { "Key": "managed-by", "Value": "zonestack" },
        ],
    })
}

fn mount_target_shown(letter: char) -> Json {
    json!({
        "OwnerId": "111122223333",
        "MountTargetId": format!("fsmt-{letter}"),
        "FileSystemId": FS,
        "SubnetId": format!("subnet-{letter}"),
        "LifeCycleState": "available",
        "IpAddress": "10.0.0.10",
        "NetworkInterfaceId": format!("eni-{letter}"),
        "AvailabilityZoneId": "euw1-az1",
        "AvailabilityZoneName": format!("eu-west-1{letter}"),
        "VpcId": "vpc-1",
    })
}

/// One JSON with another's keys.
fn with(mut json: Json, change: Json) -> Json {
    let Json::Object(change) = change else { panic!("{change}") };
    for (key, value) in change {
        json[key] = value;
    }
    json
}

fn file_systems(shown: &[Json]) -> (&'static str, Canned) {
    ("GET /file-systems?", (200, json!({ "FileSystems": shown })))
}

fn details() -> Vec<(&'static str, Canned)> {
    let enabled = json!({ "BackupPolicy": { "Status": "ENABLED" } });
    vec![
        (
            "GET /file-systems/fs-0123456789abcdef0/lifecycle-configuration",
            (200, json!({ "LifecyclePolicies": [] })),
        ),
        ("GET /file-systems/fs-0123456789abcdef0/backup-policy", (200, enabled)),
    ]
}

async fn observe(aws: &Aws, queries: &[Query]) -> Vec<Result<Observation, DriverError>> {
    let owner = owner();
    let answers = aws.driver.observe(cx(&owner), queries).await;
    assert_eq!(answers.len(), queries.len());
    answers
}

async fn observe_one(aws: &Aws, target: Target, spec: Option<Json>) -> Observation {
    observe(aws, &[Query { target, spec }]).await.remove(0).unwrap()
}

fn difference(path: &str) -> Difference {
    Difference { path: path.to_owned(), from: None, to: None }
}

/// A call that is refused: the class it must have, and what its message must say.
async fn check_refusal(
    call: impl AsyncFnOnce(&Aws) -> DriverError,
    status: u16,
    code: &str,
    words: &str,
    class: ErrorClass,
) {
    let aws = Aws::new(vec![
        ("POST", refused(status, code, words)),
        ("PUT", refused(status, code, words)),
        ("DELETE", refused(status, code, words)),
    ]);
    let error = call(&aws).await;
    assert_eq!(error.class, class, "{code}: {error}");
    assert!(error.message.contains(code), "{code}: {error}");
    assert!(error.message.contains(words), "{code}: {error}");
}

#[tokio::test]
async fn a_plan_without_changes_costs_five_calls_for_one_file_system_in_three_zones() {
    let mut answers = details();
    let targets = ['a', 'b', 'c'].map(mount_target_shown);
    answers.push(("GET /mount-targets?", (200, json!({ "MountTargets": targets }))));
    answers.push((
        "EC2",
        wire::interfaces(&[("eni-a", &["sg-1"]), ("eni-b", &["sg-1"]), ("eni-c", &["sg-1"])]),
    ));
    answers.push(file_systems(&[file_system_shown()]));
    let aws = Aws::new(answers);

    // As the engine asks: first the file system, then what lives in it.
    let spec = file_system_spec();
    let found = observe_one(&aws, file_system_target(Some(FS)), Some(spec.clone())).await;
    assert_eq!((found.status, found.ownership), (Status::Ready, Ownership::Ours));
    assert_eq!(found.attributes, spec);
    let queries = ['a', 'b', 'c'].map(|letter| Query {
        target: mount_target_target(letter, Some(&format!("fsmt-{letter}"))),
        spec: Some(mount_target_spec(letter)),
    });
    for (found, query) in observe(&aws, &queries).await.into_iter().zip(&queries) {
        let found = found.unwrap();
        assert_eq!((found.status, found.ownership), (Status::Ready, Ownership::Ours));
        assert_eq!(Some(found.attributes), query.spec);
    }

    let mut lines = aws.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "EC2 DescribeNetworkInterfaces",
            "GET /file-systems/fs-0123456789abcdef0/backup-policy",
            "GET /file-systems/fs-0123456789abcdef0/lifecycle-configuration",
            "GET /file-systems?MaxItems=100",
            "GET /mount-targets?FileSystemId=fs-0123456789abcdef0",
        ]
    );
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_queries() {
    let mut answers = details();
    answers
        .push(("GET /mount-targets?", (200, json!({ "MountTargets": [mount_target_shown('a')] }))));
    answers.push(("EC2", wire::interfaces(&[("eni-a", &["sg-1"])])));
    answers.push(file_systems(&[file_system_shown()]));
    let aws = Aws::new(answers);
    let query = |target: Target, spec: Json| Query { target, spec: Some(spec) };
    let found = observe(
        &aws,
        &[
            query(mount_target_target('b', None), mount_target_spec('b')),
            query(file_system_target(None), file_system_spec()),
            query(target("data/other", "aws.fsx.file-system", None), json!({})),
            query(mount_target_target('a', None), mount_target_spec('a')),
        ],
    )
    .await;
    assert_eq!(found[0].as_ref().unwrap().status, Status::Absent);
    assert_eq!(found[1].as_ref().unwrap().remote_id.as_deref(), Some(FS));
    assert_eq!(found[2].as_ref().unwrap_err().class, ErrorClass::Bug);
    assert_eq!(found[3].as_ref().unwrap().remote_id.as_deref(), Some("fsmt-a"));
}

#[test]
fn states_have_a_status() {
    let check = |state: &str, wanted: Status| {
        assert_eq!(status_of(&LifeCycleState::from(state)), wanted, "{state}");
    };
    check("available", Status::Ready);
    check("creating", Status::Pending("creating".to_owned()));
    check("updating", Status::Busy("updating".to_owned()));
    check("deleting", Status::Deleting);
    check("deleted", Status::Absent);
    check("error", Status::Failed("EFS reports the state `error`".to_owned()));
    check("something-new", Status::Pending("something-new".to_owned()));
}

#[test]
fn names_end_as_the_partition_does() {
    assert_eq!(dns_name("fs-1", "eu-west-1"), "fs-1.efs.eu-west-1.amazonaws.com");
    assert_eq!(dns_name("fs-1", "us-gov-west-1"), "fs-1.efs.us-gov-west-1.amazonaws.com");
    assert_eq!(dns_name("fs-1", "cn-north-1"), "fs-1.efs.cn-north-1.amazonaws.com.cn");
}

#[test]
fn declarations_fit_what_is_rendered_and_observed() {
    let [file_system, mount_target] = [kinds::file_system(), kinds::mount_target()];
    for (declaration, paths) in [
        (
            &file_system,
            &["/performance_mode", "/encrypted", "/kms_key_id", "/availability_zone"][..],
        ),
        (&mount_target, &["/file_system_id", "/subnet_id", "/vpc_id"]),
    ] {
        for path in paths {
            assert_eq!(
                declaration.rule(path).effect,
                zonestack_core::kind::Effect::Replace,
                "{path}"
            );
        }
        let modelled: Vec<_> = declaration.model.outputs.iter().map(|(name, _)| *name).collect();
        assert_eq!(modelled, declaration.outputs);
    }
    assert!(file_system.data.is_kept());
    let Identity::Parent { at } = mount_target.identity else {
        panic!("it lives in a file system")
    };
    assert_eq!(mount_target_spec('a').pointer(at), Some(&json!(FS)));
    for path in ["/throughput_mode", "/lifecycle/to_ia", "/backup", "/tags/Name"] {
        assert_eq!(file_system.rule(path).effect, zonestack_core::kind::Effect::InPlace, "{path}");
    }
}
