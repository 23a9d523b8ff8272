//! A text that may be written as a number or a boolean, and amounts as Kubernetes writes them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// A text; a number or a boolean is taken as it is written, because every environment variable and every amount in
/// Kubernetes is a text in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text(String);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The amount of CPU that it says, in thousandths of a core: `2`, `0.5`, `250m`.
    pub fn millis(&self) -> Option<u64> {
        match self.0.strip_suffix('m') {
            Some(millis) => whole(millis),
            None => decimal(&self.0, 1000),
        }
    }

    /// The number of bytes that it says: `8Gi`, `1.5Gi`, `500M`.
    pub fn bytes(&self) -> Option<u64> {
        const UNITS: [(&str, u64); 8] = [
            ("Ki", 1 << 10),
            ("Mi", 1 << 20),
            ("Gi", 1 << 30),
            ("Ti", 1 << 40),
            ("k", 1_000),
            ("M", 1_000_000),
            ("G", 1_000_000_000),
            ("T", 1_000_000_000_000),
        ];
        let unit =
            UNITS.iter().find_map(|(unit, factor)| Some((self.0.strip_suffix(unit)?, *factor)));
        let (number, factor) = unit.unwrap_or((&self.0, 1));
        decimal(number, factor)
    }
}

fn whole(text: &str) -> Option<u64> {
    text.chars().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A decimal number times a factor, rounded down, without floating point.
fn decimal(text: &str, factor: u64) -> Option<u64> {
    let (units, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| (1..=9).contains(digits))?;
    let fraction = whole(fraction)?.checked_mul(factor)? / 10_u64.pow(digits);
    whole(units)?.checked_mul(factor)?.checked_add(fraction)
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(text.into())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text; a number or a boolean is taken as it is written.",
            "type": ["string", "number", "boolean"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        for (text, millis, bytes) in [
            ("2", Some(2000), Some(2)),
            ("0.5", Some(500), Some(0)),
            ("250m", Some(250), None),
            ("8Gi", None, Some(8 << 30)),
            ("1.5Gi", None, Some(3 << 29)),
            ("500M", None, Some(500_000_000)),
            ("", None, None),
            ("-1", None, None),
            ("1.", None, None),
            (".5Gi", None, None),
            ("8GiB", None, None),
            ("99999999999999Ti", None, None),
        ] {
            assert_eq!(Text::from(text).millis(), millis, "{text:?} in millis");
            assert_eq!(Text::from(text).bytes(), bytes, "{text:?} in bytes");
        }
    }
}
