//! `oneOf` and `anyOf`: an `Option`, an enum, a tagged union. A fault is reported against the alternative that was meant,
//! never as "matches none of them".

use serde_json::{Map, Value as Json};

use super::check::{Checker, Subject, list, shown};
use super::scalars::{constants, fits, types, value_fault};
use crate::diagnostic::Diagnostic;
use crate::suggest;
use crate::yaml::{NodeValue, fault};

impl<'s> Checker<'s> {
    pub(super) fn alternatives(
        self,
        schema: &'s Json,
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let mut choices = Vec::new();
        self.flatten(schema, 8, &mut choices);
        let maps: Vec<&Json> = maps_among(&choices);
        if !self.concealed && is_secret(&maps) {
            let mut found = Vec::new();
            Self { concealed: true, ..self }.alternatives(schema, subject, &mut found);
            faults.extend(found.into_iter().map(Diagnostic::concealed));
            return;
        }
        let is = |choice: &Json, kind: &str| types(choice).contains(&kind);
        let fitting: Vec<&Json> = choices
            .iter()
            .copied()
            .filter(|choice| {
                let kinds = types(choice);
                kinds.is_empty() || kinds.iter().any(|kind| fits(kind, subject.node))
            })
            .collect();
        if fitting.iter().any(|choice| types(choice) == ["null"]) {
            return;
        }
        if matches!(subject.node.value, NodeValue::Map(_)) && fitting == maps && maps.len() > 1 {
            self.meant_map(&maps, subject, faults);
            return;
        }
        let values: Vec<&Json> =
            choices.iter().filter_map(|choice| constants(choice)).flatten().collect();
        let only_values = choices.iter().all(|choice| {
            constants(choice).is_some() || is(choice, "null") || is(choice, "object")
        });
        if only_values && !values.is_empty() && !fitting.iter().any(|choice| is(choice, "object")) {
            let keys: Vec<&str> = maps.iter().filter_map(|map| only_required(map)).collect();
            if !values.contains(&&subject.node.to_json()) {
                faults.push(value_fault(subject, &values, &keys));
            }
            return;
        }
        if fitting.is_empty() && is_secret(&maps) {
            // The value that stands there is probably the secret itself: it is not repeated.
            let message = format!("{} must say where the secret is, not what it is", subject.name);
            let hint = "write { secret: { name: …, key: … } }, { env: NAME } or { file: PATH }";
            faults.push(fault("plain-secret", subject.place(), message).hint(hint));
            return;
        }
        if fitting.is_empty() {
            let expected: Vec<&str> = choices.iter().flat_map(|choice| types(choice)).collect();
            let mut keys: Vec<&str> = maps.iter().flat_map(|map| property_names(map)).collect();
            keys.sort_unstable();
            keys.dedup();
            faults.push(self.type_fault(subject, &expected, &keys));
            return;
        }
        self.nearest(&fitting, subject, faults);
    }

    /// Whether a value of this schema is a [`crate::secret::SecretRef`].
    pub(super) fn is_secret(self, schema: &'s Json) -> bool {
        let mut choices = Vec::new();
        self.flatten(self.target(schema), 8, &mut choices);
        is_secret(&maps_among(&choices))
    }

