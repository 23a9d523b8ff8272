//! The kOps-like network in an emulator, made by `lab/network.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::cache;
use super::files::{self, FileError};
use super::process::{self, ProcessError};
use super::state::Emulator;

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const CLUSTER: &str = "k8s.myzone.net";
/// The zones that the emulators have in [`REGION`]: there is no fourth.
pub(crate) const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

const SEED: Duration = Duration::from_mins(2);

/// The network cannot be made.
#[derive(Debug, Error)]
pub(crate) enum NetworkError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("network.py answered something else than a network: {}", path.display())]
    Answer { path: PathBuf, source: serde_json::Error },
}

/// The ids of a network.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Network {
    cluster: String,
    vpc: String,
    internet_gateway: String,
    public_route_table: String,
    /// All zones of the region, with and without workers.
    zones: BTreeMap<String, Zone>,
    /// By role: nodes, masters, bastion.
    security_groups: BTreeMap<String, String>,
    pub(crate) instances: Vec<Instance>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Zone {
    /// The zone's id, such as `euw1-az1`.
    id: String,
    /// By kind: private, public, utility.
    subnets: BTreeMap<String, String>,
    private_route_table: String,
}

/// A machine of the cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) zone: String,
    pub(crate) role: Role,
    /// kOps' instance group.
    #[serde(rename = "instanceGroup")]
    pub(crate) group: String,
    /// Such as `m7i.2xlarge`.
    #[serde(rename = "instanceType")]
    pub(crate) machine: String,
    pub(crate) private_ip: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    Node,
    ControlPlane,
}

/// Makes the network in an emulator, with workers in these zones; again, with others, it adds and removes workers.
pub(crate) fn seed(
    name: &str,
    emulator: &Emulator,
    python: &Path,
    run: &Path,
    workers: &[String],
) -> Result<Network, NetworkError> {
    let what = format!("network-{name}");
    let answer = run.join(format!("{what}.json"));
    if answer.exists() {
        files::write(&answer, "")?;
    }
    // boto3 is in moto's environment only, and speaks to both.
    let mut seed = Command::new(python);
    seed.arg(cache::sources().join("network.py")).arg(&emulator.url);
    seed.args(["--region", REGION, "--cluster", CLUSTER, "--workers", &workers.join(",")]);
    seed.env("NO_PROXY", "127.0.0.1").env("AWS_EC2_METADATA_DISABLED", "true");
    let log = run.join(format!("{what}.log"));
    process::run(&what, &mut seed, run, &log, Some(&answer), SEED)?;
    serde_json::from_str(&files::read(&answer)?)
        .map_err(|source| NetworkError::Answer { path: answer, source })
}
