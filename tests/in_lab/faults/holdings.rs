//! What belongs to a stack, in AWS and in the cluster: a line for each thing, without what differs from run to run.

use serde_json::Value;

use crate::harness::{Console, Kubernetes, without_ids};

use super::super::text;

/// The kinds with the stack's label.
const CLUSTER_WIDE: [&str; 2] = ["/api/v1/namespaces", "/api/v1/persistentvolumes"];

/// The kinds of which only the stack has any in its namespace.
const IN_NAMESPACE: [(&str, &str); 8] = [
    ("/api/v1", "configmaps"),
    ("/api/v1", "persistentvolumeclaims"),
    ("/api/v1", "secrets"),
    ("/api/v1", "services"),
    ("/apis/apps/v1", "deployments"),
    ("/apis/networking.k8s.io/v1", "networkpolicies"),
    ("/apis/policy/v1", "poddisruptionbudgets"),
    ("/apis/coordination.k8s.io/v1", "leases"),
];

/// Everything, sorted by kind and name. What the test itself has made, and what Kubernetes puts into every namespace, is none
/// of it.
pub(super) fn of(console: &mut Console, kubernetes: &Kubernetes, stack: &str) -> Vec<String> {
    let mut lines = console.holdings(stack);
    for path in CLUSTER_WIDE {
        let labelled = format!("{path}?labelSelector=zonestack.io%2Fstack%3D{stack}");
        lines.extend(kubernetes.list(&labelled).iter().map(|object| named(path, object)));
    }
    for (group, plural) in IN_NAMESPACE {
        let objects = kubernetes.list(&format!("{group}/namespaces/{stack}/{plural}"));
        let lines_of = objects.iter().map(|object| named(plural, object));
        lines.extend(lines_of.filter(|line| line != "configmaps kube-root-ca.crt"));
    }
    lines.into_iter().map(|line| without_ids(&line.replace(stack, "NAME"))).collect()
}

fn named(path: &str, object: &Value) -> String {
    let plural = path.rsplit('/').next().unwrap_or_default();
    let ending = match object["metadata"]["deletionTimestamp"] {
        Value::Null => "",
        _ => " (ending)",
    };
    format!("{plural} {}{ending}", text(&object["metadata"]["name"]))
}
