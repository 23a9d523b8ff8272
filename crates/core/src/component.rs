//! Contract: a component type. Configuration and context in, resources and exports out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::context::Context;
use crate::diagnostic::Finding;
use crate::interface::Export;
use crate::name::{ComponentName, ResourceId};
use crate::resource::Resource;

/// An interface that a component type requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The name under which `needs:` wires it, such as `database`.
    pub name: &'static str,
    /// The interface, such as `postgres/v1`.
    pub interface: &'static str,
}

/// What a component type is, before any configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentType {
    /// The word after `use:`.
    pub name: &'static str,
    /// One sentence, without a final period.
    pub summary: &'static str,
    /// The interfaces that it provides.
    pub provides: Vec<&'static str>,
    /// The interfaces that it requires.
    pub requires: Vec<Requirement>,
    /// The codes of every advisory that its `check` and `render` may report: what `acknowledge:` may name.
    pub advisories: Vec<&'static str>,
    /// The JSON Schema of its `with`.
    pub schema: Json,
}

impl ComponentType {
    /// A type that provides and requires no interface and advises nothing. Say what is different:
    /// `ComponentType { provides: vec!["postgres/v1"], ..ComponentType::new("rds", "PostgreSQL") }`.
    pub fn new(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            provides: Vec::new(),
            requires: Vec::new(),
            advisories: Vec::new(),
            schema: Json::Null,
        }
    }
}

/// What a component renders from.
#[derive(Debug, Clone, Copy)]
pub struct RenderContext<'a> {
    /// The component's name in the stack.
    pub component: &'a ComponentName,
    /// The name that physical names are made of: the component's, or the one that it had before it was renamed.
    pub called: &'a ComponentName,
    /// Where the stack runs.
    pub context: &'a Context,
    /// What the wired components export, by the requirement's name. Every requirement is there.
    pub requirements: &'a BTreeMap<String, Export>,
    /// How many components require this one.
    pub consumers: usize,
}

impl RenderContext<'_> {
    /// An id of this component.
    pub fn id(&self, name: &str) -> ResourceId {
        ResourceId::new(self.component, name)
    }

    /// `<stack>-<component>`: the physical name of the component's main resource (domain.md, 7.11).
    pub fn physical_name(&self) -> String {
        format!("{}-{}", self.context.stack, self.called)
    }
}

/// What a component renders to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rendered {
    /// Its resources, in the order in which a reader expects them.
    pub resources: Vec<Resource>,
    /// Its exports: one for each interface that it provides.
    pub exports: Vec<Export>,
    /// Reasons to refuse and advisories that need the context or the wired components. With an error among them the
    /// resources and exports may be incomplete but the exports should be there: what requires a missing one is not
    /// rendered, so that nothing is found in it.
    pub findings: Vec<Finding>,
    /// What a person wants to know afterwards, such as `url`: name, and a value that may be a reference.
    pub outputs: Vec<(String, crate::value::Value)>,
}

/// Contract: a component type, as the core sees it.
///
/// Authors implement [`TypedComponent`] instead; every such type is a `Component`.
///
/// # Flow
/// `describe` once; then for each instance `check` on its configuration alone, and `render` once all it requires is rendered.
/// `validate` renders against [`Context::nominal`], so that mistakes between components are found without a network.
///
/// # Guarantees
/// `check` and `render` are called only with a configuration that fits the described schema.
///
/// # Assumptions
/// All three are pure: the same input gives the same output, whatever the order of maps, without clock, random numbers,
/// environment, files or network. `render` does not fail: what it cannot do is an error among its findings. The code of
/// every advisory is among those of [`ComponentType::advisories`].
///
/// # Errors
/// None. A finding at error level refuses the stack before anything is made.
pub trait Component: Send + Sync {
    /// What the type is.
    fn describe(&self) -> ComponentType;

    /// Checks that need the configuration only. All problems, not the first.
    fn check(&self, config: &Json) -> Vec<Finding>;

    /// Resources and exports.
    fn render(&self, config: &Json, cx: &RenderContext<'_>) -> Rendered;
}

/// A component type with typed settings: what authors implement. See [`Component`] for the contract.
pub trait TypedComponent: Send + Sync {
    /// The settings: what stands under `with:`. Doc comments become the user's documentation, so write them for users.
    type Settings: DeserializeOwned + JsonSchema;

    /// What the type is; leave `schema` null, it is filled in from `Settings`.
    fn describe(&self) -> ComponentType;

    /// Checks that need the settings only.
    fn check(&self, settings: &Self::Settings) -> Vec<Finding>;

    /// Resources and exports.
    fn render(&self, settings: &Self::Settings, cx: &RenderContext<'_>) -> Rendered;
}

fn unreadable(error: &serde_json::Error) -> Finding {
    Finding::error("settings", "", format!("the settings cannot be read: {error}"))
}

impl<T: TypedComponent> Component for T {
    fn describe(&self) -> ComponentType {
        let mut described = TypedComponent::describe(self);
        described.schema = schemars::schema_for!(T::Settings).to_value();
        described
    }

    fn check(&self, config: &Json) -> Vec<Finding> {
        match serde_json::from_value(config.clone()) {
            Ok(settings) => TypedComponent::check(self, &settings),
            Err(error) => vec![unreadable(&error)],
        }
    }

    fn render(&self, config: &Json, cx: &RenderContext<'_>) -> Rendered {
        match serde_json::from_value(config.clone()) {
            Ok(settings) => TypedComponent::render(self, &settings, cx),
            Err(error) => Rendered { findings: vec![unreadable(&error)], ..Rendered::default() },
        }
    }
}
