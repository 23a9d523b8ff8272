//! Every message as it stands on the wire. A snapshot that changes is a plugin that breaks: add fields, never rename one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use zonestack_core::context::{ClusterFacts, Context};
use zonestack_core::diagnostic::Finding;
use zonestack_core::driver::{
    Created, Deletion, Difference, DriverError, ErrorClass, Observation, Owned, Owner, Ownership,
    Query, Status, Target,
};
use zonestack_core::interface::{
    CsiVolume, Endpoint, Export, InterfaceName, Postgres, PostgresService, Redis, SharedFilesystem,
};
use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::{Kind, ResourceId, Zone};
use zonestack_core::resource::{
    DataClass, Foreign, Need, Placement, Resource, StopFor, Until, UpgradeRule,
};
use zonestack_core::secret::{Generator, SecretKey, SecretRef};
use zonestack_core::value::{Ref, Value, generate, secret};

use super::description::{ComponentMessage, KindMessage, RequirementMessage};
use super::*;

/// The message as text; it must be read as what it was, with a field that nobody knows yet beside the known ones.
#[track_caller]
fn on_the_wire<T: Serialize + DeserializeOwned + PartialEq + Debug>(message: &T) -> String {
    let mut json = serde_json::to_value(message).unwrap();
    let text = serde_json::to_string_pretty(&json).unwrap();
    if let Some(map) = json.as_object_mut() {
        map.insert("of the future".to_owned(), json!([1, 2]));
    }
    assert_eq!(serde_json::from_value::<T>(json).unwrap(), *message);
    text
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn zones() -> Vec<Zone> {
    ["eu-west-1a", "eu-west-1b"].map(|zone| zone.parse().unwrap()).to_vec()
}

fn need(text: &str) -> Need {
    Need { id: id(text), until: Until::Ready }
}

fn key() -> SecretKey {
    SecretKey { name: "git-db".to_owned(), key: "password".to_owned() }
}

fn host() -> Value {
    Ref::new(&id("db/instance"), "address").into()
}

fn caller() -> Caller {
    Caller {
        owner: Owner {
            stack: "git".to_owned(),
            uid: Some("1b4e28ba".to_owned()),
            namespace: "git".to_owned(),
            region: "eu-west-1".to_owned(),
        },
        taken_over: BTreeSet::from([id("gitlab/web")]),
    }
}

fn target() -> Target {
    Target {
        id: id("data/mount-target@eu-west-1a"),
        kind: Kind::new("aws.efs.mount-target"),
        name: Some("git-data".to_owned()),
        token: Some("token-1".to_owned()),
        remote_id: Some("fsmt-1".to_owned()),
        parent: Some("fs-1".to_owned()),
    }
}

fn context() -> Context {
    let mut context = Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones());
    context.zones[0].zone_id = Some("euw1-az1".to_owned());
    context.cluster = ClusterFacts {
        name: "k8s.example.com".to_owned(),
        version: "v1.36.2".to_owned(),
        load_balancer_controller: true,
        efs_csi_driver: true,
        os_images: vec!["Ubuntu 24.04.1 LTS".to_owned()],
    };
    context
}

fn exports() -> [Export; 4] {
    let endpoint =
        Endpoint { server: host(), path: "/".to_owned(), needs: vec![need("data/target")] };
    [
        Export::SharedFilesystem(SharedFilesystem {
            service: "Amazon EFS".to_owned(),
            endpoints: BTreeMap::from([(zones().remove(0), endpoint)]),
            mount_options: vec!["nfsvers=4.1".to_owned()],
            csi: Some(CsiVolume {
                driver: "efs.csi.aws.com".to_owned(),
                handle: host(),
                attributes: BTreeMap::from([("tls".to_owned(), "true".into())]),
            }),
            capacity: "100Gi".to_owned(),
            regional: true,
            regional_server: Some(host()),
        }),
        Export::Postgres(Postgres {
            service: PostgresService::RdsInstance,
            host: host(),
            port: 5432,
            database: "gitlab".to_owned(),
            user: "gitlab".to_owned(),
            password: key(),
            major: 17,
            max_connections: Some(400),
            size: "db.m7g.large".to_owned(),
            needs: vec![need("db/instance")],
        }),
        Export::Redis(Redis {
            engine: "valkey".to_owned(),
            host: "cache".into(),
            port: 6379,
            version: (8, 1),
            tls: true,
            auth: Some(key()),
            client_labels: BTreeMap::from([("redis".to_owned(), "client".to_owned())]),
            needs: vec![],
        }),
        Export::Other(InterfaceName::new("queue/v2").unwrap(), Value::from(json!({ "host": "q" }))),
    ]
}

