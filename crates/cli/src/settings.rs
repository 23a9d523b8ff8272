//! Arguments and environment become settings. The one place that reads the environment.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use crate::args::{Color, Global, Isolation, Output};
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
    /// Where plugins are, and what may be done with them.
    pub(crate) plugins: PluginSettings,
}

/// Where plugins are, and what may be done with them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PluginSettings {
    /// Libraries named on the command line, from the root.
    pub(crate) files: Vec<PathBuf>,
    /// `ZONESTACK_PLUGIN_PATH`.
    pub(crate) path: Vec<PathBuf>,
    /// The user's folder for data, such as `~/.local/share`.
    pub(crate) data: Option<PathBuf>,
    /// The user's folder for what can be made again, such as `~/.cache`.
    pub(crate) cache: Option<PathBuf>,
    /// The built-in component types that are left out.
    pub(crate) without_builtin: Vec<String>,
    /// Whether plugins run in this process.
    pub(crate) in_process: bool,
    /// Whether the lock file stays as it is.
    pub(crate) locked: bool,
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
            plugins: PluginSettings::new(global),
        }
    }
}

impl PluginSettings {
    /// Folders by the rules of the XDG base directories: a relative one counts as none.
    fn new(global: &Global) -> Self {
        let folder = |name: &str, below_home: &str| {
            let given = variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
            given.or_else(|| Some(PathBuf::from(variable("HOME")?).join(below_home)))
        };
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let path = variable("ZONESTACK_PLUGIN_PATH").unwrap_or_default();
        let locked = variable("ZONESTACK_LOCKED").unwrap_or_default();
        Self {
            files: global.plugin_files.iter().map(absolute).collect(),
            path: std::env::split_paths(&path).collect(),
            data: folder("XDG_DATA_HOME", ".local/share"),
            cache: folder("XDG_CACHE_HOME", ".cache"),
            without_builtin: global.without_builtin.clone(),
            in_process: global.plugin_isolation == Isolation::Off,
            locked: global.locked || !matches!(locked.as_str(), "" | "0" | "false" | "no"),
        }
    }
}

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The variables whose names begin with this, by the rest of their names.
pub(crate) fn variables(prefix: &str) -> BTreeMap<String, String> {
    let all = std::env::vars_os().filter_map(|(name, value)| {
        Some((name.to_str()?.strip_prefix(prefix)?.to_owned(), value.into_string().ok()?))
    });
    all.collect()
}
