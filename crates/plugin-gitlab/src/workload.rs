//! The GitLab pods: a Deployment for each site (domain.md, 7.2).

use serde_json::{Map, Value as Json, json};
use zonestack_core::component::RenderContext;
use zonestack_core::name::{ResourceId, Zone};

use crate::environment::environment;
use crate::render::{Site, Wired};
use crate::secrets;

/// Where the image keeps its own template. Mounted over it and not into the data volume's `config` folder, which would
/// leave an empty file on the shared file system: a GitLab started by hand there would come up with keys of its own.
const TEMPLATE_PATH: &str = "/etc/docker-gitlab/runtime/config/gitlabhq/secrets.yml";

/// The labels of every object and pod of the component.
pub(crate) fn labels(cx: &RenderContext<'_>) -> Map<String, Json> {
    Map::from_iter([
        ("app.kubernetes.io/name".to_owned(), json!("gitlab")),
        ("app.kubernetes.io/instance".to_owned(), json!(cx.physical_name())),
    ])
}

/// The labels of one site's pods. They differ per zone, so that no Deployment counts another's pods as its own.
fn site_labels(cx: &RenderContext<'_>, zone: Option<&Zone>) -> Map<String, Json> {
    let mut labels = labels(cx);
    if let Some(zone) = zone {
        labels.insert("topology.kubernetes.io/zone".to_owned(), json!(zone.as_str()));
    }
    labels
}

/// The id of a site's Deployment.
pub(crate) fn id(cx: &RenderContext<'_>, site: &Site<'_>) -> ResourceId {
    let id = cx.id("deployment");
    match site.zone {
        Some(zone) => id.in_zone(zone),
        None => id,
    }
}

/// The Deployment of a site.
pub(crate) fn deployment(wired: &Wired<'_>, site: &Site<'_>, claim_name: &str) -> Json {
    let cx = wired.cx;
    let selector = site_labels(cx, site.zone);
    let mut pod_labels = selector.clone();
    for (key, value) in &wired.cache.client_labels {
        pod_labels.insert(key.clone(), json!(value));
    }
    let suffix = site.zone.map(|zone| format!("-{zone}")).unwrap_or_default();
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": format!("{}{suffix}", cx.called),
            "namespace": cx.context.namespace,
            "labels": selector,
        },
        "spec": {
            "replicas": 1,
            // Never two versions at once on one database.
            "strategy": { "type": "Recreate" },
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": 4200,
            "selector": { "matchLabels": selector },
            "template": {
                "metadata": { "labels": pod_labels },
                "spec": pod(wired, site, claim_name),
            },
        },
    })
}

fn pod(wired: &Wired<'_>, site: &Site<'_>, claim_name: &str) -> Json {
    let settings = wired.settings;
    let template = secrets::template_at(settings, wired.cx);
    let mut nodes = Map::from_iter([("kubernetes.io/arch".to_owned(), json!("amd64"))]);
    nodes.extend(settings.node_selector.iter().map(|(key, value)| (key.clone(), json!(value))));
    if let Some(zone) = site.zone {
        nodes.insert("topology.kubernetes.io/zone".to_owned(), json!(zone.as_str()));
    }
    let mut pod = json!({
        // Otherwise the Services redis and gitlab fill REDIS_PORT and GITLAB_PORT with tcp://… (domain.md, 0.18).
        "enableServiceLinks": false,
        "automountServiceAccountToken": false,
        "terminationGracePeriodSeconds": 120,
        "nodeSelector": nodes,
        // No fsGroup: kubelet would change the owner of every file at each start. No runAsNonRoot: the image starts as root
        // and changes the owner of its folders (domain.md, 0.8).
        "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [container(wired, site)],
        "volumes": [
            { "name": "data", "persistentVolumeClaim": { "claimName": claim_name } },
            { "name": "logs", "emptyDir": { "sizeLimit": "5Gi" } },
            { "name": "shm", "emptyDir": { "medium": "Memory", "sizeLimit": "256Mi" } },
            {
                "name": "secrets",
                "secret": {
                    "secretName": template.name,
                    "items": [{ "key": template.key, "path": "secrets.yml" }],
                },
            },
        ],
    });
    if !settings.tolerations.is_empty() {
        pod["tolerations"] = json!(settings.tolerations);
    }
    pod
}

fn container(wired: &Wired<'_>, site: &Site<'_>) -> Json {
    let settings = wired.settings;
    let mut data = json!({ "name": "data", "mountPath": "/home/git/data" });
    if let Some(path) = &settings.storage_path {
        data["subPath"] = json!(path);
    }
    let mut ports = vec![json!({ "name": "http", "containerPort": 80, "protocol": "TCP" })];
    if settings.ssh.enabled {
        ports.push(json!({ "name": "ssh", "containerPort": 22, "protocol": "TCP" }));
    }
    json!({
        "name": "gitlab",
        "image": format!("{}:{}", settings.image, settings.version),
        "imagePullPolicy": "IfNotPresent",
        "ports": ports,
        "env": environment(wired, site),
        // The first start fills the database: killing it half-way leaves a database that is never completed (domain.md, 1.6).
        "startupProbe": probe("liveness", 5, json!({ "periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 360 })),
        "livenessProbe": probe("liveness", 10, json!({ "periodSeconds": 30, "timeoutSeconds": 15, "failureThreshold": 6 })),
        "readinessProbe": probe("readiness", 5, json!({ "periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 3 })),
        "resources": { "requests": settings.resources.requests, "limits": settings.resources.limits },
        "volumeMounts": [
            data,
            { "name": "logs", "mountPath": "/var/log/gitlab" },
            { "name": "shm", "mountPath": "/dev/shm" },
            { "name": "secrets", "mountPath": TEMPLATE_PATH, "subPath": "secrets.yml", "readOnly": true },
        ],
    })
}

/// A probe from inside: GitLab answers 404 to the kubelet's address, and to `localhost` as ::1 (domain.md, 1.7).
fn probe(endpoint: &str, seconds: u32, mut timing: Json) -> Json {
    timing["exec"] = json!({ "command": [
        "curl", "-fsS", "-o", "/dev/null", "--max-time", seconds.to_string(),
        format!("http://127.0.0.1/-/{endpoint}"),
    ] });
    timing
}
