//! Values of secrets are taken out of every message and log line, whatever library wrote them (reliability.md, B.4.9). A
//! second line of defence: the first is that no error of ours holds one.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What stands in the place of a value.
const INSTEAD: &str = "(secret)";
/// Shorter values are words of their own right in other messages, and no secrets worth the name.
const SHORTEST: usize = 6;

/// The values of this process's run, in every spelling in which a protocol sends them; the longest first.
static SPELLINGS: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Takes this value out of everything from now on.
pub(crate) fn remember(value: &str) {
    let value = value.trim();
    if value.len() < SHORTEST {
        return;
    }
    let escaped = serde_json::Value::from(value).to_string();
    let spellings = [
        value.to_owned(),
        STANDARD.encode(value),
        // Without the quotes around it.
        escaped[1..escaped.len() - 1].to_owned(),
        percent_encoded(value),
    ];
    let mut known = SPELLINGS.write().unwrap_or_else(PoisonError::into_inner);
    for spelling in spellings {
        if !known.contains(&spelling) {
            known.push(spelling);
        }
    }
    known.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
}

/// The text without any value.
pub(crate) fn scrub(text: &str) -> Cow<'_, str> {
    let known = SPELLINGS.read().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    for spelling in known.iter() {
        if text.contains(spelling.as_str()) {
            text = Cow::Owned(text.replace(spelling.as_str(), INSTEAD));
        }
    }
    text
}

/// As the query protocol of AWS sends a value.
fn percent_encoded(value: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// stderr, for log lines: each comes in one piece.
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        io::stderr().lock().write_all(scrub(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, scrubbed: &str) {
        assert_eq!(scrub(text), scrubbed);
    }

    #[test]
    fn a_value_is_taken_out_in_every_spelling() {
        remember("sk-canary-\"a b\"");
        remember("short");
        check("password=sk-canary-\"a b\" was refused", "password=(secret) was refused");
        check(r#"{"password":"sk-canary-\"a b\""}"#, r#"{"password":"(secret)"}"#);
        check("MasterUserPassword=sk-canary-%22a%20b%22&x", "MasterUserPassword=(secret)&x");
        check(&format!("data: {}", STANDARD.encode("sk-canary-\"a b\"")), "data: (secret)");
        check("a short word", "a short word");
    }
}
