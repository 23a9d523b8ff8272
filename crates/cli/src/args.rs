//! The arguments as typed. What they mean together with the environment is decided in [`crate::settings`].

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use zonestack_core::name::{ComponentName, ResourceId};

use crate::builtins::Builtins;

/// One short stack file becomes a highly available, stateful application on Kubernetes and AWS.
///
/// A first look, without any account: `zonestack up --sandbox -f examples/gitlab/stack.yaml`
#[derive(Debug, Parser)]
#[command(name = "zonestack", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 failed · 2 the plan has changes (with --detailed-exitcode) · \
3 unfinished but safe, run it again · 4 refused by a guard · 64 wrong usage · 130 interrupted";

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The stack file.
    #[arg(short, long, global = true, default_value = "stack.yaml", value_name = "PATH")]
    pub(crate) file: PathBuf,
    /// Overrides one value of the stack file, such as gitlab.host=git.example.com.
    #[arg(long, global = true, value_name = "COMPONENT.PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// Works against a model of AWS and Kubernetes inside this program, kept in a file.
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = ".zonestack/sandbox.json")]
    pub(crate) sandbox: Option<PathBuf>,
    /// How fast the sandbox is: shortened (seconds), real (as on AWS) or instant.
    #[arg(
        long,
        global = true,
        value_name = "PACE",
        default_value = "shortened",
        requires = "sandbox"
    )]
    pub(crate) sandbox_pace: String,
    /// How many zones a new sandbox has.
    #[arg(long, global = true, value_name = "NUMBER", requires = "sandbox",
          value_parser = clap::value_parser!(u8).range(1..=6))]
    pub(crate) sandbox_zones: Option<u8>,
    /// What to print: text for people, json for programs.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// Whether to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// More detail; twice or three times for even more, on stderr.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// A plugin's library, looked at before all other places. May be repeated.
    #[arg(long = "plugin", global = true, value_name = "PATH")]
    pub(crate) plugin_files: Vec<PathBuf>,
    /// Leaves out a built-in component type, so that a plugin may take its place: your own build of it, say. May be repeated.
    #[arg(long, global = true, value_name = "TYPE", value_parser = builtin_names())]
    pub(crate) without_builtin: Vec<String>,
    /// Whether plugins run in a process of their own; without one, a plugin's crash is a crash of zonestack.
    #[arg(long, global = true, value_enum, value_name = "ON|OFF", default_value_t = Isolation::On)]
    pub(crate) plugin_isolation: Isolation,
    /// Refuses to change zonestack.lock (also: $ZONESTACK_LOCKED).
    #[arg(long, global = true)]
    pub(crate) locked: bool,
    /// The context of the kubeconfig file.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The kubeconfig file (default: $KUBECONFIG, then ~/.kube/config).
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The profile of the AWS configuration (default: $AWS_PROFILE).
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

fn builtin_names() -> PossibleValuesParser {
    PossibleValuesParser::new(Builtins::all().names())
}

/// What to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs: a versioned format.
    Json,
}

/// Where plugins run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Isolation {
    /// Each in a process of its own.
    On,
    /// In this process, for debuggers and profilers.
    Off,
}

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes a commented stack file for an application.
    Init(InitArgs),
    /// Checks everything that can be known without a network; reports all problems at once.
    Validate,
    /// Shows what would be done: the difference between the file and the world.
    Plan(PlanArgs),
    /// Shows the plan, asks, and carries it out.
    #[command(visible_alias = "apply")]
    Up(UpArgs),
    /// Shows each component in each zone: ready, degraded, missing; and drift.
    Status,
    /// Shows endpoints, the load balancer's name, and where the secrets are.
    Outputs,
    /// Takes the stack down in reverse order. Keeps data unless it is named.
    #[command(visible_alias = "destroy")]
    Down(DownArgs),
    /// Builds the inventory anew when somebody deleted it: from marks, names and the stack file.
    Recover(RecoverArgs),
    /// Takes the stack from a run that is dead and still counts as being at work.
    Unlock(UnlockArgs),
    /// Prints the Kubernetes manifests as YAML, for review or GitOps.
    Render(RenderArgs),
    /// Prints the dependency graph.
    Graph(GraphArgs),
    /// Adds, shows, makes and removes plugins: component types that others write.
    Plugin(PluginArgs),
    /// Prints the JSON Schema of the stack file, for editors.
    Schema,
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The application.
    #[arg(default_value = "gitlab")]
    pub(crate) application: String,
    /// The stack's name.
    #[arg(long, default_value = "git")]
    pub(crate) name: String,
    /// The cluster's name.
    #[arg(long, default_value = "k8s.example.com")]
    pub(crate) cluster: String,
    /// The AWS region.
    #[arg(long, default_value = "eu-west-1")]
    pub(crate) region: String,
    /// The application's external DNS name.
    #[arg(long, default_value = "git.example.com")]
    pub(crate) host: String,
    /// Overwrites a file that is there.
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Saves the plan, for `up FILE` to carry out exactly.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exits with 2 when the plan has changes.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    #[command(flatten)]
    pub(crate) permits: PermitArgs,
}

