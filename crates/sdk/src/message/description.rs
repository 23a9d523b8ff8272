//! What a plugin is: mirrors of [`ComponentType`] and [`KindDeclaration`], whose texts core keeps as `&'static str`.
//!
//! Durations are whole milliseconds.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use zonestack_core::component::ComponentType;
use zonestack_core::kind::{FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

/// What a plugin says of itself. A function of the file alone: the host keeps it by the file's hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The version of the messages that was agreed on.
    pub proto: u32,
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    #[serde(default)]
    pub version: String,
    /// What it can do beyond version 1 of the messages; none yet.
    #[serde(default)]
    pub features: Vec<String>,
    /// How messages may be written. JSON, always.
    #[serde(default)]
    pub encodings: Vec<String>,
    /// Its component types.
    #[serde(default)]
    pub components: Vec<ComponentMessage>,
    /// The kinds that it drives.
    #[serde(default)]
    pub kinds: Vec<KindMessage>,
}

/// [`ComponentType`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentMessage {
    /// The word after `use:`.
    pub name: String,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// The interfaces that it provides.
    #[serde(default)]
    pub provides: Vec<String>,
    /// The interfaces that it requires.
    #[serde(default)]
    pub requires: Vec<RequirementMessage>,
    /// The codes of its advisories.
    #[serde(default)]
    pub advisories: Vec<String>,
    /// The JSON Schema of its `with`.
    pub schema: Json,
}

/// [`zonestack_core::component::Requirement`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementMessage {
    /// The name under which `needs:` wires it.
    pub name: String,
    /// The interface.
    pub interface: String,
}

impl From<&ComponentType> for ComponentMessage {
    fn from(described: &ComponentType) -> Self {
        let requirements = described.requires.iter();
        Self {
            name: described.name.to_owned(),
            summary: described.summary.to_owned(),
            provides: owned(&described.provides),
            requires: requirements
                .map(|requirement| RequirementMessage {
                    name: requirement.name.to_owned(),
                    interface: requirement.interface.to_owned(),
                })
                .collect(),
            advisories: owned(&described.advisories),
            schema: described.schema.clone(),
        }
    }
}

/// [`Identity`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityMessage {
    /// A name that is unique in its scope.
    Name,
    /// A token of ours.
    Token,
    /// Its parent.
    Parent {
        /// Where the parent's id stands in the specification.
        at: String,
    },
    /// Only the id that the server gave.
    ServerId,
}

impl From<Identity> for IdentityMessage {
    fn from(identity: Identity) -> Self {
        match identity {
            Identity::Name => Self::Name,
            Identity::Token => Self::Token,
            Identity::Parent { at } => Self::Parent { at: at.to_owned() },
            Identity::ServerId => Self::ServerId,
        }
    }
}

/// [`KindDeclaration`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindMessage {
    /// The kind.
    pub kind: Kind,
    /// What makes it one and the same.
    pub identity: IdentityMessage,
    /// When it gets its marks.
    pub tagging: Tagging,
    /// Where in the specification the marks go.
    #[serde(default)]
    pub marks_at: Option<String>,
    /// What is lost with it. Must be said: what holds data must not be forgotten.
    pub data: DataClass,
    /// Fields whose change is more than in place.
    #[serde(default)]
    pub fields: Vec<FieldRule>,
    /// The field that must be false before it can be deleted.
    #[serde(default)]
    pub protection: Option<String>,
    /// Whether deletion leaves a last copy.
    #[serde(default)]
    pub final_copy: bool,
    /// Where the specification names the copy that it is filled from.
    #[serde(default)]
    pub restores_from: Option<String>,
    /// Whether what needs it must be replaced with it.
    #[serde(default)]
    pub replaces_dependents: bool,
    /// How long it may stay in one state.
    pub ready_within_ms: u64,
    /// How long its deletion may take.
    pub delete_within_ms: u64,
    /// How long reads may lag behind writes.
    #[serde(default)]
    pub read_after_write_ms: u64,
    /// Names of the outputs.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// What the caller must be allowed to do.
    #[serde(default)]
    pub iam_actions: Vec<String>,
    /// How the sandbox plays it.
    pub model: ModelMessage,
}

/// [`Model`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelMessage {
    /// The server's id as a template.
    pub id: String,
    /// Outputs by name, as templates.
    #[serde(default)]
    pub outputs: Vec<(String, String)>,
    /// The state names while it is made.
    #[serde(default)]
    pub creating: Vec<String>,
    /// How long creation takes.
    #[serde(default)]
    pub create_ms: u64,
    /// How long a change takes.
    #[serde(default)]
    pub update_ms: u64,
    /// How long deletion takes.
    #[serde(default)]
    pub delete_ms: u64,
}

impl From<&KindDeclaration> for KindMessage {
    fn from(declared: &KindDeclaration) -> Self {
        Self {
            kind: declared.kind.clone(),
            identity: declared.identity.into(),
            tagging: declared.tagging,
            marks_at: declared.marks_at.map(str::to_owned),
            data: declared.data,
            fields: declared.fields.clone(),
            protection: declared.protection.map(str::to_owned),
            final_copy: declared.final_copy,
            restores_from: declared.restores_from.map(str::to_owned),
            replaces_dependents: declared.replaces_dependents,
            ready_within_ms: milliseconds(declared.ready_within),
            delete_within_ms: milliseconds(declared.delete_within),
            read_after_write_ms: milliseconds(declared.read_after_write),
            outputs: owned(&declared.outputs),
            iam_actions: owned(&declared.iam_actions),
            model: (&declared.model).into(),
        }
    }
}

impl From<&Model> for ModelMessage {
    fn from(model: &Model) -> Self {
        let outputs = model.outputs.iter();
        Self {
            id: model.id.to_owned(),
            outputs: outputs.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            creating: owned(&model.creating),
            create_ms: milliseconds(model.create),
            update_ms: milliseconds(model.update),
            delete_ms: milliseconds(model.delete),
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
