//! Values of a specification. Some are known only after something else was made; some must never be known here.
//!
//! An author writes a specification as JSON, with a [`Ref`], [`SecretRef`] or [`Generator`] anywhere in it:
//!
//! ```
//! use zonestack_core::{name::ResourceId, value::{Ref, Value}};
//! let fs: ResourceId = "data/file-system".parse()?;
//! let spec = Value::from(serde_json::json!({ "file_system_id": Ref::new(&fs, "id") }));
//! assert_eq!(spec.refs().len(), 1);
//! # Ok::<(), zonestack_core::name::InvalidName>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::name::ResourceId;
use crate::secret::{Generator, SecretRef};

/// The key that marks a reference, a secret or a generator in JSON. No stack file may use keys that begin with `$`.
const REF: &str = "$ref";
const SECRET: &str = "$secret";
const GENERATE: &str = "$generate";

/// An output of another resource, known when that resource is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ref {
    /// The resource that produces it.
    pub resource: ResourceId,
    /// The output's name, such as `dns_name`.
    pub output: String,
}

impl Ref {
    /// A reference to an output of a resource.
    pub fn new(resource: &ResourceId, output: &str) -> Self {
        Self { resource: resource.clone(), output: output.to_owned() }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.resource, self.output)
    }
}

impl Serialize for Ref {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(REF, self.to_string())])
    }
}

/// A value of a specification.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A plain JSON scalar: null, a boolean, a number, a text.
    Scalar(Json),
    /// A list.
    List(Vec<Self>),
    /// A map, in the order of its keys.
    Map(BTreeMap<String, Self>),
    /// An output of another resource.
    Ref(Ref),
    /// A secret that exists somewhere.
    Secret(SecretRef),
    /// A secret to be made once.
    Generate(Generator),
}

/// Marks a secret reference in a specification that is written with `json!`.
pub fn secret(reference: &SecretRef) -> Json {
    json!({ SECRET: reference })
}

/// Marks a secret to generate in a specification that is written with `json!`.
pub fn generate(generator: &Generator) -> Json {
    json!({ GENERATE: generator })
}

/// The secret reference that a marked JSON value holds. Drivers use it on resolved specifications.
pub fn as_secret(json: &Json) -> Option<SecretRef> {
    serde_json::from_value(marked(json, SECRET)?.clone()).ok()
}

/// The generator that a marked JSON value holds. Drivers use it on resolved specifications.
pub fn as_generator(json: &Json) -> Option<Generator> {
    serde_json::from_value(marked(json, GENERATE)?.clone()).ok()
}

/// The reference that a marked JSON value holds: in a specification that is not resolved yet.
pub fn as_ref(json: &Json) -> Option<Ref> {
    let text = marked(json, REF)?.as_str()?;
    let (resource, output) = text.split_once('#')?;
    Some(Ref { resource: resource.parse().ok()?, output: output.to_owned() })
}

/// True for a JSON value that stands for a reference, a secret or a generator.
pub fn is_marker(json: &Json) -> bool {
    [REF, SECRET, GENERATE].iter().any(|key| marked(json, key).is_some())
}

fn marked<'a>(json: &'a Json, key: &str) -> Option<&'a Json> {
    let map = json.as_object().filter(|map| map.len() == 1)?;
    map.get(key)
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        if let Some(reference) = as_ref(&json) {
            return Self::Ref(reference);
        }
        if let Some(reference) = as_secret(&json) {
            return Self::Secret(reference);
        }
        if let Some(generator) = as_generator(&json) {
            return Self::Generate(generator);
        }
        match json {
            Json::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Json::Object(map) => {
                Self::Map(map.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
            scalar => Self::Scalar(scalar),
        }
    }
}

impl From<Ref> for Value {
    fn from(reference: Ref) -> Self {
        Self::Ref(reference)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Scalar(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Scalar(text.into())
    }
}

/// Back to JSON, with references, secrets and generators as marked objects.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(Self::from)
    }
}

impl Value {
    /// The value as JSON; what is not a plain value stays a marked object.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Scalar(json) => json.clone(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => Json::Object(
                map.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
            ),
            Self::Ref(reference) => json!(reference),
            Self::Secret(reference) => secret(reference),
            Self::Generate(generator) => generate(generator),
        }
    }

    /// Every reference in it, in order of appearance.
    pub fn refs(&self) -> Vec<&Ref> {
        match self {
            Self::Ref(reference) => vec![reference],
            Self::List(items) => items.iter().flat_map(Self::refs).collect(),
            Self::Map(map) => map.values().flat_map(Self::refs).collect(),
            Self::Scalar(_) | Self::Secret(_) | Self::Generate(_) => Vec::new(),
        }
    }

    /// Every secret that is kept somewhere, in order of appearance.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        match self {
            Self::Secret(reference) => vec![reference],
            Self::List(items) => items.iter().flat_map(Self::secrets).collect(),
            Self::Map(map) => map.values().flat_map(Self::secrets).collect(),
            Self::Scalar(_) | Self::Ref(_) | Self::Generate(_) => Vec::new(),
        }
    }

    /// The same value with every reference replaced for which `output` has an answer.
    #[must_use]
    pub fn resolve(&self, output: &dyn Fn(&Ref) -> Option<Json>) -> Self {
        match self {
            Self::Ref(reference) => output(reference).map_or_else(|| self.clone(), Self::from),
            Self::List(items) => {
                Self::List(items.iter().map(|item| item.resolve(output)).collect())
            }
            Self::Map(map) => Self::Map(
                map.iter().map(|(key, value)| (key.clone(), value.resolve(output))).collect(),
            ),
            Self::Scalar(_) | Self::Secret(_) | Self::Generate(_) => self.clone(),
        }
    }

    /// The value at a path of keys and list indices joined by `/`, such as `/spec/replicas`.
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |value, part| match value {
            Self::Map(map) => map.get(part),
            Self::List(items) => items.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Sets what is at a path of keys joined by `/`, making maps on the way where nothing is.
    pub fn set(&mut self, pointer: &str, to: Self) {
        let mut place = self;
        for key in pointer.split('/').skip(1) {
            let Self::Map(map) = place else { return };
            place = map.entry(key.to_owned()).or_insert_with(|| Self::Map(BTreeMap::new()));
        }
        *place = to;
    }

    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Scalar(json) => json.as_str(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_survive_the_way_to_json_and_back() {
        let id: ResourceId = "db/instance".parse().unwrap();
        let json = json!({
            "host": Ref::new(&id, "address"),
            "password": secret(&SecretRef::Env("PASSWORD".to_owned())),
            "token": generate(&Generator::Alphanumeric(32)),
            "list": [1, "two", null],
        });
        let value = Value::from(json.clone());
        assert_eq!(value.to_json(), json);
        assert_eq!(value.refs(), [&Ref::new(&id, "address")]);
    }

    #[test]
    fn resolving_replaces_only_what_is_known() {
        let id: ResourceId = "db/instance".parse().unwrap();
        let value = Value::from(json!([Ref::new(&id, "address"), Ref::new(&id, "port")]));
        let resolved = value.resolve(&|r| (r.output == "address").then(|| json!("db.example")));
        assert_eq!(resolved.to_json(), json!(["db.example", Ref::new(&id, "port")]));
    }
}
