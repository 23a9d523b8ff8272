//! Quantities: `8Gi` is `8192Mi`, `1000m` is `1`. The API server writes them in its own canonical way
//! (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).

use serde_json::Value as Json;

const NANO: i128 = 1_000_000_000;

/// A quantity in thousand-millionths, the smallest part that the API server keeps; smaller parts round up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity(i128);

impl Quantity {
    /// Reads a quantity from a JSON text or number.
    pub(crate) fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::String(text) => Self::parse(text),
            Json::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Reads a quantity such as `8Gi`, `0.5`, `250m`, `1e3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-'))
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (times, per) = scale(suffix)?;
        let (negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits: i128 = digits.parse().ok()?;
        let below = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?.checked_mul(per)?;
        let above = digits.checked_mul(times)?.checked_mul(NANO)?;
        let rounded = above / below + i128::from(above % below != 0);
        Some(Self(if negative { -rounded } else { rounded }))
    }

    /// The value in whole units, rounded down; 0 when negative.
    pub(crate) fn units(self) -> u64 {
        u64::try_from(self.0 / NANO).unwrap_or(0)
    }

    /// The value in thousandths, rounded down; 0 when negative.
    pub(crate) fn millis(self) -> u64 {
        u64::try_from(self.0 / (NANO / 1000)).unwrap_or(0)
    }
}

/// What a suffix multiplies by, and divides by.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let power = |base: i128, n: u32| base.checked_pow(n).map(|times| (times, 1));
    match suffix {
        "" => Some((1, 1)),
        "n" => Some((1, NANO)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "k" => power(1000, 1),
        "M" => power(1000, 2),
        "G" => power(1000, 3),
        "T" => power(1000, 4),
        "P" => power(1000, 5),
        "E" => power(1000, 6),
        "Ki" => power(1024, 1),
        "Mi" => power(1024, 2),
        "Gi" => power(1024, 3),
        "Ti" => power(1024, 4),
        "Pi" => power(1024, 5),
        "Ei" => power(1024, 6),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let factor = 10_i128.checked_pow(exponent.unsigned_abs())?;
            Some(if exponent < 0 { (1, factor) } else { (factor, 1) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, equal: bool) {
        let (x, y) = (Quantity::parse(a).unwrap(), Quantity::parse(b).unwrap());
        assert_eq!(x == y, equal, "{a} and {b}");
    }

    #[test]
    fn the_same_amount_is_equal_however_it_is_written() {
        check("8Gi", "8192Mi", true);
        check("1000m", "1", true);
        check("0.5", "500m", true);
        check("1e3", "1k", true);
        check("1.5Gi", "1536Mi", true);
        check("100G", "100Gi", false);
        check("1", "2", false);
        check("-1", "1", false);
        check("7Ei", "7168Pi", true);
        check("0.1n", "1n", true);
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in
            ["", "Gi", "8GB", "abc", "1e", "--1", "1.2.3", "99999999999999999999999999999999999Ei"]
        {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn nodes_report_in_units_that_we_read() {
        assert_eq!(Quantity::parse("1930m").unwrap().millis(), 1930);
        assert_eq!(Quantity::parse("7134420Ki").unwrap().units(), 7_134_420 * 1024);
        assert_eq!(Quantity::from_json(&serde_json::json!(4)).unwrap().millis(), 4000);
    }
}
