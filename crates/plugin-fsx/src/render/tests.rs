use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Map;
use zonestack_core::component::Component;
use zonestack_core::context::ClusterFacts;
use zonestack_core::diagnostic::Severity;
use zonestack_core::value::Value;

use super::*;
use crate::FsxOpenZfs;
use crate::config::ADVISORIES;

fn context(zones: &str) -> Context {
    let zones: Vec<Zone> =
        zones.chars().map(|letter| format!("eu-west-1{letter}").parse().unwrap()).collect();
    Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones)
}

fn rendered(yaml: &str, context: &Context) -> Rendered {
    rendered_as("data", "data", yaml, context)
}

/// As the component of a name, which was called otherwise when it made its things.
fn rendered_as(name: &str, called: &str, yaml: &str, context: &Context) -> Rendered {
    let settings: Settings = serde_json::from_value(serde_yaml::from_str(yaml).unwrap()).unwrap();
    let cx = RenderContext {
        component: &name.parse().unwrap(),
        called: &called.parse().unwrap(),
        context,
        requirements: &BTreeMap::new(),
        consumers: 1,
    };
    render(&settings, &cx)
}

fn shared(rendered: &Rendered) -> &SharedFilesystem {
    match &rendered.exports[..] {
        [Export::SharedFilesystem(shared)] => shared,
        other => panic!("{other:?}"),
    }
}

fn file_system_of(rendered: &Rendered) -> &Resource {
    rendered.resources.iter().find(|r| r.kind.as_str() == FILE_SYSTEM_KIND).unwrap()
}

/// What a reader of a plan would want to know, line by line.
fn summary(rendered: &Rendered) -> String {
    let mut text = String::new();
    for resource in &rendered.resources {
        let place = match &resource.placement {
            Placement::Zonal(zone) => zone.to_string(),
            Placement::Regional => "regional".to_owned(),
            Placement::Replicated { zones, failover } => {
                let zones: Vec<&str> = zones.iter().map(Zone::as_str).collect();
                format!("replicated over {} in {failover:?}", zones.join(" and "))
            }
        };
        let needs: Vec<String> = resource
            .all_needs()
            .iter()
            .map(|need| format!("{} {:?}", need.id, need.until))
            .collect();
        let id = &resource.id;
        let data = resource.data.as_str();
        writeln!(text, "{id} [{data}, {place}] after [{}]", needs.join(", ")).unwrap();
    }
    let shared = shared(rendered);
    for (zone, endpoint) in &shared.endpoints {
        let server = endpoint.server.to_json();
        let needs: Vec<String> = endpoint.needs.iter().map(|need| need.id.to_string()).collect();
        writeln!(text, "{zone}: {server}{} once [{}]", endpoint.path, needs.join(", ")).unwrap();
    }
    let any = shared.regional_server.as_ref().map(Value::to_json);
    writeln!(text, "any zone: {}, regional: {}", any.unwrap_or_default(), shared.regional).unwrap();
    for finding in &rendered.findings {
        writeln!(text, "{:?} {}@{}", finding.severity, finding.code, finding.path).unwrap();
    }
    text
}

/// All that is rendered, to its last field.
fn whole(rendered: &Rendered) -> String {
    let shared = shared(rendered);
    let resources: Vec<Json> = rendered
        .resources
        .iter()
        .map(|r| json!({ "id": r.id.to_string(), "kind": r.kind.as_str(), "name": r.name, "spec": r.spec }))
        .collect();
    let outputs: Map<String, Json> =
        rendered.outputs.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
    let whole = json!({
        "resources": resources,
        "service": shared.service,
        "mount_options": shared.mount_options,
        "capacity": shared.capacity,
        "outputs": outputs,
    });
    serde_json::to_string_pretty(&whole).unwrap()
}

#[test]
fn two_zones() {
    insta::assert_snapshot!(summary(&rendered("{}", &context("ab"))));
}

#[test]
fn three_zones() {
    insta::assert_snapshot!(summary(&rendered("routeTables: [rtb-01234567]", &context("abc"))));
}

