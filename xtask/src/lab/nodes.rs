//! The Node objects: what kubelets and the cloud's controller would say of the emulator's instances.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::{Api, ApiError};
use super::network::{Instance, REGION, Role};
use super::process::{Process, ProcessError};

const READY: Duration = Duration::from_mins(1);

/// Creates the Node of each instance; since kOps 1.24 a node has its instance's id for a name.
pub(crate) fn create<'a>(
    api: &Api,
    instances: impl IntoIterator<Item = &'a Instance>,
) -> Result<(), ApiError> {
    instances.into_iter().try_for_each(|instance| api.create("/api/v1/nodes", &node(instance)))
}

/// Deletes the Node of an instance that is gone.
pub(crate) fn delete(api: &Api, instance: &Instance) -> Result<(), ApiError> {
    api.delete(&format!("/api/v1/nodes/{}", instance.id))
}

/// How many nodes are ready, and how many there are.
pub(crate) fn count_ready(api: &Api) -> Result<(usize, usize), ApiError> {
    let nodes = api.get("/api/v1/nodes")?;
    let items = nodes["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok((items.iter().filter(|node| is_usable(node)).count(), items.len()))
}

/// Waits until the nodes of a zone are ready, and may be scheduled on. `kwok` is the process that makes them so.
pub(crate) fn wait_until_ready(
    api: &Api,
    zone: &str,
    name: &str,
    kwok: &Process,
) -> Result<(), ProcessError> {
    let path = format!("/api/v1/nodes?labelSelector=topology.kubernetes.io%2Fzone%3D{zone}");
    kwok.ready(name, READY, || {
        let nodes = api.get(&path).ok()?;
        nodes["items"].as_array()?.iter().all(is_usable).then_some(())
    })
}

/// Ready, and without the taint that every node has until the controller manager has seen that.
fn is_usable(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array().map(Vec::as_slice);
    let ready = conditions
        .unwrap_or_default()
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let taints = node["spec"]["taints"].as_array().map(Vec::as_slice).unwrap_or_default();
    let passing = |taint: &Value| {
        taint["key"].as_str().is_some_and(|key| key.starts_with("node.kubernetes.io/"))
    };
    ready && !taints.iter().any(passing)
}

fn node(instance: &Instance) -> Value {
    let mut labels = json!({
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": instance.id,
        "kubernetes.io/os": "linux",
        "kops.k8s.io/instancegroup": instance.group,
        "node.kubernetes.io/instance-type": instance.machine,
        "topology.kubernetes.io/region": REGION,
        "topology.kubernetes.io/zone": instance.zone,
    });
    let (role, taints) = match instance.role {
        Role::Node => ("node-role.kubernetes.io/node", json!([])),
        Role::ControlPlane => (
            "node-role.kubernetes.io/control-plane",
            json!([{ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }]),
        ),
    };
    labels[role] = json!("");
    let resources =
        json!({ "cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "120Gi" });
    let dns = format!("ip-{}.{REGION}.compute.internal", instance.private_ip.replace('.', "-"));
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": instance.id,
            "labels": labels,
            "annotations": { "kwok.x-k8s.io/node": "fake" },
        },
        "spec": {
            "providerID": format!("aws:///{}/{}", instance.zone, instance.id),
            "taints": taints,
        },
        "status": {
            "allocatable": resources,
            "capacity": resources,
            "addresses": [
                { "type": "InternalIP", "address": instance.private_ip },
                { "type": "InternalDNS", "address": dns },
                { "type": "Hostname", "address": dns },
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "osImage": "Ubuntu 24.04.3 LTS",
                "kernelVersion": "6.14.0-1018-aws",
                "containerRuntimeVersion": "containerd://2.2.1",
                "kubeletVersion": "v1.36.2",
                "kubeProxyVersion": "v1.36.2",
                "machineID": instance.id,
                "systemUUID": instance.id,
                "bootID": instance.id,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(role: Role) -> Instance {
        Instance {
            id: "i-0123".to_owned(),
            zone: "eu-west-1b".to_owned(),
            role,
            group: "nodes-eu-west-1b".to_owned(),
            machine: "m7i.2xlarge".to_owned(),
            private_ip: "172.20.64.4".to_owned(),
        }
    }

    #[test]
    fn a_node_points_to_its_instance() {
        let node = node(&instance(Role::Node));
        assert_eq!(node["spec"]["providerID"], "aws:///eu-west-1b/i-0123");
        assert_eq!(node["metadata"]["labels"]["topology.kubernetes.io/zone"], "eu-west-1b");
        assert_eq!(node["spec"]["taints"], json!([]));
    }

    #[test]
    fn a_node_is_usable_when_it_is_ready_and_its_passing_taint_is_gone() {
        let mut node = node(&instance(Role::ControlPlane));
        assert!(!is_usable(&node));
        node["status"]["conditions"] = json!([{ "type": "Ready", "status": "True" }]);
        assert!(is_usable(&node));
        node["spec"]["taints"] = json!([{ "key": "node.kubernetes.io/not-ready" }]);
        assert!(!is_usable(&node));
    }
}
