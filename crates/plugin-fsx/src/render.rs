//! From settings and context to resources and exports. Pure, and aware of zones: two hold the files, all mount them by one
//! name.

use std::time::Duration;

use serde_json::{Value as Json, json};
use zonestack_aws::security_group::{self, Ports};
use zonestack_core::component::{RenderContext, Rendered};
use zonestack_core::context::{Context, ZoneFacts};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::{Endpoint, Export, SharedFilesystem, ready};
use zonestack_core::name::Zone;
use zonestack_core::resource::{DataClass, Placement, Resource, Until};
use zonestack_core::value::Ref;

use crate::config::{Compression, Deployment, Settings};

/// The kind of a file system.
pub const FILE_SYSTEM_KIND: &str = "aws.fsx.file-system";
/// The file system's name in its component.
pub const FILE_SYSTEM: &str = "openzfs";

const SECURITY_GROUP: &str = "security-group";
/// Where the root volume of every FSx for OpenZFS file system is mounted from (domain.md 5.1).
const PATH: &str = "/fsx";
/// How long clients wait while the other zone takes over (FSx for OpenZFS user guide, "Availability and durability").
const FAILOVER: Duration = Duration::from_mins(1);
/// NFS, and what NFS 3 needs besides (domain.md 5.1).
const PORTS: [Ports; 6] = [
    Ports { protocol: "tcp", from: 111, to: 111 },
    Ports { protocol: "tcp", from: 2049, to: 2049 },
    Ports { protocol: "tcp", from: 20001, to: 20003 },
    Ports { protocol: "udp", from: 111, to: 111 },
    Ports { protocol: "udp", from: 2049, to: 2049 },
    Ports { protocol: "udp", from: 20001, to: 20003 },
];

/// The resources and exports of one fsx-openzfs component.
pub fn render(settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
    let context = cx.context;
    let group = security_group::from_nodes_on(
        cx.id(SECURITY_GROUP),
        &cx.physical_name(),
        context,
        &PORTS,
        "NFS",
    );
    let system = cx.id(FILE_SYSTEM);
    let server = Ref::new(&system, "dns_name");
    let endpoint = || Endpoint {
        server: server.clone().into(),
        path: PATH.to_owned(),
        // The security group lets nobody in before its rules are there, which is a call after its creation.
        needs: vec![ready(&system), ready(&cx.id(SECURITY_GROUP))],
    };
    Rendered {
        resources: vec![group, file_system(settings, cx)],
        exports: vec![Export::SharedFilesystem(SharedFilesystem {
            service: "Amazon FSx for OpenZFS".to_owned(),
            endpoints: context.zones.iter().map(|zone| (zone.zone.clone(), endpoint())).collect(),
            mount_options: settings.mount_options(),
            csi: None,
            // Not the size: claims without a storage class cannot grow (admission plugin PersistentVolumeClaimResize).
            capacity: settings.capacity.clone(),
            regional: settings.deployment.is_multi_az(),
            regional_server: Some(server.clone().into()),
        })],
        findings: surroundings(settings, context),
        outputs: vec![
            ("file_system_id".to_owned(), Ref::new(&system, "id").into()),
            ("root_volume_id".to_owned(), Ref::new(&system, "root_volume").into()),
            ("endpoint".to_owned(), server.into()),
        ],
    }
}

/// The zones that hold the files, the preferred one first: those that are named, then the first others by name, so that the
/// choice changes only with what is named or when a zone is added before them. A zone that is not in the stack is a finding;
/// another one stands in for it, so that the exports are complete.
fn homes<'a>(settings: &Settings, context: &'a Context) -> Vec<&'a ZoneFacts> {
    let preferred = settings.preferred_zone();
    let named = if settings.deployment.is_multi_az() { settings.zones() } else { Vec::new() };
    let rank = |zone: &Zone| {
        let is_named = named.contains(zone);
        (preferred.as_ref() != Some(zone) || !(named.is_empty() || is_named), !is_named)
    };
    let mut zones: Vec<&ZoneFacts> = context.zones.iter().collect();
    zones.sort_by(|a, b| (rank(&a.zone), &a.zone).cmp(&(rank(&b.zone), &b.zone)));
    zones.truncate(if settings.deployment.is_multi_az() { 2 } else { 1 });
    zones
}

fn file_system(settings: &Settings, cx: &RenderContext<'_>) -> Resource {
    let homes = homes(settings, cx.context);
    let zones = || homes.iter().map(|home| home.zone.clone());
    let placement = match zones().next() {
        Some(zone) if !settings.deployment.is_multi_az() => Placement::Zonal(zone),
        _ => {
            let mut zones: Vec<Zone> = zones().collect();
            zones.sort();
            Placement::Replicated { zones, failover: FAILOVER }
        }
    };
    Resource::new(cx.id(FILE_SYSTEM), FILE_SYSTEM_KIND, spec(settings, cx, &homes))
        .after(&cx.id(SECURITY_GROUP), Until::Exists)
        .holding(DataClass::Data)
        .placed(placement)
}

