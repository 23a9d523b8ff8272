//! A desired graph, a world and an inventory, made of a few words; and a plan as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value as Json, json};
use zonestack_core::desired::{Desired, Role};
use zonestack_core::driver::{Observation, Owner, Ownership, Status};
use zonestack_core::inventory::{Entry, EntryState, Inventory};
use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::{Kind, ResourceId};
use zonestack_core::observe::Observed;
use zonestack_core::plan::{Plan, Work, shown};
use zonestack_core::planning::plan;
use zonestack_core::resource::{DataClass, Resource, Until};
use zonestack_core::situation::{Permits, Situation};
use zonestack_core::value::Value;

/// An ordinary kind. `/class`, `/storage` and `/fixed` have their rules; data of it is protected and leaves a copy.
pub(crate) const THING: &str = "test.thing";
/// A kind that what needs it cannot let go of.
pub(crate) const VOLUME: &str = "test.volume";

pub(crate) fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

/// A stateless thing without settings.
pub(crate) fn resource(text: &str) -> Resource {
    Resource::new(id(text), THING, json!({})).named(id(text).name)
}

pub(crate) fn with(mut resource: Resource, spec: Json) -> Resource {
    resource.spec = Value::from(spec);
    resource
}

pub(crate) fn of_kind(mut resource: Resource, kind: &str) -> Resource {
    resource.kind = Kind::new(kind);
    resource
}

pub(crate) fn kinds() -> BTreeMap<Kind, KindDeclaration> {
    let declaration = |kind: &str| KindDeclaration {
        kind: Kind::new(kind),
        identity: Identity::Name,
        tagging: Tagging::OnCreate,
        marks_at: None,
        data: DataClass::Stateless,
        fields: vec![
            FieldRule::new("/class", Effect::OutageInWindow),
            FieldRule::new("/storage", Effect::InWindow).up_only(),
            FieldRule::new("/fixed", Effect::Replace),
        ],
        protection: None,
        final_copy: false,
        restores_from: None,
        replaces_dependents: kind == VOLUME,
        ready_within: Duration::from_mins(1),
        delete_within: Duration::from_mins(1),
        read_after_write: Duration::from_secs(1),
        outputs: vec!["id"],
        iam_actions: Vec::new(),
        model: Model {
            id: "{hex8}",
            outputs: vec![("id", "{id}")],
            creating: vec!["creating"],
            create: Duration::from_secs(1),
            update: Duration::from_secs(1),
            delete: Duration::from_secs(1),
        },
    };
    let mut kinds: BTreeMap<Kind, KindDeclaration> =
        [THING, VOLUME].map(|kind| (Kind::new(kind), declaration(kind))).into();
    let database = KindDeclaration {
        kind: Kind::new(DATABASE),
        protection: Some("/protected"),
        final_copy: true,
        restores_from: None,
        ..declaration(DATABASE)
    };
    kinds.insert(Kind::new(DATABASE), database);
    kinds
}

/// A kind with deletion protection and a final copy.
pub(crate) const DATABASE: &str = "test.database";

/// What there is, what is remembered, what is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    desired: Desired,
    observed: Observed,
    inventory: Inventory,
    permits: Permits,
}

impl Scene {
    pub(crate) fn new(resources: impl IntoIterator<Item = Resource>) -> Self {
        let resources = resources.into_iter().map(database_for_data).collect();
        Self {
            desired: Desired { resources, ..Desired::default() },
            observed: Observed::default(),
            inventory: Inventory {
                stack: "git".to_owned(),
                uid: "uid".to_owned(),
                account: "111122223333".to_owned(),
                region: "eu-west-1".to_owned(),
                cluster: "k8s.myzone.net".to_owned(),
                epoch: 1,
                called: BTreeMap::new(),
                entries: BTreeMap::new(),
            },
            permits: Permits::default(),
        }
    }

    /// Everything wanted is there and remembered, as an `up` leaves it.
    pub(crate) fn made(mut self) -> Self {
        for resource in &self.desired.resources {
            let remote_id = Some(format!("remote-{}", resource.id));
            let observation = Observation {
                status: Status::Ready,
                remote_id: remote_id.clone(),
                ownership: Ownership::Ours,
                attributes: resource.spec.to_json(),
                outputs: [("id".to_owned(), json!(format!("remote-{}", resource.id)))].into(),
            };
            self.observed.insert(resource.id.clone(), observation);
            let entry = Entry {
                kind: resource.kind.clone(),
                name: resource.name.clone(),
                generation: 1,
                remote_id,
                parent: None,
                needs: resource.all_needs().into_iter().map(|need| need.id).collect(),
                data: resource.data,
                state: EntryState::Live,
                since: "2026-11-23T07:00:00Z".to_owned(),
                spec_hash: None,
                ours: true,
            };
            self.inventory.entries.insert(resource.id.clone(), entry);
        }
        self
    }

