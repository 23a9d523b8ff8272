//! When a Kubernetes object works: pods where nodes are, claims that are bound, load balancers that have a name.

use serde_json::Value as Json;
use zonestack_core::driver::Status;

use crate::site::Zone;
use crate::status::being_made;
use crate::world::{Resource, World};

const ZONE_LABEL: &str = "topology.kubernetes.io/zone";
const ARCH_LABEL: &str = "kubernetes.io/arch";

/// Kinds that run pods, with where their pod template is.
fn template<'r>(kind: &str, resource: &'r Resource) -> Option<&'r Json> {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            resource.spec.pointer("/spec/template")
        }
        "Pod" => Some(&resource.spec),
        _ => None,
    }
}

/// Whether it runs pods.
pub(crate) fn runs_pods(resource: &Resource) -> bool {
    resource.kubernetes().is_some_and(|kind| template(kind, resource).is_some())
}

/// How many pods it wants.
fn replicas(resource: &Resource) -> u64 {
    resource.spec.pointer("/spec/replicas").and_then(Json::as_u64).unwrap_or(1)
}

pub(crate) fn status(world: &World, resource: &Resource, kind: &str, at: u64) -> Status {
    if runs_pods(resource) {
        let wanted = replicas(resource);
        if wanted == 0 {
            return Status::Ready;
        }
        if let Some(reason) = missing(world, resource) {
            return Status::Pending(format!("0 of {wanted} pods ready: {reason}"));
        }
        let ready = resource.started.is_some_and(|start| {
            resource.ready != u64::MAX && at >= start.saturating_add(resource.start_takes)
        });
        return if ready {
            Status::Ready
        } else {
            Status::Pending(format!("0 of {wanted} pods ready: starting"))
        };
    }
    match kind {
        "PersistentVolumeClaim" => match volume_of(world, resource) {
            Volume::Bound | Volume::Dynamic => Status::Ready,
            Volume::Missing(name) => Status::Pending(format!("unbound: no volume {name}")),
        },
        "Service" if is_load_balancer(resource) => being_made(resource, at)
            .map_or(Status::Ready, |_| Status::Pending("no load balancer yet".to_owned())),
        _ => Status::Ready,
    }
}

/// Whether a Service has a load balancer, which takes time to be made.
pub(crate) fn is_load_balancer(resource: &Resource) -> bool {
    resource.spec.pointer("/spec/type").and_then(Json::as_str) == Some("LoadBalancer")
}

enum Volume {
    Bound,
    Dynamic,
    Missing(String),
}

fn alive<'w>(world: &'w World, kind: &'w str) -> impl Iterator<Item = &'w Resource> {
    let of_kind = move |found: &&Resource| found.kubernetes() == Some(kind);
    world.resources.iter().filter(of_kind).filter(|found| found.deletion.is_none())
}

/// What a claim is bound to. A claim with a storage class, or with the default one, gets a volume made for it.
fn volume_of(world: &World, claim: &Resource) -> Volume {
    let text = |pointer: &str| claim.spec.pointer(pointer).and_then(Json::as_str);
    if let Some(volume) = text("/spec/volumeName") {
        let there =
            alive(world, "PersistentVolume").any(|found| found.name.as_deref() == Some(volume));
        return if there { Volume::Bound } else { Volume::Missing(volume.to_owned()) };
    }
    if text("/spec/storageClassName").is_none_or(|class| !class.is_empty()) {
        return Volume::Dynamic;
    }
    let for_it = |volume: &Resource| {
        let at = |field: &str| volume.spec.pointer(&format!("/spec/claimRef/{field}"));
        let wanted = claim.namespaced();
        wanted.is_some_and(|(namespace, name)| {
            at("namespace").and_then(Json::as_str) == Some(namespace)
                && at("name").and_then(Json::as_str) == Some(name)
        })
    };
    if alive(world, "PersistentVolume").any(for_it) {
        Volume::Bound
    } else {
        Volume::Missing("for it".to_owned())
    }
}

