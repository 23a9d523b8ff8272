//! Digits and values that look random and depend on nothing but what goes in, so that two runs of a test see the same.

use sha2::{Digest as _, Sha256};
use zonestack_core::secret::Generator;

/// As many bytes as asked for, from a seed and texts.
fn bytes(seed: u64, parts: &[&str], count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count + 32);
    let mut block: u64 = 0;
    while bytes.len() < count {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(block.to_le_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        bytes.extend(hash.finalize().iter());
        block += 1;
    }
    bytes.truncate(count);
    bytes
}

/// Hexadecimal digits.
pub(crate) fn hex(seed: u64, parts: &[&str], digits: usize) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let bytes = bytes(seed, parts, digits.div_ceil(2));
    let mut text: String =
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect();
    text.truncate(digits);
    text
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn alphanumeric(seed: u64, parts: &[&str], count: usize) -> String {
    let pick = |set: &[u8], byte: u8| char::from(set[usize::from(byte) % set.len()]);
    let bytes = bytes(seed, parts, count);
    let at = |(index, byte): (usize, &u8)| match index {
        0 => pick(LETTERS, *byte),
        // One of each class, as the generator promises, where there is room for it.
        1 => pick(&ALPHANUMERIC[..26], *byte),
        2 => pick(&ALPHANUMERIC[26..52], *byte),
        3 => pick(&ALPHANUMERIC[52..], *byte),
        _ => pick(ALPHANUMERIC, *byte),
    };
    bytes.iter().enumerate().map(at).collect()
}

/// The value that a generator makes in the sandbox: of the right form, and always the same for the same place. No secret:
/// whoever has the sandbox file can compute it. The RSA key has the form of one only.
pub(crate) fn generated(seed: u64, parts: &[&str], generator: &Generator) -> String {
    match generator {
        Generator::Alphanumeric(count) => alphanumeric(seed, parts, usize::from(*count)),
        Generator::JsonList(count) => {
            format!("[\"{}\"]", alphanumeric(seed, parts, usize::from(*count)))
        }
        Generator::RsaPem { prefix, indent, suffix } => {
            let margin = " ".repeat(usize::from(*indent));
            let text = alphanumeric(seed, parts, 25 * 64);
            let lines: Vec<&str> =
                (0..25).filter_map(|line| text.get(line * 64..(line + 1) * 64)).collect();
            let body = lines.join(&format!("\n{margin}"));
            let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
            format!("{prefix}{begin}\n{margin}{body}\n{margin}{end}\n{suffix}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_depend_on_every_part_and_on_where_parts_end() {
        assert_eq!(hex(1, &["a", "b"], 17), hex(1, &["a", "b"], 17));
        assert_eq!(hex(1, &["a", "b"], 80).len(), 80);
        assert_ne!(hex(1, &["a", "b"], 17), hex(2, &["a", "b"], 17));
        assert_ne!(hex(1, &["a", "b"], 17), hex(1, &["ab"], 17));
    }

    #[test]
    fn a_generated_value_has_the_promised_form() {
        for seed in 0..50 {
            let value = generated(seed, &["x"], &Generator::Alphanumeric(20));
            assert_eq!(value.len(), 20);
            assert!(value.starts_with(|c: char| c.is_ascii_alphabetic()), "{value}");
            for class in
                [char::is_uppercase as fn(char) -> bool, char::is_lowercase, char::is_numeric]
            {
                assert!(value.contains(class), "{value}");
            }
        }
        let list = generated(1, &["x"], &Generator::JsonList(8));
        assert_eq!(serde_json::from_str::<Vec<String>>(&list).unwrap()[0].len(), 8);
        let pem = Generator::RsaPem { prefix: "k: |\n  ".into(), indent: 2, suffix: String::new() };
        assert!(generated(1, &["x"], &pem).lines().skip(1).all(|line| line.starts_with("  ")));
    }
}
