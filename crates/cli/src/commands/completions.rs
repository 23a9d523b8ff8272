//! `completions`: what a shell completes. Where a plugin is meant, those that the stack trusts.

use clap::CommandFactory as _;
use clap::builder::PossibleValuesParser;
use zonestack_host::lock::Lock;

use crate::args::Cli;
use crate::exit::Exit;
use crate::extensions::folder_of;
use crate::failure::Failure;
use crate::report;
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    // A lock file that cannot be read spoils no completions.
    let lock = Lock::read(&folder_of(&settings.file)).unwrap_or_default();
    // They live as long as the process, which ends in a moment.
    let plugins: Vec<&'static str> =
        lock.plugins.into_keys().map(|name| &*String::leak(name)).collect();
    if !plugins.is_empty() {
        for name in ["info", "remove"] {
            let values = PossibleValuesParser::new(plugins.clone());
            command = command.mut_subcommand("plugin", |plugin| {
                plugin.mut_subcommand(name, |sub| {
                    sub.mut_arg("plugin", |argument| argument.value_parser(values))
                })
            });
        }
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "zonestack", &mut script);
    report::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
