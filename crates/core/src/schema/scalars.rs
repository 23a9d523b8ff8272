//! The keywords for single values: type, enum, const, bounds, lengths, pattern.

use serde_json::{Map, Value as Json};

use super::check::{Checker, Subject, list, shown};
use crate::diagnostic::Diagnostic;
use crate::suggest;
use crate::yaml::{self, Node, NodeValue, fault};

/// The types that a schema allows; none when it allows all.
pub(super) fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a value is of a type of JSON Schema. `3.0` is no integer here: serde would not read it as one.
pub(super) fn fits(kind: &str, node: &Node) -> bool {
    matches!(
        (kind, &node.value),
        ("null", NodeValue::Null)
            | ("boolean", NodeValue::Bool(_))
            | ("integer" | "number", NodeValue::Int(_))
            | ("number", NodeValue::Float(_))
            | ("string", NodeValue::Text(_))
            | ("array", NodeValue::List(_))
            | ("object", NodeValue::Map(_))
    )
}

/// What a reader of a message calls a type.
pub(super) fn type_in_words(kind: &str) -> &'static str {
    match kind {
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a map",
        _ => "nothing",
    }
}

fn type_hint(node: &Node, expected: &[&str], keys: &[&str]) -> Option<String> {
    let expects = |kind: &str| expected.contains(&kind);
    let written = &node.written;
    match &node.value {
        NodeValue::Null => {
            Some("write a value; a key that is not needed may be left out".to_owned())
        }
        NodeValue::Text(text) if expects("boolean") => {
            let truth = match text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" | "true" => "true",
                "no" | "off" | "n" | "false" => "false",
                _ => return None,
            };
            Some(format!("write `{truth}`: in YAML 1.2 `{text}` is a text"))
        }
        NodeValue::Text(text) if expects("integer") || expects("number") => {
            match yaml::resolve(text) {
                NodeValue::Int(_) => Some(format!("write {text}, without quotes")),
                NodeValue::Float(_) if expects("number") => {
                    Some(format!("write {text}, without quotes"))
                }
                _ => None,
            }
        }
        NodeValue::Int(_) | NodeValue::Float(_) | NodeValue::Bool(_) if expects("string") => {
            Some(format!("write \"{written}\", in quotes"))
        }
        NodeValue::Text(_) | NodeValue::Int(_) | NodeValue::Float(_) | NodeValue::Bool(_)
            if expects("array") =>
        {
            Some("write it in brackets, as in [a, b]".to_owned())
        }
        _ if expects("object") && !keys.is_empty() => {
            Some(format!("its keys: {}", suggest::listed(keys.iter().copied(), "and")))
        }
        _ => None,
    }
}

impl<'s> Checker<'s> {
    /// A value that is of none of the expected types, with what to write instead.
    pub(super) fn type_fault(
        self,
        subject: &Subject<'_>,
        expected: &[&str],
        keys: &[&str],
    ) -> Diagnostic {
        let mut words: Vec<&str> = expected
            .iter()
            .filter(|kind| **kind != "null")
            .map(|kind| type_in_words(kind))
            .collect();
        words.dedup();
        if words.is_empty() {
            words.push("empty");
        }
        // Where no single value is expected, the one that stands there may be a secret: it is not repeated.
        let silent = self.concealed
            || words.iter().all(|word| matches!(*word, "a list" | "a map" | "empty"));
        let found = match &subject.node.value {
            NodeValue::Text(_) if silent => "a text".to_owned(),
            NodeValue::Int(_) | NodeValue::Float(_) if silent => "a number".to_owned(),
            _ => subject.node.describe(),
        };
        let message = format!("{} must be {}, not {found}", subject.name, words.join(" or "));
        let mut wrong = fault("wrong-type", subject.place(), message);
        wrong.hint = match &subject.node.value {
            NodeValue::Int(_) | NodeValue::Float(_) if self.concealed => {
                expected.contains(&"string").then(|| "write it in quotes".to_owned())
            }
            _ => type_hint(subject.node, expected, keys),
        };
        wrong
    }

    pub(super) fn wrong_type(self, schema: &'s Json, subject: &Subject<'_>) -> Option<Diagnostic> {
        let expected = types(schema);
        if expected.is_empty() || expected.iter().any(|kind| fits(kind, subject.node)) {
            return None;
        }
        let properties = schema.get("properties").and_then(Json::as_object);
        let keys: Vec<&str> =
            properties.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let wrong = self.type_fault(subject, &expected, &keys);
        // A single value in place of a map of secrets may be one of them.
        let of_secrets = properties
            .is_some_and(|properties| properties.values().any(|schema| self.is_secret(schema)));
        Some(if of_secrets { wrong.concealed() } else { wrong })
    }

    /// `enum` and `const`.
    pub(super) fn not_among(schema: &Json, subject: &Subject<'_>) -> Option<Diagnostic> {
        let allowed = constants(schema)?;
        let found = subject.node.to_json();
        (!allowed.contains(&&found)).then(|| value_fault(subject, &allowed, &[]))
    }

