//! Everything that is printed: data to stdout, messages and progress to stderr.

pub(crate) mod diagnostics; // problems of a stack file, at their place
pub(crate) mod journal; // a run while it goes on, in a file
pub(crate) mod json; // the versioned format for programs
pub(crate) mod plan_text; // a plan for people
pub(crate) mod progress; // a run while it goes on
pub(crate) mod scrubber; // no value of a secret in any message
pub(crate) mod status_text; // a status for people
pub(crate) mod style; // colours

use std::io::{self, Write};

/// Writes data to stdout. A reader that went away (`| head`) is no error.
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes a document with messages that others wrote to stdout, without any value of a secret.
pub(crate) fn document(json: &serde_json::Value) -> io::Result<()> {
    data(&format!("{}\n", scrubber::scrub(&json.to_string())))
}

/// Writes a message to stderr. When nobody reads it, nothing is lost.
pub(crate) fn note(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", scrubber::scrub(text)));
}
