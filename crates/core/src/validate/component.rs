//! One component of a stack file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::component::ComponentType;
use crate::diagnostic::{Diagnostic, Span};
use crate::name::{ComponentName, ResourceId, TypeName};
use crate::registry::Registry;
use crate::schema;
use crate::stack::{Places, StackComponent};
use crate::suggest;
use crate::yaml::{self, Key, Node, NodeValue, fault};

/// Reads a component; `None` when its name or its type is wrong. Its settings may be wrong all the same, and then the
/// diagnostics say so.
pub(super) fn read(
    entry_schema: &Json,
    key: &Key,
    node: &Node,
    registry: &Registry,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<StackComponent> {
    let mut found = Vec::new();
    let name = component_name(key, &mut found);
    let component = examine(entry_schema, name.clone(), key, node, registry, &mut found);
    for diagnostic in &mut found {
        diagnostic.component.clone_from(&name);
    }
    diagnostics.append(&mut found);
    component
}

fn component_name(key: &Key, found: &mut Vec<Diagnostic>) -> Option<ComponentName> {
    if key.text == ComponentName::STACK {
        let message = format!("the name `{}` is kept for the stack itself", key.text);
        found.push(fault("reserved-name", key.span, message).hint("choose another name"));
        return None;
    }
    let refuse = |error: crate::name::InvalidName| {
        found.push(fault("invalid-name", key.span, error.to_string()));
    };
    key.text.parse().map_err(refuse).ok()
}

fn examine(
    entry_schema: &Json,
    name: Option<ComponentName>,
    key: &Key,
    node: &Node,
    registry: &Registry,
    found: &mut Vec<Diagnostic>,
) -> Option<StackComponent> {
    let what = format!("component `{}`", key.text);
    if !matches!(node.value, NodeValue::Map(_)) {
        let message = format!("{what} must be a map, not {}", node.describe());
        let meant = node.text().unwrap_or(&key.text);
        let hint = match registry.get(meant) {
            Some(_) => format!("write `{}: {{ use: {meant} }}`", key.text),
            None => format!("write `{}: {{ use: TYPE }}`; {}", key.text, registry.advice(meant)),
        };
        found.push(fault("wrong-type", node.place(key.span), message).hint(hint));
        return None;
    }
    found.extend(schema::check(entry_schema, node, &what, key.span));
    let (use_key, used) = node.entry("use")?;
    let type_name = used.text()?;
    let Some(registered) = registry.get(type_name) else {
        let message = format!("there is no component type `{type_name}`");
        found.push(
            fault("unknown-component-type", used.place(use_key.span), message)
                .hint(registry.advice(type_name)),
        );
        return None;
    };
    let type_name: TypeName = type_name.parse().ok()?;

    // Settings that are left out are an empty map: the schema may still ask for keys.
    let left_out = Node { span: key.span, ..Node::placeless(NodeValue::Map(Vec::new())) };
    let written = node.entry("with").filter(|(_, with)| !with.is_null());
    let (with_place, with) = written.map_or((key.span, &left_out), |(key, with)| (key.span, with));
    let mut with = with.clone();
    schema::adopt_texts(&registered.described.schema, &mut with);
    let with = &with;
    let faults_before = found.len();
    // Another type is said above already, by the schema of a component.
    if matches!(with.value, NodeValue::Map(_)) {
        let place = with_place.or(key.span);
        let settings = format!("`with` of `{}`", key.text);
        found.extend(schema::check(&registered.described.schema, with, &settings, place));
        misplaced(with, &mut found[faults_before..]);
    }
    let fits = found.len() == faults_before && matches!(with.value, NodeValue::Map(_));

    let component = StackComponent {
        name: name?,
        type_name,
        config: with.to_json(),
        needs: texts(node.get("needs")),
        acknowledged: acknowledged(node, &registered.described, found),
        renamed_from: renamed_from(node, found),
        adopt: adopt(node, &key.text, found),
        starts_empty: node.get("data").and_then(Node::text) == Some("start-empty"),
        described: registered.described.clone(),
        component: registered.component.clone(),
        places: places(key, node, with),
    };
    if fits {
        found.extend(component.diagnose(component.component.check(&component.config)));
    }
    Some(component)
}

fn texts(node: Option<&Node>) -> BTreeMap<String, String> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, node)| Some((key.text.clone(), node.text()?.to_owned())))
        .collect()
}

