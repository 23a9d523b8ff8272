//! Wiring and context become the desired graph. Pure: the same input gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::component::RenderContext;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Finding, Severity};
use crate::interface::Export;
use crate::kind::{Identity, KindDeclaration};
use crate::marks;
use crate::name::{ComponentName, Kind, ResourceId};
use crate::rename::Called;
use crate::resource::{Foreign, Need, Resource, Until};
use crate::stack::StackComponent;
use crate::suggest;
use crate::value::Value;
use crate::wire::{Wired, Wiring};

/// What a stack shall be: the graph, and what its components have to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Desired {
    /// Every resource, each after all that it needs; in the order of the stack file where the graph leaves a choice.
    pub resources: Vec<Resource>,
    /// What components have to say, without what is acknowledged.
    pub findings: Vec<Diagnostic>,
    /// What a person wants to know afterwards: component, name, value.
    pub outputs: Vec<(ComponentName, String, Value)>,
    /// What each component is to others, and what a new store of it starts with.
    pub roles: BTreeMap<ComponentName, Role>,
}

/// What a component is to others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Role {
    /// The interfaces that it provides.
    pub provides: Vec<&'static str>,
    /// Whether a data store of it that takes the place of another one may start empty.
    pub starts_empty: bool,
}

impl Desired {
    /// The resource of an id.
    pub fn get(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == *id)
    }

    /// The findings that refuse the stack.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }
}

/// A component type that breaks its contract. Never the user's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Two resources have one id.
    #[error("{0} is rendered twice: a mistake in the component's plugin")]
    Duplicate(ResourceId),
    /// A resource needs one that nobody renders.
    #[error("{from} needs {to}, which no component renders: a mistake in the component's plugin")]
    Dangling {
        /// The resource with the need.
        from: ResourceId,
        /// The resource that is not there.
        to: ResourceId,
    },
    /// Resources need each other.
    #[error("resources need each other: {0}: a mistake in the component's plugin")]
    Cycle(String),
    /// No driver declares the kind.
    #[error(
        "{id} has the kind {kind}, which no driver declares: a mistake in the component's plugin"
    )]
    UnknownKind {
        /// The resource.
        id: ResourceId,
        /// Its kind.
        kind: Kind,
    },
    /// A component does not export what its type promises.
    #[error(
        "{component} does not export {interface} as its type promises: a mistake in its plugin"
    )]
    MissingExport {
        /// The component.
        component: ComponentName,
        /// The interface.
        interface: String,
    },
}

/// Renders every component, providers first, marks what it made, and orders the graph. `called` has the physical names of
/// renamed components.
pub fn render(
    wiring: &Wiring,
    context: &Context,
    kinds: &BTreeMap<Kind, KindDeclaration>,
    called: &Called,
) -> Result<Desired, RenderError> {
    let mut exports: BTreeMap<&ComponentName, Vec<Export>> = BTreeMap::new();
    let mut desired = Desired {
        resources: vec![namespace(context)],
        findings: wiring.stack.advisories.clone(),
        outputs: Vec::new(),
        roles: BTreeMap::new(),
    };
    // Components that refuse, and those that cannot be rendered without their exports.
    let mut refusing: BTreeSet<&ComponentName> = BTreeSet::new();
    let mut incomplete = false;
    for (component, wired) in wiring.components() {
        let met = match requirements(component, wired, &exports) {
            // The provider has said why; that its export is missing too is not news.
            Err(RenderError::MissingExport { component: provider, .. })
                if refusing.contains(&provider) =>
            {
                refusing.insert(&component.name);
                incomplete = true;
                continue;
            }
            met => met?,
        };
        let rendered = component.component.render(
            &component.config,
            &RenderContext {
                component: &component.name,
                called: called.get(&component.name).unwrap_or(&component.name),
                context,
                requirements: &met,
                consumers: wired.consumers,
            },
        );
        if rendered.findings.iter().any(|finding| finding.severity == Severity::Error) {
            refusing.insert(&component.name);
        }
        let mut resources = rendered.resources;
        let unfit = adopted(component, &mut resources, kinds, context.is_nominal);
        desired.findings.extend(component.diagnose(unfit));
        desired.resources.extend(resources);
        desired.findings.extend(component.diagnose(rendered.findings));
        let outputs = rendered.outputs.into_iter();
        desired.outputs.extend(outputs.map(|(name, value)| (component.name.clone(), name, value)));
        exports.insert(&component.name, rendered.exports);
        let provides = component.described.provides.clone();
        let role = Role { provides, starts_empty: component.starts_empty };
        desired.roles.insert(component.name.clone(), role);
    }
    if incomplete {
        // A refusal needs no graph, and this one has holes.
        return Ok(Desired { resources: Vec::new(), ..desired });
    }
    let namespace = desired.resources[0].id.clone();
    for resource in &mut desired.resources {
        let declaration = kinds.get(&resource.kind).ok_or_else(|| RenderError::UnknownKind {
            id: resource.id.clone(),
            kind: resource.kind.clone(),
        })?;
        mark(resource, declaration, context, &wiring.stack.tags);
        let namespaced = resource.kind.kubernetes().is_some()
            && resource.name.as_ref().is_some_and(|name| name.contains('/'));
        if namespaced {
            resource.needs.push(Need { id: namespace.clone(), until: Until::Exists });
        }
    }
    desired.resources = in_order(desired.resources)?;
    Ok(desired)
}

