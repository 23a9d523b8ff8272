//! Processes that die and come back.

use std::time::Duration;

use thiserror::Error;

use super::control_plane::{self, API_SERVER, ETCD};
use super::emulators;
use super::process::{Process, ProcessError};
use super::state::{Lab, StateError};

/// A process cannot be killed or started again.
#[derive(Debug, Error)]
pub(crate) enum OutageError {
    #[error("the lab has no process {name}: it has {known}")]
    NoSuchProcess { name: String, known: String },
    #[error(
        "{name} has its data in memory: without it the lab is another; `cargo xtask lab down`, then `up`"
    )]
    Memory { name: String },
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    State(#[from] StateError),
}

/// Kills a process with SIGKILL and waits for its end.
pub(crate) fn kill(lab: &Lab, name: &str) -> Result<(), OutageError> {
    Ok(find(lab, name)?.stop(name)?)
}

/// Starts a process as it was started first, with the data that it left, and waits until it is ready. Does nothing to one that
/// runs but to wait.
pub(crate) fn restart(lab: &mut Lab, name: &str) -> Result<(), OutageError> {
    let mut process = find(lab, name)?.clone();
    if !process.is_running() {
        process = process.again(name, &lab.run)?;
        lab.add(name, process.clone())?;
    }
    if name == ETCD {
        control_plane::wait_for_etcd(lab, &process)?;
    }
    match lab.processes.get(API_SERVER) {
        // Without etcd it is not ready, and soon after etcd's return it is.
        Some(server) if [ETCD, API_SERVER].contains(&name) && server.is_running() => {
            control_plane::wait_for_api_server(lab, server)?;
        }
        _ => process.ready(name, Duration::ZERO, || process.is_running().then_some(()))?,
    }
    Ok(())
}

fn find<'a>(lab: &'a Lab, name: &str) -> Result<&'a Process, OutageError> {
    if [emulators::MOTO, emulators::MINISTACK].contains(&name) {
        return Err(OutageError::Memory { name: name.to_owned() });
    }
    lab.processes.get(name).ok_or_else(|| OutageError::NoSuchProcess {
        name: name.to_owned(),
        known: lab.processes.keys().cloned().collect::<Vec<_>>().join(", "),
    })
}