/// A key that belongs beside `use` and not under `with`, unless the type has a setting of that name.
fn misplaced(with: &Node, faults: &mut [Diagnostic]) {
    for (key, _) in with.entries() {
        if matches!(key.text.as_str(), "needs" | "acknowledge" | "renamed_from" | "adopt" | "data")
        {
            let start = format!("unknown key `{}` in `with`", key.text);
            for fault in faults.iter_mut().filter(|fault| fault.message.starts_with(&start)) {
                fault.hint = Some(format!("write `{}` beside `use`, not under `with`", key.text));
            }
        }
    }
}

fn acknowledged(
    node: &Node,
    described: &ComponentType,
    found: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let items = node.get("acknowledge").map(Node::items).unwrap_or_default();
    let mut codes = BTreeSet::new();
    for item in items {
        let Some(code) = item.text() else { continue };
        if !described.advisories.contains(&code) {
            let message = format!(
                "component type `{}` has no advisory {:?}",
                described.name,
                yaml::excerpt(code)
            );
            let unknown = fault("unknown-advisory", item.place(None), message);
            found.push(unknown.hint(known_advisories(code, described)));
        }
        codes.insert(code.to_owned());
    }
    codes
}

fn renamed_from(node: &Node, found: &mut Vec<Diagnostic>) -> Option<ComponentName> {
    let (key, value) = node.entry("renamed_from")?;
    let refuse = |error: crate::name::InvalidName| {
        found.push(fault("invalid-name", value.place(key.span), error.to_string()));
    };
    value.text()?.parse().map_err(refuse).ok()
}

/// Each resource by its name in the component, with its zone where it has one.
fn adopt(
    node: &Node,
    component: &str,
    found: &mut Vec<Diagnostic>,
) -> BTreeMap<ResourceId, String> {
    let entries = node.get("adopt").map(Node::entries).unwrap_or_default();
    let mut adopted = BTreeMap::new();
    for (key, value) in entries {
        let Some(text) = value.text() else { continue };
        match format!("{component}/{}", key.text).parse::<ResourceId>() {
            Ok(id) => drop(adopted.insert(id, text.to_owned())),
            Err(error) => found.push(
                fault("invalid-name", key.span, error.to_string())
                    .hint("write a resource as the plan shows it, such as `instance: git-db`"),
            ),
        }
    }
    adopted
}

/// The near miss, if there is one, and all there are.
fn known_advisories(code: &str, described: &ComponentType) -> String {
    let known = || described.advisories.iter().copied();
    if described.advisories.is_empty() {
        return "remove it: this component type has no advisories".to_owned();
    }
    let all = format!("advisories of `{}`: {}", described.name, suggest::listed(known(), "and"));
    match suggest::nearest(code, known()) {
        Some(near) => format!("did you mean `{near}`? {all}"),
        None => all,
    }
}

fn places(key: &Key, node: &Node, with: &Node) -> Places {
    let needs = node.get("needs").map(Node::entries).unwrap_or_default();
    let needs = needs
        .iter()
        .map(|(key, node)| (key.text.clone(), (key.span, node.place(key.span))))
        .collect();
    let mut places = Places { name: key.span, needs, with: BTreeMap::new() };
    settings(with, "", &mut places.with);
    places
}

fn settings(node: &Node, path: &str, places: &mut BTreeMap<String, Option<Span>>) {
    let below =
        |word: &str| if path.is_empty() { word.to_owned() } else { format!("{path}.{word}") };
    for (key, value) in node.entries() {
        let path = below(&key.text);
        settings(value, &path, places);
        places.insert(path, value.place(key.span));
    }
    for (index, item) in node.items().iter().enumerate() {
        let path = below(&index.to_string());
        settings(item, &path, places);
        places.insert(path, item.place(None));
    }
}
