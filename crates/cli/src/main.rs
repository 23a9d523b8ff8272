//! The zonestack command line.

mod args; // the arguments as typed
mod settings; // arguments + environment
mod builtins; // which plugins there are
mod extensions; // what is built in, and the plugins that a command needs
mod stack_source; // the stack file, read and wired
mod place; // where a command works
mod plugin_services; // what loaded plugins may ask
mod holder; // who this run is to others
mod session; // one command's way through the flow
mod saved_plan; // a plan in a file
mod graph; // the dependency graph in four formats
mod interrupt; // Ctrl-C and SIGTERM
mod commands; // one file each
mod report; // everything that is printed
mod failure; // why a command did not do what it was asked
mod exit; // how the process ends

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;
use zonestack_host::child;

use crate::args::{Cli, Command};
use crate::builtins::Builtins;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::style::Style;
use crate::settings::Settings;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    if first.as_ref().is_some_and(|first| first == child::COMMAND) {
        return child::main(arguments);
    }
    if first.is_some_and(|first| first == zonestack_conformance::child::COMMAND) {
        return zonestack_conformance::child::main(arguments, Builtins::all().for_laws());
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            return misused(&error).into();
        }
    };
    let settings = Settings::new(&cli.global);
    trace(settings.verbose);
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                report::note(&format!("error: cannot start: {error}"));
                return Exit::Failed.into();
            }
        };
    let result = runtime.block_on(run(&settings, cli.command));
    // What is still under way (a closed connection, a signal listener) need not be waited for.
    runtime.shutdown_background();
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.tell(settings.output, settings.message_style);
            failure.exit().into()
        }
    }
}

/// Help and versions are no errors. For programs a wrong argument is a document like every other failure.
fn misused(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        drop(error.print());
        return Exit::Done;
    }
    let arguments: Vec<String> = std::env::args().collect();
    let json = arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    if json {
        let failure = Failure::Usage {
            message: error.to_string().trim().to_owned(),
            hint: "zonestack --help".to_owned(),
        };
        failure.tell(args::Output::Json, Style { color: false });
    } else {
        drop(error.print());
    }
    Exit::Usage
}

async fn run(settings: &Settings, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => commands::init::run(settings, &args),
        Command::Validate => commands::validate::run(settings),
        Command::Plan(args) => commands::plan::run(settings, args).await,
        Command::Up(args) => commands::up::run(settings, args).await,
        Command::Status => commands::status::run(settings).await,
        Command::Outputs => commands::outputs::run(settings).await,
        Command::Down(args) => commands::down::run(settings, args).await,
        Command::Recover(args) => commands::recover::run(settings, args).await,
        Command::Unlock(args) => commands::unlock::run(settings, args).await,
        Command::Render(args) => commands::render::run(settings, &args).await,
        Command::Graph(args) => commands::graph::run(settings, &args),
        Command::Plugin(args) => commands::plugin::run(settings, args.command),
        Command::Schema => commands::schema::run(settings),
        Command::Completions { shell } => commands::completions::run(settings, shell),
    }
}

/// Logs to stderr: nothing without `-v`, then our own, then everything that is no wire format.
fn trace(verbose: u8) {
    let filter = match verbose {
        0 => return,
        1 => "zonestack=info,zonestack_core=info",
        2 => {
            "warn,zonestack=debug,zonestack_core=debug,zonestack_aws=debug,zonestack_kubernetes=debug,\
             zonestack_plugin_efs=debug,zonestack_plugin_fsx=debug,zonestack_plugin_rds=debug,zonestack_plugin_aurora=debug,\
             zonestack_plugin_elasticache=debug,zonestack_host=debug,zonestack_sandbox=debug"
        }
        _ => "info,aws_config=debug,kube=debug,zonestack=trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(|| report::scrubber::Stderr)
        .init();
}
