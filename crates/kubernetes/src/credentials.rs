//! Secrets: made once, completed later, never read out (domain.md, 7.4).
//!
//! A Secret is created by a plain create, so that an existing one is never changed by it. Later only keys are added that
//! are missing, and keys whose value the specification states in plain words are set; a generated value that is there is
//! never touched, and no key is ever removed: data may depend on it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use zonestack_core::driver::{CallContext, DriverError, ErrorClass};
use zonestack_core::name::ResourceId;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_core::value::{as_generator, as_secret, is_marker};

use crate::generate::generate;
use crate::marks;

/// A manifest with values in it: for the one call that sends it.
pub(crate) struct Filled {
    manifest: Sensitive<Json>,
    values: Vec<Sensitive<String>>,
}

impl Filled {
    /// The manifest, for the call.
    pub(crate) fn expose(&self) -> &Json {
        self.manifest.expose()
    }

    /// The error with every value of the manifest taken out of its words, should the server have repeated one.
    pub(crate) fn scrub(&self, mut error: DriverError) -> DriverError {
        for value in &self.values {
            let value = value.expose();
            if !value.is_empty() {
                for written in [value.clone(), encode(value)] {
                    error.message = error.message.replace(&written, "(sensitive)");
                }
            }
        }
        error
    }
}

/// A value as a Secret's `data` has it.
pub(crate) fn encode(value: &str) -> String {
    STANDARD.encode(value)
}

/// The whole Secret, with every value made or fetched.
pub(crate) async fn fill(
    cx: CallContext<'_>,
    id: &ResourceId,
    spec: &Json,
) -> Result<Filled, DriverError> {
    let mut manifest = marks::mark(spec, cx.owner, id);
    let mut values = Vec::new();
    if let Some(Json::Object(wanted)) = manifest.get_mut("stringData").map(Json::take) {
        manifest["stringData"] = filled(cx.secrets, wanted, &mut values).await?.into();
    }
    Ok(Filled { manifest: Sensitive::new(manifest), values })
}

/// A merge patch that brings the Secret to its specification; `None` when there is nothing to do. It holds for the version
/// of the live Secret only, so that no key which somebody else added meanwhile is overwritten.
pub(crate) async fn completion(
    cx: CallContext<'_>,
    id: &ResourceId,
    spec: &Json,
    live: &Json,
) -> Result<Option<Filled>, DriverError> {
    let mut values = Vec::new();
    let mut patch = Map::new();
    let there = |key: &str| live["data"].get(key);
    let wanted = spec["stringData"].as_object().into_iter().flatten();
    let missing: Map<String, Json> = wanted
        .filter(|(key, value)| match there(key) {
            None => true,
            Some(old) => !is_marker(value) && value.as_str().map(encode).as_deref() != old.as_str(),
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !missing.is_empty() {
        patch.insert(
            "stringData".to_owned(),
            filled(cx.secrets, missing, &mut values).await?.into(),
        );
    }
    for field in ["data", "immutable", "type"] {
        if let Some(changed) = spec.get(field).and_then(|wanted| changed(wanted, &live[field])) {
            patch.insert(field.to_owned(), changed);
        }
    }
    let marked = marks::mark(spec, cx.owner, id);
    let mut metadata = Map::new();
    for field in ["labels", "annotations"] {
        let wanted = &marked["metadata"][field];
        if let Some(changed) = changed(wanted, &live["metadata"][field]) {
            metadata.insert(field.to_owned(), changed);
        }
    }
    if patch.is_empty() && metadata.is_empty() {
        return Ok(None);
    }
    metadata.insert("resourceVersion".to_owned(), live["metadata"]["resourceVersion"].clone());
    patch.insert("metadata".to_owned(), metadata.into());
    Ok(Some(Filled { manifest: Sensitive::new(patch.into()), values }))
}

/// The part of a wanted value, or of a wanted map of values, that is not there.
fn changed(wanted: &Json, there: &Json) -> Option<Json> {
    let Some(map) = wanted.as_object() else {
        return (!wanted.is_null() && wanted != there).then(|| wanted.clone());
    };
    let changed: Map<String, Json> = map
        .iter()
        .filter(|(key, value)| there.get(key.as_str()) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    (!changed.is_empty()).then(|| json!(changed))
}

async fn filled(
    secrets: &dyn SecretSource,
    wanted: Map<String, Json>,
    values: &mut Vec<Sensitive<String>>,
) -> Result<Map<String, Json>, DriverError> {
    let mut filled = Map::new();
    for (key, value) in wanted {
        let made = if let Some(generator) = as_generator(&value) {
            Some(generate(generator).await.map_err(|error| {
                DriverError::new(ErrorClass::Transient, format!("make the value of {key}: {error}"))
            })?)
        } else if let Some(reference) = as_secret(&value) {
            let resolved = secrets.resolve(&reference).await;
            Some(resolved.map_err(|error| unresolved(&key, &reference, &error))?)
        } else if is_marker(&value) {
            let message = format!("the value of {key} is a reference that is not resolved");
            return Err(DriverError::new(ErrorClass::Bug, message));
        } else {
            None
        };
        match made {
            Some(made) => {
                filled.insert(key, made.expose().as_str().into());
                values.push(made);
            }
            None => {
                filled.insert(key, value);
            }
        }
    }
    Ok(filled)
}

/// A Secret that could not be read may be readable the next time; everything else is for a person to put right.
fn unresolved(key: &str, reference: &SecretRef, error: &SecretError) -> DriverError {
    let class = match (error, reference) {
        (SecretError::Unreadable { .. }, SecretRef::Secret(_)) => ErrorClass::Transient,
        _ => ErrorClass::Invalid,
    };
    DriverError::new(class, format!("fetch the value of {key}: {error}"))
}
