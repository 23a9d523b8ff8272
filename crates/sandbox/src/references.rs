//! What uses what. The model knows no fields: it looks for ids of live resources among the values of specifications.

use serde_json::{Map, Value as Json};

use crate::site::Site;
use crate::world::{Resource, World};

/// Calls a function for each text in a specification with the key that it stands under. Stops at true.
fn any_text(json: &Json, key: &str, found: &mut dyn FnMut(&str, &str) -> bool) -> bool {
    match json {
        Json::String(text) => found(key, text),
        Json::Array(items) => items.iter().any(|item| any_text(item, key, found)),
        Json::Object(map) => map.iter().any(|(key, item)| any_text(item, key, found)),
        _ => false,
    }
}

/// A key or a kind's last word without the signs that only separate: `file_system_id` and `file-system` share `filesystem`.
fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether the specification of one resource of AWS holds the id of another, or its name under a key that names its kind, as
/// `subnet_group` does. Marks do not count. Where both have the same id, the key has to name the kind as well.
pub(crate) fn uses(holder: &Resource, held: &Resource) -> bool {
    if holder.serial == held.serial || holder.kubernetes().is_some() || held.kubernetes().is_some()
    {
        return false;
    }
    let word = plain(held.kind.rsplit('.').next().unwrap_or_default());
    let own = [Some(holder.remote_id.as_str()), holder.name.as_deref()];
    let mut refers = |key: &str, text: &str| {
        let names_kind = || plain(key).contains(&word);
        (text == held.remote_id && (!own.contains(&Some(text)) || names_kind()))
            || (held.name.as_deref() == Some(text) && names_kind())
    };
    let marks = holder.marks_at.as_deref().map(|path| path.trim_start_matches('/'));
    match &holder.spec {
        Json::Object(map) => map
            .iter()
            .filter(|(key, _)| Some(key.as_str()) != marks)
            .any(|(key, item)| any_text(item, key, &mut refers)),
        other => any_text(other, "", &mut refers),
    }
}

/// What a resource of AWS is part of: those whose ids stand in fields of their own at the top of its specification.
pub(crate) fn parents<'w>(world: &'w World, spec: &Json) -> Vec<&'w Resource> {
    let texts: Vec<&str> = top_fields(spec).filter_map(|(_, value)| value.as_str()).collect();
    let all = world.resources.iter();
    all.filter(|found| found.kubernetes().is_none() && texts.contains(&found.remote_id.as_str()))
        .collect()
}

fn top_fields(spec: &Json) -> impl Iterator<Item = (&String, &Json)> {
    let fields = spec.as_object().into_iter().flatten();
    fields.filter(|(_, value)| !value.is_object() && !value.is_array() && !value.is_null())
}

/// Whether it is part of a security group that was there before.
pub(crate) fn is_in_network_group(world: &World, spec: &Json) -> bool {
    let is_group = |id| world.site.has_security_group(id);
    top_fields(spec).any(|(_, value)| value.as_str().is_some_and(is_group))
}

/// The zone of the subnet that stands in a field of its own.
pub(crate) fn zone_of(site: &Site, spec: &Json) -> Option<String> {
    let subnet = |(_, value): (_, &Json)| Some(site.zone_of_subnet(value.as_str()?)?.name.clone());
    top_fields(spec).find_map(subnet)
}

/// What makes a resource with [`zonestack_core::kind::Identity::Parent`] one and the same: its parents, and its zone; where
/// it has no zone, as a rule of a security group, all its plain fields but a description.
pub(crate) fn part_of(world: &World, spec: &Json, zone: Option<&str>) -> String {
    let is_id = |value: &Json| {
        value.as_str().is_some_and(|text| {
            world.site.has_network_id(text)
                || world.resources.iter().any(|found| found.remote_id == text)
        })
    };
    let zone = zone_of(&world.site, spec).or_else(|| zone.map(str::to_owned));
    let by_zone = zone.is_some();
    let is_subnet =
        |value: &Json| value.as_str().is_some_and(|text| world.site.zone_of_subnet(text).is_some());
    let fields = top_fields(spec).filter(|(key, value)| {
        if by_zone { is_id(value) && !is_subnet(value) } else { *key != "description" }
    });
    let mut parts: Vec<String> = fields.map(|(key, value)| format!("{key}={value}")).collect();
    parts.sort();
    parts.extend(zone);
    parts.join(" ")
}

