//! From settings and context to resources and exports. Pure, and aware of zones: one mount target for each.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use zonestack_aws::security_group;
use zonestack_core::component::{RenderContext, Rendered};
use zonestack_core::context::{Context, ZoneFacts};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::{CsiVolume, Endpoint, Export, SharedFilesystem, ready};
use zonestack_core::name::{ResourceId, Zone};
use zonestack_core::resource::{DataClass, Foreign, Placement, Resource, Until};
use zonestack_core::value::{Ref, Value};

use crate::config::{EndpointName, Lifecycle, Mount, Performance, Settings, Throughput};

/// The kind of a file system.
pub const FILE_SYSTEM_KIND: &str = "aws.efs.file-system";
/// The kind of a mount target.
pub const MOUNT_TARGET_KIND: &str = "aws.efs.mount-target";
/// The file system's name in its component.
pub const FILE_SYSTEM: &str = "file-system";

const SECURITY_GROUP: &str = "security-group";
const MOUNT_TARGET: &str = "mount-target";
/// NFS version 4, the only protocol of EFS.
const NFS: u16 = 2049;
const CSI_DRIVER: &str = "efs.csi.aws.com";

/// The resources and exports of one efs component.
pub fn render(settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
    let context = cx.context;
    let one_zone = settings.one_zone();
    let homes = homes(context, one_zone.as_ref());

    let mut resources = vec![security_group::from_nodes(
        cx.id(SECURITY_GROUP),
        &cx.physical_name(),
        context,
        NFS,
        "NFS",
    )];
    if settings.existing.is_none() {
        resources.push(file_system(settings, cx));
    }
    resources.extend(homes.iter().map(|home| mount_target(settings, cx, home)));

    let endpoints: BTreeMap<Zone, Endpoint> = context
        .zones
        .iter()
        .map(|facts| {
            let home = homes.iter().find(|home| home.zone == facts.zone).or_else(|| homes.first());
            let home = home.map_or(&facts.zone, |home| &home.zone);
            (facts.zone.clone(), endpoint(settings, cx, home))
        })
        .collect();
    let mut outputs = vec![("file_system_id".to_owned(), file_system_id(settings, cx))];
    outputs.extend(
        endpoints
            .iter()
            .map(|(zone, endpoint)| (format!("endpoint@{zone}"), endpoint.server.clone())),
    );
    Rendered {
        resources,
        exports: vec![Export::SharedFilesystem(SharedFilesystem {
            service: "Amazon EFS".to_owned(),
            endpoints,
            mount_options: settings.mount_options(),
            csi: (settings.mount == Mount::Csi).then(|| csi_volume(settings, cx)),
            capacity: settings.capacity.clone(),
            regional: one_zone.is_none(),
            regional_server: Some(one_server(settings, cx, &homes)),
        })],
        findings: surroundings(settings, context),
        outputs,
    }
}

/// The zones that get a mount target: all, or the one that holds the data. A zone that is not in the stack is a finding;
/// the first stands in for it, so that the exports are complete.
fn homes<'a>(context: &'a Context, one_zone: Option<&Zone>) -> Vec<&'a ZoneFacts> {
    let Some(zone) = one_zone else { return context.zones.iter().collect() };
    let home = context.zones.iter().find(|facts| facts.zone == *zone);
    home.or_else(|| context.zones.first()).into_iter().collect()
}

fn file_system(settings: &Settings, cx: &RenderContext<'_>) -> Resource {
    let placement = settings.one_zone().map_or_else(
        // Reads and writes go on through the other zones' mount targets at once (EFS user guide, "Availability").
        || Placement::Replicated { zones: cx.context.zone_names(), failover: Duration::ZERO },
        Placement::Zonal,
    );
    let spec = file_system_spec(settings, &cx.physical_name());
    Resource::new(cx.id(FILE_SYSTEM), FILE_SYSTEM_KIND, spec)
        .holding(DataClass::Data)
        .placed(placement)
}

fn file_system_spec(settings: &Settings, name: &str) -> Json {
    let performance = match settings.performance() {
        Performance::GeneralPurpose => "generalPurpose",
        Performance::MaxIo => "maxIO",
    };
    let (throughput, provisioned) = match settings.throughput() {
        Throughput::Elastic => ("elastic", None),
        Throughput::Bursting => ("bursting", None),
        Throughput::Provisioned(mibps) => ("provisioned", Some(mibps)),
    };
    let mut spec = json!({
        "performance_mode": performance,
        "throughput_mode": throughput,
        "encrypted": settings.encrypted(),
        "backup": settings.backup(),
        "lifecycle": lifecycle_spec(settings.lifecycle.unwrap_or_default()),
        "tags": { "Name": name },
    });
    if let Some(mibps) = provisioned {
        spec["provisioned_throughput_mibps"] = json!(mibps);
    }
    if let Some(key) = &settings.kms_key_id {
        spec["kms_key_id"] = json!(key);
    }
    if let Some(zone) = settings.one_zone() {
        spec["availability_zone"] = json!(zone.as_str());
    }
    spec
}

fn lifecycle_spec(lifecycle: Lifecycle) -> Json {
    let after = |days: u16| {
        json!(if days == 1 { "AFTER_1_DAY".to_owned() } else { format!("AFTER_{days}_DAYS") })
    };
    let rules = [
        ("to_ia", lifecycle.to_ia.map(after)),
        ("to_archive", lifecycle.to_archive.map(after)),
        ("to_primary", lifecycle.back_to_primary.then(|| json!("AFTER_1_ACCESS"))),
    ];
    rules
        .into_iter()
        .filter_map(|(name, rule)| Some((name.to_owned(), rule?)))
        .collect::<Map<_, _>>()
        .into()
}