    pub(crate) fn wanting(mut self, resources: impl IntoIterator<Item = Resource>) -> Self {
        self.desired.resources = resources.into_iter().map(database_for_data).collect();
        self
    }

    pub(crate) fn forgotten(mut self) -> Self {
        self.inventory.entries.clear();
        self
    }

    pub(crate) fn in_state(mut self, state: EntryState) -> Self {
        for entry in self.inventory.entries.values_mut() {
            entry.state = state;
        }
        self
    }

    /// Everything that is remembered was there before, and is only used.
    pub(crate) fn of_others(mut self) -> Self {
        for entry in self.inventory.entries.values_mut() {
            entry.ours = false;
        }
        self
    }

    pub(crate) fn owned_by(mut self, ownership: Ownership) -> Self {
        let found: Vec<_> = self.observed.iter().map(|(id, o)| (id.clone(), o.clone())).collect();
        for (id, found) in found {
            self.observed.insert(id, Observation { ownership, ..found });
        }
        self
    }

    pub(crate) fn gone(mut self, text: &str) -> Self {
        self.observed.insert(id(text), Observation::absent());
        self
    }

    pub(crate) fn standing(mut self, text: &str, status: Status) -> Self {
        let found = self.observed.get(&id(text));
        self.observed.insert(id(text), Observation { status, ..found });
        self
    }

    pub(crate) fn deleting(mut self, component: &str) -> Self {
        self.permits.delete_data.insert(component.parse().unwrap());
        self
    }

    pub(crate) fn replacing(mut self, text: &str) -> Self {
        self.permits.replace.insert(id(text));
        self
    }

    /// The stack file says `data: start-empty` of this component.
    pub(crate) fn starting_empty(mut self, component: &str) -> Self {
        let role = Role { starts_empty: true, ..Role::default() };
        self.desired.roles.insert(component.parse().unwrap(), role);
        self
    }

    pub(crate) fn recreating(mut self, component: &str) -> Self {
        self.permits.recreate.insert(component.parse().unwrap());
        self
    }

    pub(crate) fn plan(&self) -> Plan {
        let owner = Owner {
            stack: "git".to_owned(),
            uid: Some("uid".to_owned()),
            namespace: "git".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        plan(Situation {
            desired: &self.desired,
            observed: &self.observed,
            inventory: Some(&self.inventory),
            kinds: &kinds(),
            owner: &owner,
            permits: &self.permits,
        })
    }

    /// Compares the plan with its text: a line for each step, its changes and its hint below.
    #[track_caller]
    pub(crate) fn check(&self, expected: &str) {
        let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
        let plan = text(&self.plan());
        let found: Vec<&str> = plan.trim().lines().map(str::trim).collect();
        assert_eq!(found, expected);
    }
}

fn database_for_data(resource: Resource) -> Resource {
    let is_database = resource.id.component.as_str() == "db" && resource.data == DataClass::Data;
    if is_database { of_kind(resource, DATABASE) } else { resource }
}

fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        let _ = write!(out, "{} {}: {}", step.action.as_str(), step.id, step.reason);
        // What is kept is not waited for; what a deletion waits for is shown.
        if !matches!(step.work, Work::Nothing | Work::Await(..)) {
            for wait in &step.after {
                let until = if wait.until == Until::Ready { "ready" } else { "exists" };
                let _ = write!(out, " [after {} {until}]", wait.step);
            }
        }
        out.push('\n');
        for change in &step.changes {
            let value = |json: &Option<Json>| match json.as_ref().map(shown) {
                Some(Json::String(text)) => text,
                Some(json) => json.to_string(),
                None => "nothing".to_owned(),
            };
            let effect = match change.effect {
                Effect::InPlace => String::new(),
                effect => format!(" ({})", effect.as_str()),
            };
            let (from, to) = (value(&change.difference.from), value(&change.difference.to));
            let _ = writeln!(out, "  {}: {from} -> {to}{effect}", change.label);
        }
        if let Some(hint) = &step.hint {
            let _ = writeln!(out, "  hint: {hint}");
        }
    }
    out
}
