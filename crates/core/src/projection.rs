//! The generic part of an observation: what is, in the words of what was asked.

use serde_json::{Map, Value as Json};

use crate::value::{as_generator, as_ref, as_secret};

/// Reduces what is there to the paths that the specification has.
///
/// - Maps keep the specification's keys only; a key that is not there stays absent.
/// - A reference that is not resolved yet takes whatever is there.
/// - A secret or a generator is given back as it was asked when something is there: its value is never compared.
/// - Lists of the same length are reduced item by item, others are given back whole. Sort what has no order before.
pub fn project(spec: &Json, actual: &Json) -> Json {
    if as_ref(spec).is_some() {
        return actual.clone();
    }
    if as_secret(spec).is_some() || as_generator(spec).is_some() {
        return if actual.is_null() { Json::Null } else { spec.clone() };
    }
    match (spec, actual) {
        (Json::Object(wanted), Json::Object(found)) => wanted
            .iter()
            .filter_map(|(key, wanted)| Some((key.clone(), project(wanted, found.get(key)?))))
            .collect::<Map<_, _>>()
            .into(),
        (Json::Array(wanted), Json::Array(found)) if wanted.len() == found.len() => {
            wanted.iter().zip(found).map(|(wanted, found)| project(wanted, found)).collect()
        }
        _ => actual.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_asked_paths_remain() {
        let spec = json!({ "class": "a", "tags": { "Name": "x" }, "host": { "$ref": "db/i#h" } });
        let actual =
            json!({ "class": "b", "tags": { "Name": "y", "Other": "z" }, "host": "h", "extra": 1 });
        assert_eq!(
            project(&spec, &actual),
            json!({ "class": "b", "tags": { "Name": "y" }, "host": "h" })
        );
    }

    #[test]
    fn a_secret_is_given_back_as_it_was_asked() {
        let spec = json!({ "password": { "$secret": { "env": "P" } } });
        assert_eq!(project(&spec, &json!({ "password": "set" })), spec);
        assert_eq!(project(&spec, &json!({})), json!({}));
    }
}
