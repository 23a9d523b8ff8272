//! Random values, from the operating system's random numbers.

use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::LineEnding;
use rsa::rand_core::OsRng;
use zonestack_core::secret::{Generator, Sensitive};

const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SIGNS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const RSA_BITS: usize = 2048;

/// Why a value could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenerateError {
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// No key came out.
    #[error("no RSA key could be made: {0}")]
    Key(#[from] rsa::Error),
    /// The key has no text form.
    #[error("the RSA key could not be written: {0}")]
    Encode(#[from] rsa::pkcs1::Error),
    /// Too short to have a letter of each case and a digit.
    #[error("a value of {0} characters cannot have one of each class: 3 are needed")]
    TooShort(u16),
    /// The task that made it was stopped.
    #[error("the making of the value was stopped")]
    Stopped,
}

/// Makes a value. An RSA key takes about a second of one core (and ten times that where `num-bigint-dig` is not optimised),
/// so this runs beside the other calls.
pub(crate) async fn generate(generator: Generator) -> Result<Sensitive<String>, GenerateError> {
    let made = tokio::task::spawn_blocking(move || make(&generator)).await;
    made.map_err(|_| GenerateError::Stopped)?.map(Sensitive::new)
}

fn make(generator: &Generator) -> Result<String, GenerateError> {
    match generator {
        Generator::Alphanumeric(length) => alphanumeric(*length),
        Generator::JsonList(length) => Ok(format!("[\"{}\"]", alphanumeric(*length)?)),
        Generator::RsaPem { prefix, indent, suffix } => {
            let key = RsaPrivateKey::new(&mut OsRng, RSA_BITS)?;
            let pem = key.to_pkcs1_pem(LineEnding::LF)?;
            let line_start = format!("\n{}", " ".repeat(usize::from(*indent)));
            Ok(format!("{prefix}{}{suffix}", pem.trim_end().replace('\n', &line_start)))
        }
    }
}

/// A letter, then letters and digits. Values without one of each class are thrown away and made again, which keeps all
/// that are left equally likely.
fn alphanumeric(length: u16) -> Result<String, GenerateError> {
    if length < 3 {
        return Err(GenerateError::TooShort(length));
    }
    loop {
        let mut text = String::with_capacity(usize::from(length));
        text.push(pick(LETTERS)?);
        for _ in 1..length {
            text.push(pick(SIGNS)?);
        }
        let has = |class: fn(&u8) -> bool| text.bytes().any(|byte| class(&byte));
        if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit) {
            return Ok(text);
        }
    }
}

/// One sign, each equally likely: bytes from the incomplete last round of the signs are thrown away.
fn pick(signs: &[u8]) -> Result<char, GenerateError> {
    let rounds = 256 / signs.len() * signs.len();
    loop {
        let mut byte = [0_u8];
        getrandom::fill(&mut byte)?;
        let index = usize::from(byte[0]);
        if index < rounds {
            return Ok(char::from(signs[index % signs.len()]));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rsa::pkcs1::DecodeRsaPrivateKey as _;
    use rsa::traits::PublicKeyParts as _;

    use super::*;

    #[test]
    fn alphanumeric_values_keep_their_laws() {
        for length in [3, 4, 24, 32, 64] {
            for _ in 0..500 {
                let value = make(&Generator::Alphanumeric(length)).unwrap();
                assert_eq!(value.len(), usize::from(length));
                assert!(value.bytes().all(|b| b.is_ascii_alphanumeric()), "{value}");
                assert!(value.starts_with(|c: char| c.is_ascii_alphabetic()), "{value}");
                for class in [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit] {
                    assert!(value.bytes().any(|byte| class(&byte)), "{value}");
                }
            }
        }
        assert!(matches!(make(&Generator::Alphanumeric(2)), Err(GenerateError::TooShort(2))));
    }

    #[test]
    fn values_differ_and_every_sign_appears() {
        let values: BTreeSet<String> =
            (0..500).map(|_| make(&Generator::Alphanumeric(32)).unwrap()).collect();
        assert_eq!(values.len(), 500);
        let signs: BTreeSet<char> = values.iter().flat_map(|value| value.chars()).collect();
        assert_eq!(signs.len(), SIGNS.len());
    }

    #[test]
    fn a_json_list_has_one_text() {
        let value = make(&Generator::JsonList(32)).unwrap();
        let list: Vec<String> = serde_json::from_str(&value).unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].len(), 32);
    }

    #[test]
    fn an_rsa_key_reads_back_and_its_lines_are_indented() {
        let generator = Generator::RsaPem {
            prefix: "key: |\n  ".to_owned(),
            indent: 2,
            suffix: "\n".to_owned(),
        };
        let value = make(&generator).unwrap();
        let (first, rest) = value.split_once('\n').unwrap();
        assert_eq!(first, "key: |");
        assert!(rest.ends_with("-----END RSA PRIVATE KEY-----\n"));
        let lines: Vec<&str> = rest
            .trim_end_matches('\n')
            .lines()
            .map(|line| line.strip_prefix("  ").unwrap())
            .collect();
        let key = RsaPrivateKey::from_pkcs1_pem(&lines.join("\n")).unwrap();
        assert_eq!(key.n().bits(), RSA_BITS);
        key.validate().unwrap();
    }
}
