use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use zonestack_core::interface::{CsiVolume, ready};
use zonestack_core::value::{Ref, Value, is_marker};

use super::{World, environment, id, manifests};
use crate::environment::is_managed;

fn certificate() -> Json {
    json!({ "certificate": "arn:aws:acm:eu-west-1:111122223333:certificate/abc" })
}

/// Every setting that puts something into a manifest.
fn everything() -> Json {
    json!({
        "https": certificate(),
        "ssh": { "port": 2222, "host": "ssh.example.com" },
        "loadBalancer": { "sourceRanges": ["203.0.113.0/24"], "controller": "cloud-controller", "scheme": "internal",
            "annotations": { "external-dns.alpha.kubernetes.io/hostname": "git.example.com" } },
        "secrets": {
            "dbKeyBase": { "secret": { "name": "old", "key": "db" } },
            "otpKeyBase": { "env": "OTP" },
            "rootPassword": { "file": "root.txt" },
        },
        "rootEmail": "ops@example.com",
        "timezone": "Europe/Paris",
        "signup": true,
        "email": { "displayName": "Git" },
        "smtp": { "host": "mail.example.com", "user": "u", "password": { "env": "SMTP" }, "encryption": "tls", "port": 465 },
        "backup": { "schedule": "weekly", "zone": "eu-west-1b" },
        "trustedProxies": "10.0.0.0/16",
        "environment": { "GITLAB_PROJECTS_LIMIT": 10 },
        "storagePath": "git",
        "egressPorts": [22],
        "nodeSelector": { "pool": "git" },
        "tolerations": [{ "key": "pool", "operator": "Exists" }],
    })
}

#[test]
fn one_zone_of_three() {
    let rendered = World::new(3).render();
    assert_snapshot!(manifests(&rendered, |id| {
        id.zone.as_ref().is_none_or(|zone| zone.as_str() == "eu-west-1b")
    }));
}

#[test]
fn failover() {
    let rendered = World::new(3).with(json!({ "mode": "failover" })).render();
    assert_snapshot!(
        manifests(&rendered, |id| ["volume", "claim", "deployment"].contains(&id.name.as_str()))
    );
}

#[test]
fn https_behind_each_controller() {
    let mut world = World::new(3).with(json!({ "https": certificate() }));
    let service = |world: &World| manifests(&world.render(), |id| id.name == "service");
    assert_snapshot!("https-classic", service(&world));
    world.context.cluster.load_balancer_controller = true;
    assert_snapshot!("https-network", service(&world));
    let internal =
        json!({ "loadBalancer": { "scheme": "internal", "target": "ip", "idleTimeout": 600 } });
    let plain = World { config: json!({ "host": "git.example.com" }), ..world }.with(internal);
    assert_snapshot!("http-network-internal", service(&plain));
}

#[test]
fn everything_set() {
    let rendered = World::new(3).with(everything()).render();
    assert_snapshot!(manifests(&rendered, |id| {
        id.zone.as_ref().is_none_or(|zone| zone.as_str() == "eu-west-1b") && id.name != "volume"
    }));
    let outputs: String = rendered
        .outputs
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.to_json()))
        .collect::<Vec<_>>()
        .concat();
    assert_snapshot!("outputs", outputs);
}