#[test]
fn one_zone_that_is_named() {
    let yaml = "{ deployment: single-az-ha-2, preferredZone: eu-west-1b }";
    insta::assert_snapshot!(summary(&rendered(yaml, &context("abc"))));
}

#[test]
fn the_whole_with_every_default() {
    insta::assert_snapshot!(whole(&rendered("{}", &context("abc"))));
}

#[test]
fn the_whole_from_a_backup_with_every_setting() {
    let yaml = "
zones: [eu-west-1c, eu-west-1b]
preferredZone: eu-west-1c
routeTables: [rtb-0b000000, rtb-0a000000]
endpointRange: 10.0.255.240/28
storage: 500
throughput: 320
iops: 3000
compression: zstd
recordSize: 64
clients: [10.1.0.0/16, 10.0.0.0/16, 10.1.0.0/16]
exportOptions: [rw, no_root_squash]
backup: { days: 7, start: '02:30', copyTags: false }
maintenance: sun:04:30
kmsKeyId: alias/files
fromBackup: backup-0123456789abcdef0
mountOptions: [nfsvers=4.1]
extraMountOptions: [noatime]
";
    insta::assert_snapshot!(whole(&rendered(yaml, &context("abc"))));
}

#[test]
fn the_two_zones_depend_on_names_alone() {
    let check = |yaml: &str, zones: &str, wanted: (&[&str], &str)| {
        let rendered = rendered(yaml, &context(zones));
        let system = file_system_of(&rendered);
        let Placement::Replicated { zones: homes, .. } = &system.placement else {
            panic!("{yaml}: {:?}", system.placement)
        };
        let letters: Vec<&str> = homes.iter().map(|zone| &zone.as_str()[9..]).collect();
        assert_eq!(letters, wanted.0, "{yaml}");
        // Nominal subnets are numbered in the order of the zones.
        let subnet = |letter: &str| {
            let index = zones.find(letter).unwrap();
            json!(format!("subnet-nominal-{index}"))
        };
        let spec = system.spec.to_json();
        assert_eq!(spec["preferred_subnet"], subnet(wanted.1), "{yaml}");
        let subnets: Vec<Json> = wanted.0.iter().map(|letter| subnet(letter)).collect();
        assert_eq!(spec["subnets"], json!(subnets), "{yaml}");
    };
    check("{}", "abc", (&["a", "b"], "a"));
    check("{}", "bcd", (&["b", "c"], "b"));
    check("preferredZone: eu-west-1b", "abc", (&["a", "b"], "b"));
    check("preferredZone: eu-west-1c", "abc", (&["a", "c"], "c"));
    check("zones: [eu-west-1c, eu-west-1b]", "abc", (&["b", "c"], "b"));
    check(
        "{ zones: [eu-west-1b, eu-west-1c], preferredZone: eu-west-1c }",
        "abcd",
        (&["b", "c"], "c"),
    );
    // With a zone that comes at the end nothing changes; before the two it would, so they can be written down.
    check("{}", "abcd", (&["a", "b"], "a"));
    check("zones: [eu-west-1b, eu-west-1c]", "abc", (&["b", "c"], "b"));
}

#[test]
fn every_zone_mounts_the_same() {
    for zones in ["ab", "abc", "abcdef"] {
        let rendered = rendered("{}", &context(zones));
        let shared = shared(&rendered);
        assert_eq!(shared.endpoints.len(), zones.len());
        let server = json!({ "$ref": "data/openzfs#dns_name" });
        for endpoint in shared.endpoints.values() {
            assert_eq!(
                (endpoint.server.to_json(), endpoint.path.as_str()),
                (server.clone(), "/fsx")
            );
        }
        assert_eq!(shared.regional_server.as_ref().unwrap().to_json(), server);
    }
}

