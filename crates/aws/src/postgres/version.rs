//! The engine's version as a user writes it and as RDS answers it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A PostgreSQL version: a major one such as `17`, or major and minor such as `17.6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineVersion {
    /// The major version.
    pub major: u32,
    /// The minor version; `None` leaves it to RDS, at creation and afterwards.
    pub minor: Option<u32>,
}

/// The text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no PostgreSQL version: write a major version such as 17, or \"17.6\"")]
pub struct NoVersion(String);

impl FromStr for EngineVersion {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let number = |part: &str| part.parse().map_err(|_| NoVersion(text.to_owned()));
        match text.split_once('.') {
            Some((major, minor)) => Ok(Self { major: number(major)?, minor: Some(number(minor)?) }),
            None => Ok(Self { major: number(text)?, minor: None }),
        }
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => f.pad(&format!("{}.{minor}", self.major)),
            None => f.pad(&self.major.to_string()),
        }
    }
}

impl EngineVersion {
    /// The version in an answer of RDS, which may carry more, such as `11.22-rds.20240418`.
    pub fn answered(text: &str) -> Option<Self> {
        let digits = |text: &str| {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..end].parse().ok()
        };
        let (major, minor) = text.split_once('.').map_or((text, None), |(a, b)| (a, Some(b)));
        Some(Self { major: digits(major)?, minor: minor.and_then(digits) })
    }

    /// Whether `actual` is what was asked for: a major version asks for any of its minors, and with automatic minor
    /// upgrades a minor version asks for itself or a later one (domain.md 4.1: compare by prefix, because RDS moves it).
    pub fn is_met_by(self, actual: Self, automatic_minors: bool) -> bool {
        self.major == actual.major
            && match (self.minor, actual.minor) {
                (None, _) => true,
                (Some(wanted), Some(there)) => {
                    wanted == there || (automatic_minors && there > wanted)
                }
                (Some(_), None) => false,
            }
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
        f.write_str("a PostgreSQL version: a major version such as 17, or \"17.6\" in quotes")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<EngineVersion, E> {
        let major = u32::try_from(number)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))?;
        Ok(EngineVersion { major, minor: None })
    }

    /// Refused, because YAML reads `17.10` as `17.1`.
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
        json_schema!({
            "type": ["integer", "string"],
            "pattern": r"^[0-9]+(\.[0-9]+)?$",
            "examples": ["17", "17.6"],
            "minimum": 0
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn a_version_is_a_number_or_a_text() {
        #[track_caller]
        fn check(written: Json, expected: Result<&str, &str>) {
            let read = serde_json::from_value::<EngineVersion>(written);
            match expected {
                Ok(text) => assert_eq!(read.unwrap().to_string(), text),
                Err(words) => {
                    let error = read.unwrap_err().to_string();
                    assert!(error.contains(words), "{error}");
                }
            }
        }
        check(json!(17), Ok("17"));
        check(json!("17"), Ok("17"));
        check(json!("17.6"), Ok("17.6"));
        check(json!("9.3.14"), Err("is no PostgreSQL version"));
        check(json!("latest"), Err("\"latest\" is no PostgreSQL version"));
        check(json!(""), Err("is no PostgreSQL version"));
        check(json!(17.1), Err("in quotes"));
        check(json!(-1), Err("a PostgreSQL version"));
        check(json!(true), Err("a PostgreSQL version"));
    }

    #[test]
    fn what_was_asked_is_met_by_what_rds_made_of_it() {
        #[track_caller]
        fn check(asked: &str, actual: &str, automatic: bool, met: bool) {
            let actual = EngineVersion::answered(actual).unwrap();
            assert_eq!(asked.parse::<EngineVersion>().unwrap().is_met_by(actual, automatic), met);
        }
        check("17", "17.6", false, true);
        check("17", "17", false, true);
        check("17", "18.1", true, false);
        check("17", "16.9", true, false);
        check("17.6", "17.6", false, true);
        check("17.6", "17.10", true, true);
        check("17.6", "17.10", false, false);
        check("17.6", "17.5", true, false);
        check("11.22", "11.22-rds.20240418", false, true);
        check("17.6", "17", true, false);
    }
}
