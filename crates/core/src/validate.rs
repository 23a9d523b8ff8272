//! [`RawStack`] + [`Registry`] → [`Stack`]: everything that can be said about a stack file without knowing how its components
//! fit together.

mod component;
mod head;

use schemars::schema_for;
use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Severity};
use crate::parse::RawStack;
use crate::registry::Registry;
use crate::schema;
use crate::stack::{Stack, StackComponent};
use crate::stack_file::{ComponentEntry, StackFile};
use crate::suggest;
use crate::yaml::{Node, NodeValue, fault};

/// Checks a stack file: its shape, every name and id, each component's settings against its schema and by its own check.
///
/// # Errors
/// All problems at once, advisories included, in the file's order; at least one of them is an error.
pub fn validate(raw: &RawStack, registry: &Registry) -> Result<Stack, Vec<Diagnostic>> {
    Examined::new(raw, registry).finish()
}

/// What is known of a stack file, whether or not it is right.
pub(crate) struct Examined {
    head: Option<head::Head>,
    /// Those whose name and type are right, whatever their settings.
    pub(crate) components: Vec<StackComponent>,
    /// Whether `components` has all that the file has.
    pub(crate) complete: bool,
    diagnostics: Vec<Diagnostic>,
}

impl Examined {
    pub(crate) fn new(raw: &RawStack, registry: &Registry) -> Self {
        let mut diagnostics = raw.faults.clone();
        let mut root = raw.root.clone();
        let shape = shape();
        schema::adopt_texts(&shape, &mut root);
        diagnostics.extend(schema::check(&shape, &root, "the stack file", None));
        let head = head::read(&root, &mut diagnostics);
        let entries = root.get("components").map(Node::entries).unwrap_or_default();
        let empty = root.entry("components").filter(
            |(_, node)| matches!(&node.value, NodeValue::Map(entries) if entries.is_empty()),
        );
        if let Some((key, _)) = empty {
            let names: Vec<&str> = registry.types().map(|found| found.described.name).collect();
            let hint = format!("component types: {}", suggest::listed(names, "and"));
            let message = "the stack has no components".to_owned();
            diagnostics.push(fault("no-components", key.span, message).hint(hint));
        }
        let entry_schema = schema_for!(ComponentEntry).to_value();
        let components: Vec<StackComponent> = entries
            .iter()
            .filter_map(|(key, node)| {
                component::read(&entry_schema, key, node, registry, &mut diagnostics)
            })
            .collect();
        let complete = components.len() == entries.len();
        Self { head, components, complete, diagnostics }
    }

    /// Adds what a later stage found.
    pub(crate) fn report(&mut self, found: Vec<Diagnostic>) {
        self.diagnostics.extend(found);
    }

    pub(crate) fn finish(mut self) -> Result<Stack, Vec<Diagnostic>> {
        in_file_order(&mut self.diagnostics);
        let refused = self.diagnostics.iter().any(|found| found.severity == Severity::Error);
        match self.head {
            Some(head) if !refused && self.complete => Ok(Stack {
                name: head.name,
                namespace: head.namespace,
                cluster: head.cluster,
                region: head.region,
                zones: head.zones,
                network: head.network,
                tags: head.tags,
                components: self.components,
                advisories: self.diagnostics,
            }),
            _ => Err(self.diagnostics),
        }
    }
}

/// The order in which diagnostics are read: by place, those without one last.
pub(crate) fn in_file_order(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|found| (found.span.is_none(), found.span));
}

/// The schema of the file, components left to [`component::read`].
fn shape() -> Json {
    let mut schema = schema_for!(StackFile).to_value();
    if let Some(components) = schema.pointer_mut("/properties/components/additionalProperties") {
        *components = true.into();
    }
    schema
}
