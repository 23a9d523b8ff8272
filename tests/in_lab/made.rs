//! What AWS and the cluster hold after `up`, field by field, against what was asked.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{down, items, only, text, up};
use crate::harness::Lab;

const NAME: &str = "made";

#[test]
fn aws_holds_what_was_asked() {
    let lab = Lab::new();
    let network = lab.dump(&["ec2"]);
    let program = up(&lab, NAME);
    let dump = lab.dump(&["ec2", "efs", "rds"]);
    file_system(&lab, &dump);
    database(&lab, &dump);
    nothing_else(&network["ec2"], &dump["ec2"]);
    cluster(&lab);
    manifests_are_accepted(&lab, &program.run(&["render"]).exits(0).stdout);
    down(&lab, &program, NAME);
}

/// The fields of `expected` and their values.
#[track_caller]
fn has(found: &Value, expected: &Value) {
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&found[key], value, "{key} of {found:#}");
    }
}

/// A tag's value, of either spelling of AWS.
#[track_caller]
fn tag<'a>(tags: &'a Value, key: &str) -> Option<&'a str> {
    items(tags).iter().find(|tag| tag["Key"] == key)?["Value"].as_str()
}

#[track_caller]
fn is_marked(tags: &Value, component: &str) {
    assert_eq!(tag(tags, "zonestack:stack"), Some(NAME), "{tags:#}");
    assert!(tag(tags, "zonestack:uid").is_some_and(|uid| uid.len() >= 8), "{tags:#}");
    let node = tag(tags, "zonestack:node").unwrap_or_default();
    assert!(node.starts_with(&format!("{component}/")), "{tags:#}");
}

fn file_system(lab: &Lab, dump: &Value) {
    let system = only(&dump["efs"]);
    has(
        system,
        &json!({
            "Encrypted": true,
            "PerformanceMode": "generalPurpose",
            "ThroughputMode": "elastic",
            "LifeCycleState": "available",
            "Backup": "ENABLED",
            "LifecyclePolicies": [],
        }),
    );
    is_marked(&system["Tags"], "data");
    let group = security_group(lab, dump, "data", 2049);
    let subnets = lab.private_subnets();
    let targets = items(&system["MountTargets"]);
    assert_eq!(targets.len(), 3);
    for target in targets {
        let zone = text(&target["AvailabilityZoneName"]);
        assert_eq!(target["SubnetId"], subnets[zone].as_str(), "{zone}");
        assert_eq!(target["SecurityGroups"], json!([group]), "{zone}");
    }
}

fn database(lab: &Lab, dump: &Value) {
    let instance = only(&dump["rds"]["instances"]);
    has(
        instance,
        &json!({
            "DBInstanceIdentifier": "made-db",
            "DBInstanceClass": "db.m7g.large",
            "Engine": "postgres",
            "DBName": "made_production",
            "MasterUsername": "made",
            "AllocatedStorage": 100,
            "MaxAllocatedStorage": 400,
            "StorageType": "gp3",
            "StorageEncrypted": true,
            "MultiAZ": true,
            "PubliclyAccessible": false,
            "DeletionProtection": true,
            "BackupRetentionPeriod": 14,
            "AutoMinorVersionUpgrade": true,
            "CopyTagsToSnapshot": true,
        }),
    );
    let version = text(&instance["EngineVersion"]);
    assert!(version == "17" || version.starts_with("17."), "{version}");
    let logs: BTreeSet<&str> =
        items(&instance["EnabledCloudwatchLogsExports"]).iter().map(text).collect();
    assert_eq!(logs, BTreeSet::from(["postgresql", "upgrade"]));
    is_marked(&instance["TagList"], "db");
    let group = security_group(lab, dump, "db", 5432);
    assert_eq!(only(&instance["VpcSecurityGroups"])["VpcSecurityGroupId"], group.as_str());
    let subnets = items(&instance["DBSubnetGroup"]["Subnets"]).iter();
    let subnets: BTreeSet<&str> = subnets.map(|one| text(&one["SubnetIdentifier"])).collect();
    let private = lab.private_subnets();
    assert_eq!(subnets, private.values().map(String::as_str).collect());
}

