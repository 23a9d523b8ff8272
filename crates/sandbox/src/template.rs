//! Ids and outputs, from the templates of [`zonestack_core::kind::Model`].

use std::collections::BTreeMap;

use serde_json::Value as Json;
use zonestack_core::kind::KindDeclaration;
use zonestack_core::value::is_marker;

use crate::world::{Place, Resource, World};

/// Fills a template in; `None` when something in it is not known. A template that is nothing but one value of the
/// specification keeps its type.
pub(crate) fn fill(template: &str, world: &World, resource: &Resource) -> Option<Json> {
    let whole = template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if let Some(path) = whole.and_then(|key| key.strip_prefix("spec/")) {
        return value(&resource.spec, path).cloned();
    }
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (key, after) = after.split_once('}')?;
        text.push_str(before);
        text.push_str(&fact(key, world, resource)?);
        rest = after;
    }
    text.push_str(rest);
    Some(Json::String(text))
}

fn value<'s>(spec: &'s Json, path: &str) -> Option<&'s Json> {
    spec.pointer(&format!("/{path}")).filter(|value| !value.is_null() && !is_marker(value))
}

fn fact(key: &str, world: &World, resource: &Resource) -> Option<String> {
    if let Some(path) = key.strip_prefix("spec/") {
        return match value(&resource.spec, path)? {
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
    }
    if let Some(count) = key.strip_prefix("hex") {
        return resource.digits.get(..count.parse().ok()?).map(str::to_owned);
    }
    match key {
        "id" => Some(resource.remote_id.clone()),
        "name" => resource.name.as_ref().map(|_| resource.short_name().to_owned()),
        "namespace" => resource.namespaced().map(|(namespace, _)| namespace.to_owned()),
        "zone" => match &resource.place {
            Place::Regional => None,
            Place::Zonal(zone) | Place::Replicated { primary: zone, .. } => Some(zone.clone()),
        },
        "region" => Some(resource.region.clone()),
        "account" => Some(world.site.account.clone()),
        _ => None,
    }
}

/// The outputs that are known at a moment: what names a resource at once, everything else when its creation has ended.
pub(crate) fn outputs(
    world: &World,
    kind: &KindDeclaration,
    resource: &Resource,
    made: bool,
) -> BTreeMap<String, Json> {
    let names_it = |template: &str| {
        matches!(template, "{id}" | "{name}")
            || template.starts_with("arn:")
            || template.starts_with("{spec/")
    };
    let known = kind.model.outputs.iter().filter(|(_, template)| made || names_it(template));
    known
        .filter_map(|(name, template)| Some(((*name).to_owned(), fill(template, world, resource)?)))
        .collect()
}
