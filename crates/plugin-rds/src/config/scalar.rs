//! A setting that may be written in more than one way.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// How far storage may grow by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceiling {
    /// It does not grow.
    Off,
    /// Up to this many GiB.
    Gib(u32),
}

impl<'de> Deserialize<'de> for Ceiling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CeilingVisitor)
    }
}

struct CeilingVisitor;

impl Visitor<'_> for CeilingVisitor {
    type Value = Ceiling;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of GiB, or off")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Ceiling, E> {
        match u32::try_from(number) {
            Ok(0) => Ok(Ceiling::Off),
            Ok(gib) => Ok(Ceiling::Gib(gib)),
            Err(_) => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
        }
    }

    /// Older YAML reads `off` as false.
    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Ceiling, E> {
        if on { Err(E::invalid_value(de::Unexpected::Bool(on), &self)) } else { Ok(Ceiling::Off) }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Ceiling, E> {
        if text == "off" {
            Ok(Ceiling::Off)
        } else {
            Err(E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
}

impl JsonSchema for Ceiling {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ceiling".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string", "boolean"], "minimum": 0, "pattern": "^off$", "examples": ["off"] })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn a_ceiling_is_a_number_or_off() {
        #[track_caller]
        fn check(written: Json, expected: Option<Ceiling>) {
            assert_eq!(serde_json::from_value(written).ok(), expected);
        }
        check(json!(400), Some(Ceiling::Gib(400)));
        check(json!(0), Some(Ceiling::Off));
        check(json!("off"), Some(Ceiling::Off));
        check(json!(false), Some(Ceiling::Off));
        check(json!(true), None);
        check(json!("400"), None);
        check(json!(-1), None);
    }
}