    pub(super) fn number(
        rules: &Map<String, Json>,
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let written = subject.node.written.trim_start_matches(['+', '-']);
        let leading_zero = written.len() > 1
            && written.starts_with('0')
            && written.bytes().all(|byte| byte.is_ascii_digit());
        if leading_zero {
            let message = format!(
                "{} is {written}: YAML 1.2 reads that as decimal, YAML 1.1 as octal",
                subject.name
            );
            let plain = written.trim_start_matches('0');
            let plain = if plain.is_empty() { "0" } else { plain };
            faults
                .push(fault("ambiguous-number", subject.place(), message).hint(format!(
                    "write {plain} for the decimal, 0o{plain} for the octal number"
                )));
            return;
        }
        let Some(found) = subject.node.to_json().as_f64() else { return };
        let bound = |keyword: &str| rules.get(keyword).filter(|bound| bound.is_number());
        let broken = |keyword: &str, breaks: fn(f64, f64) -> bool| {
            bound(keyword).filter(|limit| limit.as_f64().is_some_and(|limit| breaks(found, limit)))
        };
        let rule = match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => {
                let outside = broken("minimum", |found, limit| found < limit).is_some()
                    || broken("maximum", |found, limit| found > limit).is_some();
                outside.then(|| format!("from {least} to {most}"))
            }
            _ => broken("minimum", |found, limit| found < limit)
                .map(|limit| format!("at least {limit}"))
                .or_else(|| {
                    broken("maximum", |found, limit| found > limit)
                        .map(|limit| format!("at most {limit}"))
                }),
        };
        let rule = rule
            .or_else(|| {
                broken("exclusiveMinimum", |found, limit| found <= limit)
                    .map(|limit| format!("more than {limit}"))
            })
            .or_else(|| {
                broken("exclusiveMaximum", |found, limit| found >= limit)
                    .map(|limit| format!("less than {limit}"))
            })
            .or_else(|| {
                broken("multipleOf", |found, limit| limit > 0.0 && (found % limit).abs() > 1e-9)
                    .map(|limit| format!("a multiple of {limit}"))
            });
        if let Some(rule) = rule {
            let message = format!("{} must be {rule}, not {}", subject.name, subject.node.written);
            faults.push(fault("out-of-bounds", subject.place(), message));
        }
    }

    pub(super) fn text(
        rules: &Map<String, Json>,
        text: &str,
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let length = text.chars().count();
        Self::size(rules, ["minLength", "maxLength"], length, "characters", subject, faults);
        // A pattern that is no regular expression is the component author's fault; the component's own check stands.
        let pattern = rules.get("pattern").and_then(Json::as_str);
        let broken = pattern.filter(|pattern| {
            regex_lite::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
        });
        if let Some(pattern) = broken {
            let found = yaml::excerpt(text);
            let message =
                format!("{} must match the pattern {pattern}, {found:?} does not", subject.name);
            let mut wrong = fault("pattern", subject.place(), message);
            wrong.hint = match list(rules, "examples") {
                [] => rules.get("description").and_then(Json::as_str).map(str::to_owned),
                [example] => Some(format!("write it as in {}", shown(example))),
                examples => {
                    let shown: Vec<String> = examples.iter().map(shown).collect();
                    let listed = suggest::listed(shown.iter().map(String::as_str), "or");
                    Some(format!("write it as in {listed}"))
                }
            };
            faults.push(wrong);
        }
    }

    /// The bounds of a length, a number of items or a number of keys.
    pub(super) fn size(
        rules: &Map<String, Json>,
        [least, most]: [&str; 2],
        found: usize,
        unit: &str,
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let bound = |keyword: &str| rules.get(keyword).and_then(Json::as_u64);
        let found = found as u64;
        let rule = match (bound(least), bound(most)) {
            (Some(limit), _) if found < limit => format!("at least {limit}"),
            (_, Some(limit)) if found > limit => format!("at most {limit}"),
            _ => return,
        };
        let message = format!("{} must have {rule} {unit}, not {found}", subject.name);
        faults.push(fault("out-of-bounds", subject.place(), message));
    }
}

/// The values that `enum` or `const` allow.
pub(super) fn constants(schema: &Json) -> Option<Vec<&Json>> {
    let rules = schema.as_object()?;
    match rules.get("const") {
        Some(only) => Some(vec![only]),
        None => rules.get("enum").map(|_| list(rules, "enum").iter().collect()),
    }
}

/// A value that is none of the allowed ones. `shapes` are maps that would be allowed too, by their one key.
pub(super) fn value_fault(subject: &Subject<'_>, allowed: &[&Json], shapes: &[&str]) -> Diagnostic {
    let values: Vec<String> =
        allowed.iter().filter(|value| !value.is_null()).map(|value| shown(value)).collect();
    let values = || values.iter().map(String::as_str);
    let mut expected = suggest::listed(values(), "or");
    if !shapes.is_empty() {
        let keys = suggest::listed(shapes.iter().copied(), "or");
        expected = format!("{expected}, or a map with the key {keys}");
    }
    let message = format!("{} must be {expected}, not {}", subject.name, subject.node.describe());
    let mut wrong = fault("value-not-allowed", subject.place(), message);
    if let Some(text) = subject.node.text() {
        wrong.hint = if shapes.contains(&text) {
            Some(format!("write {{ {text}: … }}"))
        } else {
            suggest::nearest(text, values()).map(|near| format!("did you mean `{near}`?"))
        };
    }
    wrong
}
