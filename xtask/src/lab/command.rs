//! `cargo xtask lab …`.

use std::io::{self, Write};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::control_plane;
use super::interrupt;
use super::network::ZONES;
use super::nodes;
use super::outage;
use super::progress;
use super::zones;
use super::{Lab, LabError, Options, down, up};

/// The arguments of `cargo xtask lab`.
#[derive(Debug, Args)]
pub(crate) struct LabCommand {
    #[command(subcommand)]
    action: Action,
    /// Which lab; several run side by side under different names
    #[arg(long, global = true, default_value = "default")]
    name: String,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the lab; the first time it is built, which takes some minutes
    Up {
        /// How many zones have worker nodes (the network always has three)
        #[arg(long, default_value_t = ZONES.len())]
        zones: usize,
    },
    /// Stop everything and remove the lab's files
    Down,
    /// Print the variables with which any program uses the lab: eval "$(cargo xtask lab env)"
    Env {
        #[arg(long, value_enum, default_value_t = Output::Shell)]
        output: Output,
    },
    /// Show what runs; fails when something is wrong
    Status,
    /// Stop a zone: its nodes are lost until it is started again
    StopZone { zone: String },
    /// Start a zone that was stopped, and wait for its nodes
    StartZone { zone: String },
    /// Give a zone worker nodes
    AddZone { zone: String },
    /// Take a zone's worker nodes away for good
    RemoveZone { zone: String },
    /// Kill a process with SIGKILL, such as kube-apiserver or etcd; `status` lists them
    Kill { process: String },
    /// Start a process again as it was started first, and wait until it is ready
    Restart { process: String },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Shell,
    Json,
}

impl LabCommand {
    /// Does what was asked.
    pub(crate) fn run(self) -> Result<(), LabError> {
        if let Err(error) = interrupt::listen() {
            progress::note(&format!("Ctrl-C leaves processes behind, see `lab down`: {error}"));
        }
        let name = self.name;
        match self.action {
            Action::Up { zones } => up(&Options { name, zones }).map(drop),
            Action::Down => down(&name),
            Action::Env { output } => {
                print(&match output {
                    Output::Shell => shell(&up::find(&name)?),
                    Output::Json => document(&up::find(&name)?),
                });
                Ok(())
            }
            Action::Status => status(&name),
            Action::StopZone { zone } => change(&name, |lab| Ok(zones::stop(lab, &zone)?)),
            Action::StartZone { zone } => {
                change(&name, |lab| Ok(zones::start_and_wait(lab, &connect(lab)?, &zone)?))
            }
            Action::AddZone { zone } => {
                change(&name, |lab| Ok(zones::add(lab, &connect(lab)?, &zone)?))
            }
            Action::RemoveZone { zone } => {
                change(&name, |lab| Ok(zones::remove(lab, &connect(lab)?, &zone)?))
            }
            Action::Kill { process } => change(&name, |lab| Ok(outage::kill(lab, &process)?)),
            Action::Restart { process } => change(&name, |lab| Ok(outage::restart(lab, &process)?)),
        }
    }
}

fn connect(lab: &Lab) -> Result<super::api::Api, LabError> {
    Ok(control_plane::connect(&lab.kubernetes)?)
}

/// Changes a running lab, alone.
fn change(
    name: &str,
    action: impl FnOnce(&mut Lab) -> Result<(), LabError>,
) -> Result<(), LabError> {
    let _lock = down::lock(&up::folder(name)?)?;
    action(&mut up::find(name)?)
}

fn status(name: &str) -> Result<(), LabError> {
    let lab = Lab::load(&up::folder(name)?)?;
    let lab = lab.ok_or_else(|| LabError::NotRunning { name: name.to_owned() })?;
    let mut lines = Vec::new();
    for (process, facts) in &lab.processes {
        let state = if facts.is_running() { "running" } else { "stopped" };
        lines.push(format!("{process:<24} {state:<8} {:>8}  {}", facts.pid, facts.log.display()));
    }
    if let Ok((ready, all)) = connect(&lab).and_then(|api| Ok(nodes::count_ready(&api)?)) {
        lines.push(format!("nodes ready              {ready} of {all}"));
    }
    print(&(lines.join("\n") + "\n"));
    match up::problem(&lab) {
        Some(problem) => Err(LabError::Unhealthy { name: name.to_owned(), problem }),
        None => Ok(()),
    }
}

fn shell(lab: &Lab) -> String {
    let quoted = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
    let lines = lab
        .environment()
        .into_iter()
        .map(|(name, value)| format!("export {name}={}\n", quoted(&value)));
    lines.collect()
}

fn document(lab: &Lab) -> String {
    format!("{:#}\n", json!({ "environment": lab.environment(), "lab": lab }))
}

/// To stdout; a reader that has gone is no fault of ours.
fn print(text: &str) {
    drop(io::stdout().write_all(text.as_bytes()));
}
