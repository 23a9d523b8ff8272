//! A JSON Schema checker that knows places and speaks to people. It covers what `schemars` 1 produces; what a keyword that it
//! does not know would forbid is left to the component's own check.

use serde_json::{Map, Value as Json};

use crate::diagnostic::{Diagnostic, Span};
use crate::secret::names_secret;
use crate::suggest;
use crate::yaml::{Key, Node, NodeValue, fault};

/// Everything in which a value does not fit a schema.
///
/// `name` is what messages call the value, such as `` component `db` ``; `key` is where to point at for it as a whole.
pub fn check(schema: &Json, node: &Node, name: &str, key: Option<Span>) -> Vec<Diagnostic> {
    let checker = Checker::new(schema);
    let mut faults = Vec::new();
    checker.value(schema, &Subject { node, name: name.to_owned(), key }, &mut faults);
    faults
}

/// The value under check.
pub(super) struct Subject<'n> {
    pub(super) node: &'n Node,
    /// What messages call it.
    pub(super) name: String,
    /// Where its key is.
    pub(super) key: Option<Span>,
}

impl<'n> Subject<'n> {
    fn under(key: &Key, node: &'n Node) -> Self {
        Self { node, name: format!("`{}`", key.text), key: key.span }
    }

    pub(super) fn place(&self) -> Option<Span> {
        self.node.place(self.key)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Checker<'s> {
    pub(super) root: &'s Json,
    /// Whether what is under check may be a secret: neither messages nor reports show it.
    pub(super) concealed: bool,
}

impl<'s> Checker<'s> {
    pub(super) fn new(root: &'s Json) -> Self {
        Self { root, concealed: false }
    }

    /// The schema that a chain of references ends at.
    pub(super) fn target(self, mut schema: &'s Json) -> &'s Json {
        // Longer chains than this are circles.
        for _ in 0..32 {
            let Some(reference) = schema.get("$ref").and_then(Json::as_str) else { break };
            match reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    pub(super) fn value(
        self,
        schema: &'s Json,
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let schema = self.target(schema);
        if schema == &Json::Bool(false) {
            let message = format!("{} is not allowed here", subject.name);
            faults.push(fault("unknown-key", subject.place(), message));
        }
        let Some(rules) = schema.as_object() else { return };
        for part in list(rules, "allOf") {
            self.value(part, subject, faults);
        }
        for keyword in ["oneOf", "anyOf"] {
            if !list(rules, keyword).is_empty() {
                self.alternatives(schema, subject, faults);
            }
        }
        if let Some(found) = self.wrong_type(schema, subject) {
            faults.push(found);
            return;
        }
        if let Some(found) = Self::not_among(schema, subject) {
            faults.push(found);
            return;
        }
        match &subject.node.value {
            NodeValue::Int(_) | NodeValue::Float(_) => Self::number(rules, subject, faults),
            NodeValue::Text(text) => Self::text(rules, text, subject, faults),
            NodeValue::List(items) => self.list(rules, items, subject, faults),
            NodeValue::Map(entries) => self.map(rules, entries, subject, faults),
            NodeValue::Null | NodeValue::Bool(_) => {}
        }
    }

    fn list(
        self,
        rules: &'s Map<String, Json>,
        items: &[Node],
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        Self::size(rules, ["minItems", "maxItems"], items.len(), "values", subject, faults);
        let prefix = list(rules, "prefixItems");
        for (index, node) in items.iter().enumerate() {
            let schema = prefix.get(index).or_else(|| rules.get("items"));
            let name = format!("item {} of {}", index + 1, subject.name);
            if let Some(schema) = schema {
                self.value(schema, &Subject { node, name, key: None }, faults);
            }
            let unique = rules.get("uniqueItems") == Some(&Json::Bool(true));
            if unique && items[..index].iter().any(|before| before.value == node.value) {
                let message = format!("{} is given twice in {}", node.describe(), subject.name);
                faults.push(fault("given-twice", node.place(None), message));
            }
        }
    }

    fn map(
        self,
        rules: &'s Map<String, Json>,
        entries: &[(Key, Node)],
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let bounds = ["minProperties", "maxProperties"];
        Self::size(rules, bounds, entries.len(), "keys", subject, faults);
        let properties = rules.get("properties").and_then(Json::as_object);
        let known: Vec<&str> =
            properties.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let absent: Vec<&str> = known
            .iter()
            .copied()
            .filter(|name| entries.iter().all(|(key, _)| key.text != *name))
            .collect();
        let mut meant = Vec::new();
        for (key, node) in entries {
            let schema = properties
                .and_then(|properties| properties.get(&key.text))
                .or_else(|| by_pattern(rules, &key.text))
                .or_else(|| rules.get("additionalProperties"));
            match schema {
                Some(Json::Bool(false)) => {
                    let name = &subject.name;
                    let message = format!("unknown key `{}` in {name}", key.text);
                    // A key that is already there is not what was meant, but is among the keys that may be written.
                    let near = suggest::nearest(&key.text, absent.iter().copied());
                    let hint = near.map_or_else(
                        || suggest::advice(&key.text, &known, "allowed keys"),
                        |near| format!("did you mean `{near}`?"),
                    );
                    meant.extend(near);
                    let near = near.and_then(|near| properties?.get(near));
                    let secret = near.is_some_and(|near| self.is_secret(near));
                    let unknown = fault("unknown-key", key.span, message).hint(hint);
                    let conceal = secret || names_secret(&key.text);
                    faults.push(if conceal { unknown.concealed() } else { unknown });
                }
                Some(schema) => self.value(schema, &Subject::under(key, node), faults),
                None => {}
            }
        }
        for name in list(rules, "required").iter().filter_map(Json::as_str) {
            // Said already, as a near miss.
            let missing = entries.iter().all(|(key, _)| key.text != name) && !meant.contains(&name);
            if missing {
                let message = format!("{} lacks the key `{name}`", subject.name);
                let property = properties.and_then(|properties| properties.get(name));
                faults.push(
                    fault("missing-key", subject.place(), message)
                        .hint(self.how_to_write(name, property)),
                );
            }
        }
    }

    /// `add `host: git.example.com`: The host name.`
    fn how_to_write(self, name: &str, property: Option<&'s Json>) -> String {
        let Some(property) = property else { return format!("add `{name}: …`") };
        let target = self.target(property);
        let find = |keyword: &str| property.get(keyword).or_else(|| target.get(keyword));
        let example = find("examples")
            .and_then(|examples| examples.get(0))
            .or_else(|| find("const"))
            .or_else(|| find("enum").and_then(|values| values.get(0)));
        let example = example.map_or_else(|| "…".to_owned(), shown);
        let meaning = find("description").and_then(Json::as_str).unwrap_or_default();
        let meaning = meaning.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        if meaning.is_empty() {
            format!("add `{name}: {example}`")
        } else {
            format!("add `{name}: {example}`: {meaning}")
        }
    }
}

/// A JSON value as one would write it in the file.
pub(super) fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The values of a keyword that is a list.
pub(super) fn list<'s>(rules: &'s Map<String, Json>, keyword: &str) -> &'s [Json] {
    rules.get(keyword).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn by_pattern<'s>(rules: &'s Map<String, Json>, key: &str) -> Option<&'s Json> {
    let patterns = rules.get("patternProperties").and_then(Json::as_object)?;
    patterns
        .iter()
        .find(|(pattern, _)| regex_lite::Regex::new(pattern).is_ok_and(|regex| regex.is_match(key)))
        .map(|(_, schema)| schema)
}