fn resources() -> Vec<Resource> {
    let spec = json!({
        "plain": [1, null, "text", true],
        "reference": Ref::new(&id("data/file-system"), "id"),
        "password": secret(&SecretRef::Secret(key())),
        "token": generate(&Generator::Alphanumeric(32)),
    });
    let failover = Duration::from_millis(90_500);
    let replicated = Placement::Replicated { zones: zones(), failover };
    let full = Resource {
        needs: vec![need("data/file-system"), Need { id: id("x/y"), until: Until::Exists }],
        foreign: Foreign::Use,
        upgrade: Some(UpgradeRule {
            path: "/image".to_owned(),
            subject: "GitLab".to_owned(),
            stops: vec![2, 5],
            source: "docs".to_owned(),
        }),
        stop_for: Some(StopFor {
            leader: id("gitlab/migrations"),
            when: vec!["/image".to_owned()],
            set: vec![("/spec/replicas".to_owned(), json!(0))],
        }),
        ..Resource::new(id("data/instance@eu-west-1a"), "aws.rds.instance", spec)
            .named("git-db")
            .holding(DataClass::Data)
            .placed(replicated)
    };
    let key = Resource::new(id("gitlab/key"), "k8s.v1.Secret", json!({})).holding(DataClass::Key);
    let zonal = Resource::new(id("cache/pod@eu-west-1b"), "k8s.v1.Pod", json!({}));
    vec![full, key, zonal.holding(DataClass::Cache)]
}

#[test]
fn describe() {
    let request =
        DescribeRequest { proto_min: 1, proto_max: 1, host: "zonestack 0.1.0".to_owned() };
    insta::assert_snapshot!("describe_request", on_the_wire(&request));
    let kind = KindDeclaration {
        kind: Kind::new("aws.fsx.volume"),
        identity: Identity::Parent { at: "/file_system_id" },
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Data,
        fields: vec![FieldRule::new("/size", Effect::OutageInWindow).up_only()],
        protection: Some("/deletion_protection"),
        final_copy: true,
        restores_from: Some("/snapshot"),
        replaces_dependents: true,
        ready_within: Duration::from_mins(40),
        delete_within: Duration::from_mins(30),
        read_after_write: Duration::from_millis(1500),
        outputs: vec!["id"],
        iam_actions: vec!["fsx:CreateVolume"],
        model: Model {
            id: "fsvol-{hex17}",
            outputs: vec![("id", "{id}")],
            creating: vec!["CREATING"],
            create: Duration::from_mins(10),
            update: Duration::from_mins(5),
            delete: Duration::from_mins(3),
        },
    };
    let answer = Description {
        proto: 1,
        name: "fsx".to_owned(),
        version: "0.3.1".to_owned(),
        features: vec!["a feature".to_owned()],
        encodings: vec!["json".to_owned()],
        components: vec![ComponentMessage {
            name: "fsx-openzfs".to_owned(),
            summary: "A file system".to_owned(),
            provides: vec!["shared-filesystem/v1".to_owned()],
            requires: vec![RequirementMessage {
                name: "database".to_owned(),
                interface: "postgres/v1".to_owned(),
            }],
            advisories: vec!["costly".to_owned()],
            schema: json!({ "type": "object" }),
        }],
        kinds: vec![KindMessage::from(&kind)],
    };
    insta::assert_snapshot!("describe_answer", on_the_wire(&answer));
}

