//! Volumes and claims on the shared file system: one of each per zone over NFS, because each zone has its own endpoint; one
//! of each for all zones where one name or handle serves them all.

use serde_json::{Value as Json, json};
use zonestack_core::interface::{Endpoint, SharedFilesystem};
use zonestack_core::name::{ResourceId, Zone};
use zonestack_core::resource::{Need, Resource, Until};

use crate::config::Mode;
use crate::render::{Site, Wired};
use crate::workload::labels;

/// Mount options that GitLab asks for besides the service's own (domain.md, 3.5).
const OPTIONS: [&str; 2] = ["noatime", "lookupcache=positive"];

/// A volume with its claim.
pub(crate) struct Storage {
    /// The zone it is for; `None` when it is for all.
    zone: Option<Zone>,
    pub(crate) claim: ResourceId,
    pub(crate) claim_name: String,
    pub(crate) resources: [Resource; 2],
}

/// The storage of every site, in order of zone. Empty when the file system has no endpoint at all.
pub(crate) fn render(wired: &Wired<'_>) -> Vec<Storage> {
    if let Some(source) = common_source(wired) {
        return vec![storage(wired, None, &source)];
    }
    let zones = wired.cx.context.zones.iter().map(|facts| &facts.zone);
    zones
        .filter_map(|zone| {
            let endpoint = endpoint(wired.storage, zone)?;
            Some(storage(wired, Some(zone), &nfs(&endpoint.server.to_json(), &endpoint.path)))
        })
        .collect()
}

/// The storage that a site mounts.
pub(crate) fn of_site<'a>(all: &'a [Storage], site: &Site<'_>) -> Option<&'a Storage> {
    all.iter().find(|storage| storage.zone.is_none() || storage.zone.as_ref() == site.zone)
}

/// Where a zone mounts the file system. A file system in one zone only has one endpoint, for all zones.
pub(crate) fn endpoint<'a>(storage: &'a SharedFilesystem, zone: &Zone) -> Option<&'a Endpoint> {
    storage.endpoints.get(zone).or_else(|| storage.endpoints.values().next())
}

/// What must be there before a site mounts: its zone's endpoint, or every zone's for a pod that may run in any.
pub(crate) fn needs(wired: &Wired<'_>, site: &Site<'_>) -> Vec<Need> {
    match site.zone {
        Some(zone) => endpoint(wired.storage, zone).map(|e| e.needs.clone()).unwrap_or_default(),
        None => wired.storage.endpoints.values().flat_map(|e| e.needs.clone()).collect(),
    }
}

/// The one source for all zones: a CSI handle, which must be unique in the cluster and so cannot stand in several volumes
/// (domain.md, 3.8); or, for a pod that may run in any zone, the name that every zone resolves to its own endpoint.
fn common_source(wired: &Wired<'_>) -> Option<Json> {
    let storage = wired.storage;
    if let Some(csi) = &storage.csi {
        let attributes: serde_json::Map<_, _> =
            csi.attributes.iter().map(|(key, value)| (key.clone(), value.to_json())).collect();
        let mut source = json!({ "driver": csi.driver, "volumeHandle": csi.handle });
        if !attributes.is_empty() {
            source["volumeAttributes"] = attributes.into();
        }
        return Some(json!({ "csi": source }));
    }
    if wired.settings.mode == Mode::Active {
        return None;
    }
    let first = storage.endpoints.values().next()?;
    let server = storage.regional_server.as_ref().unwrap_or(&first.server);
    Some(nfs(&server.to_json(), &first.path))
}

/// Whether a pod that moves to another zone still mounts through the zone that it left.
pub(crate) fn is_bound_to_one_zone(wired: &Wired<'_>) -> bool {
    let mut servers = wired.storage.endpoints.values().map(|endpoint| &endpoint.server);
    let first = servers.next();
    wired.storage.csi.is_none()
        && wired.storage.regional_server.is_none()
        && servers.any(|server| Some(server) != first)
}

fn nfs(server: &Json, path: &str) -> Json {
    json!({ "nfs": { "server": server, "path": path } })
}

fn storage(wired: &Wired<'_>, zone: Option<&Zone>, source: &Json) -> Storage {
    let cx = wired.cx;
    let suffix = zone.map(|zone| format!("-{zone}")).unwrap_or_default();
    let id = |name| {
        let id = cx.id(name);
        match zone {
            Some(zone) => id.in_zone(zone),
            None => id,
        }
    };
    let claim_name = format!("{}-data{suffix}", cx.called);
    // Cluster-wide, so the namespace is part of it.
    let volume_name = format!("{}-{}{suffix}", cx.context.namespace, cx.physical_name());
    let volume =
        Resource::manifest(id("volume"), volume(wired, &volume_name, &claim_name, zone, source));
    let claim = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claim_name,
            "namespace": cx.context.namespace,
            "labels": labels(cx),
        },
        "spec": {
            "accessModes": ["ReadWriteMany"],
            // Empty, not absent: else the default StorageClass takes the claim.
            "storageClassName": "",
            "volumeName": volume_name,
            "resources": { "requests": { "storage": wired.storage.capacity } },
        },
    });
    let claim = Resource::manifest(id("claim"), claim).after(&volume.id, Until::Exists);
    Storage { zone: zone.cloned(), claim: claim.id.clone(), claim_name, resources: [volume, claim] }
}

fn volume(wired: &Wired<'_>, name: &str, claim: &str, zone: Option<&Zone>, source: &Json) -> Json {
    let storage = wired.storage;
    let key = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let known: Vec<String> = storage.mount_options.iter().map(|option| key(option)).collect();
    let extra = OPTIONS.into_iter().filter(|option| !known.contains(&key(option)));
    let options: Vec<&str> =
        storage.mount_options.iter().map(String::as_str).chain(extra).collect();
    let mut spec = json!({
        "capacity": { "storage": storage.capacity },
        "accessModes": ["ReadWriteMany"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": wired.cx.context.namespace,
            "name": claim,
        },
        "mountOptions": options,
    });
    if let (Json::Object(spec), Json::Object(source)) = (&mut spec, source.clone()) {
        spec.extend(source);
    }
    if let Some(zone) = zone {
        // The scheduler keeps pods of other zones away from this zone's endpoint.
        spec["nodeAffinity"] = json!({ "required": { "nodeSelectorTerms": [{ "matchExpressions": [{
            "key": "topology.kubernetes.io/zone",
            "operator": "In",
            "values": [zone.as_str()],
        }] }] } });
    }
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": { "name": name, "labels": labels(wired.cx) },
        "spec": spec,
    })
}
