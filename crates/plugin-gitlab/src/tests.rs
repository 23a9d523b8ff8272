//! What the tests share: a made-up region, made-up providers, and one way to render.

mod documents;
mod findings;
mod manifests;
mod order;
mod settings;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use zonestack_core::component::{Component, RenderContext, Rendered};
use zonestack_core::context::Context;
use zonestack_core::interface::{
    Endpoint, Export, Postgres, PostgresService, Redis, SharedFilesystem, ready,
};
use zonestack_core::name::{ResourceId, Zone};
use zonestack_core::secret::SecretKey;
use zonestack_core::value::{Ref, Value};

use crate::Gitlab;

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn zones(number: usize) -> Vec<Zone> {
    ["a", "b", "c", "d", "e", "f"][..number]
        .iter()
        .map(|letter| format!("eu-west-1{letter}").parse().unwrap())
        .collect()
}

/// Everything that one rendering starts from.
struct World {
    config: Json,
    context: Context,
    storage: SharedFilesystem,
    database: Postgres,
    cache: Redis,
}

impl World {
    fn new(number_of_zones: usize) -> Self {
        let zones = zones(number_of_zones);
        Self {
            config: json!({ "host": "git.example.com" }),
            context: Context::nominal("git".parse().unwrap(), "dev", "eu-west-1", &zones),
            storage: efs(&zones),
            database: Postgres {
                service: PostgresService::RdsInstance,
                host: Value::from(Ref::new(&id("db/instance"), "address")),
                port: 5432,
                database: "gitlab_production".to_owned(),
                user: "gitlab".to_owned(),
                password: SecretKey { name: "db".to_owned(), key: "password".to_owned() },
                major: 17,
                max_connections: Some(1700),
                size: "db.m7g.xlarge".to_owned(),
                needs: vec![ready(&id("db/instance"))],
            },
            cache: Redis {
                engine: "valkey".to_owned(),
                host: Value::from("cache.dev.svc"),
                port: 6379,
                version: (8, 1),
                tls: false,
                auth: None,
                client_labels: BTreeMap::from([(
                    "zonestack.io/client-of-cache".to_owned(),
                    "git".to_owned(),
                )]),
                needs: vec![ready(&id("cache/deployment"))],
            },
        }
    }

    /// The same world with more settings.
    fn with(mut self, settings: Json) -> Self {
        let (Json::Object(config), Json::Object(settings)) = (&mut self.config, settings) else {
            panic!("settings are a map")
        };
        config.extend(settings);
        self
    }

    fn render(&self) -> Rendered {
        self.render_as("gitlab", "gitlab")
    }

    /// As the component of a name, which was called otherwise when it made its things.
    fn render_as(&self, name: &str, called: &str) -> Rendered {
        assert_eq!(Gitlab.check(&self.config), [], "the settings of a test are right");
        let requirements = BTreeMap::from([
            ("storage".to_owned(), Export::SharedFilesystem(self.storage.clone())),
            ("database".to_owned(), Export::Postgres(self.database.clone())),
            ("cache".to_owned(), Export::Redis(self.cache.clone())),
        ]);
        let cx = RenderContext {
            component: &name.parse().unwrap(),
            called: &called.parse().unwrap(),
            context: &self.context,
            requirements: &requirements,
            consumers: 0,
        };
        Gitlab.render(&self.config, &cx)
    }
}

fn efs(zones: &[Zone]) -> SharedFilesystem {
    let endpoint = |zone: &Zone| {
        let target = id("data/mount-target").in_zone(zone);
        let server = Value::from(Ref::new(&target, "dns_name"));
        (zone.clone(), Endpoint { server, path: "/".to_owned(), needs: vec![ready(&target)] })
    };
    SharedFilesystem {
        service: "Amazon EFS".to_owned(),
        endpoints: zones.iter().map(endpoint).collect(),
        mount_options: ["nfsvers=4.1", "hard", "noresvport"].map(str::to_owned).to_vec(),
        csi: None,
        capacity: "100Gi".to_owned(),
        regional: true,
        regional_server: Some(Value::from(Ref::new(&id("data/file-system"), "dns_name"))),
    }
}

/// One file system under one name, whatever the zone.
fn fsx(zones: &[Zone]) -> SharedFilesystem {
    let system = id("data/file-system");
    let server = Value::from(Ref::new(&system, "dns_name"));
    let needs = vec![ready(&system), ready(&id("data/security-group"))];
    let endpoint = Endpoint { server: server.clone(), path: "/fsx".to_owned(), needs };
    SharedFilesystem {
        service: "Amazon FSx for OpenZFS".to_owned(),
        endpoints: zones.iter().map(|zone| (zone.clone(), endpoint.clone())).collect(),
        mount_options: ["nfsvers=4.2", "hard", "nconnect=16"].map(str::to_owned).to_vec(),
        csi: None,
        capacity: "100Gi".to_owned(),
        regional: true,
        regional_server: Some(server),
    }
}

/// The manifests of a rendering as YAML, those whose id passes.
fn manifests(rendered: &Rendered, pass: impl Fn(&ResourceId) -> bool) -> String {
    rendered
        .resources
        .iter()
        .filter(|resource| pass(&resource.id))
        .map(|resource| {
            let yaml = serde_yaml::to_string(&resource.spec.to_json()).unwrap();
            format!("# {}\n{yaml}---\n", resource.id)
        })
        .collect::<Vec<_>>()
        .concat()
}

/// The environment of a Deployment, by name.
fn environment(rendered: &Rendered, deployment: &str) -> BTreeMap<String, Json> {
    let resource = rendered.resources.iter().find(|r| r.id.to_string() == deployment).unwrap();
    let list = resource.spec.at("/spec/template/spec/containers/0/env").unwrap().to_json();
    let entries = list.as_array().unwrap();
    let environment: BTreeMap<_, _> = entries
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap().to_owned(), entry.clone()))
        .collect();
    assert_eq!(environment.len(), entries.len(), "no variable is set twice");
    environment
}