#[test]
fn the_surroundings_are_looked_at_when_they_are_known() {
    let check =
        |yaml: &str, zones: &str, cluster: Option<ClusterFacts>, wanted: &[(Severity, &str)]| {
            let is_nominal = cluster.is_none();
            let cluster = cluster.unwrap_or_default();
            let context = Context { is_nominal, cluster, ..context(zones) };
            let rendered = rendered(yaml, &context);
            let found: Vec<_> = rendered.findings.iter().map(|f| (f.severity, f.code)).collect();
            assert_eq!(found, wanted, "{yaml} {zones}");
            assert_eq!(shared(&rendered).endpoints.len(), zones.len());
            for finding in rendered.findings {
                assert!(finding.hint.is_some(), "{} advises nothing", finding.code);
            }
        };
    let cluster = |name: &str, image: &str| {
        Some(ClusterFacts {
            name: name.to_owned(),
            os_images: vec!["Amazon Linux 2023".to_owned(), image.to_owned()],
            ..ClusterFacts::default()
        })
    };
    let eks = || cluster("production", "Amazon Linux 2023");
    let routes = (Severity::Advisory, "fsx-adds-routes");
    let nfs_client = (Severity::Advisory, "nfs-client-on-nodes");
    let one_zone = (Severity::Advisory, "one-zone-file-system");
    let strange = (Severity::Error, "zone-not-in-stack");
    let named = "routeTables: [rtb-01234567]";
    check("{}", "ab", None, &[routes]);
    check(named, "ab", None, &[]);
    check(named, "ab", cluster("k8s.myzone.net", "Ubuntu 24.04.1 LTS"), &[nfs_client]);
    check(named, "ab", cluster("k8s.myzone.net", "Debian GNU/Linux 12 (bookworm)"), &[nfs_client]);
    check(named, "ab", cluster("k8s.myzone.net", "Flatcar Container Linux"), &[]);
    check(named, "ab", cluster("production", "Ubuntu 24.04.1 LTS"), &[]);
    check(named, "a", eks(), &[(Severity::Error, "two-zones")]);
    // What nothing is known of is not complained about.
    check(named, "a", None, &[]);
    check("{ zones: [eu-west-1a, eu-west-1z], routeTables: [rtb-01234567] }", "ab", None, &[]);
    check(
        "{ zones: [eu-west-1a, eu-west-1z], routeTables: [rtb-01234567] }",
        "ab",
        eks(),
        &[strange],
    );
    check("{ preferredZone: eu-west-1z, routeTables: [rtb-01234567] }", "ab", eks(), &[strange]);
    check("deployment: single-az-ha-2", "ab", eks(), &[one_zone]);
    check("deployment: single-az-ha-1", "a", eks(), &[]);
}

#[test]
fn every_advisory_is_listed() {
    let findings = |yaml: &str| {
        let settings: Settings =
            serde_json::from_value(serde_yaml::from_str(yaml).unwrap()).unwrap();
        let cluster = ClusterFacts {
            name: "k8s.myzone.net".to_owned(),
            os_images: vec!["Debian GNU/Linux 12 (bookworm)".to_owned()],
            ..ClusterFacts::default()
        };
        let real = Context { is_nominal: false, cluster, ..context("ab") };
        let mut findings = crate::config::check(&settings);
        findings.extend(rendered(yaml, &real).findings);
        findings
    };
    let mut found =
        findings("{ backup: { days: 0 }, exportOptions: [async], mountOptions: [soft] }");
    found.extend(findings("deployment: single-az-ha-2"));
    assert!(found.iter().all(|found| found.severity == Severity::Advisory), "{found:?}");
    let mut seen: Vec<_> = found.iter().map(|found| found.code).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, ADVISORIES, "the list of known advisories is the list of those there are");
    assert_eq!(Component::describe(&FsxOpenZfs).advisories, ADVISORIES);
}

#[test]
fn a_renamed_component_keeps_every_physical_name() {
    let before = rendered_as("data", "data", "{}", &context("ab"));
    let after = rendered_as("files", "data", "{}", &context("ab"));
    for (old, new) in before.resources.iter().zip(&after.resources) {
        assert_eq!(new.id.to_string(), old.id.to_string().replace("data/", "files/"));
        assert_eq!(new.name, old.name);
        let spec = new.spec.to_json().to_string().replace("\"files/", "\"data/");
        assert_eq!(spec, old.spec.to_json().to_string());
    }
}
