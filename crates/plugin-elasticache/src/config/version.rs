//! The engine's version as a user writes it and as ElastiCache answers it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A version: major and minor, such as `8.1`. Patches are ElastiCache's to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EngineVersion {
    /// The major version.
    pub major: u32,
    /// The minor version.
    pub minor: u32,
}

/// The text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version: write major and minor, such as \"8.1\", in quotes")]
pub struct NoVersion(String);

impl FromStr for EngineVersion {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let number = |part: &str| part.parse().map_err(|_| NoVersion(text.to_owned()));
        let (major, minor) = text.split_once('.').ok_or_else(|| NoVersion(text.to_owned()))?;
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.major, self.minor))
    }
}

impl EngineVersion {
    /// The version in an answer of ElastiCache, which has the patch too, such as `8.1.0`.
    pub(crate) fn answered(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse);
        Some(Self { major: parts.next()?.ok()?, minor: parts.next().unwrap_or(Ok(0)).ok()? })
    }

    /// Whether `actual` is what was asked for: with automatic minor upgrades, that version or a later one of the same major.
    pub(crate) fn is_met_by(self, actual: Self, automatic_minors: bool) -> bool {
        self == actual || (automatic_minors && self.major == actual.major && actual > self)
    }
}

impl Serialize for EngineVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EngineVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionVisitor)
    }
}

struct VersionVisitor;

impl Visitor<'_> for VersionVisitor {
    type Value = EngineVersion;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version of major and minor, such as \"8.1\", in quotes")
    }

    /// Refused, because YAML reads `7.10` as `7.1`.
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<EngineVersion, E> {
        Err(E::invalid_type(de::Unexpected::Float(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EngineVersion, E> {
        text.parse().map_err(E::custom)
    }
}

impl JsonSchema for EngineVersion {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EngineVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[0-9]+\.[0-9]+$", "examples": ["8.1"] })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn a_version_is_major_and_minor_in_quotes() {
        #[track_caller]
        fn check(written: Json, expected: Result<&str, &str>) {
            match (serde_json::from_value::<EngineVersion>(written), expected) {
                (Ok(read), Ok(text)) => assert_eq!(read.to_string(), text),
                (Err(error), Err(words)) => {
                    assert!(error.to_string().contains(words), "{error}");
                }
                (read, _) => panic!("{read:?}"),
            }
        }
        check(json!("8.1"), Ok("8.1"));
        check(json!("7.10"), Ok("7.10"));
        check(json!("8"), Err("\"8\" is no version"));
        check(json!("8.1.2"), Err("is no version: write major and minor"));
        check(json!("latest"), Err("is no version"));
        check(json!(8.1), Err("in quotes"));
        check(json!(8), Err("in quotes"));
        check(json!(true), Err("in quotes"));
    }

    #[test]
    fn what_was_asked_is_met_by_what_elasticache_made_of_it() {
        #[track_caller]
        fn check(asked: &str, actual: &str, automatic: bool, met: bool) {
            let actual = EngineVersion::answered(actual).unwrap();
            assert_eq!(asked.parse::<EngineVersion>().unwrap().is_met_by(actual, automatic), met);
        }
        check("8.1", "8.1", false, true);
        check("8.1", "8.1.0", false, true);
        check("8.0", "8.1.0", true, true);
        check("8.0", "8.1.0", false, false);
        check("8.1", "8.0.1", true, false);
        check("7.1", "8.0", true, false);
        check("7.0", "7", false, true);
        assert_eq!(EngineVersion::answered("latest"), None);
        assert_eq!(EngineVersion::answered(""), None);
    }
}