#[test]
fn zones_differ_only_by_their_names() {
    let world = World::new(6).with(json!({ "https": certificate() }));
    let rendered = world.render();
    let of = |zone: &str| {
        manifests(&rendered, |id| id.zone.as_ref().is_some_and(|z| z.as_str() == zone))
            .replace(zone, "ZONE")
    };
    for letter in ["b", "c", "d", "e", "f"] {
        assert_eq!(of(&format!("eu-west-1{letter}")), of("eu-west-1a"));
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    let world = World::new(4).with(json!({ "environment": { "B": "1", "A": "2" } }));
    let shuffled: Json =
        serde_json::from_str(r#"{"environment": {"A": "2", "B": "1"}, "host": "git.example.com"}"#)
            .unwrap();
    let first = world.render();
    assert_eq!(first, world.render());
    assert_eq!(first, World { config: shuffled, ..world }.render());
}

#[test]
fn every_variable_is_a_text_and_is_known_as_ours() {
    let rendered = World::new(3).with(everything()).render();
    for zone in ["a", "b", "c"] {
        for (name, entry) in environment(&rendered, &format!("gitlab/deployment@eu-west-1{zone}")) {
            let known_later = is_marker(&entry["value"]);
            let secret = entry["valueFrom"]["secretKeyRef"]["key"].is_string();
            assert!(entry["value"].is_string() || known_later || secret, "{entry}");
            assert!(
                is_managed(&name) || name == "GITLAB_PROJECTS_LIMIT",
                "{name} could be set twice"
            );
        }
    }
}

#[test]
fn only_secrets_hold_secrets_and_only_as_references() {
    for settings in [json!({}), everything()] {
        let rendered = World::new(3).with(settings).render();
        for resource in &rendered.resources {
            let spec = resource.spec.to_json();
            if spec["kind"] == "Secret" {
                let data = spec["stringData"].as_object().unwrap();
                assert!(!data.is_empty() && data.values().all(is_marker), "{spec}");
            } else {
                let text = spec.to_string();
                assert!(!text.contains("$secret") && !text.contains("$generate"), "{text}");
            }
        }
    }
}

#[test]
fn a_key_in_a_secret_is_read_there_and_made_nowhere_else() {
    let rendered = World::new(1).with(everything_of_one_zone()).render();
    let env = environment(&rendered, "gitlab/deployment@eu-west-1a");
    let from = |name: &str| env[name]["valueFrom"]["secretKeyRef"].clone();
    assert_eq!(from("GITLAB_SECRETS_DB_KEY_BASE"), json!({ "name": "old", "key": "db" }));
    assert_eq!(
        from("GITLAB_SECRETS_OTP_KEY_BASE"),
        json!({ "name": "gitlab-secrets", "key": "GITLAB_SECRETS_OTP_KEY_BASE" })
    );
    let secret = rendered.resources.iter().find(|r| r.id == id("gitlab/secrets")).unwrap();
    assert!(secret.spec.at("/stringData/GITLAB_SECRETS_DB_KEY_BASE").is_none());
    let otp = secret.spec.at("/stringData/GITLAB_SECRETS_OTP_KEY_BASE").unwrap();
    assert_eq!(otp.to_json(), json!({ "$secret": { "env": "OTP" } }));
}

fn everything_of_one_zone() -> Json {
    let mut settings = everything();
    settings["backup"]["zone"] = json!("eu-west-1a");
    settings
}

#[test]
fn backups_are_made_in_one_zone() {
    let rendered = World::new(3).with(everything()).render();
    let schedules = ["a", "b", "c"].map(|zone| {
        environment(&rendered, &format!("gitlab/deployment@eu-west-1{zone}"))["GITLAB_BACKUP_SCHEDULE"]["value"]
            .clone()
    });
    assert_eq!(schedules, ["disable", "weekly", "disable"]);
}

#[test]
fn pods_carry_the_labels_that_the_cache_lets_in() {
    let world = World::new(2);
    let rendered = world.render();
    for resource in rendered.resources.iter().filter(|r| r.id.name == "deployment") {
        let labels = resource.spec.at("/spec/template/metadata/labels").unwrap().to_json();
        for (key, value) in &world.cache.client_labels {
            assert_eq!(labels[key], json!(value));
        }
        let selector = resource.spec.at("/spec/selector/matchLabels").unwrap().to_json();
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&labels[key], value, "the selector must match its own pods");
        }
    }
}

#[test]
fn a_csi_handle_stands_in_one_volume_only() {
    let mut world = World::new(3);
    world.storage.csi = Some(CsiVolume {
        driver: "efs.csi.aws.com".to_owned(),
        handle: Value::from(Ref::new(&id("data/file-system"), "id")),
        attributes: BTreeMap::from([("encryptInTransit".to_owned(), Value::from("true"))]),
    });
    let rendered = world.render();
    assert_snapshot!(manifests(&rendered, |id| id.name == "volume" || id.name == "claim"));
    let claims: Vec<_> = rendered
        .resources
        .iter()
        .filter_map(|r| r.spec.at("/spec/template/spec/volumes/0/persistentVolumeClaim/claimName"))
        .map(|claim| claim.as_str().unwrap())
        .collect();
    assert_eq!(claims, ["gitlab-data"; 3]);
}