fn spec(settings: &Settings, cx: &RenderContext<'_>, homes: &[&ZoneFacts]) -> Json {
    let multi_az = settings.deployment.is_multi_az();
    let mut subnets: Vec<&str> = homes.iter().map(|home| home.subnet.as_str()).collect();
    let preferred = subnets.first().copied().unwrap_or_default().to_owned();
    subnets.sort_unstable();
    let mut spec = json!({
        "deployment": match settings.deployment {
            Deployment::MultiAz1 => "MULTI_AZ_1",
            Deployment::SingleAzHa2 => "SINGLE_AZ_HA_2",
            Deployment::SingleAzHa1 => "SINGLE_AZ_HA_1",
        },
        "multi_az": multi_az,
        "subnets": subnets,
        "preferred_subnet": preferred,
        "security_groups": [Ref::new(&cx.id(SECURITY_GROUP), "id")],
        "storage_gib": settings.storage,
        "throughput_mbps": settings.throughput(),
        "iops_mode": if settings.iops.is_some() { "USER_PROVISIONED" } else { "AUTOMATIC" },
        "root_volume": {
            "record_size_kib": settings.record_size,
            "compression": match settings.compression {
                Compression::None => "NONE",
                Compression::Lz4 => "LZ4",
                Compression::Zstd => "ZSTD",
            },
            "exports": exports(settings, cx.context),
        },
        "backup_days": settings.backup.days,
        "backup_tags": settings.backup.copy_tags,
        "tags": { "Name": cx.physical_name() },
    });
    let mut tables = settings.route_tables.clone();
    tables.sort();
    let optional = [
        ("iops", settings.iops.map(Json::from)),
        ("route_tables", (multi_az && !tables.is_empty()).then(|| json!(tables))),
        ("endpoint_range", settings.endpoint_range.clone().filter(|_| multi_az).map(Json::from)),
        ("backup_start", settings.backup.start.clone().map(Json::from)),
        ("maintenance", settings.maintenance().map(Json::from)),
        ("kms_key_id", settings.kms_key_id.clone().map(Json::from)),
        ("backup", settings.from_backup.clone().map(Json::from)),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            spec[key] = value;
        }
    }
    spec
}

/// Who may mount the root volume, in order. Addresses alone do not let anybody in: the security group does.
fn exports(settings: &Settings, context: &Context) -> Vec<Json> {
    let mut clients = settings.clients.clone().unwrap_or_else(|| context.vpc.cidrs.clone());
    clients.sort();
    clients.dedup();
    clients
        .into_iter()
        .map(|clients| json!({ "clients": clients, "options": settings.export_options }))
        .collect()
}

/// What the zones and the cluster have to say about the settings.
fn surroundings(settings: &Settings, context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    let multi_az = settings.deployment.is_multi_az();
    let zones = context.zone_names();
    if multi_az && settings.route_tables.is_empty() {
        findings.push(adds_routes());
    }
    if !multi_az && zones.len() > 1 {
        findings.push(one_zone());
    }
    if context.is_nominal {
        return findings;
    }
    let known = zones.iter().map(Zone::as_str).collect::<Vec<_>>().join(", ");
    let preferred = settings.preferred_zone().map(|zone| ("preferredZone", zone));
    let named = settings.zones().into_iter().map(|zone| ("zones", zone));
    for (path, zone) in named.chain(preferred).filter(|(_, zone)| !zones.contains(zone)) {
        let message = format!("zone {zone} is not among the zones of this stack");
        findings.push(
            Finding::error("zone-not-in-stack", path, message).hint(format!("one of {known}")),
        );
    }
    if multi_az && zones.len() < 2 {
        let message = format!("the files are held in two zones, and this stack has {known} only");
        findings.push(
            Finding::error("two-zones", "deployment", message).hint(
                "add a zone to the stack; or, for files that are gone when their zone is, set `deployment: single-az-ha-2`",
            ),
        );
    }
    findings.extend(nfs_client(context));
    findings
}

/// Whoever does not name the tables is told which one FSx takes (docs/decisions, "FSx adds routes where a person agrees").
fn adds_routes() -> Finding {
    let message = "FSx adds the routes to the file system to the main route table of the VPC: nodes in subnets with a table of their own, as kOps makes them, do not reach the files";
    Finding::advisory("fsx-adds-routes", "routeTables", message).hint(
        "name the tables of the worker nodes' subnets under `routeTables`; or, if all use the main one, write `acknowledge: [fsx-adds-routes]` beside `use: fsx-openzfs`",
    )
}

fn one_zone() -> Finding {
    let message = "all files are in one zone: the others mount across zones, which costs and takes longer, and none has files when that zone is lost";
    Finding::advisory("one-zone-file-system", "deployment", message)
        .hint("leave out `deployment` for a file system that survives the loss of a zone")
}

/// Whether nodes have an NFS client cannot be seen through the API; that kOps leaves it out of Ubuntu and Debian is known
/// (domain.md 0.11, 6.7). Only kOps names clusters with dots.
fn nfs_client(context: &Context) -> Option<Finding> {
    let kops = context.cluster.name.contains('.');
    let image = context
        .cluster
        .os_images
        .iter()
        .find(|image| image.starts_with("Ubuntu") || image.starts_with("Debian"))?;
    kops.then(|| {
        let message = format!(
            "nodes that kOps makes from {image} have no NFS client: pods would wait for their volumes forever"
        );
        Finding::advisory("nfs-client-on-nodes", "", message).hint(
            "set `spec.packages: [nfs-common]` in the instance groups (`kops edit instancegroup`, `kops update cluster --yes`, `kops rolling-update cluster --yes`) and, once done, write `acknowledge: [nfs-client-on-nodes]` beside `use: fsx-openzfs`",
        )
    })
}

#[cfg(test)]
mod tests;