#[test]
fn identities_and_tagging() {
    use super::description::IdentityMessage;
    let identities =
        [Identity::Name, Identity::Token, Identity::ServerId].map(IdentityMessage::from);
    let taggings = [Tagging::OnCreate, Tagging::After, Tagging::None];
    let effects = [
        Effect::InPlace,
        Effect::InWindow,
        Effect::OutageInWindow,
        Effect::Outage,
        Effect::Replace,
    ];
    insta::assert_snapshot!(json!([identities, taggings, effects]));
}

#[test]
fn check() {
    let request = CheckRequest { component_type: "efs".to_owned(), config: json!({ "path": "/" }) };
    insta::assert_snapshot!("check_request", on_the_wire(&request));
    let finding = Finding::error("path", "mounts.0.path", "no such path").hint("write another");
    let advisory = Finding::advisory("one-zone", "", "one zone only");
    let answer = CheckAnswer { findings: vec![finding.into(), advisory.into()] };
    insta::assert_snapshot!("check_answer", on_the_wire(&answer));
}

#[test]
fn render() {
    let names = ["files", "database", "cache", "queue"].map(str::to_owned);
    let request = RenderRequest {
        component_type: "gitlab".to_owned(),
        config: json!({ "host": "git.example.com" }),
        component: "gitlab".parse().unwrap(),
        called: "git".parse().unwrap(),
        context: context(),
        requirements: names.into_iter().zip(exports()).collect(),
        consumers: 2,
    };
    insta::assert_snapshot!("render_request", on_the_wire(&request));
    let answer = RenderAnswer {
        resources: resources(),
        exports: exports().to_vec(),
        findings: Vec::new(),
        outputs: vec![("url".to_owned(), host())],
    };
    insta::assert_snapshot!("render_answer", on_the_wire(&answer));
    let empty: RenderAnswer = serde_json::from_str("{}").unwrap();
    assert_eq!(empty, RenderAnswer::default());
}

#[test]
fn observe() {
    let queries = vec![
        Query { target: target(), spec: Some(json!({ "size": 1 })) },
        Query {
            target: Target { name: None, token: None, remote_id: None, parent: None, ..target() },
            spec: None,
        },
    ];
    let request = ObserveRequest { caller: caller(), queries };
    insta::assert_snapshot!("observe_request", on_the_wire(&request));
    let found = Observation {
        status: Status::Pending("creating".to_owned()),
        remote_id: Some("fs-1".to_owned()),
        ownership: Ownership::Ours,
        attributes: json!({ "size": 1 }),
        outputs: BTreeMap::from([("id".to_owned(), json!("fs-1"))]),
    };
    let denied = ErrorClass::Denied(Some("efs:Describe".to_owned()));
    let answers =
        vec![Ok(found), Ok(Observation::absent()), Err(DriverError::new(denied, "not allowed"))];
    let answer = ObserveAnswer { answers: answers.into_iter().map(Answer::from).collect() };
    insta::assert_snapshot!("observe_answer", on_the_wire(&answer));
    let statuses = [
        Status::Absent,
        Status::Pending("a".to_owned()),
        Status::Busy("b".to_owned()),
        Status::Ready,
        Status::Failed("c".to_owned()),
        Status::Deleting,
    ];
    let ownerships = [Ownership::Ours, Ownership::Foreign, Ownership::Unknown];
    insta::assert_snapshot!("statuses", json!([statuses, ownerships]));
}

#[test]
fn create_update_delete() {
    let spec = json!({ "size": 1 });
    let request = CreateRequest { caller: caller(), target: target(), spec: spec.clone() };
    insta::assert_snapshot!("create_request", on_the_wire(&request));
    let answer = Created { remote_id: Some("fs-1".to_owned()) };
    insta::assert_snapshot!("create_answer", on_the_wire(&answer));
    let difference = |path: &str, from, to| Difference { path: path.to_owned(), from, to };
    let differences = vec![
        difference("/size", Some(json!(1)), Some(json!(2))),
        difference("/gone", Some(json!(1)), None),
        difference("/null", None, Some(Json::Null)),
    ];
    let request = UpdateRequest { caller: caller(), target: target(), spec, differences };
    insta::assert_snapshot!("update_request", on_the_wire(&request));
    let deletion = Deletion { final_copy: Some("git-db-final".to_owned()) };
    let request = DeleteRequest { caller: caller(), target: target(), deletion };
    insta::assert_snapshot!("delete_request", on_the_wire(&request));
    assert_eq!(on_the_wire(&Nothing {}), "{}");
}

