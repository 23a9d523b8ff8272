//! ElastiCache in the place of the one Redis: one word of the example. Its life, and what changes of it do.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{EXAMPLE, Program, replaced, without_ids};
use crate::sandbox::world;

const REDIS: &str = "{ use: redis }";
const ELASTICACHE: &str = "{ use: elasticache }";
const KINDS: [&str; 3] = [
    "aws.elasticache.parameter-group",
    "aws.elasticache.replication-group",
    "aws.elasticache.subnet-group",
];

/// The example with ElastiCache, with these settings.
#[track_caller]
fn stack(with: &str) -> String {
    replaced(EXAMPLE, REDIS, &format!("{{ use: elasticache, with: {{ {with} }} }}"))
}

#[track_caller]
fn program(stack: &str) -> Program {
    // The sandbox has three zones, whatever the file names.
    Program::in_sandbox(stack).option("--sandbox-zones").option("3")
}

/// All resources of the sandbox.
fn resources(program: &Program) -> Vec<Value> {
    let world = world(&program.folder.read("sandbox.json"));
    world["resources"].as_array().unwrap().clone()
}

/// The resources of one kind.
fn of_kind(program: &Program, kind: &str) -> Vec<Value> {
    let found = resources(program).into_iter();
    found.filter(|resource| resource["kind"] == kind).collect()
}

#[test]
fn one_word_brings_it_up_and_after_that_there_is_nothing_to_do() {
    let program = program(&replaced(EXAMPLE, REDIS, ELASTICACHE));
    let plan = program.plan();
    // GitLab supports ElastiCache, and it is no single point of failure.
    assert!(!plan.advisories().contains(&"single-redis"), "{:?}", plan.advisories());
    let advisories: BTreeSet<&str> = plan.advisories().into_iter().collect();
    assert_eq!(
        advisories,
        BTreeSet::from(["git-on-nfs", "nfs-client-on-nodes", "plain-http", "shared-gitaly"])
    );
    program.up();
    program.plan().is_noop();
    for kind in KINDS {
        assert_eq!(of_kind(&program, kind).len(), 1, "{kind}");
    }
    let [group] = of_kind(&program, KINDS[1]).try_into().unwrap();
    assert_snapshot!(without_ids(&format!("{:#}", group["spec"])));
}

/// GitLab gets the primary's name, which stays over failovers, and no label that a network policy would ask for.
#[test]
fn gitlab_is_given_the_primary_endpoint() {
    let program = program(&replaced(EXAMPLE, REDIS, ELASTICACHE));
    program.up();
    let deployments = of_kind(&program, "k8s.apps/v1.Deployment");
    assert_eq!(deployments.len(), 3);
    for deployment in &deployments {
        let template = &deployment["spec"]["spec"]["template"];
        let environment = template["spec"]["containers"][0]["env"].as_array().unwrap();
        let value = |name: &str| {
            environment.iter().find(|entry| entry["name"] == name).unwrap()["value"].clone()
        };
        let host = value("REDIS_HOST");
        let host = host.as_str().unwrap();
        assert!(host.starts_with("git-cache.") && host.ends_with(".cache.amazonaws.com"), "{host}");
        assert_eq!(value("REDIS_PORT"), "6379");
        let labels = template["metadata"]["labels"].as_object().unwrap();
        assert!(!labels.keys().any(|label| label.contains("client-of")), "{labels:?}");
    }
    let policies = of_kind(&program, "k8s.networking.k8s.io/v1.NetworkPolicy");
    assert!(policies.iter().all(|policy| policy["spec"]["metadata"]["name"] != "cache"));
}

#[test]
fn down_keeps_it_and_up_takes_it_up_again() {
    let program = program(&replaced(EXAMPLE, REDIS, ELASTICACHE));
    program.up();
    let before = of_kind(&program, KINDS[1]);
    program.run(&["down", "--yes"]).exits(0).says(&["aws.elasticache.replication-group git-cache"]);
    assert_eq!(of_kind(&program, KINDS[1]).len(), 1);
    let plan = program.plan();
    assert!(plan.ids("adopt").contains(&"cache/replication-group"), "{}", plan.changes());
    program.up();
    program.plan().is_noop();
    let after = of_kind(&program, KINDS[1]);
    assert_eq!(after[0]["remote_id"], before[0]["remote_id"]);
}