    /// Reports against the alternative with the fewest faults; nothing when one fits.
    fn nearest(self, choices: &[&'s Json], subject: &Subject<'_>, faults: &mut Vec<Diagnostic>) {
        let attempts = choices.iter().map(|choice| {
            let mut found = Vec::new();
            self.value(choice, subject, &mut found);
            found
        });
        faults.extend(attempts.min_by_key(Vec::len).unwrap_or_default());
    }

    /// The choices, those of nested choices included.
    fn flatten(self, schema: &'s Json, depth: usize, choices: &mut Vec<&'s Json>) {
        let Some(rules) = schema.as_object() else {
            choices.push(schema);
            return;
        };
        let nested = list(rules, "oneOf").iter().chain(list(rules, "anyOf"));
        for choice in nested {
            let target = self.target(choice);
            let plain_choice = ["type", "properties", "required", "allOf"]
                .iter()
                .all(|keyword| target.get(keyword).is_none());
            let has_choices = target.get("oneOf").or_else(|| target.get("anyOf")).is_some();
            if plain_choice && has_choices && depth > 0 {
                self.flatten(target, depth - 1, choices);
            } else {
                choices.push(target);
            }
        }
    }

    /// Reports a map against the alternative that it was meant as.
    fn meant_map(self, maps: &[&'s Json], subject: &Subject<'_>, faults: &mut Vec<Diagnostic>) {
        if let Some(tag) = common_tag(maps) {
            self.by_tag(maps, tag, subject, faults);
            return;
        }
        let keys: Vec<&str> = maps.iter().filter_map(|map| only_required(map)).collect();
        if keys.len() == maps.len() {
            self.by_key(maps, &keys, subject, faults);
            return;
        }
        self.nearest(maps, subject, faults);
    }

    /// An internally tagged enum: one property says which alternative it is.
    fn by_tag(
        self,
        maps: &[&'s Json],
        tag: &'s str,
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let allowed: Vec<&Json> = maps.iter().filter_map(|map| tag_value(map, tag)).collect();
        let Some((key, node)) = subject.node.entry(tag) else {
            let message = format!("{} lacks the key `{tag}`", subject.name);
            let values: Vec<String> = allowed.iter().map(|value| shown(value)).collect();
            let values = suggest::listed(values.iter().map(String::as_str), "or");
            faults.push(
                fault("missing-key", subject.place(), message)
                    .hint(format!("add `{tag}: …`, with {values}")),
            );
            return;
        };
        let found = node.to_json();
        if let Some(map) = maps.iter().find(|map| tag_value(map, tag) == Some(&found)) {
            self.value(map, subject, faults);
        } else {
            let subject = Subject { node, name: format!("`{tag}`"), key: key.span };
            faults.push(value_fault(&subject, &allowed, &[]));
        }
    }

    /// An externally tagged enum: its one key says which alternative it is.
    fn by_key(
        self,
        maps: &[&'s Json],
        keys: &[&'s str],
        subject: &Subject<'_>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let given: Vec<usize> =
            (0..keys.len()).filter(|index| subject.node.entry(keys[*index]).is_some()).collect();
        let listed = suggest::listed(keys.iter().copied(), "or");
        match given.as_slice() {
            [only] => self.value(maps[*only], subject, faults),
            [] => {
                let first = subject.node.entries().first().map(|(key, _)| key);
                let message = format!("{} must have one key: {listed}", subject.name);
                let place = first.map_or_else(|| subject.place(), |key| key.span);
                let mut wrong = fault("missing-key", place, message);
                wrong.hint = first
                    .and_then(|key| suggest::nearest(&key.text, keys.iter().copied()))
                    .map(|near| format!("did you mean `{near}`?"));
                faults.push(wrong);
            }
            several => {
                let names = suggest::listed(several.iter().map(|index| keys[*index]), "and");
                let message =
                    format!("{} must have only one of {listed}, it has {names}", subject.name);
                let second = subject.node.entry(keys[several[1]]);
                let place = second.map_or_else(|| subject.place(), |(key, _)| key.span);
                faults.push(fault("unknown-key", place, message).hint("remove the others"));
            }
        }
    }
}

fn maps_among<'s>(choices: &[&'s Json]) -> Vec<&'s Json> {
    choices.iter().copied().filter(|choice| types(choice).contains(&"object")).collect()
}

fn properties(map: &Json) -> Option<&Map<String, Json>> {
    map.get("properties").and_then(Json::as_object)
}

fn property_names(map: &Json) -> impl Iterator<Item = &str> {
    properties(map).into_iter().flat_map(Map::keys).map(String::as_str)
}

/// The one key that a map must have, when it may have no other.
fn only_required(map: &Json) -> Option<&str> {
    let required = map.as_object().map(|rules| list(rules, "required")).unwrap_or_default();
    match required {
        [Json::String(only)] if property_names(map).eq([only.as_str()]) => Some(only),
        _ => None,
    }
}

/// Whether these are the alternatives of [`crate::secret::SecretRef`].
fn is_secret(maps: &[&Json]) -> bool {
    maps.iter().filter_map(|map| only_required(map)).eq(["secret", "env", "file"])
}

fn tag_value<'s>(map: &'s Json, tag: &str) -> Option<&'s Json> {
    match constants(properties(map)?.get(tag)?)?.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// The property that has one fixed value in every alternative.
fn common_tag<'s>(maps: &[&'s Json]) -> Option<&'s str> {
    property_names(maps.first()?).find(|tag| {
        maps.iter().all(|map| {
            let required = map.as_object().map(|rules| list(rules, "required")).unwrap_or_default();
            tag_value(map, tag).is_some() && required.iter().any(|name| name == *tag)
        })
    })
}
