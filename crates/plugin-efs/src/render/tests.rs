use std::fmt::Write as _;

use zonestack_core::component::Component;
use zonestack_core::context::ClusterFacts;
use zonestack_core::diagnostic::Severity;

use super::*;
use crate::Efs;
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

/// What a reader of a plan would want to know, line by line.
fn summary(rendered: &Rendered) -> String {
    let mut text = String::new();
    for resource in &rendered.resources {
        let place = match &resource.placement {
            Placement::Zonal(zone) => zone.to_string(),
            Placement::Regional => "regional".to_owned(),
            Placement::Replicated { zones, failover } => {
                format!("replicated over {} in {failover:?}", zones.len())
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
    for (zone, endpoint) in &shared(rendered).endpoints {
        let server = endpoint.server.to_json();
        let needs: Vec<String> = endpoint.needs.iter().map(|need| need.id.to_string()).collect();
        writeln!(text, "{zone}: {server}{} once [{}]", endpoint.path, needs.join(", ")).unwrap();
    }
    let any = shared(rendered).regional_server.as_ref().map(Value::to_json);
    writeln!(text, "any zone: {}", any.unwrap_or_default()).unwrap();
    for finding in &rendered.findings {
        writeln!(text, "{:?} {}@{}", finding.severity, finding.code, finding.path).unwrap();
    }
    text
}

#[test]
fn one_zone_of_the_stack() {
    insta::assert_snapshot!(summary(&rendered("{}", &context("a"))));
}

#[test]
fn two_zones() {
    insta::assert_snapshot!(summary(&rendered("{}", &context("ab"))));
}

#[test]
fn three_zones() {
    insta::assert_snapshot!(summary(&rendered("{}", &context("abc"))));
}

#[test]
fn six_zones() {
    insta::assert_snapshot!(summary(&rendered("{}", &context("abcdef"))));
}

#[test]
fn every_zone_mounts_the_only_target_of_a_one_zone_file_system() {
    insta::assert_snapshot!(summary(&rendered("oneZone: eu-west-1b", &context("abc"))));
}

#[test]
fn an_existing_file_system_gets_what_is_missing() {
    let rendered = rendered("{ existing: fs-01234567, path: /gitlab }", &context("ab"));
    insta::assert_snapshot!(summary(&rendered));
    let targets = rendered.resources.iter().filter(|r| r.kind.as_str() == MOUNT_TARGET_KIND);
    for target in targets {
        assert_eq!(target.foreign, Foreign::Use);
        assert_eq!(target.spec.at("/file_system_id").unwrap().as_str(), Some("fs-01234567"));
    }
}

#[test]
fn the_whole_of_one_zone() {
    let yaml = "
throughput: { provisioned: 128 }
lifecycle: { toIa: 1, backToPrimary: true }
kmsKeyId: alias/files
";
    let rendered = rendered(yaml, &context("a"));
    let shared = shared(&rendered);
    let resources: Vec<Json> = rendered
        .resources
        .iter()
        .map(|r| json!({ "id": r.id.to_string(), "kind": r.kind.as_str(), "name": r.name, "spec": r.spec }))
        .collect();
    let outputs: Map<String, Json> =
        rendered.outputs.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
    let whole = json!({
        "resources": resources,
        "mount_options": shared.mount_options,
        "capacity": shared.capacity,
        "regional": shared.regional,
        "outputs": outputs,
    });
    insta::assert_snapshot!(serde_json::to_string_pretty(&whole).unwrap());
    assert_eq!(shared.csi, None);
}

#[test]
fn a_regional_name_is_the_same_in_every_zone() {
    let check = |yaml: &str, context: &Context, wanted: Json| {
        let rendered = rendered(yaml, context);
        for (zone, endpoint) in &shared(&rendered).endpoints {
            assert_eq!(endpoint.server.to_json(), wanted, "{yaml} {zone}");
            let target = format!("data/mount-target@{zone}");
            assert_eq!(endpoint.needs[0].id.to_string(), target);
        }
    };
    let reference = json!({ "$ref": "data/file-system#dns_name" });
    check("endpoint: regional", &context("ab"), reference);
    let existing = "{ existing: fs-01234567, endpoint: regional }";
    check(existing, &context("ab"), json!("fs-01234567.efs.eu-west-1.amazonaws.com"));
    let china = ["cn-north-1a".parse().unwrap()];
    let china = Context::nominal("git".parse().unwrap(), "git", "cn-north-1", &china);
    check(existing, &china, json!("fs-01234567.efs.cn-north-1.amazonaws.com.cn"));
}

#[test]
fn csi_mounts_by_one_handle_with_tls() {
    let check = |yaml: &str, handle: Json| {
        let rendered = rendered(yaml, &context("ab"));
        let csi = shared(&rendered).csi.clone().unwrap();
        assert_eq!(csi.driver, "efs.csi.aws.com");
        assert_eq!(csi.handle.to_json(), handle, "{yaml}");
        assert_eq!(csi.attributes["encryptInTransit"].as_str(), Some("true"));
    };
    check("mount: csi", json!({ "$ref": "data/file-system#id" }));
    check("{ mount: csi, existing: fs-01234567 }", json!("fs-01234567"));
    check("{ mount: csi, existing: fs-01234567, path: /a/b }", json!("fs-01234567:/a/b"));
}

#[test]
fn the_surroundings_are_looked_at_when_they_are_known() {
    let check = |yaml: &str, cluster: Option<ClusterFacts>, wanted: &[(Severity, &str)]| {
        let is_nominal = cluster.is_none();
        let cluster = cluster.unwrap_or_default();
        let context = Context { is_nominal, cluster, ..context("ab") };
        let rendered = rendered(yaml, &context);
        let found: Vec<_> = rendered.findings.iter().map(|f| (f.severity, f.code)).collect();
        assert_eq!(found, wanted, "{yaml}");
        assert_eq!(shared(&rendered).endpoints.len(), 2);
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
    let ubuntu = || cluster("k8s.myzone.net", "Ubuntu 24.04.1 LTS");
    let with_csi = || ubuntu().map(|facts| ClusterFacts { efs_csi_driver: true, ..facts });
    let nfs_client = (Severity::Advisory, "nfs-client-on-nodes");
    let one_zone = (Severity::Advisory, "one-zone-file-system");
    let no_driver = (Severity::Error, "efs-csi-driver-missing");
    check("{}", ubuntu(), &[nfs_client]);
    check("{}", cluster("k8s.myzone.net", "Debian GNU/Linux 12 (bookworm)"), &[nfs_client]);
    check("{}", cluster("k8s.myzone.net", "Flatcar Container Linux"), &[]);
    check("{}", cluster("production", "Ubuntu 24.04.1 LTS"), &[]);
    check("mount: csi", ubuntu(), &[no_driver]);
    check("mount: csi", with_csi(), &[]);
    check("{ mount: csi, oneZone: eu-west-1a }", with_csi(), &[one_zone]);
    check(
        "{ mount: csi, oneZone: eu-west-1c }",
        with_csi(),
        &[(Severity::Error, "zone-not-in-stack")],
    );
    // What nothing is known of is not complained about.
    check("mount: csi", None, &[]);
    check("oneZone: eu-west-1c", None, &[]);
    check("oneZone: eu-west-1a", None, &[one_zone]);
    // A name makes no context nominal.
    check("mount: csi", cluster("nominal", "Ubuntu 24.04.1 LTS"), &[no_driver]);
}

#[test]
fn every_advisory_is_listed() {
    let yaml = "{ encrypted: false, backup: false, path: /git, oneZone: eu-west-1a, mountOptions: [soft] }";
    let settings: Settings = serde_json::from_value(serde_yaml::from_str(yaml).unwrap()).unwrap();
    let cluster = ClusterFacts {
        name: "k8s.myzone.net".to_owned(),
        os_images: vec!["Debian GNU/Linux 12 (bookworm)".to_owned()],
        ..ClusterFacts::default()
    };
    let real = Context { is_nominal: false, cluster, ..context("ab") };
    let mut findings = crate::config::check(&settings);
    findings.extend(rendered(yaml, &real).findings);
    assert!(findings.iter().all(|found| found.severity == Severity::Advisory), "{findings:?}");
    let mut seen: Vec<_> = findings.iter().map(|found| found.code).collect();
    seen.sort_unstable();
    assert_eq!(seen, ADVISORIES, "the list of known advisories is the list of those there are");
    assert_eq!(Component::describe(&Efs).advisories, ADVISORIES);
}

#[test]
fn a_stack_in_one_zone_may_keep_its_files_there() {
    assert_eq!(rendered("oneZone: eu-west-1a", &context("a")).findings, []);
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
