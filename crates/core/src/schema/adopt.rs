//! Values given with `--set`: nobody quotes `17` for the shell, so where a text is expected it is one.

use serde_json::Value as Json;

use super::check::Checker;
use super::scalars::{fits, types};
use crate::yaml::{Node, NodeValue};

/// Makes a text of every scalar that was given with `--set` where the schema expects a text and not what YAML takes it for.
pub(crate) fn adopt_texts(schema: &Json, node: &mut Node) {
    adopt(Checker::new(schema), schema, node);
}

fn adopt<'s>(checker: Checker<'s>, schema: &'s Json, node: &mut Node) {
    let mut schema = checker.target(schema);
    // What `Option` makes of a type that is defined elsewhere.
    if let Some([only, null]) = schema.get("anyOf").and_then(Json::as_array).map(Vec::as_slice)
        && types(null) == ["null"]
    {
        schema = checker.target(only);
    }
    let expected = types(schema);
    let under = |keyword: &str| schema.get(keyword).filter(|schema| schema.is_object());
    let fitting = expected.iter().any(|kind| fits(kind, node));
    let written = node.written.clone();
    match &mut node.value {
        NodeValue::Map(entries) => {
            for (key, value) in entries {
                let property = under("properties").and_then(|properties| properties.get(&key.text));
                if let Some(schema) = property.or_else(|| under("additionalProperties")) {
                    adopt(checker, schema, value);
                }
            }
        }
        NodeValue::List(items) => {
            if let Some(schema) = under("items") {
                for item in items {
                    adopt(checker, schema, item);
                }
            }
        }
        NodeValue::Text(_) => {}
        _ if node.span.is_none() && expected.contains(&"string") && !fitting => {
            node.value = NodeValue::Text(written);
        }
        _ => {}
    }
}
