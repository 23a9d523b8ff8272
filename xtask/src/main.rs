//! Every developer task of zonestack.

mod bench;
mod checkout;
mod child;
mod codegen;
mod lab;
mod test;
mod tidy;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tasks of a developer of zonestack
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// All checks and tests, with a lab of their own
    Test(test::TestCommand),
    /// The long sweeps of faults, with a lab of their own
    Sweep(test::SweepCommand),
    /// The rules of the tree: sizes, names, the arrows between modules and crates
    Tidy,
    /// Write what is generated: docs/cli.md, docs/components, docs/stack.schema.json
    Codegen(codegen::CodegenCommand),
    /// What the program costs: time, CPU, memory, size, lines
    Bench(bench::BenchCommand),
    /// A real Kubernetes control plane and two AWS emulators, on loopback
    Lab(lab::LabCommand),
}

fn main() -> ExitCode {
    let result: Result<(), Box<dyn Error>> = match Arguments::parse().task {
        Task::Test(command) => command.run().map_err(Into::into),
        Task::Sweep(command) => command.run().map_err(Into::into),
        Task::Tidy => tidy::run().map_err(Into::into),
        Task::Codegen(command) => command.run().map_err(Into::into),
        Task::Bench(command) => command.run().map_err(Into::into),
        Task::Lab(command) => command.run().map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, on stderr.
fn report(error: &dyn Error) {
    let mut text = format!("error: {error}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}  caused by: {error}\n");
        cause = error.source();
    }
    drop(io::stderr().write_all(text.as_bytes()));
}
