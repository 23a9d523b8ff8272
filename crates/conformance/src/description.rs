//! What the plugin says of itself.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use zonestack_core::interface::InterfaceName;
use zonestack_core::kind::{Identity, Tagging};
use zonestack_core::name::TypeName;
use zonestack_sdk::message::{DescribeRequest, method};

use crate::generate;
use crate::subject::{COMPONENT, LIMITS, Subject};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

/// The bytes of the description, from a process that has just been started.
fn bytes(subject: &Subject) -> Result<Vec<u8>, Stop> {
    let request = DescribeRequest { proto_min: 1, proto_max: 1, host: "zonestack".to_owned() };
    let body = serde_json::to_vec(&request).map_err(|error| Stop::Failed(error.to_string()))?;
    let described = subject.plugin(LIMITS)?.raw(method::DESCRIBE, body, LIMITS.load);
    described.map_err(|error| Stop::Failed(format!("asked to describe itself, it {error}")))
}

/// Two processes say the same.
pub(crate) fn stable(subject: &Subject) -> Outcome {
    let (one, other) = (bytes(subject)?, bytes(subject)?);
    if one != other {
        return failed(
            "two processes describe themselves differently: it must follow from the file alone",
        );
    }
    Ok(())
}

/// Schemas are JSON Schemas for maps.
pub(crate) fn schema(subject: &Subject) -> Outcome {
    for component in &subject.loaded()?.description.components {
        let at = |why: String| Stop::Failed(format!("the schema of `{}`: {why}", component.name));
        if component.schema["type"] != "object" && component.schema.get("$ref").is_none() {
            return Err(at("`with` is a map, so its type must be \"object\"".to_owned()));
        }
        well_formed(&component.schema, &component.schema, "").map_err(at)?;
    }
    Ok(())
}

const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// Checks what the keywords of a schema hold, all the way down.
fn well_formed(root: &Json, schema: &Json, at: &str) -> Result<(), String> {
    let rules = match schema {
        Json::Bool(_) => return Ok(()),
        Json::Object(rules) => rules,
        other => return Err(format!("{at}: {other} is no schema")),
    };
    for (keyword, value) in rules {
        let below = format!("{at}/{keyword}");
        match (keyword.as_str(), value) {
            ("type", Json::String(name)) if TYPES.contains(&name.as_str()) => {}
            ("type", Json::Array(names))
                if names.iter().all(|name| TYPES.iter().any(|known| name == known)) => {}
            ("type", other) => return Err(format!("{below}: {other} is no type")),
            ("$ref", Json::String(text))
                if text.strip_prefix('#').and_then(|at| root.pointer(at)).is_some() => {}
            ("$ref", other) => return Err(format!("{below}: {other} leads nowhere")),
            ("pattern", Json::String(text)) => {
                if let Err(error) = regex_lite::Regex::new(text) {
                    return Err(format!("{below}: {error}"));
                }
            }
            ("properties" | "$defs" | "definitions", Json::Object(parts)) => {
                for (name, part) in parts {
                    well_formed(root, part, &format!("{below}/{name}"))?;
                }
            }
            ("items" | "additionalProperties" | "not" | "propertyNames", part) => {
                well_formed(root, part, &below)?;
            }
            ("oneOf" | "anyOf" | "allOf" | "prefixItems", Json::Array(parts)) => {
                for part in parts {
                    well_formed(root, part, &below)?;
                }
            }
            ("required", Json::Array(names)) if names.iter().all(Json::is_string) => {}
            ("enum" | "examples", Json::Array(_)) => {}
            (
                "pattern" | "properties" | "$defs" | "definitions" | "oneOf" | "anyOf" | "allOf"
                | "prefixItems" | "required" | "enum" | "examples",
                other,
            ) => return Err(format!("{below}: {other} cannot stand there")),
            _ => {}
        }
    }
    Ok(())
}

/// Names of component types.
pub(crate) fn types(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    for component in &loaded.description.components {
        let name = &component.name;
        name.parse::<TypeName>().map_err(|error| Stop::Failed(error.to_string()))?;
        if subject.builtins.components.iter().any(|builtin| builtin.describe().name == name) {
            return failed(format!("the component type `{name}` is built in: choose another name"));
        }
        if component.summary.is_empty() || component.summary.ends_with('.') {
            return failed(format!(
                "the summary of `{name}` must be one sentence without a final period"
            ));
        }
    }
    if loaded.description.components.is_empty() && loaded.kinds.is_empty() {
        return failed("it has neither component types nor kinds");
    }
    Ok(())
}

/// Names of kinds.
pub(crate) fn kinds(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let mut seen = BTreeSet::new();
    for kind in &loaded.kinds {
        let name = kind.kind.as_str();
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let words = name.split('.').collect::<Vec<_>>();
        if words.len() < 2 || words.iter().any(|word| word.is_empty() || !word.chars().all(legal)) {
            return failed(format!(
                "the kind {name:?} must be lower-case words with dashes, joined by dots, such as aws.efs.file-system"
            ));
        }
        if name.starts_with("k8s.") {
            return failed(format!(
                "the kind {name}: objects of Kubernetes are driven by zonestack"
            ));
        }
        if subject.builtins.kinds.iter().any(|builtin| builtin.kind == kind.kind) {
            return failed(format!("the kind {name} is built in: choose another name"));
        }
        if !seen.insert(name) {
            return failed(format!("the kind {name} is declared twice"));
        }
    }
    if loaded.kinds.is_empty() { not_applicable("it drives no kinds") } else { Ok(()) }
}

