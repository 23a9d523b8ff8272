//! `completions`: what a shell completes.

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;

pub(crate) fn run(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "zonestack", &mut script);
    report::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
