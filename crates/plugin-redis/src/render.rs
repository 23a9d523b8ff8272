//! What a `redis` component is made of. Pure.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use zonestack_core::component::{RenderContext, Rendered};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::{Export, Redis, ready};
use zonestack_core::name::Zone;
use zonestack_core::resource::{DataClass, Need, Placement, Resource, Until};
use zonestack_core::value::Value;

use crate::config::{Memory, Settings, Storage, major_minor};

const PORT: u16 = 6379;
/// The user of both official images.
const USER: u32 = 999;

pub(crate) fn render(settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
    let mut findings = Vec::new();
    let home = match &settings.storage {
        None => None,
        Some(storage) => match zone_of(storage, cx) {
            Ok(zone) => Some((storage, zone)),
            Err(finding) => {
                findings.push(finding);
                None
            }
        },
    };
    let placement =
        home.as_ref().map_or(Placement::Regional, |(_, zone)| Placement::Zonal(zone.clone()));
    let mut deployment = Resource::manifest(
        cx.id("deployment"),
        deployment(settings, home.as_ref().map(|(_, zone)| zone), cx),
    )
    .holding(DataClass::Cache)
    .placed(placement.clone());
    let mut resources = Vec::new();
    if let Some((storage, _)) = &home {
        let claim = Resource::manifest(cx.id("claim"), claim(storage, cx))
            .holding(DataClass::Data)
            .placed(placement);
        deployment = deployment.after(&claim.id, Until::Exists);
        resources.push(claim);
    }
    let service_id = cx.id("service");
    let export = Redis {
        engine: settings.engine.as_str().to_owned(),
        host: Value::from(format!("{}.{}.svc", cx.called, cx.context.namespace)),
        port: PORT,
        version: major_minor(settings.version()).unwrap_or_default(),
        tls: false,
        auth: None,
        client_labels: client_labels(cx),
        // The Service too: a client that starts at once looks its name up.
        needs: vec![ready(&deployment.id), Need { id: service_id.clone(), until: Until::Exists }],
    };
    resources.extend([
        Resource::manifest(service_id, service(cx)),
        Resource::manifest(cx.id("network-policy"), network_policy(cx)),
        deployment,
    ]);
    findings.push(single_redis(settings, cx));
    Rendered {
        outputs: vec![(
            "address".to_owned(),
            Value::from(format!("{}.{}.svc:{PORT}", cx.called, cx.context.namespace)),
        )],
        resources,
        exports: vec![Export::Redis(export)],
        findings,
    }
}

/// The zone of the volume: the configured one, else the first. The zones of a nominal context may be made up: any will do.
fn zone_of(storage: &Storage, cx: &RenderContext<'_>) -> Result<Zone, Finding> {
    let mut zones = cx.context.zones.iter().map(|facts| &facts.zone);
    let found = match &storage.zone {
        Some(wanted) if cx.context.is_nominal => wanted.parse().ok(),
        Some(wanted) => zones.find(|zone| zone.as_str() == wanted).cloned(),
        None => zones.next().cloned(),
    };
    found.ok_or_else(|| {
        let names: Vec<_> = cx.context.zones.iter().map(|facts| facts.zone.as_str()).collect();
        Finding::error(
            "unknown-zone",
            "storage.zone",
            format!("{:?} is no zone of this stack", storage.zone.as_deref().unwrap_or_default()),
        )
        .hint(format!("one of {}", names.join(", ")))
    })
}

fn single_redis(settings: &Settings, cx: &RenderContext<'_>) -> Finding {
    let lost = if settings.storage.is_some() {
        "while its pod or its zone is away, everything that uses it stands still"
    } else {
        "when its pod restarts, sessions end and queued jobs are gone"
    };
    Finding::advisory(
        "single-redis",
        "",
        format!(
            "{} is one pod, a single point of failure: {lost}. Amazon ElastiCache keeps a copy in another zone.",
            cx.component
        ),
    )
    .hint("to keep it as it is, write `acknowledge: [single-redis]` beside `use: redis`")
}

fn selector(cx: &RenderContext<'_>) -> Json {
    json!({
        "app.kubernetes.io/name": "redis",
        "app.kubernetes.io/instance": cx.physical_name(),
    })
}

