//! The JSON Schema of a whole stack file, for editors.

use schemars::schema_for;
use serde_json::{Map, Value as Json, json};

use crate::component::ComponentType;
use crate::registry::Registry;
use crate::stack_file::{API_VERSION, StackFile};

const DEFS: &str = "#/$defs/";

/// The JSON Schema (draft 2020-12) of a stack file that uses these component types. What `with`, `needs` and `acknowledge` may
/// say depends on `use`.
pub fn document(registry: &Registry) -> Json {
    let mut document = schema_for!(StackFile).to_value();
    let types: Vec<&ComponentType> = registry.types().map(|found| &*found.described).collect();
    // Rules that the checker does not take from here, because `validate` says them in better words.
    merge(&mut document, "/properties/apiVersion", json!({ "const": API_VERSION }));
    let name = json!({ "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 20 });
    merge(&mut document, "/properties/name", name.clone());
    merge(
        &mut document,
        "/properties/components",
        json!({ "propertyNames": name, "minProperties": 1 }),
    );
    let uses: Vec<Json> = types
        .iter()
        .map(|described| json!({ "const": described.name, "description": described.summary }))
        .collect();
    merge(&mut document, "/$defs/ComponentEntry/properties/use", json!({ "oneOf": uses }));
    let conditions: Vec<Json> = types.iter().map(|described| condition(described)).collect();
    merge(&mut document, "/$defs/ComponentEntry", json!({ "allOf": conditions }));
    for described in types {
        let (schema, definitions) = relocated(described);
        let moved = Map::from_iter([(format!("with.{}", described.name), schema)]);
        merge(&mut document, "/$defs", Json::Object(moved));
        merge(&mut document, "/$defs", Json::Object(definitions));
    }
    document
}

fn merge(document: &mut Json, pointer: &str, more: Json) {
    if let (Some(Json::Object(into)), Json::Object(more)) = (document.pointer_mut(pointer), more) {
        into.extend(more);
    }
}

/// If `use` is this type, then `with`, `needs` and `acknowledge` are as it says.
fn condition(described: &ComponentType) -> Json {
    let requirements: Map<String, Json> = described
        .requires
        .iter()
        .map(|requirement| {
            let meaning = format!("A component that provides {}.", requirement.interface);
            (requirement.name.to_owned(), json!({ "type": "string", "description": meaning }))
        })
        .collect();
    let with = json!({ "$ref": format!("{DEFS}with.{}", described.name) });
    // An enum must not be empty.
    let acknowledge = if described.advisories.is_empty() {
        json!({ "maxItems": 0 })
    } else {
        json!({ "items": { "enum": described.advisories } })
    };
    let lacks = described.schema.get("required").and_then(Json::as_array);
    let required: &[&str] =
        if lacks.is_some_and(|keys| !keys.is_empty()) { &["with"] } else { &[] };
    json!({
        "if": { "properties": { "use": { "const": described.name } }, "required": ["use"] },
        "then": {
            "properties": {
                "with": with,
                "needs": { "properties": requirements, "additionalProperties": false },
                "acknowledge": acknowledge,
            },
            "required": required,
        },
    })
}

/// A type's schema and its definitions, renamed so that those of two types cannot meet.
fn relocated(described: &ComponentType) -> (Json, Map<String, Json>) {
    let mut schema = described.schema.clone();
    let prefix = format!("{}.", described.name);
    rename(&mut schema, &prefix);
    let mut definitions = Map::new();
    if let Some(rules) = schema.as_object_mut() {
        rules.remove("$schema");
        if let Some(Json::Object(found)) = rules.remove("$defs") {
            definitions = found
                .into_iter()
                .map(|(name, definition)| (format!("{prefix}{name}"), definition))
                .collect();
        }
    }
    (schema, definitions)
}

fn rename(schema: &mut Json, prefix: &str) {
    match schema {
        Json::Object(rules) => {
            for (keyword, value) in rules {
                match value {
                    Json::String(target) if keyword == "$ref" => {
                        if let Some(name) = target.strip_prefix(DEFS) {
                            *target = format!("{DEFS}{prefix}{name}");
                        }
                    }
                    other => rename(other, prefix),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, prefix)),
        _ => {}
    }
}
