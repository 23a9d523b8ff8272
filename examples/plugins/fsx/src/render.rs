//! From settings and context to resources and exports. Pure: no clock, no random numbers, no files.

use std::time::Duration;

use zonestack_sdk::aws::security_group::{self, Ports};
use zonestack_sdk::core::context::ZoneFacts;
use zonestack_sdk::core::interface::{Endpoint, SharedFilesystem, ready};
use zonestack_sdk::prelude::*;

use crate::config::Settings;
use crate::kind::KIND;

/// What AWS recommends for NFS clients of FSx for OpenZFS.
const MOUNT_OPTIONS: [&str; 6] =
    ["nfsvers=4.2", "rsize=1048576", "wsize=1048576", "hard", "timeo=600", "nconnect=16"];
/// How long clients wait while the other zone takes over (FSx for OpenZFS user guide, "Availability and durability").
const FAILOVER: Duration = Duration::from_secs(60);
/// NFS 4 needs one port, NFS 3 the others too.
const PORTS: [Ports; 6] = [
    Ports { protocol: "tcp", from: 111, to: 111 },
    Ports { protocol: "tcp", from: 2049, to: 2049 },
    Ports { protocol: "tcp", from: 20001, to: 20003 },
    Ports { protocol: "udp", from: 111, to: 111 },
    Ports { protocol: "udp", from: 2049, to: 2049 },
    Ports { protocol: "udp", from: 20001, to: 20003 },
];

/// A security group that lets the worker nodes in, the file system behind it, and one endpoint for all zones.
pub fn render(settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
    let (group, system) = (cx.id("security-group"), cx.id("file-system"));
    let server = Ref::new(&system, "dns_name");
    let endpoint = || Endpoint {
        server: server.clone().into(),
        path: "/fsx".to_owned(),
        needs: vec![ready(&system), ready(&group)],
    };
    let zones = &cx.context.zones;
    let homes = homes(settings, cx.context);
    // zonestack has a driver for security groups: this only says which one there shall be.
    let guard = security_group::from_nodes_on(
        group.clone(),
        &cx.physical_name(),
        cx.context,
        &PORTS,
        "NFS",
    );
    let mut between: Vec<Zone> = homes.iter().map(|home| home.zone.clone()).collect();
    between.sort();
    let files = Resource::new(system.clone(), KIND, spec(settings, cx, &homes))
        .after(&group, Until::Exists)
        .holding(DataClass::Data)
        .placed(Placement::Replicated { zones: between, failover: FAILOVER });
    Rendered {
        resources: vec![guard, files],
        exports: vec![Export::SharedFilesystem(SharedFilesystem {
            service: "Amazon FSx for OpenZFS".to_owned(),
            endpoints: zones.iter().map(|zone| (zone.zone.clone(), endpoint())).collect(),
            mount_options: MOUNT_OPTIONS.map(str::to_owned).to_vec(),
            csi: None,
            // What volumes declare as their size. Nothing enforces it, and no claim can follow `storage`.
            capacity: "100Gi".to_owned(),
            regional: true,
            regional_server: Some(server.clone().into()),
        })],
        findings: surroundings(settings, cx.context),
        outputs: vec![
            ("file_system_id".to_owned(), Ref::new(&system, "id").into()),
            ("endpoint".to_owned(), server.into()),
        ],
    }
}

/// The two zones that hold the files: the preferred one, then by name, so that a zone which is added at the end changes nothing.
fn homes<'a>(settings: &Settings, context: &'a Context) -> Vec<&'a ZoneFacts> {
    let mut zones: Vec<&ZoneFacts> = context.zones.iter().collect();
    let other = |zone: &Zone| settings.preferred_zone.as_deref() != Some(zone.as_str());
    zones.sort_by(|a, b| (other(&a.zone), &a.zone).cmp(&(other(&b.zone), &b.zone)));
    zones.truncate(2);
    zones
}

fn spec(settings: &Settings, cx: &RenderContext<'_>, homes: &[&ZoneFacts]) -> Json {
    // What has no order is sorted, so that order is never a difference.
    let mut subnets: Vec<&str> = homes.iter().map(|home| home.subnet.as_str()).collect();
    let preferred = subnets.first().copied();
    let mut tables = settings.route_tables.clone();
    tables.sort();
    let mut spec = json!({
        "preferred_subnet": preferred,
        "security_groups": [Ref::new(&cx.id("security-group"), "id")],
        "storage_gib": settings.storage,
        "throughput_mbps": settings.throughput,
        "backup_days": settings.backup_days,
        // The core adds its marks to `tags`.
        "tags": { "Name": cx.physical_name() },
    });
    subnets.sort_unstable();
    spec["subnets"] = json!(subnets);
    if !tables.is_empty() {
        spec["route_tables"] = json!(tables);
    }
    spec
}

