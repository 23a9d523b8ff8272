//! `plugin`: finding, trusting, making and removing plugins. One file for each of its commands.

mod add;
mod build;
mod info;
mod list;
mod new;
mod remove;
mod shown; // a plugin for people and for programs
mod test;

use std::io::{BufRead as _, Write as _};

use crate::args::PluginCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, command: PluginCommand) -> Result<Exit, Failure> {
    match command {
        PluginCommand::Add(args) => add::run(settings, &args),
        PluginCommand::List => list::run(settings),
        PluginCommand::Info { plugin } => info::run(settings, &plugin),
        PluginCommand::New(args) => new::run(settings, &args),
        PluginCommand::Build(args) => build::run(settings, &args),
        PluginCommand::Test(args) => test::run(settings, &args),
        PluginCommand::Remove { plugin, yes } => remove::run(settings, &plugin, yes),
    }
}

/// Asks, unless told not to. Without somebody to answer it refuses.
fn ask(settings: &Settings, yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let refused = |message: &str| Failure::Refused {
        message: format!("{message}; nothing was changed"),
        hint: "answer beforehand with --yes".to_owned(),
    };
    if !settings.interactive {
        return Err(refused("nobody can be asked: this is no terminal"));
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{question} Only `yes` is accepted: ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(refused("not confirmed")) }
}

/// Refuses what would change the lock file when that was forbidden.
fn may_change(settings: &Settings) -> Result<(), Failure> {
    if !settings.plugins.locked {
        return Ok(());
    }
    Err(Failure::Refused {
        message: "zonestack.lock must not be changed (--locked, or ZONESTACK_LOCKED)".to_owned(),
        hint: "change it where a person looks at it, and hand it on under version control"
            .to_owned(),
    })
}