#[test]
fn final_copy_and_owned() {
    let request =
        FinalCopyRequest { caller: caller(), target: target(), name: "git-db-final".to_owned() };
    insta::assert_snapshot!("final_copy_request", on_the_wire(&request));
    insta::assert_snapshot!(
        "final_copy_answer",
        on_the_wire(&FinalCopyAnswer { status: Status::Ready })
    );
    insta::assert_snapshot!("owned_request", on_the_wire(&OwnedRequest { caller: caller() }));
    let owned = Owned {
        kind: Kind::new("aws.efs.file-system"),
        id: Some(id("data/file-system")),
        uid: Some("1b4e28ba".to_owned()),
        cluster: Some("k8s.example.com".to_owned()),
        name: Some("git-data".to_owned()),
        remote_id: Some("fs-1".to_owned()),
    };
    insta::assert_snapshot!("owned_answer", on_the_wire(&OwnedAnswer { owned: vec![owned] }));
}

#[test]
fn asked() {
    let request = AwsCredentialsRequest { region: Some("eu-west-1".to_owned()) };
    insta::assert_snapshot!("credentials_request", on_the_wire(&request));
    let credentials = AwsCredentials {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: "key".to_owned(),
        session_token: Some("token".to_owned()),
        expires: Some(1_800_000_000),
    };
    insta::assert_snapshot!("credentials", serde_json::to_string_pretty(&credentials).unwrap());
    let settings = AwsSettings {
        region: "eu-west-1".to_owned(),
        endpoint_url: Some("http://127.0.0.1:4566".to_owned()),
        endpoint_urls: BTreeMap::from([("EFS".to_owned(), "http://127.0.0.1:1".to_owned())]),
        use_fips: Some(true),
        use_dual_stack: Some(false),
        user_agent: Some("zonestack".to_owned()),
    };
    insta::assert_snapshot!("settings", on_the_wire(&settings));
    let clock = ClockAnswer { now: "2026-11-23T07:00:00Z".to_owned() };
    insta::assert_snapshot!("clock", on_the_wire(&clock));
    let request = SecretRequest { reference: SecretRef::Env("PASSWORD".to_owned()) };
    insta::assert_snapshot!("secret_request", on_the_wire(&request));
    let answer = serde_json::to_string_pretty(&SecretAnswer { value: "value".to_owned() }).unwrap();
    insta::assert_snapshot!("secret_answer", answer);
    insta::assert_snapshot!(
        "throttle",
        on_the_wire(&ThrottleRequest { service: "efs".to_owned() })
    );
    let line =
        LogLine { level: "warn".to_owned(), target: "efs".to_owned(), text: "slow".to_owned() };
    insta::assert_snapshot!("log", on_the_wire(&line));
}

#[test]
fn every_class_of_errors_has_its_word() {
    let classes = [
        ErrorClass::Throttled,
        ErrorClass::Transient,
        ErrorClass::Ambiguous,
        ErrorClass::NotFound,
        ErrorClass::AlreadyExists,
        ErrorClass::Busy,
        ErrorClass::Dependency,
        ErrorClass::Denied(None),
        ErrorClass::Denied(Some("efs:Create".to_owned())),
        ErrorClass::Quota,
        ErrorClass::Invalid,
        ErrorClass::Expired,
        ErrorClass::ZoneUnavailable,
        ErrorClass::Unsupported,
        ErrorClass::Bug,
    ];
    let mut words = Vec::new();
    for class in classes {
        let error = DriverError::new(class, "what happened");
        let failure = Failure::from(error.clone());
        words.push(failure.class.clone());
        assert_eq!(DriverError::from(failure), error);
    }
    insta::assert_snapshot!(words.join(" "));
    let unknown: Failure = serde_json::from_str(r#"{ "class": "new", "message": "m" }"#).unwrap();
    assert_eq!(DriverError::from(unknown).class, ErrorClass::Bug);
}
