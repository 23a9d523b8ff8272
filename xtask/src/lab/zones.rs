//! A zone's nodes are one kwok process, so a zone is something that can be stopped.

use std::process::Command;

use thiserror::Error;

use super::api::{Api, ApiError};
use super::cache;
use super::control_plane;
use super::network::{self, Instance, NetworkError, Role, ZONES};
use super::nodes;
use super::process::{Process, ProcessError};
use super::state::{Lab, StateError};

/// The kwok that plays the cloud's controllers. It belongs to no zone.
pub(crate) const CLOUD: &str = "cloud";

/// A zone cannot be changed.
#[derive(Debug, Error)]
pub(crate) enum ZoneError {
    #[error("there is no zone {zone}: the lab has {}", ZONES.join(", "))]
    Unknown { zone: String },
    #[error("{zone} is the only zone with workers: another must stay")]
    Last { zone: String },
    #[error("the lab has no network: `cargo xtask lab down`, then `up` again")]
    NoNetwork,
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// The name of a zone's process.
pub(crate) fn process_name(zone: &str) -> String {
    format!("kwok-{zone}")
}

/// Starts the kwok that gives LoadBalancer Services their names.
pub(crate) fn start_cloud(lab: &mut Lab) -> Result<(), ZoneError> {
    let mut command = kwok(lab, &["cloud"]);
    // No node has this label.
    command.arg("--manage-nodes-with-label-selector=zonestack.lab/none=true");
    let process = Process::start(CLOUD, &mut command, &lab.run)?;
    Ok(lab.add(CLOUD, process)?)
}

/// Starts a zone's kwok; does nothing when it runs.
pub(crate) fn start(lab: &mut Lab, zone: &str) -> Result<Process, ZoneError> {
    let index = ZONES.iter().position(|known| *known == zone);
    let index = index.ok_or_else(|| ZoneError::Unknown { zone: zone.to_owned() })?;
    let name = process_name(zone);
    if let Some(process) = lab.processes.get(&name).filter(|process| process.is_running()) {
        return Ok(process.clone());
    }
    let mut command = kwok(lab, &["nodes", "pods"]);
    command.args([
        format!("--manage-nodes-with-label-selector=topology.kubernetes.io/zone={zone}"),
        // Each zone's pods have addresses of their own.
        format!("--cidr=100.{}.0.0/16", 96 + index),
        "--node-lease-duration-seconds=8".to_owned(),
    ]);
    let process = Process::start(&name, &mut command, &lab.run)?;
    lab.add(&name, process.clone())?;
    Ok(process)
}

/// Starts a zone that was stopped and waits until its nodes are ready.
pub(crate) fn start_and_wait(lab: &mut Lab, api: &Api, zone: &str) -> Result<(), ZoneError> {
    let process = start(lab, zone)?;
    Ok(nodes::wait_until_ready(api, zone, &process_name(zone), &process)?)
}

/// Stops a zone: its nodes no longer renew their leases, its pods do nothing any more.
pub(crate) fn stop(lab: &Lab, zone: &str) -> Result<(), ZoneError> {
    let name = process_name(zone);
    let process = lab.processes.get(&name);
    let process = process.ok_or_else(|| ZoneError::Unknown { zone: zone.to_owned() })?;
    Ok(process.stop(&name)?)
}

/// Gives a zone worker nodes, in the emulators and in Kubernetes.
pub(crate) fn add(lab: &mut Lab, api: &Api, zone: &str) -> Result<(), ZoneError> {
    if !ZONES.contains(&zone) {
        return Err(ZoneError::Unknown { zone: zone.to_owned() });
    }
    let mut workers = lab.worker_zones.clone();
    if !workers.iter().any(|known| known == zone) {
        workers.push(zone.to_owned());
        workers.sort();
    }
    converge(lab, api, workers)?;
    start_and_wait(lab, api, zone)
}

/// Takes a zone's worker nodes away for good. The subnets and the control plane's node stay.
pub(crate) fn remove(lab: &mut Lab, api: &Api, zone: &str) -> Result<(), ZoneError> {
    let workers: Vec<String> =
        lab.worker_zones.iter().filter(|known| *known != zone).cloned().collect();
    if workers.is_empty() {
        return Err(ZoneError::Last { zone: zone.to_owned() });
    }
    converge(lab, api, workers)
}

/// Makes the instances and the Nodes such that exactly these zones have workers.
fn converge(lab: &mut Lab, api: &Api, workers: Vec<String>) -> Result<(), ZoneError> {
    let before = instances(lab)?;
    let python = lab.moto.python.clone();
    let moto = network::seed("moto", &lab.moto, &python, &lab.run, &workers)?;
    let ministack = network::seed("ministack", &lab.ministack, &python, &lab.run, &workers)?;
    lab.moto.network = Some(moto);
    lab.ministack.network = Some(ministack);
    lab.worker_zones = workers;
    lab.save()?;
    let after = instances(lab)?;
    let gone = before.iter().filter(|old| !after.iter().any(|new| new.id == old.id));
    gone.into_iter().try_for_each(|instance| nodes::delete(api, instance))?;
    Ok(nodes::create(api, after.iter().filter(|instance| instance.role == Role::Node))?)
}

/// The cluster's machines. The Nodes are of moto's instances: MiniStack has a set of its own.
fn instances(lab: &Lab) -> Result<Vec<Instance>, ZoneError> {
    lab.moto.network.as_ref().map(|network| network.instances.clone()).ok_or(ZoneError::NoNetwork)
}

fn kwok(lab: &Lab, stages: &[&str]) -> Command {
    let mut command = Command::new(&lab.binaries.kwok);
    command.arg(format!("--kubeconfig={}", control_plane::kwok_kubeconfig(&lab.run).display()));
    for stage in stages {
        let file = cache::sources().join("stages").join(format!("{stage}.yaml"));
        command.arg(format!("--config={}", file.display()));
    }
    // Not the user's own configuration, and no port: kwok's is open to every interface.
    command.env("KWOK_WORKDIR", lab.run.join("kwok"));
    command.args(["--server-address=", "--node-port=0", "--node-ip=", "--node-name="]);
    command
}
