//! The live object in the words of its specification: what [`zonestack_core::driver::Observation::attributes`] asks for.
//!
//! - A leaf of the specification gets its live value; in the specification's spelling, where the meaning is the same.
//! - What the server or somebody else added is left out.
//! - What zonestack set once and the specification does not have any more is there, so that it is seen to have to go.

use serde_json::{Map, Value as Json};
use zonestack_core::value::{as_ref, is_marker};

use crate::kinds::{ObjectKind, Readiness};
use crate::list_keys::{merge_keys, same_item};
use crate::managed_fields::Fields;
use crate::marks;
use crate::quantity::Quantity;

/// What stands for a value of a Secret that is not the wanted one.
const ANOTHER_VALUE: &str = "(another value)";

/// The attributes of a live object.
pub(crate) fn attributes(kind: &ObjectKind, spec: &Json, live: &Json) -> Json {
    let mut live = live.clone();
    // Items of a list come without these.
    live["apiVersion"] = kind.api_version.into();
    live["kind"] = kind.kind.into();
    if kind.kind == "Secret" {
        hide_values(spec, &mut live);
    }
    let applied = Fields::applied(&live);
    let mut attributes = reduce(&mut Vec::new(), spec, &live, Some(&applied));
    if kind.readiness == Readiness::Volume && is_released(spec, &live) {
        // A volume whose claim was deleted is not bound again until its memory of that claim is cleared (domain.md, 7.1).
        for key in RELEASED_FIELDS {
            if let Some(value) = live["spec"]["claimRef"].get(key) {
                attributes["spec"]["claimRef"][key] = value.clone();
            }
        }
    }
    attributes
}

/// What a released volume remembers of its former claim.
pub(crate) const RELEASED_FIELDS: [&str; 2] = ["uid", "resourceVersion"];

/// A volume that waits for the very claim that the specification names, under its former identity.
fn is_released(spec: &Json, live: &Json) -> bool {
    let claim = |object: &Json, key: &str| object["spec"]["claimRef"][key].clone();
    live["status"]["phase"] == "Released"
        && ["namespace", "name"].iter().all(|key| claim(spec, key) == claim(live, key))
}

/// Puts the wanted words in the place of the values of a Secret: a value never leaves this module.
fn hide_values(spec: &Json, live: &mut Json) {
    let data = live.as_object_mut().and_then(|object| object.remove("data"));
    let data = data.as_ref().and_then(Json::as_object);
    for (field, is_plain) in [("stringData", true), ("data", false)] {
        let Some(wanted) = spec[field].as_object() else { continue };
        let shown = wanted.iter().filter_map(|(key, wanted)| {
            let there = data?.get(key)?.as_str()?;
            let same = is_marker(wanted) || {
                let wanted = wanted.as_str()?;
                if is_plain { crate::credentials::encode(wanted) == there } else { wanted == there }
            };
            Some((key.clone(), if same { wanted.clone() } else { ANOTHER_VALUE.into() }))
        });
        let shown: Map<String, Json> = shown.collect();
        live[field] = shown.into();
    }
}

fn reduce<'a>(
    path: &mut Vec<&'a str>,
    spec: &'a Json,
    live: &Json,
    applied: Option<&Fields>,
) -> Json {
    if as_ref(spec).is_some() {
        return live.clone();
    }
    match (spec, live) {
        (Json::Object(wanted), Json::Object(there)) if !is_marker(spec) => {
            reduce_map(path, wanted, there, applied).into()
        }
        (Json::Array(wanted), Json::Array(there)) => {
            let keys = merge_keys(path);
            let keyed = !keys.is_empty() && wanted.iter().all(|item| same_item(keys, item, item));
            path.push("*");
            let reduced = if keyed {
                reduce_items(path, wanted, there, applied, keys)
            } else {
                reduce_whole(path, wanted, there)
            };
            path.pop();
            reduced
        }
        _ if means_the_same(path, spec, live) => spec.clone(),
        _ => live.clone(),
    }
}

