//! What the engine must know of a resource kind to be safe. The engine's behaviour follows from these declarations, so a
//! new driver cannot forget a rule (design.md section 3; reliability.md B.4.2).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::name::Kind;
use crate::resource::DataClass;
use crate::value::Value;

/// What makes a resource one and the same, however often its creation is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// A name that is unique in its scope; creating it twice answers "already exists".
    Name,
    /// A token of ours that can be looked up.
    Token,
    /// Its parent and its place there, such as a file system's mount target in a zone. The engine records the parent's id
    /// with the intent, so that a child is found even when only its intent was recorded.
    Parent {
        /// Where the parent's id stands in the specification, such as `/file_system_id`.
        at: &'static str,
    },
    /// Only the id that the server gave. Found again by tags.
    ServerId,
}

/// When the marks of ownership (stack, component, uid) get onto a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tagging {
    /// In the call that creates it.
    OnCreate,
    /// In a call of its own afterwards.
    After,
    /// Never: the service has no tags there. Owned through its parent and the inventory.
    None,
}

/// What changing a field does to a running resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Changes in place, nobody notices.
    InPlace,
    /// Changes in place, in the next maintenance window unless told otherwise; nobody notices.
    InWindow,
    /// Changes in place, in the next maintenance window unless told otherwise; clients are cut off for a while.
    OutageInWindow,
    /// Changes in place at once; clients are cut off for a while.
    Outage,
    /// Cannot change: the resource would have to be deleted and made again.
    Replace,
}

impl Effect {
    /// The effect as printed and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::InWindow => "in the maintenance window",
            Self::OutageInWindow => "outage, in the maintenance window",
            Self::Outage => "outage",
            Self::Replace => "replace",
        }
    }
}

/// Which way a field may move without a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Either way.
    Any,
    /// Up only; numbers and dotted versions compare by number. The other way counts as [`Effect::Replace`].
    Up,
}

/// What changing one field does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRule {
    /// Path in the specification, such as `/class`; the rule holds for everything below it. The longest matching path wins.
    pub path: String,
    /// The effect.
    pub effect: Effect,
    /// Which way.
    pub direction: Direction,
}

impl FieldRule {
    /// A rule for both directions.
    pub fn new(path: &str, effect: Effect) -> Self {
        Self { path: path.to_owned(), effect, direction: Direction::Any }
    }

    /// The same rule, upwards only.
    #[must_use]
    pub fn up_only(mut self) -> Self {
        self.direction = Direction::Up;
        self
    }
}

/// How the sandbox plays a kind: its outputs and how long it takes. The real service is played by its driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The server's id as a template. `{hex17}` and `{hex8}` become hexadecimal digits that depend on stack and resource.
    pub id: &'static str,
    /// Outputs by name, as templates. `{id}`, `{name}`, `{zone}`, `{region}`, `{account}`, `{hex8}` and `{spec/path}` are replaced.
    pub outputs: Vec<(&'static str, &'static str)>,
    /// The state names while it is made, in order, such as `creating`; time is shared equally among them.
    pub creating: Vec<&'static str>,
    /// How long creation takes on the real service.
    pub create: Duration,
    /// How long a change takes there.
    pub update: Duration,
    /// How long deletion takes there.
    pub delete: Duration,
}

/// Everything that the engine knows of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindDeclaration {
    /// The kind.
    pub kind: Kind,
    /// What makes it one and the same.
    pub identity: Identity,
    /// When it gets its marks.
    pub tagging: Tagging,
    /// Where in the specification the marks go: `/tags` or `/metadata/labels`; `None` for kinds without.
    pub marks_at: Option<&'static str>,
    /// What is lost with it, unless the resource says otherwise.
    pub data: DataClass,
    /// Fields whose change is more than in place.
    pub fields: Vec<FieldRule>,
    /// The field that must be false before it can be deleted, such as `/deletion_protection`. Cleared in a visible step
    /// of its own, and only when the data was named for deletion.
    pub protection: Option<&'static str>,
    /// Whether deletion leaves a last copy (a final snapshot) whose name the engine chooses.
    pub final_copy: bool,
    /// Where the specification names the copy of data that it is filled from when it is made, such as `/snapshot`. What names
    /// one does not start empty.
    pub restores_from: Option<&'static str>,
    /// Whether what needs it must be replaced with it, because it cannot let go of it while running (volumes and claims).
    pub replaces_dependents: bool,
    /// How long it may stay in one state before the run gives up waiting. Restarts on every change of state.
    pub ready_within: Duration,
    /// How long its deletion, and what blocks it, may take.
    pub delete_within: Duration,
    /// How long reads may lag behind writes.
    pub read_after_write: Duration,
    /// Names of the outputs.
    pub outputs: Vec<&'static str>,
    /// What the caller must be allowed to do.
    pub iam_actions: Vec<&'static str>,
    /// How the sandbox plays it.
    pub model: Model,
}

/// What is declared of the time of a kind that says nothing of it.
const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

impl Model {
    /// Made, changed and deleted in a second each, without outputs. Say what is different:
    /// `Model { outputs: vec![…], ..Model::new("note-{hex8}") }`.
    pub fn new(id: &'static str) -> Self {
        Self {
            id,
            outputs: Vec::new(),
            creating: Vec::new(),
            create: SECOND,
            update: SECOND,
            delete: SECOND,
        }
    }
}

impl KindDeclaration {
    /// What is true of most kinds and safe for the others: marked in the call that creates it, in a map `tags`; holds data, as
    /// its resources must say, too; every field changes in place; ready and deleted in a minute. Say what is different:
    /// `KindDeclaration { data: DataClass::Stateless, ..KindDeclaration::new("acme.note", Identity::Name) }`.
    pub fn new(kind: &str, identity: Identity) -> Self {
        Self {
            kind: Kind::new(kind),
            identity,
            tagging: Tagging::OnCreate,
            marks_at: Some("/tags"),
            data: DataClass::Data,
            fields: Vec::new(),
            protection: None,
            final_copy: false,
            restores_from: None,
            replaces_dependents: false,
            ready_within: MINUTE,
            delete_within: MINUTE,
            read_after_write: Duration::ZERO,
            outputs: Vec::new(),
            iam_actions: Vec::new(),
            model: Model::new("{hex17}"),
        }
    }

    /// The same with a further output, and the template that the sandbox makes it from.
    #[must_use]
    pub fn output(mut self, name: &'static str, template: &'static str) -> Self {
        self.outputs.push(name);
        self.model.outputs.push((name, template));
        self
    }

    /// The id of what a resource with this specification is part of, for kinds with [`Identity::Parent`].
    pub(crate) fn parent_in(&self, spec: &Value) -> Option<String> {
        match self.identity {
            Identity::Parent { at } => spec.at(at).and_then(Value::as_str).map(str::to_owned),
            _ => None,
        }
    }

    /// The rule for a changed path: the longest declared path that it is at or below; [`Effect::InPlace`] without one.
    pub fn rule(&self, path: &str) -> FieldRule {
        self.fields
            .iter()
            .filter(|rule| {
                path.strip_prefix(rule.path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .max_by_key(|rule| rule.path.len())
            .cloned()
            .unwrap_or_else(|| FieldRule::new(path, Effect::InPlace))
    }
}
