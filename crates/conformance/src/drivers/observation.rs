//! What an observation must be, whatever there is: it fits the declaration of its kind and what was asked.

use serde_json::Value as Json;
use zonestack_core::driver::{Observation, Query, Status};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::projection::project;

use super::request::VALUE;
use crate::subject::shortened;

/// Whether an observation fits what its kind declares and what was asked. Otherwise why not: the rest of a sentence that begins with
/// what was observed.
pub(super) fn fits(
    kind: &KindDeclaration,
    query: &Query,
    found: &Observation,
) -> Result<(), String> {
    let told = format!("{} {}", found.attributes, Json::from_iter(found.outputs.clone()));
    if told.contains(VALUE) {
        return Err("is observed with the value of a secret".to_owned());
    }
    match &found.status {
        Status::Absent => return absent(found),
        Status::Pending(word) | Status::Busy(word) | Status::Failed(word) if word.is_empty() => {
            return Err("is in a state without a word for it".to_owned());
        }
        _ => {}
    }
    for (name, value) in &found.outputs {
        if !kind.outputs.contains(&name.as_str()) {
            return Err(format!("has the output {name:?}, which its kind does not declare"));
        }
        if value.is_null() {
            return Err(format!(
                "has the output {name:?} without a value: leave out what is not known"
            ));
        }
    }
    let Some(spec) = &query.spec else {
        return match &found.attributes {
            Json::Null => Ok(()),
            _ => Err("has attributes, although no specification was asked for".to_owned()),
        };
    };
    if project(spec, &found.attributes) != found.attributes {
        return Err(format!(
            "has attributes that are not in the words of its specification: {}, and {} was asked",
            shortened(&found.attributes.to_string()),
            shortened(&spec.to_string())
        ));
    }
    Ok(())
}

/// What is not there has nothing.
fn absent(found: &Observation) -> Result<(), String> {
    let what = if let Some(id) = &found.remote_id {
        format!("the id {id:?}")
    } else if let Some(name) = found.outputs.keys().next() {
        format!("the output {name:?}")
    } else if !found.attributes.is_null() {
        "attributes".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("is not there, and has {what}"))
}

/// The declared output that something ready does not have. One that is made of a setting that is not there is not missing.
pub(super) fn missing_output(
    kind: &KindDeclaration,
    spec: &Json,
    found: &Observation,
) -> Option<&'static str> {
    let possible = |name: &str| {
        let mut templates = kind.model.outputs.iter().filter(|(known, _)| *known == name);
        templates.all(|(_, template)| is_filled(template, spec))
    };
    let missing = |name: &&'static str| !found.outputs.contains_key(*name) && possible(name);
    kind.outputs.iter().copied().find(missing)
}

/// Whether everything is there that a template takes from the specification: `{spec/path}`.
fn is_filled(template: &str, spec: &Json) -> bool {
    let places = template.split("{spec").skip(1).filter_map(|rest| rest.split('}').next());
    places.into_iter().all(|path| spec.pointer(path).is_some_and(|value| !value.is_null()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use zonestack_core::driver::{Ownership, Target};
    use zonestack_core::kind::{Identity, Model, Tagging};
    use zonestack_core::name::Kind;
    use zonestack_core::resource::DataClass;

    use super::*;

    fn kind() -> KindDeclaration {
        KindDeclaration {
            kind: Kind::new("kit.thing"),
            identity: Identity::Token,
            tagging: Tagging::OnCreate,
            marks_at: Some("/tags"),
            data: DataClass::Stateless,
            fields: Vec::new(),
            protection: None,
            final_copy: false,
            restores_from: None,
            replaces_dependents: false,
            ready_within: Duration::from_mins(1),
            delete_within: Duration::from_mins(1),
            read_after_write: Duration::ZERO,
            outputs: vec!["host"],
            iam_actions: Vec::new(),
            model: Model {
                id: "thing-{hex8}",
                outputs: vec![("host", "{id}")],
                creating: vec!["growing"],
                create: Duration::from_secs(1),
                update: Duration::from_secs(1),
                delete: Duration::from_secs(1),
            },
        }
    }

    fn query(spec: Option<Json>) -> Query {
        let target = Target {
            id: "it/thing".parse().unwrap(),
            kind: kind().kind,
            name: None,
            token: None,
            remote_id: None,
            parent: None,
        };
        Query { target, spec }
    }

    #[track_caller]
    fn check(spec: Option<Json>, found: &Observation, expected: &str) {
        let told = fits(&kind(), &query(spec), found).err().unwrap_or_default();
        assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{told}");
    }

    fn ready() -> Observation {
        Observation {
            status: Status::Ready,
            remote_id: Some("thing-1".to_owned()),
            ownership: Ownership::Ours,
            attributes: json!({ "size": 1 }),
            outputs: [("host".to_owned(), json!("h"))].into(),
        }
    }

    #[test]
    fn what_is_there_fits_what_was_asked_and_declared() {
        let spec = || Some(json!({ "size": 2, "tags": {} }));
        check(spec(), &ready(), "");
        check(None, &ready(), "although no specification was asked for");
        check(Some(json!({})), &ready(), "not in the words of its specification");
        let with = |name: &str, value: Json| Observation {
            outputs: [(name.to_owned(), value)].into(),
            ..ready()
        };
        check(spec(), &with("other", json!(1)), "does not declare");
        check(spec(), &with("host", Json::Null), "leave out what is not known");
        check(spec(), &with("host", json!(VALUE)), "the value of a secret");
        let nameless = Observation { status: Status::Pending(String::new()), ..ready() };
        check(spec(), &nameless, "a state without a word");
        assert_eq!(missing_output(&kind(), &json!({}), &ready()), None);
        let bare = Observation { outputs: std::collections::BTreeMap::new(), ..ready() };
        check(spec(), &bare, "");
        assert_eq!(missing_output(&kind(), &json!({}), &bare), Some("host"));
        let mut of_a_setting = kind();
        of_a_setting.model.outputs = vec![("host", "{spec/a/b}.example.com")];
        assert_eq!(missing_output(&of_a_setting, &json!({}), &bare), None);
        let with = json!({ "a": { "b": "c" } });
        assert_eq!(missing_output(&of_a_setting, &with, &bare), Some("host"));
    }

    #[test]
    fn what_is_not_there_has_nothing() {
        let spec = || Some(json!({ "size": 2 }));
        check(spec(), &Observation::absent(), "");
        check(spec(), &Observation { status: Status::Absent, ..ready() }, "the id \"thing-1\"");
        let attributes = Observation { attributes: json!({}), ..Observation::absent() };
        check(spec(), &attributes, "has attributes");
    }
}
