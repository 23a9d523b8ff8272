use serde_json::json;

use super::*;
use crate::scripted::{list, not_found, refusal, server};

fn node_object(name: &str, zone: &str, labels: &Json) -> Json {
    let mut node = json!({
        "metadata": { "name": name, "labels": labels },
        "spec": { "providerID": format!("aws:///{zone}/i-{name}") },
        "status": {
            "allocatable": { "cpu": "1930m", "memory": "7134420Ki" },
            "conditions": [{ "type": "Ready", "status": "True" }],
            "nodeInfo": { "osImage": "Ubuntu 24.04.1 LTS", "architecture": "amd64" },
        },
    });
    node["metadata"]["labels"][ZONE] = json!(zone);
    node
}

#[tokio::test]
async fn an_api_server_that_is_busy_for_a_moment_is_asked_again() {
    let (client, calls) = server(vec![
        ("GET /version", 503, refusal(503, "ServiceUnavailable", "the server is shutting down")),
        ("GET /version", 429, refusal(429, "TooManyRequests", "too many requests")),
        ("GET /version", 200, json!({ "gitVersion": "v1.36.2" })),
        ("GET /api/v1/nodes", 200, list(&[])),
        ("GET /api/v1/namespaces/dev", 404, not_found()),
        ("GET /apis/storage.k8s.io/v1/csidrivers/efs.csi.aws.com", 404, not_found()),
        ("GET /apis/networking.k8s.io/v1/ingressclasses/alb", 200, json!({})),
    ]);
    let survey = KubernetesCluster::new(client).survey("dev").await.unwrap();
    assert_eq!(survey.version, "v1.36.2");
    assert_eq!(calls.lines().len(), 7);
}

#[tokio::test]
async fn a_cluster_is_read_in_five_calls() {
    let namespace = json!({ "metadata": { "labels": { POD_SECURITY: "baseline" } } });
    let control_plane = json!({ "node-role.kubernetes.io/control-plane": "" });
    let nodes = [
        node_object("b", "eu-west-1b", &json!({ "kubernetes.io/arch": "arm64" })),
        node_object("a", "eu-west-1a", &control_plane),
    ];
    let (client, calls) = server(vec![
        ("GET /api/v1/nodes", 200, list(&nodes)),
        ("GET /version", 200, json!({ "gitVersion": "v1.36.2" })),
        ("GET /api/v1/namespaces/dev", 200, namespace),
        ("GET /apis/storage.k8s.io/v1/csidrivers/efs.csi.aws.com", 404, not_found()),
        ("GET /apis/networking.k8s.io/v1/ingressclasses/alb", 200, json!({})),
    ]);
    let survey = KubernetesCluster::new(client).survey("dev").await.unwrap();
    assert_eq!(calls.lines().len(), 5);
    insta::assert_debug_snapshot!(survey);
}

#[tokio::test]
async fn what_may_not_be_read_counts_as_not_installed_but_nodes_must_be_readable() {
    let forbidden = || refusal(403, "Forbidden", "User \"ann\" cannot get it");
    let optional = |nodes: (u16, Json)| {
        vec![
            ("GET /api/v1/nodes", nodes.0, nodes.1),
            ("GET /version", 200, json!({ "gitVersion": "v1.36.2" })),
            ("GET /api/v1/namespaces/dev", 404, not_found()),
            ("GET /apis/storage.k8s.io/v1/csidrivers/efs.csi.aws.com", 403, forbidden()),
            ("GET /apis/networking.k8s.io/v1/ingressclasses/alb", 404, not_found()),
            (
                "GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/aws-load-balancer-webhook",
                403,
                forbidden(),
            ),
        ]
    };
    let (client, _) = server(optional((200, list(&[]))));
    let survey = KubernetesCluster::new(client).survey("dev").await.unwrap();
    assert!(!survey.efs_csi_driver && !survey.load_balancer_controller && !survey.namespace_exists);

    let (client, _) = server(optional((403, forbidden())));
    let error = KubernetesCluster::new(client).survey("dev").await.unwrap_err();
    assert_eq!(error.message, "list nodes: User \"ann\" cannot get it");
}

#[test]
fn instances_are_read_from_provider_ids() {
    let id = |text: &str| instance(text);
    assert_eq!(id("aws:///eu-west-1a/i-0123456789abcdef0").as_deref(), Some("i-0123456789abcdef0"));
    assert_eq!(id("aws:///eu-west-1a/4f1c-x/fargate-ip-10-0-0-1.eu-west-1.compute.internal"), None);
    assert_eq!(id("kwok://a"), None);
    assert_eq!(id("gce://p/z/i-1"), None);
}

#[test]
fn a_node_takes_pods_when_it_is_ready_open_and_untainted() {
    let good = node_object("a", "eu-west-1a", &json!({}));
    assert!(is_schedulable(&good));
    let changed = |pointer: &str, value: Json| {
        let mut node = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        node.pointer_mut(parent).unwrap()[key] = value;
        is_schedulable(&node)
    };
    assert!(!changed("/spec/unschedulable", json!(true)));
    assert!(!changed("/spec/taints", json!([{ "key": "gpu", "effect": "NoSchedule" }])));
    assert!(changed("/spec/taints", json!([{ "key": "gpu", "effect": "PreferNoSchedule" }])));
    assert!(!changed("/status/conditions", json!([{ "type": "Ready", "status": "Unknown" }])));
}
