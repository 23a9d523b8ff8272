//! `lab up`.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::api::{Api, ApiError};
use super::binaries::{self, BinaryError};
use super::cache::{self, NoCache};
use super::control_plane::{self, ControlPlaneError, Ports};
use super::credentials::{CredentialError, Tokens};
use super::down::{self, DownError};
use super::emulators;
use super::files::{self, FileError};
use super::network::{self, Network, NetworkError, ZONES};
use super::nodes;
use super::outage::OutageError;
use super::ports::{self, PortError};
use super::process::{Process, ProcessError};
use super::progress;
use super::python::{self, PythonError};
use super::state::{Emulator, Lab, StateError};
use super::zones::{self, ZoneError};

/// The lab cannot do what was asked.
#[derive(Debug, Error)]
pub(crate) enum LabError {
    #[error("no lab {name:?} runs: start it with `cargo xtask lab up --name {name}`")]
    NotRunning { name: String },
    #[error("{name:?} is no name for a lab: use up to 40 of a-z, 0-9 and -")]
    Name { name: String },
    #[error("the lab has 1 to {} zones, not {zones}", ZONES.len())]
    Zones { zones: usize },
    #[error("the lab {name:?} is not healthy: {problem}")]
    Unhealthy { name: String, problem: String },
    #[error("a thread of the lab panicked; that is a bug of xtask")]
    Thread,
    #[error(transparent)]
    NoCache(#[from] NoCache),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Binary(#[from] BinaryError),
    #[error(transparent)]
    Python(#[from] PythonError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    ControlPlane(#[from] ControlPlaneError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Zone(#[from] ZoneError),
    #[error(transparent)]
    Outage(#[from] OutageError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Down(#[from] DownError),
}

/// What kind of lab is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Labs of different names run side by side.
    pub(crate) name: String,
    /// How many zones have worker nodes. The network always has all three.
    pub(crate) zones: usize,
}

/// Starts a lab, or finds that it runs.
///
/// # Guarantees
/// - When it returns, a pod can be scheduled in every zone with workers, and every emulated service has answered once.
/// - When it fails, nothing that it started runs any more; the logs stay until the next `up` or `down`.
pub(crate) fn up(options: &Options) -> Result<Lab, LabError> {
    let run = folder(&options.name)?;
    let worker_zones = ZONES.iter().take(options.zones).map(ToString::to_string).collect();
    if !(1..=ZONES.len()).contains(&options.zones) {
        return Err(LabError::Zones { zones: options.zones });
    }
    let _lock = down::lock(&run)?;
    if let Some(lab) = running(&options.name, &run) {
        return Ok(lab);
    }
    let begin = Instant::now();
    down::clear(&run)?;
    let result = prepare(options, &run, worker_zones).and_then(bring_up);
    match result {
        Ok(lab) => {
            let seconds = begin.elapsed().as_secs_f32();
            progress::note(&format!("{} is up after {seconds:.1} s", options.name));
            Ok(lab)
        }
        Err(error) => {
            down::stop_processes(&run)?;
            Err(error)
        }
    }
}

/// The run folder of a lab; refuses names that are no folder's.
pub(crate) fn folder(name: &str) -> Result<PathBuf, LabError> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > 40 || name.starts_with('-') || !name.bytes().all(letter) {
        return Err(LabError::Name { name: name.to_owned() });
    }
    Ok(cache::run(name)?)
}

/// The lab of this name, if it runs.
pub(crate) fn find(name: &str) -> Result<Lab, LabError> {
    let lab = Lab::load(&folder(name)?)?.filter(|lab| lab.complete);
    lab.ok_or_else(|| LabError::NotRunning { name: name.to_owned() })
}

/// What is wrong with a lab that should run; `None` when all is well. A stopped zone is no fault.
pub(crate) fn problem(lab: &Lab) -> Option<String> {
    if !lab.complete {
        return Some("it did not come up to the end".to_owned());
    }
    let is_zone = |name: &&str| ZONES.iter().any(|zone| zones::process_name(zone) == *name);
    let dead: Vec<&str> = lab.dead().into_iter().filter(|name| !is_zone(name)).collect();
    if !dead.is_empty() {
        return Some(format!("{} ended", dead.join(", ")));
    }
    if !control_plane::connect(&lab.kubernetes).is_ok_and(|api| api.is_ready()) {
        return Some("the API server is not ready".to_owned());
    }
    for (name, emulator) in [("moto", &lab.moto), ("MiniStack", &lab.ministack)] {
        if !emulators::answers(&emulator.url) {
            return Some(format!("{name} does not answer"));
        }
    }
    None
}

/// The lab of this name if it runs and is healthy.
fn running(name: &str, run: &Path) -> Option<Lab> {
    let lab = Lab::load(run).unwrap_or_default()?;
    match problem(&lab) {
        None => {
            progress::note(&format!("{name} is already running and healthy"));
            Some(lab)
        }
        Some(problem) => {
            progress::note(&format!("{name} is started anew: {problem}"));
            None
        }
    }
}

/// Has the programs at hand and decides on ports, tokens and paths.
fn prepare(options: &Options, run: &Path, worker_zones: Vec<String>) -> Result<Prepared, LabError> {
    let (binaries, pythons) = thread::scope(|scope| {
        let pythons = scope.spawn(|| Ok([python::ensure("moto")?, python::ensure("ministack")?]));
        (binaries::ensure(), pythons.join())
    });
    let pythons: Result<[PathBuf; 2], PythonError> = pythons.map_err(|_| LabError::Thread)?;
    let [moto_python, ministack_python] = pythons?;
    files::create_folder(run)?;
    let [api_server, etcd, etcd_peer, moto, ministack] = ports::free()?;
    let ports = Ports { api_server, etcd, etcd_peer };
    let tokens = Tokens::new()?;
    let emulator = |port: u16, python, calls| Emulator {
        url: format!("http://127.0.0.1:{port}"),
        calls,
        python,
        network: None,
    };
    let lab = Lab::new(
        &options.name,
        run.to_owned(),
        worker_zones,
        control_plane::describe(run, &ports, &tokens),
        [
            emulator(moto, moto_python, Some(run.join("moto-calls.jsonl"))),
            emulator(ministack, ministack_python, None),
        ],
        binaries?,
    );
    lab.save()?;
    Ok(Prepared { lab, ports, tokens, moto, ministack })
}

/// A lab that can be started.
struct Prepared {
    lab: Lab,
    ports: Ports,
    tokens: Tokens,
    moto: u16,
    ministack: u16,
}

/// Starts everything. The emulators get their networks while the API server starts.
fn bring_up(prepared: Prepared) -> Result<Lab, LabError> {
    let Prepared { mut lab, ports, tokens, moto, ministack } = prepared;
    let moto = emulators::start_moto(&lab, moto)?;
    lab.add(emulators::MOTO, moto.clone())?;
    let ministack = emulators::start_ministack(&lab, ministack)?;
    lab.add(emulators::MINISTACK, ministack.clone())?;

    let before = lab.clone();
    let (api, networks) = thread::scope(|scope| {
        let networks = scope.spawn(|| {
            Ok([
                emulate(&before, emulators::MOTO, &moto, &before.moto)?,
                emulate(&before, emulators::MINISTACK, &ministack, &before.ministack)?,
            ])
        });
        (control_plane::start(&mut lab, &ports, &tokens), networks.join())
    });
    let api = api?;
    let networks: Result<[Network; 2], LabError> = networks.map_err(|_| LabError::Thread)?;
    let [moto, ministack] = networks?;
    nodes::create(&api, &moto.instances)?;
    lab.moto.network = Some(moto);
    lab.ministack.network = Some(ministack);
    start_zones(&mut lab, &api)?;
    control_plane::wait_for_service_account(&lab, &api)?;
    for (name, process) in &lab.processes {
        process.ready(name, Duration::ZERO, || process.is_running().then_some(()))?;
    }
    lab.complete = true;
    lab.save()?;
    Ok(lab)
}

/// Waits for an emulator's services and makes its network.
fn emulate(
    lab: &Lab,
    name: &str,
    process: &Process,
    emulator: &Emulator,
) -> Result<Network, LabError> {
    emulators::warm_up(name, process, &emulator.url)?;
    Ok(network::seed(name, emulator, &lab.moto.python, &lab.run, &lab.worker_zones)?)
}

fn start_zones(lab: &mut Lab, api: &Api) -> Result<(), LabError> {
    zones::start_cloud(lab)?;
    for zone in ZONES {
        zones::start(lab, zone)?;
    }
    for zone in ZONES {
        zones::start_and_wait(lab, api, zone)?;
    }
    Ok(())
}
