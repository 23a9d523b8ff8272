//! Arguments and environment become settings. The one place that reads the environment.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use crate::args::{Color, Global, Output};
use crate::report::progress::Mode;
use crate::report::style::Style;

/// What every command works with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The stack file.
    pub(crate) file: PathBuf,
    /// `--set`, as typed.
    pub(crate) set: Vec<String>,
    /// Where the world is.
    pub(crate) place: Where,
    /// What to print.
    pub(crate) output: Output,
    /// How data looks on stdout.
    pub(crate) style: Style,
    /// How messages look on stderr.
    pub(crate) message_style: Style,
    /// How a run is shown.
    pub(crate) mode: Mode,
    /// Whether somebody can answer a question.
    pub(crate) interactive: bool,
    /// How much detail.
    pub(crate) verbose: u8,
}

/// Where the world is.
#[derive(Debug, Clone)]
pub(crate) enum Where {
    /// A model inside this program.
    Sandbox { file: PathBuf, pace: String, zones: Option<u8> },
    /// AWS and Kubernetes.
    Real { context: Option<String>, kubeconfig: Option<PathBuf>, profile: Option<String> },
}

impl Settings {
    pub(crate) fn new(global: &Global) -> Self {
        let style = |terminal: bool| Style {
            color: match global.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => terminal && variable("NO_COLOR").is_none_or(|text| text.is_empty()),
            },
        };
        let (stdin, stdout, stderr) = (
            std::io::stdin().is_terminal(),
            std::io::stdout().is_terminal(),
            std::io::stderr().is_terminal(),
        );
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        let mode = match global.output {
            Output::Json => Mode::Json,
            Output::Text if stderr && !dumb && global.verbose == 0 => Mode::Live,
            Output::Text => Mode::Plain,
        };
        let place = match &global.sandbox {
            Some(file) => Where::Sandbox {
                file: file.clone(),
                pace: global.sandbox_pace.clone(),
                zones: global.sandbox_zones,
            },
            None => Where::Real {
                context: global.context.clone(),
                kubeconfig: global.kubeconfig.clone(),
                profile: global.profile.clone(),
            },
        };
        Self {
            file: global.file.clone(),
            set: global.set.clone(),
            place,
            output: global.output,
            style: style(stdout),
            message_style: style(stderr),
            mode,
            interactive: stdin && stderr,
            verbose: global.verbose,
        }
    }
}

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
