mod change;
mod deletion;
mod life;
mod observation;
mod wire;

use serde_json::{Value as Json, json};
use zonestack_core::driver::{Driver, ErrorClass, Observation, Ownership, Query, Status, Target};
use zonestack_core::kind::Effect;
use zonestack_core::name::Kind;

use super::*;
use wire::{Aws, Canned, cx, interfaces, owner, refused};

const FS: &str = "fs-0123456789abcdef0";
const ROOT: &str = "fsvol-0123456789abcdef0";
const TOKEN: &str = "token1";

fn target(remote_id: Option<&str>) -> Target {
    Target {
        id: "data/openzfs".parse().unwrap(),
        kind: Kind::new(FILE_SYSTEM_KIND),
        name: None,
        token: Some(TOKEN.to_owned()),
        remote_id: remote_id.map(str::to_owned),
        parent: None,
    }
}

fn spec() -> Json {
    json!({
        "deployment": "MULTI_AZ_1",
        "multi_az": true,
        "subnets": ["subnet-a", "subnet-b"],
        "preferred_subnet": "subnet-b",
        "security_groups": ["sg-1"],
        "storage_gib": 100,
        "throughput_mbps": 160,
        "iops_mode": "AUTOMATIC",
        "root_volume": {
            "record_size_kib": 128,
            "compression": "LZ4",
            "exports": [{
                "clients": "10.0.0.0/16",
                "options": ["rw", "crossmnt", "sync", "no_root_squash"],
            }],
        },
        "backup_days": 30,
        "backup_tags": true,
        "tags": { "Name": "git-data" },
    })
}

/// A specification with everything that may be left out.
fn full_spec() -> Json {
    with(
        spec(),
        json!({
            "route_tables": ["rtb-0a000000", "rtb-0b000000"],
            "endpoint_range": "10.0.255.240/28",
            "iops_mode": "USER_PROVISIONED",
            "iops": 3000,
            "backup_start": "02:30",
            "maintenance": "7:04:30",
            "kms_key_id": "alias/files",
        }),
    )
}

fn tags() -> Json {
    json!([
        { "Key": "Name", "Value": "git-data" },
        { "Key": "zonestack:stack", "Value": "git" },
        { "Key": "zonestack:uid", "Value": "uid1" },
        { "Key": "zonestack:node", "Value": "data/openzfs" },
        { "Key": "managed-by", "Value": "zonestack" },
    ])
}

/// A file system as FSx describes one of ours.
fn shown() -> Json {
    json!({
        "OwnerId": "111122223333",
        "CreationTime": 1_763_884_800.0,
        "FileSystemId": FS,
        "FileSystemType": "OPENZFS",
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": 100,
        "StorageType": "SSD",
        "VpcId": "vpc-1",
        "SubnetIds": ["subnet-b", "subnet-a"],
        "NetworkInterfaceIds": ["eni-a", "eni-b"],
        "DNSName": format!("{FS}.fsx.eu-west-1.amazonaws.com"),
        "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd",
        "ResourceARN": format!("arn:aws:fsx:eu-west-1:111122223333:file-system/{FS}"),
        "Tags": tags(),
        "OpenZFSConfiguration": {
            "AutomaticBackupRetentionDays": 30,
            "CopyTagsToBackups": true,
            "CopyTagsToVolumes": false,
            "DailyAutomaticBackupStartTime": "02:30",
            "DeploymentType": "MULTI_AZ_1",
            "ThroughputCapacity": 160,
            "WeeklyMaintenanceStartTime": "7:04:30",
            "DiskIopsConfiguration": { "Mode": "AUTOMATIC", "Iops": 300 },
            "RootVolumeId": ROOT,
            "PreferredSubnetId": "subnet-b",
            "EndpointIpAddressRange": "10.0.255.240/28",
            "EndpointIpAddress": "10.0.255.250",
            "RouteTableIds": ["rtb-0b000000", "rtb-0a000000"],
        },
    })
}

/// One with other configuration.
fn configured(mut shown: Json, change: Json) -> Json {
    shown["OpenZFSConfiguration"] = with(shown["OpenZFSConfiguration"].take(), change);
    shown
}

/// A change that FSx has accepted, with the values that it will have.
#[expect(clippy::needless_pass_by_value, reason = "cases read better as json!({…})")]
fn under_way(status: &str, target: Json) -> Json {
    json!({ "AdministrativeActions": [
        { "AdministrativeActionType": "STORAGE_OPTIMIZATION", "Status": "IN_PROGRESS", "ProgressPercent": 3 },
        {
            "AdministrativeActionType": "FILE_SYSTEM_UPDATE",
            "RequestTime": 1_763_884_900.0,
            "Status": status,
            "TargetFileSystemValues": target,
        },
    ] })
}

/// The root volume as FSx describes it.
fn root_shown() -> Json {
    json!({
        "CreationTime": 1_763_884_800.0,
        "FileSystemId": FS,
        "Lifecycle": "AVAILABLE",
        "Name": "fsx",
        "VolumeId": ROOT,
        "VolumeType": "OPENZFS",
        "OpenZFSConfiguration": {
            "VolumePath": "/fsx",
            "RecordSizeKiB": 128,
            "DataCompressionType": "LZ4",
            "ReadOnly": false,
            "NfsExports": [{ "ClientConfigurations": [{
                "Clients": "10.0.0.0/16",
                "Options": ["no_root_squash", "rw", "sync", "crossmnt"],
            }] }],
        },
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
    ("DescribeFileSystems", (200, json!({ "FileSystems": shown })))
}

fn volumes(shown: &[Json]) -> (&'static str, Canned) {
    ("DescribeVolumes", (200, json!({ "Volumes": shown })))
}

fn in_group(group: &'static str) -> (&'static str, Canned) {
    interfaces(&[("eni-a", &[group]), ("eni-b", &[group])])
}

/// What an observation of one file system reads.
fn world(shown: Json) -> Vec<(&'static str, Canned)> {
    vec![file_systems(&[shown]), volumes(&[root_shown()]), in_group("sg-1")]
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

#[test]
fn the_declaration_fits_what_is_rendered_and_observed() {
    let declared = kinds::file_system();
    let modelled: Vec<_> = declared.model.outputs.iter().map(|(name, _)| *name).collect();
    assert_eq!(modelled, declared.outputs);
    assert!(declared.data.is_kept() && declared.final_copy);
    assert_eq!(declared.restores_from, Some("/backup"));
    let full = with(full_spec(), json!({ "backup": "backup-1" }));
    for key in full.as_object().unwrap().keys() {
        let path = format!("/{key}");
        assert!(declared.fields.iter().any(|rule| rule.path == path), "no rule for {path}");
    }
    let decided_once = [
        "deployment",
        "multi_az",
        "subnets",
        "preferred_subnet",
        "endpoint_range",
        "kms_key_id",
        "backup",
    ];
    for rule in &declared.fields {
        assert!(full.pointer(&rule.path).is_some(), "{} is in no specification", rule.path);
        let replaces = decided_once.contains(&rule.path.trim_start_matches('/'));
        assert_eq!(rule.effect == Effect::Replace, replaces, "{}", rule.path);
    }
}
