//! `cargo xtask test`: everything that must hold before a change is handed in.
//!
//! # Expected flow
//! 1. The lab starts in the background; the first time it is built there, beside what cargo builds.
//! 2. Checks: tidy, format, clippy, generated files. None stops the others: all problems are shown at once.
//! 3. `cargo test`, with the lab in the tests' environment.
//! 4. Many of the integration tests again, twice, with every built-in plugin loaded from its shared library: in a child, and
//!    inside the program.
//! 5. The lab is taken down, and a summary of everything is printed last.
//!
//! # Guarantees
//! - Every part has a limit in time, and whatever happens, Ctrl-C included, nothing that was started stays.
//! - A test that needs the lab fails when there is none. With `--no-lab` it is left out, and the summary says so.

mod lab_guard;
mod tally;

use std::io::{self, Write};
use std::time::{Duration, Instant};
use std::{env, fs, process};

use clap::Args;
use thiserror::Error;

use crate::checkout::{self, CheckoutError};
use crate::child::{self, ChildError, Ending};
use crate::lab::{LabError, interrupt};
use crate::{codegen, tidy};
use lab_guard::LabGuard;
use tally::Tally;

/// About four times what two busy cores need with nothing compiled.
const BUILD: Duration = Duration::from_mins(45);
const FORMAT: Duration = Duration::from_mins(2);
const TESTS: Duration = Duration::from_mins(45);
const SWEEPS: Duration = Duration::from_hours(6);
/// The tests that sweep over faults for long; `ZONESTACK_SWEEP` makes those of the real program long ones.
const SWEEPING: [&str; 2] = ["model::long", "in_lab::faults"];
const SWEEP: &str = "ZONESTACK_SWEEP";
/// Says to the tests how the built-in plugins are loaded.
const LOADING: &str = "ZONESTACK_TEST_PLUGINS";
/// Why a part failed whose failures are listed one by one.
const SEE_BELOW: &str = "see below";
/// Every test that needs the lab has this in its path; nothing else has.
const LAB_TESTS: &str = "in_lab::";

/// The same tests with the built-in plugins as shared libraries: how these run, and which tests.
struct Loaded {
    part: &'static str,
    way: &'static str,
    tests: &'static [&'static str],
}

const LOADED: [Loaded; 2] = [
    Loaded {
        part: "tests: children",
        way: "child",
        tests: &[
            "sandbox::",
            "in_lab::aurora::",
            "in_lab::elasticache::",
            "in_lab::fsx::",
            "in_lab::made::",
            "in_lab::secrecy::",
            "in_lab::story::",
        ],
    },
    Loaded {
        part: "tests: in process",
        way: "in-process",
        tests: &["sandbox::", "in_lab::story::"],
    },
];
/// Tests of plugins themselves, and of stack files in a folder where no plugin is trusted.
const NOT_LOADED: [&str; 2] = ["sandbox::plugins", "sandbox::first_run"];

