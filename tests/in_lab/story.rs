//! From nothing to nothing: what the README promises, on real programs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{down, example, items, text};
use crate::harness::{Lab, Plan, Status};

const NAME: &str = "story";

#[test]
fn up_nothing_to_do_status_and_down_to_the_network_that_was_there() {
    let lab = Lab::new();
    let before = lab.dump(&["ec2", "efs", "rds"]);
    let program = lab.program(&example(NAME));
    program.run(&["plan", "--detailed-exitcode"]).exits(2);
    program.up();

    let outcome = program.run(&["plan", "--detailed-exitcode", "--output", "json"]).exits(0);
    Plan::of(&outcome).is_noop();
    every_zone_has_its_pod_on_its_own_volume(&lab);
    let status = Status::of(&program.run(&["status", "--output", "json"]).exits(0));
    insta::assert_snapshot!(status.lines());
    let outputs = program.run(&["outputs"]).exits(0).stdout;
    let service = lab.kubernetes.get(&format!("/api/v1/namespaces/{NAME}/services/gitlab"));
    let balancer = text(&service["status"]["loadBalancer"]["ingress"][0]["hostname"]);
    assert!(outputs.contains(balancer), "{balancer} is not in\n{outputs}");

    down(&lab, &program, NAME);
    let mut after = lab.dump(&["ec2", "efs", "rds"]);
    // What a deleted database leaves: a final snapshot, and nothing else.
    let mut before = before;
    let [had, has] = [&mut before, &mut after].map(|dump| dump["rds"]["snapshots"].take());
    let new = items(&has).iter().filter(|snapshot| !items(&had).contains(snapshot));
    let new: Vec<&str> = new.map(|snapshot| text(&snapshot["DBInstanceIdentifier"])).collect();
    assert_eq!(new, [format!("{NAME}-db")]);
    for service in ["ec2", "efs", "rds"] {
        assert_same(service, &before[service], &after[service]);
    }
    let left = left_in_the_cluster(&lab, NAME);
    assert_eq!(left, Vec::<String>::new());
    program.run(&["down", "--yes"]).exits(0);
}

#[test]
fn down_keeps_the_data_and_a_new_up_takes_it_up_again() {
    const NAME: &str = "keeper";
    let lab = Lab::new();
    let network = lab.dump(&["ec2"]);
    let program = lab.program(&example(NAME));
    program.up();
    let kept = |lab: &Lab| {
        let dump = lab.dump(&["efs", "rds"]);
        let systems = items(&dump["efs"]).iter();
        let instances = items(&dump["rds"]["instances"]).iter();
        let systems = systems.map(|one| text(&one["FileSystemId"]).to_owned());
        let instances = instances.map(|one| text(&one["DBInstanceIdentifier"]).to_owned());
        systems.chain(instances).collect::<Vec<String>>()
    };
    let secret = |lab: &Lab, name: &str| {
        let path = format!("/api/v1/namespaces/{NAME}/secrets/{name}");
        lab.kubernetes.get(&path)["data"].take()
    };
    let data = kept(&lab);
    assert_eq!(data.len(), 2, "{data:?}");
    let keys = secret(&lab, "gitlab-secrets");
    let password = secret(&lab, &format!("{NAME}-db"));

    let outcome = program.run(&["down", "--yes"]).exits(0);
    assert_eq!(kept(&lab), data);
    for name in &data {
        assert!(outcome.stderr.contains(name), "where {name} is must be said: {outcome}");
    }
    let mounted = &lab.dump(&["efs"])["efs"][0]["MountTargets"];
    assert_eq!(items(mounted).len(), 0, "mount targets hold no data: {mounted:#}");
    assert_eq!(secret(&lab, "gitlab-secrets"), keys, "without its keys the data cannot be read");

    let plan = program.plan();
    assert!(plan.ids("refuse").is_empty(), "{}", plan.changes());
    for id in ["data/file-system", "db/instance", "gitlab/secrets", "db/password"] {
        assert!(plan.ids("adopt").contains(&id), "{id} must be adopted:\n{}", plan.changes());
    }
    program.up();
    assert_eq!(kept(&lab), data);
    assert_eq!(secret(&lab, "gitlab-secrets"), keys);
    assert_eq!(secret(&lab, &format!("{NAME}-db")), password);
    program.plan().is_noop();
    down(&lab, &program, NAME);
    assert_same("ec2", &network["ec2"], &lab.dump(&["ec2"])["ec2"]);
}