/// What is refused unless it is named.
#[derive(Debug, Args)]
pub(crate) struct PermitArgs {
    /// How many deletions are meant, when they are more than 10 or a fifth of the stack.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_deletes: Option<usize>,
    /// Makes a component's lost data store again, empty. May be repeated.
    #[arg(long, value_name = "COMPONENT")]
    pub(crate) recreate: Vec<ComponentName>,
    /// Deletes a resource that holds data and makes it again, empty, where a change asks for that; a database leaves a final
    /// snapshot. May be repeated.
    #[arg(long, value_name = "COMPONENT/RESOURCE")]
    pub(crate) replace: Vec<ResourceId>,
}

/// How to carry out.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Does not ask.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// How many steps at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 16,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=256))]
    pub(crate) parallel: usize,
}

/// Arguments of `up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// A plan saved with `plan --out`; refused when the world has moved since.
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) permits: PermitArgs,
    /// Sets a Kubernetes object's fields back even where somebody else manages them now, such as kubectl edit. May be
    /// repeated.
    #[arg(long, value_name = "COMPONENT/RESOURCE")]
    pub(crate) take_over: Vec<ResourceId>,
}

/// Arguments of `down`.
#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Deletes a component's data too; a database leaves a final snapshot. May be repeated.
    #[arg(long, value_name = "COMPONENT")]
    pub(crate) delete_data: Vec<ComponentName>,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
}

/// Which stack.
#[derive(Debug, Args)]
pub(crate) struct TenantArgs {
    /// The stack, when its file is not at hand.
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// Its namespace, when that is not its name.
    #[arg(long, value_name = "NAME", requires = "stack")]
    pub(crate) namespace: Option<String>,
}

/// Arguments of `recover`.
#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    /// Does not ask.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Which stack, when several of the name have left something.
    #[arg(long, value_name = "UID")]
    pub(crate) uid: Option<String>,
}

/// Arguments of `unlock`.
#[derive(Debug, Args)]
pub(crate) struct UnlockArgs {
    /// Does not ask.
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// Without a network: for made-up zones and ids.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Arguments of `graph`.
#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The format.
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub(crate) format: GraphFormat,
    /// Only components, without their resources.
    #[arg(long)]
    pub(crate) components: bool,
}

/// Formats of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// An indented list.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
    /// A picture.
    Svg,
}

/// Arguments of `plugin`.
#[derive(Debug, Args)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Trusts a plugin: shows who it is and what it may do, asks, and records its hash in zonestack.lock.
    Add(PluginAddArgs),
    /// Lists the plugins of zonestack.lock, and those that lie about without being in it.
    List,
    /// Shows a plugin's card, without running it, and what it brings.
    Info {
        /// The plugin's name, or its library.
        plugin: String,
    },
    /// Writes a crate for a new plugin, complete with a test.
    New(PluginNewArgs),
    /// Builds a plugin's crate with cargo, and checks the library.
    Build(PluginBuildArgs),
    /// Tries the laws that every plugin keeps, each in a process of its own. No account is needed, and no trust.
    Test(PluginTestArgs),
    /// Takes a plugin out of zonestack.lock, and its library away.
    Remove {
        /// The plugin's name.
        plugin: String,
        /// Does not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

/// Arguments of `plugin add`.
#[derive(Debug, Args)]
pub(crate) struct PluginAddArgs {
    /// The plugin's library. A copy goes to .zonestack/plugins beside the stack file.
    pub(crate) library: PathBuf,
    /// Does not ask.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Where it came from, for those who read zonestack.lock (default: the file's name).
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) source: Option<String>,
}

/// Arguments of `plugin new`.
#[derive(Debug, Args)]
pub(crate) struct PluginNewArgs {
    /// The plugin's name, also that of its component type. The crate is zonestack-plugin-NAME.
    pub(crate) name: String,
    /// A checkout of the SDK to build with, instead of the published one.
    #[arg(long, value_name = "DIR")]
    pub(crate) sdk_path: Option<PathBuf>,
    /// Where to write the crate (default: zonestack-plugin-NAME).
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Arguments of `plugin build`.
#[derive(Debug, Args)]
pub(crate) struct PluginBuildArgs {
    /// The crate's folder.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Copies the library to .zonestack/plugins of this folder, which has a stack file.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

/// Arguments of `plugin test`.
#[derive(Debug, Args)]
pub(crate) struct PluginTestArgs {
    /// The plugin's library. It runs, whether or not zonestack.lock has it.
    pub(crate) library: PathBuf,
    /// What chance follows from (default: another one each time).
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Tries this law only. May be repeated.
    #[arg(long = "law", value_name = "NAME")]
    pub(crate) laws: Vec<String>,
    /// Settings to try with, as they stand under `with`: for component types that need some.
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,
}
