//! Settings that may be written in more than one way.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// The value of a parameter, as ElastiCache wants it: a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterValue(pub String);

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor)
    }
}

struct ParameterVisitor;

impl Visitor<'_> for ParameterVisitor {
    type Value = ParameterValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number, yes or no")
    }

    fn visit_str<E>(self, text: &str) -> Result<ParameterValue, E> {
        Ok(ParameterValue(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<ParameterValue, E> {
        Ok(ParameterValue(number.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<ParameterValue, E> {
        Ok(ParameterValue(number.to_string()))
    }

    /// Valkey and Redis write booleans as yes and no.
    fn visit_bool<E>(self, on: bool) -> Result<ParameterValue, E> {
        Ok(ParameterValue(if on { "yes" } else { "no" }.to_owned()))
    }
}

impl JsonSchema for ParameterValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ParameterValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn a_parameter_is_a_text_however_it_is_written() {
        let read = |json: Json| serde_json::from_value::<ParameterValue>(json).unwrap().0;
        assert_eq!(read(json!("noeviction")), "noeviction");
        assert_eq!(read(json!(300)), "300");
        assert_eq!(read(json!(-1)), "-1");
        assert_eq!(read(json!(true)), "yes");
        assert_eq!(read(json!(false)), "no");
        let error = serde_json::from_value::<ParameterValue>(json!(0.5)).unwrap_err();
        assert!(error.to_string().contains("a whole number"), "{error}");
    }
}
