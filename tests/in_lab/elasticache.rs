//! ElastiCache, as far as an emulator has it. MiniStack has more of it than moto, which makes one node of any number and cannot
//! delete a subnet group. What MiniStack lacks is tested on the wire only (`crates/plugin-elasticache/src/driver`):
//!
//! - It makes no final snapshot: `down` must say that the copy is missing, and does here.
//! - IncreaseReplicaCount knows no zones and DecreaseReplicaCount no ids: replicas stay as many as they were.
//! - ModifyReplicationGroup forgets versions, maintenance windows, security groups and encryption on the way.
//! - Everything is available at once, tags can always be read, nothing waits for a window, and a class that does not exist
//!   passes.

use serde_json::{Value, json};

use super::{example, items, only, text};
use crate::harness::{Emulator, Lab, Program, replaced};

const NAME: &str = "elasticache";

#[test]
fn a_replication_group_is_made_changed_and_deleted() {
    let lab = Lab::with(Emulator::MiniStack);
    let subnets: Vec<String> = lab.private_subnets().into_values().collect();
    let network = format!(
        "region: eu-west-1\nnetwork: {{ vpc: {}, subnets: [{}], securityGroups: [{}] }}",
        lab.network()["vpc"].as_str().unwrap(),
        subnets.join(", "),
        lab.node_group(),
    );
    let stack = replaced(&example(NAME), "region: eu-west-1", &network);
    // MiniStack forgets which logs of a database were asked for.
    let stack = replaced(&stack, "{ use: rds }", "{ use: rds, with: { logs: [] } }");
    let stack = replaced(&stack, "{ use: redis }", "{ use: elasticache, with: { } }");
    let program = lab.program(&stack);
    program.up();
    program.plan().is_noop();
    as_asked(&lab, &subnets);
    changes(&lab, &program, &stack);
    end(&lab, &program);
}

/// What AWS holds, field by field.
fn as_asked(lab: &Lab, subnets: &[String]) {
    let dump = lab.dump(&["elasticache"])["elasticache"].take();
    let group = only(&dump["replicationGroups"]);
    for (key, value) in json!({
        "ReplicationGroupId": "elasticache-cache",
        "Engine": "valkey",
        "CacheNodeType": "cache.m7g.large",
        "AutomaticFailover": "enabled",
        "MultiAZ": "enabled",
        "ClusterEnabled": false,
        "SnapshotRetentionLimit": 7,
        "AuthTokenEnabled": false,
        "TransitEncryptionEnabled": false,
        "AtRestEncryptionEnabled": true,
        "AutoMinorVersionUpgrade": true,
    })
    .as_object()
    .unwrap()
    {
        assert_eq!(&group[key], value, "{key} of {group:#}");
    }
    let members = items(&group["NodeGroups"][0]["NodeGroupMembers"]).iter();
    let zones: Vec<&str> = members.map(|one| text(&one["PreferredAvailabilityZone"])).collect();
    assert_eq!(zones, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
    let tag = |key: &str| {
        let tags = items(&group["Tags"]).iter();
        tags.clone().find(|tag| tag["Key"] == key).map(|tag| text(&tag["Value"]).to_owned())
    };
    assert_eq!(tag("Name").as_deref(), Some("elasticache-cache"));
    assert_eq!(tag("zonestack:stack").as_deref(), Some(NAME));
    assert_eq!(tag("zonestack:node").as_deref(), Some("cache/replication-group"));

    assert_eq!(items(&dump["clusters"]).len(), 3);
    for cluster in items(&dump["clusters"]) {
        assert_eq!(cluster["EngineVersion"], "8.1");
        assert_eq!(cluster["CacheSubnetGroupName"], "elasticache-cache");
        let parameters = &cluster["CacheParameterGroup"]["CacheParameterGroupName"];
        assert_eq!(parameters, "elasticache-cache-valkey8");
        assert_eq!(items(&cluster["SecurityGroups"]).len(), 1, "{cluster:#}");
    }
    let parameters = only(&dump["parameterGroups"]);
    assert_eq!(parameters["CacheParameterGroupFamily"], "valkey8");
    assert_eq!(parameters["Parameters"], json!({"maxmemory-policy": "noeviction"}));
    let group = only(&dump["subnetGroups"]);
    let mut held: Vec<&str> =
        items(&group["Subnets"]).iter().map(|one| text(&one["SubnetIdentifier"])).collect();
    let mut asked: Vec<&str> = subnets.iter().map(String::as_str).collect();
    held.sort_unstable();
    asked.sort_unstable();
    assert_eq!(held, asked);
}

/// In place, and back.
fn changes(lab: &Lab, program: &Program, stack: &str) {
    let with = "class: cache.m7g.xlarge, backup: { days: 14, window: 03:00-04:00 }, parameters: { timeout: 300 }";
    program.stack(replaced(stack, "with: { }", &format!("with: {{ {with} }}")));
    let plan = program.plan();
    let expected = ["cache/parameter-group-valkey8", "cache/replication-group"];
    assert_eq!(plan.ids("update"), expected, "{}", plan.changes());
    program.up();
    let dump = lab.dump(&["elasticache"])["elasticache"].take();
    let group = only(&dump["replicationGroups"]);
    assert_eq!(group["CacheNodeType"], "cache.m7g.xlarge");
    assert_eq!(group["SnapshotRetentionLimit"], 14);
    assert_eq!(group["SnapshotWindow"], "03:00-04:00");
    let parameters = &only(&dump["parameterGroups"])["Parameters"];
    assert_eq!(parameters, &json!({"maxmemory-policy": "noeviction", "timeout": "300"}));
    program.plan().is_noop();
    program.stack(stack);
    program.up();
    program.plan().is_noop();
    let dump = lab.dump(&["elasticache"])["elasticache"].take();
    assert_eq!(only(&dump["replicationGroups"])["CacheNodeType"], "cache.m7g.large");
    let parameters = &only(&dump["parameterGroups"])["Parameters"];
    assert_eq!(parameters, &json!({"maxmemory-policy": "noeviction"}));
}

/// Nobody is told that data is safe before its copy was seen. What is left goes the next time.
fn end(lab: &Lab, program: &Program) {
    let data = ["data", "db", "cache"].map(|name| ["--delete-data", name]).concat();
    let down = [vec!["down", "--yes"], data].concat();
    program.run(&down).exits(1).says(&["its final copy elasticache-cache-", "is not there"]);
    program.run(&down).exits(0);
    let dump = lab.dump(&["elasticache"])["elasticache"].take();
    for kind in ["replicationGroups", "clusters", "parameterGroups", "subnetGroups"] {
        assert_eq!(dump[kind], Value::Array(Vec::new()), "{kind}");
    }
    lab.kubernetes.eventually("the end of the namespace", |kubernetes| {
        kubernetes.find(&format!("/api/v1/namespaces/{NAME}")).is_none().then_some(())
    });
}