/// The keys along a path. A key may itself hold slashes, as labels do: the longest one that is there wins. In paths, `~1`
/// stands for a slash and `~0` for a tilde as well.
fn step<'p>(map: &Map<String, Json>, path: &'p str) -> Option<(String, &'p str)> {
    let path = path.strip_prefix('/')?;
    let mut ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
    ends.push(path.len());
    ends.into_iter().rev().find_map(|end| {
        let (key, rest) = path.split_at(end);
        let unescaped = key.replace("~1", "/").replace("~0", "~");
        [key.to_owned(), unescaped]
            .into_iter()
            .find(|key| map.contains_key(key))
            .map(|key| (key, rest))
    })
}

/// Takes away what is at a path. Nothing when nothing is there.
pub(crate) fn remove(json: &mut Json, path: &str) {
    match json {
        Json::Object(map) => {
            let Some((key, rest)) = step(map, path) else { return };
            if rest.is_empty() {
                map.remove(&key);
            } else if let Some(inner) = map.get_mut(&key) {
                remove(inner, rest);
            }
        }
        Json::Array(items) => {
            let (index, rest) = first(path);
            let Some(index) = index.parse::<usize>().ok().filter(|index| *index < items.len())
            else {
                return;
            };
            if rest.is_empty() {
                items.remove(index);
            } else {
                remove(&mut items[index], rest);
            }
        }
        _ => {}
    }
}

/// Puts a value at a path, making the maps on the way.
pub(crate) fn set(json: &mut Json, path: &str, value: Json) {
    if path.is_empty() {
        *json = value;
        return;
    }
    if let Json::Array(items) = json {
        let (index, rest) = first(path);
        if let Some(item) = index.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
            set(item, rest, value);
        }
        return;
    }
    if !json.is_object() {
        *json = Json::Object(Map::new());
    }
    if let Json::Object(map) = json {
        let (key, rest) = step(map, path).unwrap_or_else(|| {
            let (key, rest) = first(path);
            (key.replace("~1", "/").replace("~0", "~"), rest)
        });
        set(map.entry(key).or_insert(Json::Null), rest, value);
    }
}

fn first(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.find('/').map_or((path, ""), |at| path.split_at(at))
}

/// One specification over another: maps are merged, everything else is replaced.
pub(crate) fn merge(over: &Json, under: &mut Json) {
    match (over, under) {
        (Json::Object(over), Json::Object(under))
            if !zonestack_core::value::is_marker(&Json::Object(over.clone())) =>
        {
            for (key, value) in over {
                merge(value, under.entry(key).or_insert(Json::Null));
            }
        }
        (over, under) => *under = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_with_slashes_are_found() {
        let mut spec =
            json!({ "labels": { "app.kubernetes.io/name": "a", "app": "b" }, "list": [1, 2] });
        remove(&mut spec, "/labels/app.kubernetes.io/name");
        remove(&mut spec, "/list/0");
        remove(&mut spec, "/list/7");
        assert_eq!(spec, json!({ "labels": { "app": "b" }, "list": [2] }));
        set(&mut spec, "/labels/a~1b", json!("c"));
        set(&mut spec, "/new/deep", json!(1));
        set(&mut spec, "/list/0", json!(3));
        let labels = json!({ "app": "b", "a/b": "c" });
        assert_eq!(spec, json!({ "labels": labels, "list": [3], "new": { "deep": 1 } }));
        remove(&mut spec, "/labels/a~1b");
        assert_eq!(spec["labels"], json!({ "app": "b" }));
    }

    #[test]
    fn merging_replaces_lists_and_markers_whole() {
        let mut under =
            json!({ "a": { "b": 1, "c": 2 }, "l": [1, 2], "s": { "$secret": { "env": "A" } } });
        let over = json!({ "a": { "b": 3 }, "l": [4], "s": { "$secret": { "file": "F" } } });
        merge(&over, &mut under);
        assert_eq!(
            under,
            json!({ "a": { "b": 3, "c": 2 }, "l": [4], "s": { "$secret": { "file": "F" } } })
        );
    }
}