/// The scheduler has placed one GitLab pod in each zone, and each mounts its own zone's volume.
#[track_caller]
fn every_zone_has_its_pod_on_its_own_volume(lab: &Lab) {
    let kubernetes = &lab.kubernetes;
    let zone_of: BTreeMap<String, String> = kubernetes
        .list("/api/v1/nodes")
        .iter()
        .map(|node| {
            let zone = &node["metadata"]["labels"]["topology.kubernetes.io/zone"];
            (text(&node["metadata"]["name"]).to_owned(), text(zone).to_owned())
        })
        .collect();
    let volumes: BTreeMap<String, Value> = kubernetes
        .list("/api/v1/persistentvolumes")
        .into_iter()
        .map(|volume| (text(&volume["metadata"]["name"]).to_owned(), volume))
        .collect();
    let claims = format!("/api/v1/namespaces/{NAME}/persistentvolumeclaims");
    let mut zones = Vec::new();
    for pod in kubernetes.list(&format!("/api/v1/namespaces/{NAME}/pods")) {
        let name = text(&pod["metadata"]["name"]);
        if !name.starts_with("gitlab") {
            continue;
        }
        let zone = &zone_of[text(&pod["spec"]["nodeName"])];
        let ready = items(&pod["status"]["conditions"])
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
        assert!(ready, "{name} is not ready: {}", pod["status"]);
        let mounted = items(&pod["spec"]["volumes"]).iter();
        let mounted: Vec<&str> =
            mounted.filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str()).collect();
        let [claim] = mounted[..] else { panic!("{name} mounts {mounted:?}") };
        let claim = kubernetes.get(&format!("{claims}/{claim}"));
        assert_eq!(claim["status"]["phase"], "Bound", "{claim:#}");
        let volume = &volumes[text(&claim["spec"]["volumeName"])];
        let server = text(&volume["spec"]["nfs"]["server"]);
        assert!(server.starts_with(&format!("{zone}.fs-")), "{name} in {zone} mounts {server}");
        zones.push(zone.clone());
    }
    zones.sort();
    assert_eq!(zones, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
}

/// What there is of a stack, by kind and name.
fn left_in_the_cluster(lab: &Lab, stack: &str) -> Vec<String> {
    let mut left = Vec::new();
    for path in [
        "/api/v1/persistentvolumes",
        "/api/v1/persistentvolumeclaims",
        "/api/v1/configmaps",
        "/api/v1/secrets",
        "/api/v1/services",
        "/apis/apps/v1/deployments",
        "/apis/coordination.k8s.io/v1/leases",
        "/apis/networking.k8s.io/v1/networkpolicies",
        "/apis/policy/v1/poddisruptionbudgets",
    ] {
        let of_stack = |object: &&Value| {
            let meta = &object["metadata"];
            meta["namespace"] == stack || text(&meta["name"]).starts_with(&format!("{stack}-"))
        };
        let objects = lab.kubernetes.list(path);
        let found = objects.iter().filter(of_stack);
        left.extend(found.map(|object| format!("{path}/{}", text(&object["metadata"]["name"]))));
    }
    left
}

/// Compares kind by kind, so that a difference can be read.
#[track_caller]
fn assert_same(service: &str, before: &Value, after: &Value) {
    let kinds = before.as_object().into_iter().flatten();
    for (kind, was) in kinds {
        let (was, is) = (format!("{was:#}"), format!("{:#}", after[kind]));
        assert!(was == is, "{service} {kind} was\n{was}\nand is\n{is}");
    }
    assert_eq!(before, after, "{service}");
}
