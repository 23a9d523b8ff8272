//! Settings from a JSON Schema, by chance. Most fit the schema; what does not is refused by it, as a user's mistake is.

use serde_json::{Map, Value as Json, json};

use crate::random::Random;

/// The environment variable that generated references to secrets name.
pub(crate) const SECRET: &str = "KIT_SECRET";

/// Deeper than this nothing optional is made.
const DEPTH: usize = 6;

/// Texts that settings are likely to want, for those that a pattern or a check of the plugin's own restricts.
const TEXTS: [&str; 26] = [
    "a",
    "example",
    "two-words",
    "1",
    "17",
    "8.4",
    "17.6",
    "8Gi",
    "100Gi",
    "500m",
    "git.example.com",
    "admin@example.com",
    "https://example.com/",
    "/data",
    "noatime",
    "eu-west-1a",
    "10.0.0.0/16",
    "03:00-04:00",
    "sun:05:00-sun:06:00",
    "0 2 * * *",
    "fs-0123456789abcdef0",
    "subnet-0123456789abcdef0",
    "db.r6g.large",
    "cache.r6g.large",
    "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef",
    "ünïcödé \"quoted\" 'text'",
];

/// Settings for a schema; `None` when chance found none.
pub(crate) fn settings(schema: &Json, random: &mut Random) -> Option<Json> {
    let generator = Generator { root: schema };
    let made = generator.value(schema, random, 0)?;
    Some(if made.is_object() { made } else { json!({}) })
}

#[derive(Clone, Copy)]
struct Generator<'s> {
    root: &'s Json,
}

impl<'s> Generator<'s> {
    fn value(self, schema: &'s Json, random: &mut Random, depth: usize) -> Option<Json> {
        let rules = match schema {
            Json::Bool(true) => return Some(json!("a")),
            Json::Object(rules) => rules,
            _ => return None,
        };
        if let Some(reference) = rules.get("$ref").and_then(Json::as_str) {
            if reference.ends_with("/SecretRef") {
                return Some(json!({ "env": SECRET }));
            }
            if depth > 3 * DEPTH {
                return None;
            }
            let target = reference.strip_prefix('#').and_then(|at| self.root.pointer(at))?;
            return self.value(target, random, depth + 1);
        }
        if let Some(only) = rules.get("const") {
            return Some(only.clone());
        }
        if let Some(among) = list(rules, "enum") {
            return random.pick(among).cloned();
        }
        if let Some(examples) = list(rules, "examples").filter(|_| random.once_in(2)) {
            return random.pick(examples).cloned();
        }
        if let Some(default) = rules.get("default").filter(|_| random.once_in(4)) {
            return Some(default.clone());
        }
        let own = self.own(rules, random, depth);
        let mut made = own;
        for part in list(rules, "allOf").into_iter().flatten() {
            made = merged(made, self.value(part, random, depth + 1));
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(part) = list(rules, keyword).and_then(|parts| random.pick(parts)) {
                made = merged(made, self.value(part, random, depth + 1));
            }
        }
        made
    }

    /// What the type alone says.
    fn own(self, rules: &'s Map<String, Json>, random: &mut Random, depth: usize) -> Option<Json> {
        let named = match rules.get("type") {
            Some(Json::String(name)) => Some(name.as_str()),
            Some(Json::Array(names)) => random.pick(names).and_then(Json::as_str),
            _ if rules.contains_key("properties") => Some("object"),
            _ => None,
        };
        match named? {
            "null" => Some(Json::Null),
            "boolean" => Some(json!(random.once_in(2))),
            "integer" => Some(json!(whole(rules, random))),
            "number" => {
                let number = f64::from(i32::try_from(whole(rules, random)).unwrap_or(1));
                Some(json!(number))
            }
            "string" => text(rules, random),
            "array" => self.array(rules, random, depth),
            "object" => self.object(rules, random, depth),
            _ => None,
        }
    }

    fn array(
        self,
        rules: &'s Map<String, Json>,
        random: &mut Random,
        depth: usize,
    ) -> Option<Json> {
        let least = size(rules, "minItems").unwrap_or(0);
        let most = size(rules, "maxItems").unwrap_or(least + 2).max(least);
        let count = least + random.below((most - least + 1).min(4));
        let Some(items) = rules.get("items") else { return Some(json!([])) };
        let made: Option<Vec<Json>> =
            (0..count).map(|_| self.value(items, random, depth + 1)).collect();
        match made {
            Some(made) => Some(Json::Array(made)),
            None if least == 0 => Some(json!([])),
            None => None,
        }
    }

