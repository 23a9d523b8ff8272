//! What differs between what shall be and what is.

use serde_json::Value as Json;

use crate::driver::Difference;
use crate::value::Value;

/// Every difference, in order of path. What is wanted must have its known references resolved; one that is left stands for
/// a value known only later and differs from everything.
pub fn differences(wanted: &Value, actual: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(wanted, Some(actual), &mut String::new(), &mut found);
    found
}

/// `path` is that of what is compared, and is so again at the end: a path is copied only for a difference.
fn compare(wanted: &Value, actual: Option<&Json>, path: &mut String, found: &mut Vec<Difference>) {
    let actual = actual.filter(|json| !json.is_null());
    match (wanted, actual) {
        (Value::Scalar(Json::Null), None) => {}
        (Value::Map(map), None) if map.is_empty() => {}
        (Value::List(list), None) if list.is_empty() => {}
        (Value::Map(map), Some(Json::Object(there))) => {
            let length = path.len();
            for (key, value) in map {
                push(path, key);
                compare(value, there.get(key), path, found);
                path.truncate(length);
            }
            for (key, value) in there.iter().filter(|(key, _)| !map.contains_key(*key)) {
                push(path, key);
                let (path_here, from) = (path.clone(), Some(value.clone()));
                found.push(Difference { path: path_here, from, to: None });
                path.truncate(length);
            }
        }
        (Value::List(list), Some(Json::Array(there))) if list.len() == there.len() => {
            let length = path.len();
            for (index, (value, there)) in list.iter().zip(there).enumerate() {
                push(path, &index.to_string());
                compare(value, Some(there), path, found);
                path.truncate(length);
            }
        }
        (Value::Scalar(wanted), Some(there)) if same(wanted, there) => {}
        (wanted, there) => {
            let to = wanted.to_json();
            if !there.is_some_and(|there| same(&to, there)) {
                let path = path.clone();
                found.push(Difference { path, from: there.cloned(), to: Some(to) });
            }
        }
    }
}

/// Equality of scalars; numbers by value.
fn same(wanted: &Json, actual: &Json) -> bool {
    match (wanted, actual) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

/// Keys with a slash, such as labels, in the manner of JSON Pointer (RFC 6901).
fn push(path: &mut String, key: &str) {
    path.push('/');
    for c in key.chars() {
        match c {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            c => path.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(wanted: Json, actual: &Json, expected: &[&str]) {
        let found: Vec<String> = differences(&Value::from(wanted), actual)
            .into_iter()
            .map(|d| {
                format!(
                    "{}: {:?} -> {:?}",
                    d.path,
                    d.from.map(|j| j.to_string()),
                    d.to.map(|j| j.to_string())
                )
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn equal_things_do_not_differ() {
        check(
            json!({"a": 1, "b": [true, {"c": "x"}]}),
            &json!({"a": 1.0, "b": [true, {"c": "x"}]}),
            &[],
        );
        check(json!({"a": null, "b": {}, "c": []}), &json!({}), &[]);
    }

    #[test]
    fn each_difference_has_its_path() {
        check(
            json!({"class": "large", "tags": {"a/b": "1"}, "list": [1, 2]}),
            &json!({"class": "small", "tags": {"old": "1"}, "list": [1]}),
            &[
                r#"/class: Some("\"small\"") -> Some("\"large\"")"#,
                r#"/list: Some("[1]") -> Some("[1,2]")"#,
                r#"/tags/a~1b: None -> Some("\"1\"")"#,
                r#"/tags/old: Some("\"1\"") -> None"#,
            ],
        );
    }

    #[test]
    fn an_unknown_reference_differs_and_a_secret_given_back_does_not() {
        let secret = json!({"$secret": {"env": "P"}});
        check(json!({"p": secret}), &json!({"p": secret}), &[]);
        check(
            json!({"host": {"$ref": "db/instance#address"}}),
            &json!({"host": "old"}),
            &[r#"/host: Some("\"old\"") -> Some("{\"$ref\":\"db/instance#address\"}")"#],
        );
    }
}
