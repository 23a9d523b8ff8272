//! Which value a plain scalar stands for: the core schema of YAML 1.2 (yaml.org/spec/1.2.2, 10.3.2), without `.inf` and
//! `.nan`, which JSON cannot hold.

use super::NodeValue;

/// The value of a scalar that was written without quotes.
pub(crate) fn resolve(plain: &str) -> NodeValue {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => NodeValue::Null,
        "true" | "True" | "TRUE" => NodeValue::Bool(true),
        "false" | "False" | "FALSE" => NodeValue::Bool(false),
        _ => int(plain)
            .map(NodeValue::Int)
            .or_else(|| float(plain).map(NodeValue::Float))
            .unwrap_or_else(|| NodeValue::Text(plain.to_owned())),
    }
}

fn int(plain: &str) -> Option<i64> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            let unsigned = !digits.starts_with(['+', '-']);
            return unsigned.then(|| i64::from_str_radix(digits, radix).ok()).flatten();
        }
    }
    plain.parse().ok()
}

fn float(plain: &str) -> Option<f64> {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let numeric = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| {
            let e = e.strip_prefix(['+', '-']).unwrap_or(e);
            !e.is_empty() && digits(e)
        });
    // A whole number that is too large for `Int` stays a text: as a float it would lose digits.
    let fractional = mantissa.contains('.') || exponent.is_some();
    plain.parse().ok().filter(|value: &f64| numeric && fractional && value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema_of_yaml_1_2() {
        let text = |text: &str| NodeValue::Text(text.to_owned());
        for (plain, value) in [
            ("", NodeValue::Null),
            ("~", NodeValue::Null),
            ("True", NodeValue::Bool(true)),
            ("yes", text("yes")),
            ("on", text("on")),
            ("-12", NodeValue::Int(-12)),
            ("+12", NodeValue::Int(12)),
            ("0x1F", NodeValue::Int(31)),
            ("0o17", NodeValue::Int(15)),
            ("017", NodeValue::Int(17)),
            ("0x-1", text("0x-1")),
            ("1_000", text("1_000")),
            ("12:30", text("12:30")),
            ("1.", NodeValue::Float(1.0)),
            (".5", NodeValue::Float(0.5)),
            ("-1.5e3", NodeValue::Float(-1500.0)),
            ("1e400", text("1e400")),
            (".", text(".")),
            ("e5", text("e5")),
            (".inf", text(".inf")),
            ("inf", text("inf")),
            ("1.2.3", text("1.2.3")),
            ("99999999999999999999", text("99999999999999999999")),
        ] {
            assert_eq!(resolve(plain), value, "{plain}");
        }
    }
}
