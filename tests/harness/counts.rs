//! What sweeps counted: shown by `cargo xtask test` although the tests pass.

use std::fs::OpenOptions;
use std::io::Write;

use super::environment;

/// Prints a line, and hands it to `cargo xtask test`.
pub(crate) fn counted(line: &str) {
    println!("{line}");
    if let Some(path) = environment::counts_file() {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        // One write: lines of tests that run at the same time stay whole.
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}