/// Hands to each resource what `adopt:` names for it.
fn adopted(
    component: &StackComponent,
    resources: &mut [Resource],
    kinds: &BTreeMap<Kind, KindDeclaration>,
    nominal: bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, given) in &component.adopt {
        let Some(resource) = resources.iter_mut().find(|resource| resource.id == *id) else {
            // Made-up zones may be others than the real ones.
            if nominal && id.zone.is_some() {
                continue;
            }
            let names: Vec<String> = resources.iter().map(|resource| resource.id.local()).collect();
            let message = format!("adopt: {} has no resource {}", component.name, id.local());
            findings.push(Finding::error("adopt", "", message).hint(format!(
                "it has {}",
                suggest::listed(names.iter().map(String::as_str), "and")
            )));
            continue;
        };
        let by_name = kinds.get(&resource.kind).is_some_and(|kind| kind.identity == Identity::Name);
        match &resource.name {
            Some(name) if by_name && name != given => findings.push(
                Finding::error("adopt", "", format!("adopt: {id} can only be {name}, not {given}"))
                    .hint("its name follows from the stack's and the component's; rename what is there, or the component"),
            ),
            _ => resource.adopt = Some(given.clone()),
        }
    }
    findings
}

fn requirements(
    component: &StackComponent,
    wired: &Wired,
    exports: &BTreeMap<&ComponentName, Vec<Export>>,
) -> Result<BTreeMap<String, Export>, RenderError> {
    let mut met = BTreeMap::new();
    for requirement in &component.described.requires {
        let Some(provider) = wired.providers.get(requirement.name) else { continue };
        let export = exports
            .get(provider)
            .into_iter()
            .flatten()
            .find(|export| export.interface().as_str() == requirement.interface)
            .ok_or_else(|| RenderError::MissingExport {
                component: provider.clone(),
                interface: requirement.interface.to_owned(),
            })?;
        met.insert(requirement.name.to_owned(), export.clone());
    }
    Ok(met)
}

/// The stack's namespace: made when it is missing, used as it is when it is there.
fn namespace(context: &Context) -> Resource {
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": context.namespace,
            // What our pods need and no more (domain.md, 7.2).
            "labels": { "pod-security.kubernetes.io/enforce": "baseline" },
        },
    });
    Resource { foreign: Foreign::Use, ..Resource::manifest(ResourceId::namespace(), manifest) }
}

/// Writes tags or labels into a specification; what the component wrote itself wins.
fn mark(
    resource: &mut Resource,
    declaration: &KindDeclaration,
    context: &Context,
    tags: &BTreeMap<String, String>,
) {
    let component = resource.id.component.to_string();
    let stack = context.stack.to_string();
    let marks: Vec<(String, String)> = match declaration.marks_at {
        Some("/tags") => {
            let zone = resource.id.zone.as_ref().map(|zone| format!("-{zone}")).unwrap_or_default();
            let name =
                resource.name.clone().unwrap_or_else(|| format!("{stack}-{component}{zone}"));
            [
                ("Name", name),
                (marks::STACK, stack),
                (marks::COMPONENT, component),
                (marks::CLUSTER, context.cluster.name.clone()),
            ]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .chain(tags.clone())
            .collect()
        }
        Some(_) => [
            ("app.kubernetes.io/part-of", stack.clone()),
            ("zonestack.io/stack", stack),
            ("zonestack.io/component", component),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect(),
        None => return,
    };
    let mut place = &mut resource.spec;
    for key in declaration.marks_at.into_iter().flat_map(|path| path.split('/').skip(1)) {
        let Value::Map(map) = place else { return };
        place = map.entry(key.to_owned()).or_insert_with(|| Value::Map(BTreeMap::new()));
    }
    if let Value::Map(map) = place {
        for (key, value) in marks {
            map.entry(key).or_insert_with(|| Value::from(value));
        }
    }
}

/// Orders resources so that each comes after what it needs, keeping the given order where the graph leaves a choice.
fn in_order(resources: Vec<Resource>) -> Result<Vec<Resource>, RenderError> {
    let mut known = BTreeSet::new();
    for resource in &resources {
        if !known.insert(resource.id.clone()) {
            return Err(RenderError::Duplicate(resource.id.clone()));
        }
    }
    for resource in &resources {
        let leader = resource.stop_for.as_ref().map(|stop| stop.leader.clone());
        for to in resource.all_needs().into_iter().map(|need| need.id).chain(leader) {
            if !known.contains(&to) {
                return Err(RenderError::Dangling { from: resource.id.clone(), to });
            }
        }
    }
    let mut ordered: Vec<Resource> = Vec::with_capacity(resources.len());
    let mut placed: BTreeSet<ResourceId> = BTreeSet::new();
    let mut waiting = resources;
    while !waiting.is_empty() {
        let next =
            waiting.iter().position(|r| r.all_needs().iter().all(|need| placed.contains(&need.id)));
        let Some(next) = next else {
            let ids: Vec<String> = waiting.iter().map(|r| r.id.to_string()).collect();
            return Err(RenderError::Cycle(ids.join(", ")));
        };
        let resource = waiting.remove(next);
        placed.insert(resource.id.clone());
        ordered.push(resource);
    }
    Ok(ordered)
}
