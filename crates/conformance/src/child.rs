//! One law, in a process of its own: this program started again with [`COMMAND`].

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::heard;
use crate::laws;
use crate::subject::{Builtins, Subject};
use crate::verdict::Verdict;

/// The hidden command that makes the program try one law.
pub const COMMAND: &str = "__plugin-law";

/// The status of a process that was called wrongly, as of every command.
const USAGE: u8 = 64;

/// What the process is told, as its only argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The law.
    pub(crate) law: String,
    /// The file under test.
    pub(crate) library: PathBuf,
    /// Its SHA-256.
    pub(crate) sha256: String,
    /// The plugin's name.
    pub(crate) name: String,
    /// What chance follows from.
    pub(crate) seed: u64,
    /// Settings that the author gave.
    pub(crate) given: Option<Json>,
}

/// Tries a law, and writes what came of it to stdout as one line. `args` are those after [`COMMAND`].
pub fn main(args: impl Iterator<Item = OsString>, builtins: Builtins) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let order = match args.as_slice() {
        [order] => order.to_str().and_then(|text| serde_json::from_str::<Order>(text).ok()),
        _ => None,
    };
    let Some((order, law)) = order.and_then(|order| {
        let law = laws::find(&order.law)?;
        Some((order, law))
    }) else {
        return ExitCode::from(USAGE);
    };
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    heard::listen();
    let subject = Subject {
        program,
        library: order.library,
        sha256: order.sha256,
        name: order.name,
        seed: order.seed,
        given: order.given,
        builtins,
    };
    let verdict = Verdict::from((law.check)(&subject));
    let Ok(line) = serde_json::to_string(&verdict) else { return ExitCode::FAILURE };
    let mut out = std::io::stdout().lock();
    match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