fn reduce_map<'a>(
    path: &mut Vec<&'a str>,
    wanted: &'a Map<String, Json>,
    there: &Map<String, Json>,
    applied: Option<&Fields>,
) -> Map<String, Json> {
    let mut reduced = Map::new();
    for (key, wanted) in wanted {
        path.push(key);
        match there.get(key) {
            Some(live) => {
                let below = applied.and_then(|applied| applied.field(key));
                reduced.insert(key.clone(), reduce(path, wanted, live, below.as_ref()));
            }
            None if may_be_left_out(path, wanted) => {
                reduced.insert(key.clone(), wanted.clone());
            }
            None => {}
        }
        path.pop();
    }
    for (key, live) in there.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
        let ours = applied.and_then(|applied| applied.field(key));
        let Some(ours) = ours.filter(|_| !is_ours_anyway(path, key)) else { continue };
        let value = without_marks(path, key, ours.owned(live));
        if value.as_object().is_none_or(|map| !map.is_empty()) {
            reduced.insert(key.clone(), value);
        }
    }
    reduced
}

/// A list that is a map: in the specification's order; what is left of ours comes after it.
fn reduce_items<'a>(
    path: &mut Vec<&'a str>,
    wanted: &'a [Json],
    there: &[Json],
    applied: Option<&Fields>,
    keys: &[crate::list_keys::MergeKey],
) -> Json {
    let mut reduced = Vec::new();
    for wanted in wanted {
        if let Some(live) = there.iter().find(|live| same_item(keys, wanted, live)) {
            let below = applied.and_then(|applied| applied.item(live));
            reduced.push(reduce(path, wanted, live, below.as_ref()));
        }
    }
    for live in there {
        let is_wanted = wanted.iter().any(|wanted| same_item(keys, wanted, live));
        if let (false, Some(ours)) = (is_wanted, applied.and_then(|applied| applied.item(live))) {
            reduced.push(ours.owned(live));
        }
    }
    Json::Array(reduced)
}

/// A list that is one value: place by place, and whatever comes after.
fn reduce_whole<'a>(path: &mut Vec<&'a str>, wanted: &'a [Json], there: &[Json]) -> Json {
    let mut reduced: Vec<Json> =
        wanted.iter().zip(there).map(|(wanted, live)| reduce(path, wanted, live, None)).collect();
    reduced.extend(there.iter().skip(wanted.len()).cloned());
    Json::Array(reduced)
}

/// Go's `omitempty`: the server leaves out what is zero. Not in maps of texts, where an empty text is a value.
fn may_be_left_out(path: &[&str], wanted: &Json) -> bool {
    let of_texts = ["labels", "annotations", "data", "stringData", "matchLabels", "nodeSelector"];
    let in_map = path.iter().rev().nth(1).is_some_and(|parent| of_texts.contains(parent));
    let is_zero = match wanted {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
    };
    is_zero && !in_map
}

/// Fields that are in our set without a specification having them.
fn is_ours_anyway(path: &[&str], key: &str) -> bool {
    match path {
        [] => matches!(key, "apiVersion" | "kind" | "status"),
        ["metadata"] => !matches!(key, "labels" | "annotations"),
        ["metadata", "labels"] => marks::is_drivers(key) || key == marks::STACK,
        ["metadata", "annotations"] => key == marks::NODE,
        _ => false,
    }
}

/// A specification without any label or annotation: our own are no difference then either.
fn without_marks(path: &[&str], key: &str, mut value: Json) -> Json {
    if let (["metadata"], Some(map)) = (path, value.as_object_mut()) {
        map.retain(|name, _| !is_ours_anyway(&["metadata", key], name));
    }
    value
}

/// Two spellings of one value.
fn means_the_same(path: &[&str], spec: &Json, live: &Json) -> bool {
    let parent = path.iter().rev().nth(1).copied().unwrap_or_default();
    let name = path.last().copied().unwrap_or_default();
    let is_quantity = matches!(parent, "requests" | "limits" | "capacity" | "hard")
        || matches!(name, "sizeLimit" | "divisor");
    let is_int_or_text =
        matches!(name, "port" | "targetPort" | "maxUnavailable" | "minAvailable" | "maxSurge");
    if is_quantity {
        let amount = Quantity::from_json(spec);
        return amount.is_some() && amount == Quantity::from_json(live);
    }
    let text = |json: &Json| match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    spec == live || (is_int_or_text && text(spec) == text(live))
}

#[cfg(test)]
mod tests;