    fn object(
        self,
        rules: &'s Map<String, Json>,
        random: &mut Random,
        depth: usize,
    ) -> Option<Json> {
        let required: Vec<&str> =
            list(rules, "required").into_iter().flatten().filter_map(Json::as_str).collect();
        let mut made = Map::new();
        let properties = rules.get("properties").and_then(Json::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let must = required.contains(&name.as_str());
            if !must && (depth > DEPTH || !random.once_in(3)) {
                continue;
            }
            match self.value(schema, random, depth + 1) {
                Some(value) => drop(made.insert(name.clone(), value)),
                None if must => return None,
                None => {}
            }
        }
        if let Some(more @ Json::Object(_)) = rules.get("additionalProperties") {
            for name in ["one", "two"] {
                if random.once_in(2)
                    && let Some(value) = self.value(more, random, depth + 1)
                {
                    made.insert(name.to_owned(), value);
                }
            }
        }
        Some(Json::Object(made))
    }
}

fn list<'s>(rules: &'s Map<String, Json>, keyword: &str) -> Option<&'s [Json]> {
    rules.get(keyword).and_then(Json::as_array).filter(|list| !list.is_empty()).map(Vec::as_slice)
}

fn size(rules: &Map<String, Json>, keyword: &str) -> Option<usize> {
    rules.get(keyword).and_then(Json::as_u64).and_then(|size| usize::try_from(size).ok())
}

/// What two parts of a schema make together: maps are joined, otherwise the later one counts.
fn merged(one: Option<Json>, other: Option<Json>) -> Option<Json> {
    match (one, other) {
        (Some(Json::Object(mut one)), Some(Json::Object(other))) => {
            one.extend(other);
            Some(Json::Object(one))
        }
        (one, None) => one,
        (_, other) => other,
    }
}

/// A whole number: often an end of its range, otherwise a small one.
#[expect(clippy::cast_possible_truncation, reason = "an end of a range that is written as 1.0")]
fn whole(rules: &Map<String, Json>, random: &mut Random) -> i64 {
    let end = |keyword: &str| {
        let number = rules.get(keyword)?;
        number.as_i64().or_else(|| number.as_f64().map(|number| number as i64))
    };
    let least = end("minimum").or_else(|| end("exclusiveMinimum").map(|least| least + 1));
    let most = end("maximum").or_else(|| end("exclusiveMaximum").map(|most| most - 1));
    let from = least.unwrap_or(0);
    let to = most.unwrap_or_else(|| from.saturating_add(100)).max(from);
    let number = match random.below(4) {
        0 => from,
        1 => to,
        _ => {
            let width = usize::try_from(to.saturating_sub(from)).unwrap_or(100).saturating_add(1);
            from.saturating_add(i64::try_from(random.below(width)).unwrap_or(0))
        }
    };
    match end("multipleOf") {
        Some(step) if step > 1 => {
            let down = number - number.rem_euclid(step);
            if down < from { down.saturating_add(step) } else { down }
        }
        _ => number,
    }
}

fn text(rules: &Map<String, Json>, random: &mut Random) -> Option<Json> {
    let pattern = rules.get("pattern").and_then(Json::as_str);
    let pattern = match pattern.map(regex_lite::Regex::new) {
        Some(Ok(pattern)) => Some(pattern),
        // A law of its own is about that.
        Some(Err(_)) => return None,
        None => None,
    };
    let least = size(rules, "minLength").unwrap_or(0);
    let most = size(rules, "maxLength").unwrap_or(usize::MAX);
    let fits = |text: &&str| {
        let length = text.chars().count();
        (least..=most).contains(&length)
            && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
    };
    let fitting: Vec<&str> = TEXTS.iter().copied().filter(fits).collect();
    match random.pick(&fitting) {
        Some(text) => Some(json!(text)),
        None if pattern.is_none() && least < 10_000 => Some(json!("a".repeat(least))),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemars::{JsonSchema, schema_for};
    use serde::Deserialize;
    use zonestack_core::secret::SecretRef;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Settings {
        #[schemars(range(min = 3, max = 9))]
        must: u8,
        maybe: Option<String>,
        #[serde(default)]
        words: Vec<Word>,
        password: Option<SecretRef>,
        #[schemars(regex(pattern = r"^[0-9]+Gi$"))]
        size: Option<String>,
        choice: Option<Choice>,
    }

    #[derive(Deserialize, JsonSchema)]
    enum Word {
        One,
        Two,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "by", rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only read")]
    enum Choice {
        Name { name: String },
        Nothing {},
    }

    #[test]
    fn what_is_made_can_be_read_and_is_of_every_sort() {
        let schema = schema_for!(Settings).to_value();
        let mut random = Random::new(1);
        let mut seen = BTreeSet::new();
        for _ in 0..500 {
            let made = settings(&schema, &mut random).unwrap();
            let read: Settings = serde_json::from_value(made.clone()).unwrap();
            assert!((3..=9).contains(&read.must), "{made}");
            seen.extend(made.as_object().unwrap().keys().cloned());
        }
        let all = ["choice", "maybe", "must", "password", "size", "words"];
        assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
    }

    #[test]
    fn the_same_seed_makes_the_same() {
        let schema = schema_for!(Settings).to_value();
        let of = |seed| settings(&schema, &mut Random::new(seed));
        assert_eq!(of(7), of(7));
        assert!((0..20).any(|seed| of(seed) != of(7)));
    }
}
