//! A plan: what would be done, why, and in which order. Planning itself is in [`crate::planning`].

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::driver::{Deletion, Difference, Target};
use crate::kind::Effect;
use crate::name::{ComponentName, Kind, ResourceId};
use crate::resource::{DataClass, Resource, Until};
use crate::value::{Value, as_generator, as_ref, as_secret};

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted and made again.
    Replace,
    /// It is deleted.
    Delete,
    /// It stays as it is.
    Keep,
    /// It is there and ours, but not recorded as finished: it is taken up again.
    Adopt,
    /// It is not wanted any more but holds data, or data needs it: it stays, unmanaged.
    Retain,
    /// It cannot or must not be done: the whole plan is refused.
    Refuse,
}

impl Action {
    /// Every action, in the order of a summary.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::Update,
        Self::Replace,
        Self::Delete,
        Self::Keep,
        Self::Adopt,
        Self::Retain,
        Self::Refuse,
    ];

    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Keep => "keep",
            Self::Adopt => "adopt",
            Self::Retain => "retain",
            Self::Refuse => "refuse",
        }
    }
}

/// One changed field.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where, from what, to what.
    pub difference: Difference,
    /// The path for a person: `spec.template.spec.containers[gitlab].env[TZ].value`.
    pub label: String,
    /// What it does to the running resource.
    pub effect: Effect,
}

/// What carrying out a step means.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Nothing: it stays as it is, or the plan is refused.
    Nothing,
    /// It is there and wanted: others may wait for it.
    Await(Box<Resource>, Target),
    /// It is brought to its specification, made first when it is not there.
    Apply {
        /// What it shall be.
        resource: Box<Resource>,
        /// What to act on; without a token when it is about to be made.
        target: Target,
        /// Counts its creations; part of its token.
        generation: u32,
        /// Whether it is there already.
        exists: bool,
    },
    /// It is deleted, then made again under a new generation.
    Replace {
        /// What it shall be.
        resource: Box<Resource>,
        /// What is deleted.
        old: Target,
        /// How.
        deletion: Deletion,
        /// The generation of what is made.
        generation: u32,
    },
    /// One field is set before something else can happen.
    Set {
        /// What to act on.
        target: Target,
        /// The field.
        difference: Difference,
    },
    /// It is deleted.
    Delete {
        /// What is deleted.
        target: Target,
        /// How.
        deletion: Deletion,
    },
    /// It is recorded as kept.
    Retain,
    /// It is gone already: its record goes.
    Forget,
}

/// A step waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Index of the other step in the plan.
    pub step: usize,
    /// What is awaited.
    pub until: Until,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What happens.
    pub action: Action,
    /// To which resource.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
    /// Its physical name or id, when known: for messages.
    pub known_as: Option<String>,
    /// What is lost with it.
    pub data: DataClass,
    /// The fields that change.
    pub changes: Vec<Change>,
    /// Why, in one sentence.
    pub reason: String,
    /// What to do instead, for a refusal.
    pub hint: Option<String>,
    /// What carrying it out means.
    pub work: Work,
    /// What it waits for.
    pub after: Vec<Wait>,
    /// What it comes after when it exists, for the inventory.
    pub needs: Vec<ResourceId>,
}

impl Step {
    /// Whether it leaves the world and the inventory as they are.
    pub fn is_noop(&self) -> bool {
        matches!(self.work, Work::Nothing | Work::Await(..)) && self.action != Action::Refuse
    }
}

/// Something that the stack's owner should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// A stable name, such as `git-on-nfs`.
    pub code: String,
    /// The component that says it.
    pub component: ComponentName,
    /// What.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A reason to refuse a whole plan, whatever its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// A stable name, such as `many-deletions`.
    pub code: &'static str,
    /// What.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The steps. Each waits only for steps at other indices; a shown order is the order of this list.
    pub steps: Vec<Step>,
    /// What the owner should know.
    pub advisories: Vec<Advisory>,
    /// What refuses it as a whole.
    pub guards: Vec<Guard>,
}

impl Plan {
    /// How many steps of each action, zeros included.
    pub fn summary(&self) -> BTreeMap<Action, usize> {
        let mut summary: BTreeMap<Action, usize> = Action::ALL.iter().map(|a| (*a, 0)).collect();
        for step in &self.steps {
            *summary.entry(step.action).or_default() += 1;
        }
        summary
    }

    /// Whether carrying it out would change anything.
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| !step.is_noop())
    }

    /// Whether it must not be carried out.
    pub fn is_refused(&self) -> bool {
        !self.guards.is_empty() || self.refusals().next().is_some()
    }

    /// The steps that refuse it.
    pub fn refusals(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action == Action::Refuse)
    }
}

/// A path of a specification as a person reads it: dots, and list items by their name where they have one.
pub(crate) fn label(spec: &Value, path: &str) -> String {
    let mut label = String::new();
    let mut place = Some(spec);
    for part in path.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        let next = match place {
            Some(Value::Map(map)) => map.get(&key),
            Some(Value::List(items)) => {
                key.parse::<usize>().ok().and_then(|index| items.get(index))
            }
            _ => None,
        };
        match (place, next) {
            (Some(Value::List(_)), next) => {
                let name = next.and_then(|item| item.at("/name")).and_then(Value::as_str);
                label.extend(["[", name.unwrap_or(&key), "]"]);
            }
            _ if label.is_empty() => label.push_str(&key),
            _ => label.extend([".", &key]),
        }
        place = next;
    }
    label
}

/// A value as a plan shows it: never a secret, and no marker.
pub fn shown(json: &Json) -> Json {
    if as_ref(json).is_some() {
        return "known after create".into();
    }
    if let Some(reference) = as_secret(json) {
        return format!("(secret: {reference})").into();
    }
    if as_generator(json).is_some() {
        return "(secret: generated once)".into();
    }
    match json {
        Json::Array(items) => items.iter().map(shown).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), shown(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        scalar => scalar.clone(),
    }
}