/// A component's own group: its port is open to the worker nodes, and to nobody else. Its id.
#[track_caller]
fn security_group(lab: &Lab, dump: &Value, component: &str, port: u16) -> String {
    let mut groups = items(&dump["ec2"]["securityGroups"]).iter().filter(|group| {
        let node = group.get("Tags").and_then(|tags| tag(tags, "zonestack:node"));
        node == Some(&format!("{component}/security-group"))
    });
    let (Some(group), None) = (groups.next(), groups.next()) else {
        panic!("not one group of {component}: {:#}", dump["ec2"]["securityGroups"]);
    };
    is_marked(&group["Tags"], component);
    let rule = only(&group["IpPermissions"]);
    has(
        rule,
        &json!({ "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [], "Ipv6Ranges": [] }),
    );
    assert_eq!(only(&rule["UserIdGroupPairs"])["GroupId"], lab.node_group());
    text(&group["GroupId"]).to_owned()
}

/// Invariant 8: nothing of the network has changed; two groups and three interfaces have come.
fn nothing_else(before: &Value, after: &Value) {
    for kind in ["instances", "internetGateways", "networkAcls", "routeTables", "volumes", "vpcs"] {
        assert_eq!(before[kind], after[kind], "{kind}");
    }
    // Only the number of free addresses differs: a mount target takes one.
    let without_count = |subnets: &Value| {
        let mut subnets = subnets.clone();
        for subnet in subnets.as_array_mut().unwrap() {
            subnet["AvailableIpAddressCount"].take();
        }
        subnets
    };
    assert_eq!(without_count(&before["subnets"]), without_count(&after["subnets"]));
    for (kind, id, come) in
        [("securityGroups", "GroupId", 2), ("networkInterfaces", "NetworkInterfaceId", 3)]
    {
        let (was, is) = (items(&before[kind]), items(&after[kind]));
        assert_eq!(is.len(), was.len() + come, "{kind}");
        for old in was {
            let new = is.iter().find(|new| new[id] == old[id]);
            assert_eq!(new, Some(old), "{kind}");
        }
    }
}

fn cluster(lab: &Lab) {
    let kubernetes = &lab.kubernetes;
    let namespaced = |path: &str, name: &str| {
        kubernetes.get(&path.replace('*', &format!("namespaces/{NAME}")).replace('@', name))
    };
    let service = namespaced("/api/v1/*/services/@", "gitlab");
    has(&service["spec"], &json!({ "type": "LoadBalancer" }));
    let ports: BTreeSet<u64> = items(&service["spec"]["ports"])
        .iter()
        .map(|port| port["port"].as_u64().unwrap())
        .collect();
    assert_eq!(ports, BTreeSet::from([22, 80]));

    for zone in ["eu-west-1a", "eu-west-1b", "eu-west-1c"] {
        let deployment = namespaced("/apis/apps/v1/*/deployments/@", &format!("gitlab-{zone}"));
        assert_eq!(deployment["spec"]["replicas"], 1);
        let pod = &deployment["spec"]["template"]["spec"];
        has(pod, &json!({ "enableServiceLinks": false, "automountServiceAccountToken": false }));
        assert_eq!(pod["nodeSelector"]["topology.kubernetes.io/zone"], zone);
        let container = only(&pod["containers"]);
        assert_eq!(container["image"], "sameersbn/gitlab:19.2.0");
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            assert!(container[probe].is_object(), "{probe}: {container:#}");
        }
        let environment = |name: &str| {
            let variables = items(&container["env"]);
            variables.iter().find(|one| one["name"] == name).unwrap_or(&Value::Null).clone()
        };
        assert_eq!(environment("GITLAB_HOST")["value"], "git.example.com");
        assert_eq!(environment("DB_NAME")["value"], "made_production");
        assert!(environment("DB_PASS")["valueFrom"]["secretKeyRef"].is_object());
        assert!(
            environment("DB_HOST")["value"].as_str().is_some_and(|host| host.contains("made-db"))
        );
    }
    let cache = namespaced("/apis/apps/v1/*/deployments/@", "cache");
    let arguments = items(&only(&cache["spec"]["template"]["spec"]["containers"])["args"]);
    assert!(arguments.iter().any(|one| one == "noeviction"), "{arguments:?}");

    let keys = namespaced("/api/v1/*/secrets/@", "gitlab-secrets");
    for key in ["GITLAB_SECRETS_DB_KEY_BASE", "GITLAB_SECRETS_OTP_KEY_BASE", "GITLAB_ROOT_PASSWORD"]
    {
        assert!(keys["data"][key].as_str().is_some_and(|value| value.len() > 16), "{key}");
    }
    // The inventory has ids, and no value of any secret.
    let inventory = namespaced("/api/v1/*/configmaps/@", "zonestack-made").to_string();
    assert!(inventory.contains("data/mount-target@eu-west-1b"), "{inventory}");
    for value in keys["data"].as_object().unwrap().values() {
        assert!(!inventory.contains(text(value)));
    }
}

/// What `render` prints is what the API server takes, with strict validation, and what is there already.
fn manifests_are_accepted(lab: &Lab, manifests: &str) {
    use serde::Deserialize;

    let mut count = 0;
    for document in serde_yaml::Deserializer::from_str(manifests) {
        let object = Value::deserialize(document).unwrap();
        let path = format!("{}?dryRun=All&force=true&fieldValidation=Strict", path(&object));
        let kind = "application/apply-patch+yaml";
        let (status, answer) = lab.kubernetes.patch(&path, "zonestack", kind, &object);
        assert_eq!(status, 200, "{path}: {answer:#}\n{object:#}");
        count += 1;
    }
    assert!(count >= 15, "{count} manifests");
}

/// Where an object lives in the API.
fn path(object: &Value) -> String {
    let kind = text(&object["kind"]);
    let plural = match kind {
        "NetworkPolicy" => "networkpolicies".to_owned(),
        other => format!("{}s", other.to_lowercase()),
    };
    let group = match text(&object["apiVersion"]) {
        "v1" => "/api/v1".to_owned(),
        other => format!("/apis/{other}"),
    };
    let name = text(&object["metadata"]["name"]);
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{group}/namespaces/{namespace}/{plural}/{name}"),
        None => format!("{group}/{plural}/{name}"),
    }
}