/// What the zones and routes have to say about the settings.
fn surroundings(settings: &Settings, context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    if settings.route_tables.is_empty() {
        let message = "FSx adds the routes to the file system to the main route table of the VPC: nodes in subnets with another table do not reach the files";
        findings.push(Finding::advisory("openzfs-main-route-table", "routeTables", message).hint(
            "name the tables of the worker nodes' subnets under `routeTables`; or, if all use the main one, write `acknowledge: [openzfs-main-route-table]` beside `use: openzfs`",
        ));
    }
    // Where nothing is known of the world yet, it is not complained about.
    if context.is_nominal {
        return findings;
    }
    let names: Vec<&str> = context.zones.iter().map(|zone| zone.zone.as_str()).collect();
    let known = names.join(", ");
    if names.len() < 2 {
        let message = format!("the files are held in two zones, and this stack has {known} only");
        findings.push(Finding::error("two-zones", "", message).hint("add a zone to the stack"));
    }
    if let Some(zone) = settings.preferred_zone.as_deref().filter(|zone| !names.contains(zone)) {
        let message = format!("zone {zone} is not among the zones of this stack");
        findings.push(
            Finding::error("zone-not-in-stack", "preferredZone", message)
                .hint(format!("one of {known}")),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn rendered(with: Json, zones: &str, is_nominal: bool) -> Rendered {
        let settings: Settings = serde_json::from_value(with).unwrap();
        let zones: Vec<Zone> =
            zones.chars().map(|letter| format!("eu-west-1{letter}").parse().unwrap()).collect();
        let context = Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones);
        let context = Context { is_nominal, ..context };
        let cx = RenderContext {
            component: &"data".parse().unwrap(),
            called: &"data".parse().unwrap(),
            context: &context,
            requirements: &BTreeMap::new(),
            consumers: 1,
        };
        render(&settings, &cx)
    }

    #[test]
    fn two_zones_hold_the_files_and_all_mount_them_by_one_name() {
        let check = |with: Json, zones: &str, subnets: [usize; 2], preferred: usize| {
            let rendered = rendered(with, zones, true);
            let [guard, files] = &rendered.resources[..] else { panic!("two resources") };
            assert_eq!(guard.kind.as_str(), security_group::KIND);
            assert_eq!((files.kind.as_str(), files.data), (KIND, DataClass::Data));
            let spec = files.spec.to_json();
            let named = |index: usize| json!(format!("subnet-nominal-{index}"));
            assert_eq!(spec["subnets"], json!(subnets.map(named)));
            assert_eq!(spec["preferred_subnet"], named(preferred));
            let [Export::SharedFilesystem(shared)] = &rendered.exports[..] else {
                panic!("one export")
            };
            assert_eq!(shared.endpoints.len(), zones.len());
            for endpoint in shared.endpoints.values() {
                assert_eq!(
                    endpoint.server.to_json(),
                    json!({ "$ref": "data/file-system#dns_name" })
                );
                assert_eq!((endpoint.path.as_str(), endpoint.needs.len()), ("/fsx", 2));
            }
        };
        check(json!({}), "ab", [0, 1], 0);
        check(json!({}), "abc", [0, 1], 0);
        check(json!({ "preferredZone": "eu-west-1c" }), "abc", [0, 2], 2);
        check(json!({ "preferredZone": "eu-west-1b" }), "abc", [0, 1], 1);
    }

    #[test]
    fn the_order_of_route_tables_changes_nothing() {
        let spec = |tables: Json| {
            let rendered = rendered(json!({ "routeTables": tables }), "ab", true);
            rendered.resources[1].spec.to_json()
        };
        let tables = ["rtb-0a000000", "rtb-0b000000"];
        assert_eq!(spec(json!([tables[1], tables[0]])), spec(json!(tables)));
        assert_eq!(spec(json!(tables))["route_tables"], json!(tables));
        assert_eq!(spec(json!([])).get("route_tables"), None);
    }

    #[test]
    fn the_surroundings_are_looked_at_when_they_are_known() {
        let check = |with: Json, zones: &str, is_nominal: bool, wanted: &[(Severity, &str)]| {
            let found = rendered(with, zones, is_nominal).findings;
            let found: Vec<_> = found.iter().map(|found| (found.severity, found.code)).collect();
            assert_eq!(found, wanted);
        };
        let routes = (Severity::Advisory, "openzfs-main-route-table");
        let named = json!({ "routeTables": ["rtb-01234567"] });
        check(json!({}), "ab", true, &[routes]);
        check(named.clone(), "ab", false, &[]);
        check(named.clone(), "a", true, &[]);
        check(named.clone(), "a", false, &[(Severity::Error, "two-zones")]);
        let strange = json!({ "routeTables": ["rtb-01234567"], "preferredZone": "eu-west-1z" });
        check(strange.clone(), "ab", true, &[]);
        check(strange, "ab", false, &[(Severity::Error, "zone-not-in-stack")]);
    }
}