/// The labels that let a pod of this stack in. The stack's name is the value, so that two stacks may share a namespace.
fn client_labels(cx: &RenderContext<'_>) -> BTreeMap<String, String> {
    BTreeMap::from([(
        format!("zonestack.io/client-of-{}", cx.called),
        cx.context.stack.to_string(),
    )])
}

fn metadata(cx: &RenderContext<'_>) -> Json {
    json!({ "name": cx.called.as_str(), "namespace": cx.context.namespace, "labels": selector(cx) })
}

fn image(settings: &Settings) -> String {
    settings.image.clone().unwrap_or_else(|| {
        format!("{}:{}-alpine", settings.engine.repository(), settings.version())
    })
}

fn arguments(settings: &Settings) -> Vec<String> {
    let appendonly = if settings.storage.is_some() { "yes" } else { "no" };
    [
        &format!("{}-server", settings.engine.as_str()),
        "--maxmemory",
        &settings.memory.0.to_string(),
        // One instance holds cache and queues: evicting would lose jobs (domain.md, 1.3).
        "--maxmemory-policy",
        "noeviction",
        "--save",
        "",
        "--appendonly",
        appendonly,
        "--dir",
        "/data",
        // No password: the network policy stands at the door.
        "--protected-mode",
        "no",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn deployment(settings: &Settings, zone: Option<&Zone>, cx: &RenderContext<'_>) -> Json {
    // Half as much again as the data: buffers, fragmentation, and the copy while the log is rewritten.
    let limit = Memory((settings.memory.0 + settings.memory.0 / 2).next_multiple_of(1 << 20));
    let ping = json!({ "command": [format!("{}-cli", settings.engine.as_str()), "ping"] });
    let data = match zone {
        Some(_) => {
            json!({ "name": "data", "persistentVolumeClaim": { "claimName": claim_name(cx) } })
        }
        None => json!({ "name": "data", "emptyDir": { "sizeLimit": "64Mi" } }),
    };
    let mut pod = json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [{
            "name": "redis",
            "image": image(settings),
            "imagePullPolicy": "IfNotPresent",
            "args": arguments(settings),
            "ports": [{ "name": "redis", "containerPort": PORT, "protocol": "TCP" }],
            "startupProbe": { "exec": ping, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 90 },
            "livenessProbe": { "exec": ping, "periodSeconds": 20, "timeoutSeconds": 10, "failureThreshold": 6 },
            "readinessProbe": { "exec": ping, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3 },
            "resources": {
                "requests": { "cpu": settings.cpu, "memory": limit },
                "limits": { "memory": limit },
            },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
            "volumeMounts": [{ "name": "data", "mountPath": "/data" }],
        }],
        "volumes": [data],
    });
    if let Some(zone) = zone {
        pod["nodeSelector"] = json!({ "topology.kubernetes.io/zone": zone.as_str() });
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(cx),
        "spec": {
            "replicas": 1,
            "strategy": { "type": "Recreate" },
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": 600,
            "selector": { "matchLabels": selector(cx) },
            "template": { "metadata": { "labels": selector(cx) }, "spec": pod },
        },
    })
}

fn claim_name(cx: &RenderContext<'_>) -> String {
    format!("{}-data", cx.called)
}

fn claim(storage: &Storage, cx: &RenderContext<'_>) -> Json {
    let mut manifest = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claim_name(cx),
            "namespace": cx.context.namespace,
            "labels": selector(cx),
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": storage.size } },
        },
    });
    if let Some(class) = &storage.class {
        manifest["spec"]["storageClassName"] = json!(class);
    }
    manifest
}

fn service(cx: &RenderContext<'_>) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(cx),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(cx),
            "ports": [{ "name": "redis", "port": PORT, "targetPort": "redis", "protocol": "TCP" }],
        },
    })
}

fn network_policy(cx: &RenderContext<'_>) -> Json {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(cx),
        "spec": {
            "podSelector": { "matchLabels": selector(cx) },
            "policyTypes": ["Ingress"],
            "ingress": [{
                "from": [{ "podSelector": { "matchLabels": client_labels(cx) } }],
                "ports": [{ "port": PORT, "protocol": "TCP" }],
            }],
        },
    })
}