#[test]
fn an_endpoint_in_one_zone_serves_all() {
    let mut world = World::new(2);
    world.storage = super::efs(&super::zones(1));
    world.storage.regional = false;
    let rendered = world.render();
    let servers: Vec<_> = rendered
        .resources
        .iter()
        .filter_map(|r| r.spec.at("/spec/nfs/server"))
        .map(Value::to_json)
        .collect();
    assert_eq!(
        servers,
        [
            json!({ "$ref": "data/mount-target@eu-west-1a#dns_name" }),
            json!({ "$ref": "data/mount-target@eu-west-1a#dns_name" })
        ]
    );
}

/// One volume for each zone all the same: it keeps a pod in the zone of its claim, and the number of volumes does not
/// depend on the service.
#[test]
fn one_name_for_all_zones_serves_each() {
    let server = json!({ "$ref": "data/file-system#dns_name" });
    for (mode, volumes) in [("active", 3), ("failover", 1)] {
        let mut world = World::new(3).with(json!({ "mode": mode }));
        world.storage = super::fsx(&super::zones(3));
        let rendered = world.render();
        let sources: Vec<_> = rendered
            .resources
            .iter()
            .filter(|resource| resource.id.name == "volume")
            .map(|volume| (volume.spec.at("/spec/nfs").unwrap().to_json(), volume.spec.to_json()))
            .collect();
        assert_eq!(sources.len(), volumes, "{mode}");
        for (source, volume) in &sources {
            assert_eq!(*source, json!({ "server": server, "path": "/fsx" }));
            let options = &volume["spec"]["mountOptions"];
            let wanted = ["nfsvers=4.2", "hard", "nconnect=16", "noatime", "lookupcache=positive"];
            assert_eq!(*options, json!(wanted));
            assert_eq!(volume["spec"].get("nodeAffinity").is_some(), mode == "active");
        }
        for pod in rendered.resources.iter().filter(|resource| resource.id.name == "deployment") {
            let needs: Vec<_> = pod.all_needs().iter().map(|need| need.id.to_string()).collect();
            for needed in ["data/file-system", "data/security-group"] {
                assert_eq!(needs.iter().filter(|id| *id == needed).count(), 1, "{mode}: {needs:?}");
            }
        }
    }
}

#[test]
fn a_renamed_component_keeps_every_object_and_selector() {
    for mode in ["active", "failover"] {
        let world = World::new(2).with(everything()).with(json!({ "mode": mode }));
        let before = world.render();
        let after = world.render_as("forge", "gitlab");
        assert!(before.resources.len() > 5, "{mode}");
        for (old, new) in before.resources.iter().zip(&after.resources) {
            assert_eq!(new.id.to_string(), old.id.to_string().replace("gitlab/", "forge/"));
            assert_eq!((&new.name, &new.spec), (&old.name, &old.spec), "{mode}");
        }
        let password = |rendered: &zonestack_core::component::Rendered| {
            let outputs = rendered.outputs.iter();
            outputs.filter(|(name, _)| name == "root-password").cloned().collect::<Vec<_>>()
        };
        assert_eq!(password(&after), password(&before));
    }
}

/// As `elasticache` exports it: the primary's name, known when it is ready, and no label, because its security group lets in
/// the nodes and not pods.
#[test]
fn a_cache_outside_the_cluster_is_reached_by_its_endpoint() {
    let mut world = World::new(2);
    world.cache.host = Value::from(Ref::new(&id("cache/replication-group"), "address"));
    world.cache.client_labels = BTreeMap::new();
    world.cache.needs = vec![ready(&id("cache/replication-group"))];
    let rendered = world.render();
    let usual = ["git-on-nfs", "plain-http", "shared-gitaly"];
    assert!(rendered.findings.iter().all(|finding| usual.contains(&finding.code)));
    let environment = environment(&rendered, "gitlab/deployment@eu-west-1a");
    assert_eq!(
        environment["REDIS_HOST"]["value"],
        json!({ "$ref": "cache/replication-group#address" })
    );
    assert_eq!(environment["REDIS_PORT"]["value"], "6379");
    let first = id("gitlab/deployment@eu-west-1a");
    let deployment = rendered.resources.iter().find(|resource| resource.id == first).unwrap();
    let labels = deployment.spec.at("/spec/template/metadata/labels").unwrap().to_json();
    let labels = labels.as_object().unwrap();
    assert!(!labels.keys().any(|label| label.contains("client-of")), "{labels:?}");
    let need = ready(&id("cache/replication-group"));
    assert!(deployment.all_needs().contains(&need), "{:?}", deployment.all_needs());
}
