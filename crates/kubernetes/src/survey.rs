//! Nodes, version and controllers of a cluster, in five calls: six where the AWS Load Balancer Controller is not installed
//! or has no IngressClass. Changes nothing.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use zonestack_core::discover::{ClusterReader, ClusterSurvey, NodeFacts, SurveyError};

use crate::api::{ApiServer, Detail};
use crate::failure::{ApiFailure, Call};
use crate::patience::patiently;
use crate::quantity::Quantity;

const POD_SECURITY: &str = "pod-security.kubernetes.io/enforce";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Labels of nodes that run the control plane; the last is kOps's for API servers of their own.
const CONTROL_PLANE: [&str; 3] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "node-role.kubernetes.io/api-server",
];

const EFS_DRIVER: &str = "/apis/storage.k8s.io/v1/csidrivers/efs.csi.aws.com";

/// What the AWS Load Balancer Controller brings (domain.md, 6.7). The class may be switched off, the webhook is what acts
/// on Services; a caller is more often allowed to read the class.
const LOAD_BALANCER_SIGNS: [&str; 2] = [
    "/apis/networking.k8s.io/v1/ingressclasses/alb",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/aws-load-balancer-webhook",
];

/// Reads a cluster.
pub struct KubernetesCluster {
    api: ApiServer,
}

impl KubernetesCluster {
    /// A reader of the cluster of a client.
    pub fn new(client: kube::Client) -> Self {
        Self { api: ApiServer::new(client) }
    }

    async fn read(&self, namespace: &str) -> Result<ClusterSurvey, SurveyError> {
        let namespace_path = format!("/api/v1/namespaces/{namespace}");
        let (nodes, version, namespace, efs_csi_driver, load_balancer_controller) = futures::join!(
            patiently(|| self.api.list_path("/api/v1/nodes", "", Detail::Object).boxed()),
            patiently(|| self.api.get_path("/version").boxed()),
            patiently(|| self.api.get_path(&namespace_path).boxed()),
            self.is_installed(EFS_DRIVER),
            self.has_load_balancer_controller(),
        );
        let nodes = nodes.map_err(|failure| failed(failure, "list nodes"))?;
        let version = version.map_err(|failure| failed(failure, "read the version"))?;
        let namespace = namespace.map_err(|failure| failed(failure, "read the namespace"))?;
        let mut nodes: Vec<NodeFacts> = nodes.iter().map(node).collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let label = |object: &Json| {
            object["metadata"]["labels"][POD_SECURITY].as_str().map(ToOwned::to_owned)
        };
        Ok(ClusterSurvey {
            version: version
                .and_then(|version| version["gitVersion"].as_str().map(ToOwned::to_owned))
                .unwrap_or_default(),
            nodes,
            load_balancer_controller: load_balancer_controller?,
            efs_csi_driver: efs_csi_driver?,
            namespace_exists: namespace.is_some(),
            pod_security: namespace.as_ref().and_then(label),
        })
    }

    async fn has_load_balancer_controller(&self) -> Result<bool, SurveyError> {
        for path in LOAD_BALANCER_SIGNS {
            if self.is_installed(path).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether something is at a path. Where the caller may not look, it counts as not installed, and that is said: the
    /// stack can be had without it.
    async fn is_installed(&self, path: &str) -> Result<bool, SurveyError> {
        match patiently(|| self.api.get_path(path).boxed()).await {
            Ok(object) => Ok(object.is_some()),
            Err(failure) if failure.code() == 403 => {
                tracing::warn!("taken as not installed, because it may not be read: {path}");
                Ok(false)
            }
            Err(failure) => Err(failed(failure, &format!("read {path}"))),
        }
    }
}

fn failed(failure: ApiFailure, what: &str) -> SurveyError {
    let hint = match &failure {
        ApiFailure::Refused(status) if status.code == 403 => {
            "let the caller read nodes, namespaces, CSI drivers, ingress classes and webhooks; nothing is written"
        }
        ApiFailure::Refused(status) if status.code == 401 => "log in to the cluster again",
        ApiFailure::Credentials(_) => "does `kubectl get nodes` work?",
        ApiFailure::NotSent(_) | ApiFailure::Unanswered(_) => "is the cluster up, and the VPN on?",
        _ => "try again; if it stays, look at the API server",
    };
    SurveyError {
        message: failure.into_driver_error(Call::Read, what).message,
        hint: hint.to_owned(),
    }
}

fn node(object: &Json) -> NodeFacts {
    let labels = &object["metadata"]["labels"];
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let info = &object["status"]["nodeInfo"];
    let amount = |name: &str| Quantity::from_json(&object["status"]["allocatable"][name]);
    NodeFacts {
        name: text(&object["metadata"]["name"]),
        zone: labels[ZONE].as_str().map(ToOwned::to_owned),
        instance: object["spec"]["providerID"].as_str().and_then(instance),
        arch: text(labels.get("kubernetes.io/arch").unwrap_or_else(|| &info["architecture"])),
        control_plane: CONTROL_PLANE.iter().any(|label| labels.get(label).is_some()),
        schedulable: is_schedulable(object),
        os_image: text(&info["osImage"]),
        cpu_millis: amount("cpu").map_or(0, Quantity::millis),
        memory: amount("memory").map_or(0, Quantity::units),
    }
}

/// `aws:///eu-west-1a/i-0123456789abcdef0`; Fargate has `aws:///eu-west-1a/<id>/fargate-ip-…`.
fn instance(provider_id: &str) -> Option<String> {
    let name = provider_id.strip_prefix("aws://")?.rsplit('/').next()?;
    name.starts_with("i-").then(|| name.to_owned())
}

/// Ready, not cordoned, and without a taint that keeps ordinary pods away.
fn is_schedulable(object: &Json) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let is_ready = conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let taints = object["spec"]["taints"].as_array();
    let keeps_away = taints
        .into_iter()
        .flatten()
        .any(|taint| taint["effect"] == "NoSchedule" || taint["effect"] == "NoExecute");
    is_ready && !keeps_away && object["spec"]["unschedulable"] != true
}

impl ClusterReader for KubernetesCluster {
    fn survey<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<ClusterSurvey, SurveyError>> {
        self.read(namespace).boxed()
    }
}

#[cfg(test)]
mod tests;
