//! A sandbox with made-up kinds, and short words for what tests do with it.
#![expect(clippy::needless_pass_by_value, reason = "tests write their values where they are used")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver as _, DriverError, Observation, Owner,
    Query, Status, Target,
};
use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

use crate::{NoFaults, Options, Pace, Sandbox, SandboxDriver, SandboxSecrets, VirtualClock, World};

pub(super) const STORE: &str = "aws.made-up.store";
pub(super) const DOOR: &str = "aws.made-up.door";
pub(super) const BASE: &str = "aws.made-up.base";
pub(super) const GROUP: &str = "aws.made-up.base-group";
pub(super) const WIDGET: &str = "aws.made-up.widget";
pub(super) const DEPLOYMENT: &str = "k8s.apps/v1.Deployment";
pub(super) const SERVICE: &str = "k8s.v1.Service";
pub(super) const SECRET: &str = "k8s.v1.Secret";
pub(super) const CLAIM: &str = "k8s.v1.PersistentVolumeClaim";
pub(super) const VOLUME: &str = "k8s.v1.PersistentVolume";
pub(super) const NAMESPACE: &str = "k8s.v1.Namespace";

fn kind(name: &str, identity: Identity, tagging: Tagging, id: &'static str) -> KindDeclaration {
    let kubernetes = name.starts_with("k8s.");
    let marks = if kubernetes { "/metadata/labels" } else { "/tags" };
    KindDeclaration {
        kind: Kind::new(name),
        identity,
        tagging,
        marks_at: (tagging != Tagging::None).then_some(marks),
        data: DataClass::Stateless,
        fields: Vec::new(),
        protection: None,
        final_copy: false,
        restores_from: None,
        replaces_dependents: false,
        ready_within: Duration::from_mins(10),
        delete_within: Duration::from_mins(10),
        read_after_write: Duration::from_mins(1),
        outputs: vec!["id"],
        iam_actions: Vec::new(),
        model: Model {
            id,
            outputs: vec![("id", "{id}")],
            creating: vec!["creating"],
            create: Duration::from_secs(10),
            update: Duration::from_secs(4),
            delete: Duration::from_secs(6),
        },
    }
}

pub(super) fn kinds() -> Vec<KindDeclaration> {
    let mut store = kind(STORE, Identity::Token, Tagging::OnCreate, "fs-{hex17}");
    store.model.outputs.push(("dns_name", "{id}.made-up.{region}.example"));
    let door = kind(DOOR, Identity::Parent { at: "/store" }, Tagging::None, "door-{hex17}");
    let mut base = kind(BASE, Identity::Name, Tagging::OnCreate, "{name}");
    base.fields = vec![
        FieldRule::new("/engine", Effect::Replace),
        FieldRule::new("/size", Effect::InPlace).up_only(),
    ];
    base.protection = Some("/protected");
    base.final_copy = true;
    base.model.creating = vec!["creating", "backing-up"];
    base.model.create = Duration::from_mins(12);
    base.model.outputs.extend([("address", "{name}.c{hex8}.example"), ("port", "{spec/port}")]);
    let group = kind(GROUP, Identity::Name, Tagging::OnCreate, "{name}");
    let widget = kind(WIDGET, Identity::ServerId, Tagging::After, "w-{hex8}");
    let mut all = vec![store, door, base, group, widget];
    for name in [DEPLOYMENT, SERVICE, SECRET, CLAIM, VOLUME, NAMESPACE] {
        all.push(kind(name, Identity::Name, Tagging::OnCreate, "{hex17}"));
    }
    for kind in &mut all {
        if kind.kind.as_str() == SERVICE {
            kind.model.outputs.push(("hostname", "{name}-{hex8}.elb.{region}.example"));
        }
    }
    all
}

/// A sandbox at the real services' pace on made-up time, and one stack in it.
pub(super) struct Bed {
    pub(super) clock: Arc<VirtualClock>,
    pub(super) sandbox: Sandbox,
    pub(super) driver: SandboxDriver,
    pub(super) secrets: SandboxSecrets,
    pub(super) owner: Owner,
}

pub(super) fn options() -> Options {
    Options { pace: Some(Pace::Real), ..Options::new("eu-west-1", "k8s.myzone.net") }
}

impl Bed {
    pub(super) fn new() -> Self {
        let clock = Arc::new(VirtualClock::new());
        let sandbox = Sandbox::in_memory(&options(), clock.clone());
        Self::on(clock, sandbox, "0123456789abcdef")
    }