#[test]
fn down_with_the_data_leaves_a_snapshot_and_nothing_else() {
    let program = program(&replaced(EXAMPLE, REDIS, ELASTICACHE));
    program.up();
    let data = ["data", "db", "cache"].map(|name| ["--delete-data", name]).concat();
    let down = [vec!["down", "--yes"], data].concat();
    program.run(&down).exits(0).says(&["leaves the snapshot git-cache-"]);
    assert_eq!(resources(&program), Vec::<Value>::new());
}

/// What the plan says after a change; then the change is made, unless it is refused.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    let program = program(from);
    program.up();
    program.stack(to);
    let plan = program.plan();
    let changes = plan.changes();
    if plan.ids("refuse").is_empty() {
        program.up();
        program.plan().is_noop();
    }
    changes
}

#[test]
fn a_larger_class() {
    assert_snapshot!(changed(&stack(""), &stack("class: cache.m7g.xlarge")));
}

#[test]
fn a_replica_less_and_longer_backups() {
    assert_snapshot!(changed(&stack(""), &stack("replicas: 1, backup: { days: 14 }")));
}

/// Another major version has other parameters: the group goes when the replication group has moved.
#[test]
fn a_newer_major_version() {
    assert_snapshot!(changed(&stack(""), &stack("version: \"9.0\"")));
}

#[test]
fn what_is_decided_once_is_refused() {
    assert_snapshot!(changed(&stack(""), &stack("engine: redis, encrypted: false, port: 6380")));
    assert_snapshot!(changed(&stack(""), &stack("version: \"8.0\"")));
}

#[test]
fn a_zone_more_has_a_replica_more() {
    let two = |text: &str| {
        let zones = "region: eu-west-1\nzones: [eu-west-1a, eu-west-1b]";
        replaced(text, "region: eu-west-1", zones)
    };
    let changes = changed(&two(&stack("")), &stack(""));
    let own: Vec<&str> = changes
        .split_inclusive('\n')
        .skip_while(|line| !line.contains("cache/"))
        .filter(|line| line.starts_with("  ") || line.contains("cache/"))
        .take(4)
        .collect();
    assert_snapshot!(own.concat());
}

#[test]
fn one_zone_is_refused() {
    let program = Program::in_sandbox(&stack("")).option("--sandbox-zones").option("1");
    let outcome = program.run(&["up", "--yes"]).exits(1);
    outcome.says(&["a failover to another zone needs at least two zones"]);
}

/// The image speaks plain Redis only: what it cannot reach is refused before anything is made.
#[test]
fn gitlab_is_refused_what_it_cannot_speak() {
    for with in ["tls: required", "tls: required, auth: true"] {
        let program = program(&stack(with));
        program.run(&["validate"]).exits(1).says(&["redis-access", "the cache asks for TLS"]);
    }
    program(&stack("tls: preferred")).run(&["validate"]).exits(0);
}

/// A client of one's own may speak TLS and give a password. Nobody else is told it.
#[test]
fn a_password_is_generated_once_and_told_nowhere() {
    let head = EXAMPLE.split("components:").next().unwrap();
    let text = format!(
        "{head}components:\n  cache: {{ use: elasticache, with: {{ tls: required, auth: true }} }}\n"
    );
    let program = program(&text);
    let up = program.up();
    program.plan().is_noop();
    let outputs = program.run(&["outputs"]).exits(0);
    outputs.says(&["Secret git/git-cache, key token", "git-cache."]);
    let secret = of_kind(&program, "k8s.v1.Secret")
        .into_iter()
        .find(|found| found["spec"]["metadata"]["name"] == "git-cache")
        .unwrap();
    let [group] = of_kind(&program, KINDS[1]).try_into().unwrap();
    assert_eq!(group["spec"]["auth_token"]["$secret"]["secret"]["name"], "git-cache");
    let value = secret["spec"]["stringData"]["token"].as_str();
    if let Some(value) = value {
        assert!(!format!("{up}").contains(value));
    }
}

/// Data from another replication group: the snapshot is named when it is made, and has no meaning afterwards.
#[test]
fn it_is_filled_from_a_snapshot_when_it_is_made() {
    let program = program(&stack("fromSnapshot: old-final"));
    program.up();
    let [group] = of_kind(&program, KINDS[1]).try_into().unwrap();
    assert_eq!(group["spec"]["snapshot"], "old-final");
    program.stack(stack(""));
    program.plan().is_noop();
}
