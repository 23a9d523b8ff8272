//! What the user sees while the lab starts, on stderr.

use std::io::{self, Write};

/// One line of progress. That stderr is closed is no reason to stop.
pub(crate) fn note(line: &str) {
    drop(writeln!(io::stderr(), "lab: {line}"));
}
