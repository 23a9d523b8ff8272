//! A stack that is known to be well-formed: every name, id and setting in it fits its rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::component::{Component, ComponentType};
use crate::diagnostic::{Diagnostic, Finding, Severity, Span};
use crate::name::{ComponentName, ResourceId, StackName, TypeName, Zone};

/// What a stack file says, validated. Made by [`crate::validate::validate`].
#[derive(Debug, Clone)]
pub struct Stack {
    /// The stack's name.
    pub name: StackName,
    /// The Kubernetes namespace of its objects.
    pub namespace: String,
    /// The cluster's name, as kOps or EKS knows it.
    pub cluster: String,
    /// The AWS region.
    pub region: String,
    /// The zones to use, in the file's order; `None` for every zone with worker nodes.
    pub zones: Option<Vec<Zone>>,
    /// What of the network is given and not discovered.
    pub network: Network,
    /// The user's AWS tags.
    pub tags: BTreeMap<String, String>,
    /// The components, in the file's order. At least one.
    pub components: Vec<StackComponent>,
    /// What the components' own checks advise, without what is acknowledged.
    pub advisories: Vec<Diagnostic>,
}

/// Ids of the network that are given in the stack file; they win over discovery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network {
    /// The VPC. Not needed for the others: it follows from them.
    pub vpc: Option<String>,
    /// The subnets, in the file's order; empty to discover them.
    pub subnets: Vec<String>,
    /// The security groups that every worker node carries, in the file's order; empty to discover them.
    pub security_groups: Vec<String>,
}

/// One component of a stack.
#[derive(Clone)]
pub struct StackComponent {
    /// Its name in the stack.
    pub name: ComponentName,
    /// What `use:` says.
    pub type_name: TypeName,
    /// What `with:` says: it fits the type's schema.
    pub config: Json,
    /// What `needs:` says, as written: requirement to component. [`crate::wire`] resolves it.
    pub needs: BTreeMap<String, String>,
    /// The codes of the advisories that its owner accepts.
    pub acknowledged: BTreeSet<String>,
    /// The name that it had before.
    pub renamed_from: Option<ComponentName>,
    /// What is there already and becomes the stack's own: resource, and the id or name of what is there.
    pub adopt: BTreeMap<ResourceId, String>,
    /// Whether a data store of it that takes the place of another one may start empty.
    pub starts_empty: bool,
    /// What its type is.
    pub described: Arc<ComponentType>,
    /// What its type does.
    pub component: Arc<dyn Component>,
    /// Where it stands in the file.
    pub places: Places,
}

/// Where a component stands in the file. `None` for what was given with `--set`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// Its name.
    pub name: Option<Span>,
    /// Each requirement that `needs:` names, and the component that it names for it.
    pub needs: BTreeMap<String, (Option<Span>, Option<Span>)>,
    /// Each key and list item of `with:` by its dotted path; the key for a list or map, the value for a scalar.
    pub with: BTreeMap<String, Option<Span>>,
}

impl Stack {
    /// A component by its name.
    pub fn component(&self, name: &ComponentName) -> Option<&StackComponent> {
        self.components.iter().find(|component| component.name == *name)
    }

    /// Where a setting of a component stands in the file: the deepest part of the dotted path that is written there, the
    /// component's name if none is.
    pub fn locate(&self, component: &ComponentName, path: &str) -> Option<Span> {
        self.component(component)?.places.of(path)
    }

    /// What a component found, with its places in the file, without the advisories that are acknowledged.
    pub fn diagnose(&self, name: &ComponentName, findings: Vec<Finding>) -> Vec<Diagnostic> {
        match self.component(name) {
            Some(component) => component.diagnose(findings),
            None => Vec::new(),
        }
    }
}

impl StackComponent {
    /// What it found about itself, with its places in the file, without the advisories that are acknowledged.
    pub fn diagnose(&self, findings: Vec<Finding>) -> Vec<Diagnostic> {
        findings
            .into_iter()
            .inspect(|finding| {
                let listed = self.described.advisories.contains(&finding.code);
                debug_assert!(
                    finding.severity == Severity::Error || listed,
                    "`{}` does not list its advisory {}",
                    self.type_name,
                    finding.code
                );
            })
            .filter(|finding| {
                finding.severity == Severity::Error || !self.acknowledged.contains(finding.code)
            })
            .map(|finding| {
                let span = self.places.of(&finding.path);
                let message = if span.is_none() && self.places.name.is_some() {
                    format!("{} (given with --set)", finding.message)
                } else {
                    finding.message
                };
                Diagnostic {
                    severity: finding.severity,
                    code: finding.code,
                    component: Some(self.name.clone()),
                    span,
                    message,
                    hint: finding.hint,
                }
            })
            .collect()
    }
}

impl Places {
    fn of(&self, path: &str) -> Option<Span> {
        let mut path = path;
        while !path.is_empty() {
            if let Some(span) = self.with.get(path) {
                return *span;
            }
            path = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        }
        self.name
    }
}

impl fmt::Debug for StackComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackComponent")
            .field("name", &self.name)
            .field("type_name", &self.type_name)
            .field("config", &self.config)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}
