//! `cargo xtask bench`: what the program costs, as Markdown: time, CPU and memory of whole commands in the lab, its size, the
//! lines of each crate, and, with `--builds`, what it takes to build it.

mod lines;
mod measure;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use clap::Args;
use thiserror::Error;

use crate::checkout::{self, CheckoutError};
use crate::lab::{self, Lab, LabError, Options, interrupt};
use measure::{Cost, MeasureError, median};

const ZONES: usize = 3;
const COMMAND: Duration = Duration::from_mins(5);
const BUILD: Duration = Duration::from_hours(1);

/// The measurement failed.
#[derive(Debug, Error)]
pub(crate) enum BenchError {
    #[error("the release build failed")]
    Build,
    #[error("cannot {action} {}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("the example has no line `name: git`")]
    Example,
    #[error("cannot listen for Ctrl-C")]
    Listen(#[source] io::Error),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    #[error(transparent)]
    Lab(#[from] LabError),
}

/// The arguments of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchCommand {
    /// How often each command is run; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// Also build everything from nothing, in a folder of its own: takes minutes
    #[arg(long)]
    builds: bool,
}

impl BenchCommand {
    /// Measures, and prints.
    pub(crate) fn run(&self) -> Result<(), BenchError> {
        interrupt::listen().map_err(BenchError::Listen)?;
        // As a new user builds it.
        let status = checkout::cargo(&["build", "--release"]).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(BenchError::Build);
        }
        let program = checkout::program("release", "zonestack")?;
        let size = fs::metadata(&program).map_err(failed("read", &program))?.len();
        let name = format!("bench-{}", process::id());
        let result = lab::up(&Options { name: name.clone(), zones: ZONES })
            .map_err(BenchError::from)
            .and_then(|lab| commands(&program, &lab, self.runs));
        lab::down(&name)?;
        print(&result?);
        print(&format!("\nThe release binary has {:.1} MB.\n", mega(size)));
        print(&lines::table(&checkout::root()));
        if self.builds {
            print(&builds()?);
        }
        Ok(())
    }
}

/// What a whole process takes, for the commands that people wait for.
fn commands(program: &Path, lab: &Lab, runs: u8) -> Result<String, BenchError> {
    const STEPS: [(&str, &[&str]); 4] = [
        ("plan, nothing there", &["plan"]),
        ("up", &["up", "--yes"]),
        ("plan, nothing to do", &["plan", "--detailed-exitcode"]),
        ("down, with data", &["down", "--yes", "--delete-data", "data", "--delete-data", "db"]),
    ];
    let root = checkout::root();
    let example = root.join("examples/gitlab/stack.yaml");
    let text = fs::read_to_string(&example).map_err(failed("read", &example))?;
    let mut costs: [Vec<Cost>; STEPS.len()] = Default::default();
    for run in 0..runs {
        let renamed = text.replacen("\nname: git ", &format!("\nname: bench-{run} "), 1);
        if renamed == text {
            return Err(BenchError::Example);
        }
        // The lab's folder goes with the lab.
        let stack = lab.run.join(format!("bench-{run}.yaml"));
        fs::write(&stack, renamed).map_err(failed("write", &stack))?;
        for ((_, arguments), costs) in STEPS.iter().zip(&mut costs) {
            let mut command = vec![program.as_os_str(), OsStr::new("-f"), stack.as_os_str()];
            command.extend(arguments.iter().map(OsStr::new));
            costs.push(measure::run(&command, &lab.environment(), &lab.run, COMMAND)?);
        }
    }
    let rows = STEPS.iter().zip(costs).map(|((name, _), costs)| row(name, &median(&costs)));
    let head = "| command | wall | CPU | peak memory |\n|---|---:|---:|---:|\n";
    Ok(format!(
        "Medians of {runs}, whole process, in the lab:\n\n{head}{}",
        rows.collect::<String>()
    ))
}

/// What it takes to build the program from nothing, and again after a change of one file.
fn builds() -> Result<String, BenchError> {
    let root = checkout::root();
    let target = std::env::temp_dir().join(format!("zonestack-bench-{}", process::id()));
    let folder = target.display().to_string();
    let environment = std::collections::BTreeMap::from([("CARGO_TARGET_DIR", folder)]);
    let build = |arguments: &[&str]| {
        let command: Vec<_> = arguments.iter().map(OsStr::new).collect();
        measure::run(&command, &environment, &root, BUILD)
    };
    let measured = (|| -> Result<String, BenchError> {
        let mut rows = String::new();
        for (name, arguments) in
            [("release", &["cargo", "build", "--release"][..]), ("debug", &["cargo", "build"])]
        {
            rows.push_str(&row(&format!("{name}, from nothing"), &build(arguments)?));
            touch(&root.join("crates/core/src/plan.rs"))?;
            rows.push_str(&row(&format!("{name}, after a change in core"), &build(arguments)?));
        }
        Ok(rows)
    })();
    drop(fs::remove_dir_all(&target));
    let head = "\n| build | wall | CPU | peak memory of one process |\n|---|---:|---:|---:|\n";
    Ok(format!("{head}{}", measured?))
}

/// Makes cargo think that the file has changed.
fn touch(path: &Path) -> Result<(), BenchError> {
    let text = fs::read(path).map_err(failed("read", path))?;
    fs::write(path, text).map_err(failed("write", path))
}

fn row(name: &str, cost: &Cost) -> String {
    let memory = mega(cost.memory);
    format!("| {name} | {:.2} s | {:.2} s | {memory:.0} MB |\n", cost.wall, cost.cpu)
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BenchError {
    let path = path.to_owned();
    move |source| BenchError::File { action, path, source }
}

/// To stdout; a reader that has gone is no fault of ours.
fn print(text: &str) {
    drop(io::stdout().write_all(text.as_bytes()));
}
