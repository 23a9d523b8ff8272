//! A JSON Schema as a table of settings for people.

use std::fmt::Write;

use serde_json::Value;

/// No settings are nested deeper; a schema that refers to itself ends here.
const DEEPEST: usize = 5;

/// A row for each key, those of nested maps under their path.
pub(super) fn table(schema: &Value, document: &Value) -> String {
    let mut table = "| setting | type | default | meaning |\n|---|---|---|---|\n".to_owned();
    rows(&mut table, "", schema, document, 0);
    table
}

fn rows(table: &mut String, prefix: &str, schema: &Value, document: &Value, depth: usize) {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{key}");
        let inner = resolve(property, document);
        let must = required.iter().any(|name| name == key);
        let default = match &property["default"] {
            _ if must => "required".to_owned(),
            Value::Null => String::new(),
            value => code(&plain(value)),
        };
        let default = if default == "`{…}`" { String::new() } else { default };
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "| `{path}` | {} | {default} | {} |",
            kind(property, document, depth),
            cell(description(property, inner)),
        );
        if depth < DEEPEST {
            rows(table, &format!("{path}."), inner, document, depth + 1);
            let items = resolve(&inner["items"], document);
            rows(table, &format!("{path}[]."), items, document, depth + 1);
        }
    }
}

/// The setting's own words win over those of its type.
fn description<'a>(property: &'a Value, inner: &'a Value) -> &'a str {
    let own = property["description"].as_str();
    own.or_else(|| inner["description"].as_str()).unwrap_or_default()
}

/// Follows references and takes the `null` out of what may be left out.
fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return resolve(&document["$defs"][name], document);
    }
    let options = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut given = options.iter().filter(|option| option["type"] != "null");
    match (given.next(), given.next()) {
        (Some(only), None) => resolve(only, document),
        _ => schema,
    }
}

fn kind(schema: &Value, document: &Value, depth: usize) -> String {
    let schema = resolve(schema, document);
    if let Some(value) = schema.get("const") {
        return code(&plain(value));
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values
            .iter()
            .filter(|value| !value.is_null())
            .map(|value| code(&plain(value)))
            .collect();
        return values.join(", ");
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some(options) = schema[keyword].as_array() {
            let options = options.iter().filter(|option| option["type"] != "null");
            let options: Vec<String> =
                options.map(|option| kind(option, document, depth + 1)).collect();
            return options.join(", ");
        }
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let words: Vec<String> = names
        .into_iter()
        .filter(|name| *name != "null")
        .map(|name| word(name, schema, document, depth))
        .collect();
    if words.is_empty() { "any".to_owned() } else { words.join(" or ") }
}

fn word(name: &str, schema: &Value, document: &Value, depth: usize) -> String {
    match name {
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "`true`, `false`".to_owned(),
        "array" if depth < DEEPEST => {
            format!("list of {}", kind(&schema["items"], document, depth + 1))
        }
        "object" => object(schema, document, depth),
        other => other.to_owned(),
    }
}

/// A map with one key is how a choice with a value is written.
fn object(schema: &Value, document: &Value, depth: usize) -> String {
    let properties = schema["properties"].as_object();
    let mut required = schema["required"].as_array().into_iter().flatten();
    match (properties, required.next().and_then(Value::as_str), depth) {
        (Some(properties), Some(key), 1..DEEPEST) if properties.len() == 1 => {
            let value = kind(&properties[key], document, depth + 1).replace('`', "");
            code(&format!("{{ {key}: {value} }}"))
        }
        _ => "map".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        other => other.to_string(),
    }
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// On one line, since a table's cell has no other.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(properties: &Value, expected: &[&str]) {
        let document = json!({ "$defs": {
            "x.Mode": { "description": "Modes.", "oneOf": [{ "const": "a" }, { "const": "b" }] },
            "x.Life": { "type": "object", "properties": { "days": { "type": ["integer", "null"] } } },
        }});
        let schema = json!({ "type": "object", "properties": properties, "required": ["must"] });
        let table = table(&schema, &document);
        assert_eq!(table.lines().skip(2).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_sort_of_setting_has_its_row() {
        check(
            &json!({ "must": { "type": "string", "description": "Two\n lines | here." } }),
            &["| `must` | text | required | Two lines \\| here. |"],
        );
        check(
            &json!({ "mode": { "$ref": "#/$defs/x.Mode", "default": "a" } }),
            &["| `mode` | `a`, `b` | `a` | Modes. |"],
        );
        check(
            &json!({ "life": { "anyOf": [{ "$ref": "#/$defs/x.Life" }, { "type": "null" }] } }),
            &["| `life` | map |  |  |", "| `life.days` | whole number |  |  |"],
        );
        check(
            &json!({ "list": { "type": "array", "items": { "type": "string" }, "default": [] } }),
            &["| `list` | list of text | `[]` |  |"],
        );
        check(
            &json!({ "choice": { "oneOf": [
                { "type": "string", "enum": ["elastic"] },
                { "type": "object", "properties": { "provisioned": { "type": "integer" } }, "required": ["provisioned"] },
            ] } }),
            &["| `choice` | `elastic`, `{ provisioned: whole number }` |  |  |"],
        );
    }
}