fn mount_target(settings: &Settings, cx: &RenderContext<'_>, home: &ZoneFacts) -> Resource {
    let group = cx.id(SECURITY_GROUP);
    let spec = json!({
        "file_system_id": file_system_id(settings, cx),
        "subnet_id": home.subnet,
        "vpc_id": cx.context.vpc.id,
        "security_groups": [Ref::new(&group, "id")],
    });
    let target = Resource::new(mount_target_id(cx, &home.zone), MOUNT_TARGET_KIND, spec)
        .after(&group, Until::Exists);
    if settings.existing.is_some() {
        Resource { foreign: Foreign::Use, ..target }
    } else {
        target.after(&cx.id(FILE_SYSTEM), Until::Ready)
    }
}

fn mount_target_id(cx: &RenderContext<'_>, zone: &Zone) -> ResourceId {
    cx.id(MOUNT_TARGET).in_zone(zone)
}

fn file_system_id(settings: &Settings, cx: &RenderContext<'_>) -> Value {
    match &settings.existing {
        Some(id) => id.as_str().into(),
        None => Ref::new(&cx.id(FILE_SYSTEM), "id").into(),
    }
}

/// Where the pods of a zone mount through the mount target of `home`.
fn endpoint(settings: &Settings, cx: &RenderContext<'_>, home: &Zone) -> Endpoint {
    let target = mount_target_id(cx, home);
    let server = match settings.endpoint {
        EndpointName::Zonal => Ref::new(&target, "dns_name").into(),
        EndpointName::Regional => regional_name(settings, cx),
    };
    // The security group lets nobody in before its rule is there, which is a call after its creation.
    let needs = vec![ready(&target), ready(&cx.id(SECURITY_GROUP))];
    Endpoint { server, path: settings.path.clone(), needs }
}

/// The name of the file system, which resolves to the mount target of the caller's zone.
fn regional_name(settings: &Settings, cx: &RenderContext<'_>) -> Value {
    match &settings.existing {
        Some(id) => format!("{id}.efs.{}.{}", cx.context.region, cx.context.dns_suffix()).into(),
        None => Ref::new(&cx.id(FILE_SYSTEM), "dns_name").into(),
    }
}

/// The one name for a pod that may run in any zone. That of a One Zone file system is the zonal name of its only mount
/// target: the regional one has no address in the other zones.
fn one_server(settings: &Settings, cx: &RenderContext<'_>, homes: &[&ZoneFacts]) -> Value {
    match (settings.one_zone(), homes.first()) {
        (Some(_), Some(home)) => Ref::new(&mount_target_id(cx, &home.zone), "dns_name").into(),
        _ => regional_name(settings, cx),
    }
}

fn csi_volume(settings: &Settings, cx: &RenderContext<'_>) -> CsiVolume {
    let handle = match &settings.existing {
        Some(id) if settings.path != "/" => format!("{id}:{}", settings.path).into(),
        _ => file_system_id(settings, cx),
    };
    CsiVolume {
        driver: CSI_DRIVER.to_owned(),
        handle,
        attributes: BTreeMap::from([("encryptInTransit".to_owned(), "true".into())]),
    }
}

/// What the zones and the cluster have to say about the settings.
fn surroundings(settings: &Settings, context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(zone) = settings.one_zone() {
        let zones = context.zone_names();
        if zones.contains(&zone) {
            findings.extend((zones.len() > 1).then(|| one_zone_advisory(&zone)));
        } else {
            // The zones of a nominal context may be made up, too.
            let known = zones.iter().map(Zone::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("zone {zone} is not among the zones of this stack");
            let error = Finding::error("zone-not-in-stack", "oneZone", message);
            findings.extend((!context.is_nominal).then(|| error.hint(format!("one of {known}"))));
        }
    }
    if !context.is_nominal {
        findings.extend(match settings.mount {
            Mount::Nfs => nfs_client(context),
            Mount::Csi => csi_driver(context),
        });
    }
    findings
}

fn one_zone_advisory(zone: &Zone) -> Finding {
    let message = format!(
        "all files are in {zone}: the other zones mount across zones, which costs and takes longer, and none has files when {zone} is lost"
    );
    Finding::advisory("one-zone-file-system", "oneZone", message)
        .hint("leave out `oneZone` for a file system that survives the loss of a zone")
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
        Finding::advisory("nfs-client-on-nodes", "mount", message).hint(
            "set `spec.packages: [nfs-common]` in the instance groups (`kops edit instancegroup`, `kops update cluster --yes`, `kops rolling-update cluster --yes`) and, once done, write `acknowledge: [nfs-client-on-nodes]` beside `use: efs`; or set `mount: csi`",
        )
    })
}

fn csi_driver(context: &Context) -> Option<Finding> {
    (!context.cluster.efs_csi_driver).then(|| {
        let message =
            format!("the cluster has no EFS CSI driver: there is no CSIDriver `{CSI_DRIVER}`");
        Finding::error("efs-csi-driver-missing", "mount", message).hint(
            "install aws-efs-csi-driver (on EKS: the add-on of that name), or leave out `mount: csi`",
        )
    })
}

#[cfg(test)]
mod tests;