/// What keeps the pods of a workload from running, in the words of an event.
pub(crate) fn missing(world: &World, workload: &Resource) -> Option<String> {
    let template = template(workload.kubernetes()?, workload)?;
    let (namespace, _) = workload.namespaced().unwrap_or_default();
    let of = |kind: &'static str, name: &str| {
        let full = format!("{namespace}/{name}");
        alive(world, kind).find(|found| found.name.as_deref() == Some(full.as_str()))
    };
    for claim in claims(template) {
        let Some(found) = of("PersistentVolumeClaim", claim) else {
            return Some(format!("persistentvolumeclaim \"{claim}\" not found"));
        };
        if let Volume::Missing(_) = volume_of(world, found) {
            return Some(format!("persistentvolumeclaim \"{claim}\" is not bound"));
        }
    }
    for wanted in configuration(template) {
        let Some(found) = of(wanted.kind, wanted.name) else {
            return Some(format!("{} \"{}\" not found", wanted.kind.to_lowercase(), wanted.name));
        };
        let Some(key) = wanted.key else { continue };
        let has = ["/stringData", "/data", "/binaryData"]
            .iter()
            .any(|map| found.spec.pointer(map).is_some_and(|map| map.get(key).is_some()));
        if !has {
            let kind = wanted.kind.to_lowercase();
            return Some(format!("{kind} \"{}\" has no key {key}", wanted.name));
        }
    }
    if let Some(arch) = selected(template, ARCH_LABEL).filter(|arch| *arch != world.site.arch) {
        return Some(format!("no node of architecture {arch}"));
    }
    let has_node = |zone: &Zone| {
        zone.lost_since.is_none() && zone.nodes.iter().any(|node| node.up && !node.control_plane)
    };
    let (has_node, wanted) = match selected(template, ZONE_LABEL) {
        Some(zone) => (world.site.zone(zone).is_some_and(has_node), zone),
        None => (world.site.zones.iter().any(has_node), "any zone"),
    };
    (!has_node).then(|| format!("no node in {wanted}"))
}

/// The value that a pod's node selector wants for a label.
fn selected<'t>(template: &'t Json, label: &str) -> Option<&'t str> {
    template.pointer("/spec/nodeSelector")?.get(label)?.as_str()
}

/// The claims that a pod mounts.
fn claims(template: &Json) -> Vec<&str> {
    let volumes = template.pointer("/spec/volumes").and_then(Json::as_array);
    let name = |volume| Json::pointer(volume, "/persistentVolumeClaim/claimName")?.as_str();
    volumes.into_iter().flatten().filter_map(name).collect()
}

/// Whether a workload that has or wants pods mounts a claim.
pub(crate) fn mounts(workload: &Resource, namespace: &str, claim: &str) -> bool {
    let template = workload.kubernetes().and_then(|kind| template(kind, workload));
    replicas(workload) > 0
        && workload.namespaced().is_some_and(|(found, _)| found == namespace)
        && template.is_some_and(|template| claims(template).contains(&claim))
}

/// A Secret or ConfigMap, or a key in it, without which a pod does not start.
struct Wanted<'t> {
    kind: &'static str,
    name: &'t str,
    key: Option<&'t str>,
}

fn configuration(template: &Json) -> Vec<Wanted<'_>> {
    let mut found = Vec::new();
    collect(template, &mut found);
    found
}

fn collect<'t>(json: &'t Json, found: &mut Vec<Wanted<'t>>) {
    let map = match json {
        Json::Array(items) => return items.iter().for_each(|item| collect(item, found)),
        Json::Object(map) => map,
        _ => return,
    };
    for (key, value) in map {
        let (kind, name) = match key.as_str() {
            "secretKeyRef" | "secretRef" => ("Secret", "name"),
            "configMapKeyRef" | "configMapRef" | "configMap" => ("ConfigMap", "name"),
            "secret" => ("Secret", "secretName"),
            _ => {
                collect(value, found);
                continue;
            }
        };
        if value.get("optional").and_then(Json::as_bool) == Some(true) {
            continue;
        }
        // A projected volume names its Secret like a reference does.
        let name = value.get(name).or_else(|| value.get("name")).and_then(Json::as_str);
        match name {
            Some(name) => {
                let key = value.get("key").and_then(Json::as_str);
                found.push(Wanted { kind, name, key });
            }
            None => collect(value, found),
        }
    }
}