/// What kinds declare fits together.
pub(crate) fn declarations(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    for kind in &loaded.kinds {
        let wrong = |why: String| failed(format!("the kind {}: {why}", kind.kind));
        let model = &kind.model;
        if let Some(output) =
            kind.outputs.iter().find(|name| !model.outputs.iter().any(|(known, _)| known == *name))
        {
            return wrong(format!(
                "the output {output:?} is not in its model: the sandbox cannot play it"
            ));
        }
        if model.id.is_empty() {
            return wrong("its model has no id".to_owned());
        }
        if kind.ready_within.is_zero() || kind.delete_within.is_zero() {
            return wrong("it has no time to become ready, or to go".to_owned());
        }
        let states = u32::try_from(model.creating.len().max(1)).unwrap_or(1);
        if model.create / states > kind.ready_within {
            return wrong("its model stays longer in a state than the kind is given".to_owned());
        }
        if model.delete > kind.delete_within {
            return wrong("its model takes longer to go than the kind is given".to_owned());
        }
        let mut paths: Vec<&str> = kind.fields.iter().map(|rule| rule.path.as_str()).collect();
        paths.extend([kind.protection, kind.restores_from, kind.marks_at].into_iter().flatten());
        if let Identity::Parent { at } = kind.identity {
            paths.push(at);
        }
        if let Some(path) = paths.iter().find(|path| !path.starts_with('/')) {
            return wrong(format!("the path {path:?} must begin with /"));
        }
        match (kind.tagging, kind.marks_at) {
            (Tagging::None, Some(at)) => {
                return wrong(format!("it has no marks, and they stand at {at}"));
            }
            (Tagging::OnCreate | Tagging::After, None) => {
                return wrong("it has marks, and they stand nowhere".to_owned());
            }
            _ => {}
        }
        if kind.identity == Identity::ServerId && kind.tagging == Tagging::None {
            return wrong("nothing finds it again: it has neither a key nor marks".to_owned());
        }
        let action = |text: &&&str| {
            let parts = text.split_once(':');
            parts.is_some_and(|(service, action)| !service.is_empty() && !action.is_empty())
        };
        if let Some(odd) = kind.iam_actions.iter().find(|text| !action(text)) {
            return wrong(format!(
                "{odd:?} is no action of IAM, such as elasticfilesystem:CreateTags"
            ));
        }
    }
    if loaded.kinds.is_empty() { not_applicable("it drives no kinds") } else { Ok(()) }
}

/// Names of interfaces.
pub(crate) fn interfaces(subject: &Subject) -> Outcome {
    for component in &subject.loaded()?.description.components {
        let required = component.requires.iter().map(|requirement| &requirement.interface);
        for name in component.provides.iter().chain(required) {
            InterfaceName::new(name)
                .map_err(|error| Stop::Failed(format!("`{}`: {error}", component.name)))?;
        }
        let names: BTreeSet<&String> =
            component.requires.iter().map(|requirement| &requirement.name).collect();
        if names.len() != component.requires.len() {
            return failed(format!("`{}` has two requirements of one name", component.name));
        }
    }
    Ok(())
}

/// Codes of advisories.
pub(crate) fn advisories(subject: &Subject) -> Outcome {
    for component in &subject.loaded()?.description.components {
        let mut seen = BTreeSet::new();
        for code in &component.advisories {
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            let words = code.split('-');
            let kebab = code.len() <= 64
                && words.into_iter().all(|word| !word.is_empty() && word.chars().all(legal));
            if !kebab {
                return failed(format!(
                    "`{}`: the code {code:?} must be in kebab case",
                    component.name
                ));
            }
            if !seen.insert(code) {
                return failed(format!("`{}`: the code {code} is listed twice", component.name));
            }
        }
    }
    Ok(())
}

/// A setting that is not there is refused, at its place.
pub(crate) fn unknown_setting(subject: &Subject) -> Outcome {
    const UNKNOWN: &str = "noSuchSetting";
    let loaded = subject.loaded()?;
    for tested in loaded.types()? {
        let name = tested.described.name;
        let mut random = subject.random();
        let made = generate::settings(&tested.described.schema, &mut random);
        let mut config =
            loaded.meant(tested).into_iter().next().or(made).unwrap_or_else(|| json!({}));
        let Some(map) = config.as_object_mut() else { continue };
        map.insert(UNKNOWN.to_owned(), json!(1));
        let text = loaded.stack_file(tested, &config, &[COMPONENT])?;
        match loaded.wired(&text)? {
            Err(reasons) if reasons.iter().any(|reason| reason.contains(UNKNOWN)) => {}
            Err(reasons) => {
                return failed(format!(
                    "`{name}`: a setting that is not there is refused without naming it: {}",
                    reasons.first().map_or("", String::as_str)
                ));
            }
            Ok(_) => {
                return failed(format!(
                    "`{name}` takes a setting that is not there: its schema needs \"additionalProperties\": false (in Rust: #[serde(deny_unknown_fields)])"
                ));
            }
        }
    }
    Ok(())
}