/// The tests cannot be run, or did not pass.
#[derive(Debug, Error)]
pub(crate) enum TestError {
    #[error("{} of the checks and tests failed", count)]
    Failed { count: usize },
    #[error("interrupted")]
    Interrupted,
    #[error("cannot listen for Ctrl-C")]
    Listen(#[source] io::Error),
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    #[error(transparent)]
    Lab(#[from] LabError),
}

/// The arguments of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct TestCommand {
    /// Leave out what needs the lab
    #[arg(long)]
    no_lab: bool,
    /// Passed on to `cargo test`, such as a test's name or `-p zonestack-core`; the checks are left out then
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
    #[arg(skip)]
    sweep: Option<SweepCommand>,
}

/// The arguments of `cargo xtask sweep`.
#[derive(Debug, Clone, Args)]
pub(crate) struct SweepCommand {
    /// How many cases of each sort: three faults, stacks at random, two runs at once
    #[arg(long, default_value_t = 20_000)]
    cases: u64,
    /// Which cases: another number tries others
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave out the sweep of the real program, which takes hours
    #[arg(long)]
    no_lab: bool,
}

impl SweepCommand {
    /// Runs the tests that sweep, and nothing else.
    pub(crate) fn run(&self) -> Result<(), TestError> {
        let words = ["--", "--nocapture"].into_iter().chain(SWEEPING);
        let arguments = words.map(str::to_owned).collect();
        TestCommand { no_lab: self.no_lab, arguments, sweep: Some(self.clone()) }.run()
    }
}

impl Loaded {
    /// The arguments of `cargo test`. The whole workspace is selected, so that nothing is compiled with other features.
    fn arguments(&self) -> Vec<String> {
        let skipped = NOT_LOADED.iter().flat_map(|name| ["--skip", name]);
        let words = ["--workspace", "--test", "integration", "--"].into_iter();
        words.chain(self.tests.iter().copied()).chain(skipped).map(str::to_owned).collect()
    }
}

/// What a part of the run came to.
enum Verdict {
    Passed,
    Failed(String),
    LeftOut(&'static str),
}

struct Part {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

impl TestCommand {
    /// Runs everything; the summary is the last thing on stdout.
    pub(crate) fn run(&self) -> Result<(), TestError> {
        interrupt::listen().map_err(TestError::Listen)?;
        let mut lab = if self.no_lab { LabGuard::none() } else { LabGuard::start()? };
        let mut parts = Vec::new();
        if self.arguments.is_empty() {
            parts.push(part("tidy", check_tidy));
            parts.push(part("format", || cargo(&["fmt", "--all", "--check"], FORMAT)));
            let clippy = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
            parts.push(part("clippy", || cargo(&clippy, BUILD)));
        }
        parts.push(part("build", || cargo(&["build", "--workspace", "--all-targets"], BUILD)));
        let built = matches!(parts.last(), Some(Part { verdict: Verdict::Passed, .. }));
        if self.arguments.is_empty() {
            parts.push(part("generated files", || {
                if built { check_generated() } else { Verdict::LeftOut("it does not build") }
            }));
        }
        let mut tally = Tally::default();
        if built {
            parts.push(part("lab", || lab.wait()));
            parts.push(part("tests", || self.tests(&lab, None, &mut tally)));
            if self.arguments.is_empty() {
                for loaded in &LOADED {
                    parts.push(part(loaded.part, || self.tests(&lab, Some(loaded), &mut tally)));
                }
            }
        }
        parts.push(part("lab down", || lab.stop()));
        if interrupt::requested() {
            return Err(TestError::Interrupted);
        }
        let left_out = lab.path().is_none();
        summarize(&parts, &tally, left_out)
    }