    pub(super) fn on(clock: Arc<VirtualClock>, sandbox: Sandbox, uid: &str) -> Self {
        let owner = Owner {
            stack: "git".to_owned(),
            uid: Some(uid.to_owned()),
            namespace: "git".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let environment = Arc::new(|name: &str| Ok((name == "GIVEN").then(|| "value".to_owned())));
        let secrets = sandbox.secrets("git", environment, Arc::new(|_| Ok(None)));
        Self { clock, driver: sandbox.driver(kinds()), sandbox, secrets, owner }
    }

    /// Another stack in the same world.
    pub(super) fn stranger(&self) -> Self {
        let sandbox = self.sandbox.process("stranger", Arc::new(NoFaults));
        Self::on(self.clock.clone(), sandbox, "fedcba9876543210")
    }

    pub(super) fn cx(&self) -> CallContext<'_> {
        CallContext::new(&self.owner, &self.secrets)
    }

    /// The target of a resource: its token follows from its owner and id, its name is the last word of the id.
    pub(super) fn target(&self, kind: &str, id: &str) -> Target {
        let name = id.split(['/', '@']).nth(1).unwrap_or_default();
        let cluster_wide = [VOLUME, NAMESPACE].contains(&kind);
        let namespaced = kind.starts_with("k8s.") && !cluster_wide;
        let name = if namespaced { format!("git/{name}") } else { name.to_owned() };
        let has_name = kind.starts_with("k8s.") || [BASE, GROUP].contains(&kind);
        Target {
            id: id.parse().unwrap(),
            kind: Kind::new(kind),
            name: has_name.then_some(name),
            token: self.owner.uid.as_ref().map(|uid| format!("{uid} {id}")),
            remote_id: None,
            parent: None,
        }
    }

    pub(super) fn create(&self, kind: &str, id: &str, spec: Json) -> Result<Created, DriverError> {
        let target = self.target(kind, id);
        self.clock.run(self.driver.create(self.cx(), &target, &spec)).unwrap()
    }

    /// The id of what was made.
    #[track_caller]
    pub(super) fn made(&self, kind: &str, id: &str, spec: Json) -> String {
        self.create(kind, id, spec).unwrap().remote_id.unwrap()
    }

    pub(super) fn update(
        &self,
        kind: &str,
        id: &str,
        spec: Json,
        path: &str,
        from: Json,
        to: Json,
    ) -> Result<(), DriverError> {
        let target = self.target(kind, id);
        let value = |value: Json| Some(value).filter(|value| !value.is_null());
        let differences = [Difference { path: path.to_owned(), from: value(from), to: value(to) }];
        self.clock.run(self.driver.update(self.cx(), &target, &spec, &differences)).unwrap()
    }

    pub(super) fn delete(&self, kind: &str, id: &str) -> Result<(), DriverError> {
        self.delete_with(self.target(kind, id), None)
    }

    pub(super) fn delete_with(
        &self,
        target: Target,
        copy: Option<&str>,
    ) -> Result<(), DriverError> {
        let deletion = Deletion { final_copy: copy.map(str::to_owned) };
        self.clock.run(self.driver.delete(self.cx(), &target, &deletion)).unwrap()
    }

    pub(super) fn look(&self, kind: &str, id: &str) -> Observation {
        self.query(self.target(kind, id), None)
    }

    pub(super) fn look_for(&self, kind: &str, id: &str, spec: Json) -> Observation {
        self.query(self.target(kind, id), Some(spec))
    }

    pub(super) fn query(&self, target: Target, spec: Option<Json>) -> Observation {
        let queries = [Query { target, spec }];
        let mut answers = self.clock.run(self.driver.observe(self.cx(), &queries)).unwrap();
        assert_eq!(answers.len(), 1);
        answers.remove(0).unwrap()
    }

    pub(super) fn status(&self, kind: &str, id: &str) -> Status {
        self.look(kind, id).status
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(super) fn world(&self) -> World {
        self.sandbox.world().unwrap()
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        self.sandbox.change(change).unwrap()
    }

    /// The private subnet of a zone.
    pub(super) fn subnet(&self, zone: &str) -> String {
        self.world().site.zone(zone).unwrap().subnets[0].id.clone()
    }

    pub(super) fn namespace(&self) {
        self.made(NAMESPACE, "stack/git", json!({ "metadata": { "name": "git" } }));
    }
}

pub(super) fn class<T: std::fmt::Debug>(result: Result<T, DriverError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.class.as_str(),
    }
}