    fn tests(&self, lab: &LabGuard, loaded: Option<&Loaded>, tally: &mut Tally) -> Verdict {
        let program = match checkout::program("debug", "zonestack") {
            Ok(program) => program,
            Err(error) => return Verdict::Failed(error.to_string()),
        };
        let mut command = checkout::cargo(&["test", "--no-fail-fast"]);
        let given = loaded.map_or_else(|| self.arguments.clone(), Loaded::arguments);
        command.args(arguments(&given, lab.path().is_none()));
        command.env_remove(LOADING);
        if let Some(loaded) = loaded {
            command.env(LOADING, loaded.way);
        }
        command.env("ZONESTACK_BIN", program).env("INSTA_UPDATE", "no");
        command.env_remove("ZONESTACK_LAB").env_remove(SWEEP);
        if let Some(sweep) = &self.sweep {
            command.env(SWEEP, "long");
            command.env("ZONESTACK_SWEEP_CASES", sweep.cases.to_string());
            command.env("ZONESTACK_SWEEP_SEED", sweep.seed.to_string());
        }
        let counts = env::temp_dir().join(format!("zonestack-counts-{}", process::id()));
        command.env("ZONESTACK_COUNTS", &counts);
        if let Some(path) = lab.path() {
            command.env("ZONESTACK_LAB", path);
        }
        let (before, filtered, listed) = (tally.failed, tally.filtered, tally.failures.len());
        let limit = if self.sweep.is_some() { SWEEPS } else { TESTS };
        let ending = child::run(&mut command, limit, |line| {
            tally.hear(line);
            print(line);
        });
        if let Some(loaded) = loaded {
            // All of them were in the part before.
            tally.filtered = filtered;
            for name in &mut tally.failures[listed..] {
                *name = format!("{name} ({})", loaded.part);
            }
        }
        // Sweeps pass in silence, but what they swept is part of the result.
        if let Ok(text) = fs::read_to_string(&counts) {
            print(&format!("\n--- counted\n{}", text.trim_end()));
            drop(fs::remove_file(&counts));
        }
        match verdict(ending) {
            // What the tests came to is said by their own numbers.
            Verdict::Failed(_) if tally.failed > before => Verdict::Failed(SEE_BELOW.to_owned()),
            other => other,
        }
    }
}

/// The arguments of `cargo test`: the whole workspace unless packages are named; no lab tests without a lab.
fn arguments(given: &[String], no_lab: bool) -> Vec<String> {
    let (before, after) = match given.iter().position(|word| word == "--") {
        Some(at) => (&given[..at], &given[at + 1..]),
        None => (given, &given[..0]),
    };
    let package = |word: &String| {
        ["-p", "--package"].iter().any(|flag| word == flag)
            || word.starts_with("--package=")
            || word == "--workspace"
    };
    let mut all = Vec::new();
    if !before.iter().any(package) {
        all.push("--workspace".to_owned());
    }
    all.extend_from_slice(before);
    all.push("--".to_owned());
    if no_lab {
        all.extend(["--skip".to_owned(), LAB_TESTS.to_owned()]);
    }
    all.extend_from_slice(after);
    all
}

fn part(name: &'static str, run: impl FnOnce() -> Verdict) -> Part {
    let begin = Instant::now();
    if interrupt::requested() && name != "lab down" {
        return Part { name, verdict: Verdict::LeftOut("interrupted"), took: Duration::ZERO };
    }
    print(&format!("\n--- {name}"));
    let verdict = run();
    if let Verdict::Failed(reason) = &verdict {
        print(&format!("{name} failed: {reason}"));
    }
    Part { name, verdict, took: begin.elapsed() }
}

fn check_tidy() -> Verdict {
    match tidy::check(&checkout::root()) {
        Ok(report) => {
            report.lines().iter().for_each(|line| print(line));
            match report.failures() {
                0 => Verdict::Passed,
                count => Verdict::Failed(format!("{count} complaints")),
            }
        }
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

fn check_generated() -> Verdict {
    match codegen::differences() {
        Ok(differences) if differences.is_empty() => Verdict::Passed,
        Ok(differences) => Verdict::Failed(format!(
            "out of date, run `cargo xtask codegen`: {}",
            differences.join(", ")
        )),
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

fn cargo(arguments: &[&str], limit: Duration) -> Verdict {
    verdict(child::run(&mut checkout::cargo(arguments), limit, print))
}

fn verdict(ending: Result<Ending, ChildError>) -> Verdict {
    match ending {
        Ok(Ending::Exit(status)) if status.success() => Verdict::Passed,
        Ok(Ending::Exit(status)) => Verdict::Failed(status.to_string()),
        Ok(Ending::TooLong) => Verdict::Failed("took too long and was killed".to_owned()),
        Ok(Ending::Interrupted) => Verdict::LeftOut("interrupted"),
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

/// One line for each part, the tests that failed, and, alone on the last line, `N passed, N failed`: tests and checks.
fn summarize(parts: &[Part], tally: &Tally, no_lab: bool) -> Result<(), TestError> {
    print("\n--- summary");
    let mut passed = tally.passed;
    let mut failed = tally.failed;
    for part in parts {
        let (word, note) = match &part.verdict {
            Verdict::Passed => ("ok", String::new()),
            Verdict::Failed(reason) => ("FAILED", format!("  {reason}")),
            Verdict::LeftOut(reason) => ("left out", format!("  {reason}")),
        };
        print(&format!("{:<16} {word:<8} {:>6.1} s{note}", part.name, part.took.as_secs_f32()));
        match &part.verdict {
            // The tests count one by one, unless they did not even come to an end.
            Verdict::Failed(reason) if reason == SEE_BELOW => {}
            Verdict::Passed if part.name.starts_with("tests") => {}
            Verdict::Passed => passed += 1,
            Verdict::Failed(_) => failed += 1,
            Verdict::LeftOut(_) => {}
        }
    }
    for name in &tally.failures {
        print(&format!("failed: {name}"));
    }
    if tally.ignored > 0 || tally.filtered > 0 {
        let why = if no_lab { " (without the lab)" } else { "" };
        print(&format!("ignored: {}, filtered out: {}{why}", tally.ignored, tally.filtered));
    }
    print(&format!("{passed} passed, {failed} failed"));
    if failed == 0 { Ok(()) } else { Err(TestError::Failed { count: failed }) }
}

/// To stdout; a reader that has gone is no fault of ours.
fn print(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &[&str], no_lab: bool, expected: &[&str]) {
        let given: Vec<String> = given.iter().map(ToString::to_string).collect();
        assert_eq!(arguments(&given, no_lab), expected);
    }

    #[test]
    fn the_whole_workspace_is_tested_unless_packages_are_named() {
        check(&[], false, &["--workspace", "--"]);
        check(&[], true, &["--workspace", "--", "--skip", "in_lab::"]);
        check(&["-p", "xtask", "tidy"], false, &["-p", "xtask", "tidy", "--"]);
        check(
            &["story", "--", "--nocapture"],
            true,
            &["--workspace", "story", "--", "--skip", "in_lab::", "--nocapture"],
        );
    }
}
