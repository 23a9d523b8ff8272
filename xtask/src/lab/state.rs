//! `lab.json`: what runs, where it listens and which ids it has. Tests read it through `ZONESTACK_LAB`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::binaries::Binaries;
use super::files::{self, FileError};
use super::network::Network;
use super::process::Process;

/// The version of the file's form.
const VERSION: u32 = 1;

/// A lab's state cannot be read or written.
#[derive(Debug, Error)]
pub(crate) enum StateError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} is not the state of a lab", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
}

/// One lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lab {
    version: u32,
    pub(crate) name: String,
    /// The folder with its logs, keys and this file.
    pub(crate) run: PathBuf,
    /// Whether it came up to the end.
    pub(crate) complete: bool,
    pub(crate) region: String,
    pub(crate) cluster: String,
    /// The zones that have worker nodes.
    pub(crate) worker_zones: Vec<String>,
    pub(crate) kubernetes: Kubernetes,
    pub(crate) moto: Emulator,
    pub(crate) ministack: Emulator,
    pub(crate) binaries: Binaries,
    pub(crate) processes: BTreeMap<String, Process>,
}

/// The control plane.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kubernetes {
    pub(crate) server: String,
    pub(crate) kubeconfig: PathBuf,
    /// The certificate that the API server made for itself.
    pub(crate) certificate: PathBuf,
    /// Of the user `lab:admin`, who may do everything.
    pub(crate) token: String,
    /// Of the user `lab:xtask`: the same, but not in the audit log.
    pub(crate) xtask_token: String,
    /// One JSON object per answered request.
    pub(crate) audit_log: PathBuf,
    pub(crate) etcd: String,
}

/// An emulator of AWS.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Emulator {
    pub(crate) url: String,
    /// One JSON object per call, where the emulator is started so that it writes them.
    pub(crate) calls: Option<PathBuf>,
    pub(crate) python: PathBuf,
    /// The kOps network in it, once it is made.
    pub(crate) network: Option<Network>,
}

impl Lab {
    /// A lab of which nothing runs yet.
    pub(crate) fn new(
        name: &str,
        run: PathBuf,
        worker_zones: Vec<String>,
        kubernetes: Kubernetes,
        [moto, ministack]: [Emulator; 2],
        binaries: Binaries,
    ) -> Self {
        Self {
            version: VERSION,
            name: name.to_owned(),
            run,
            complete: false,
            region: super::network::REGION.to_owned(),
            cluster: super::network::CLUSTER.to_owned(),
            worker_zones,
            kubernetes,
            moto,
            ministack,
            binaries,
            processes: BTreeMap::new(),
        }
    }

    /// The path of `lab.json`.
    pub(crate) fn path(run: &Path) -> PathBuf {
        run.join("lab.json")
    }

    /// The lab whose files are in `run`; `None` when there is none.
    pub(crate) fn load(run: &Path) -> Result<Option<Self>, StateError> {
        let path = Self::path(run);
        if !path.exists() {
            return Ok(None);
        }
        let text = files::read(&path)?;
        serde_json::from_str(&text).map(Some).map_err(|source| StateError::Json { path, source })
    }

    /// Writes `lab.json`.
    pub(crate) fn save(&self) -> Result<(), StateError> {
        let path = Self::path(&self.run);
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| StateError::Json { path: path.clone(), source })?;
        Ok(files::write(&path, &text)?)
    }

    /// Notes a process that was just started: from here on `down` finds it.
    pub(crate) fn add(&mut self, name: &str, process: Process) -> Result<(), StateError> {
        self.processes.insert(name.to_owned(), process);
        self.save()
    }

    /// The variables with which a program uses the lab; its AWS is moto.
    pub(crate) fn environment(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("KUBECONFIG", self.kubernetes.kubeconfig.display().to_string()),
            ("AWS_ENDPOINT_URL", self.moto.url.clone()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", self.region.clone()),
            // The name that Python's SDK reads.
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("ZONESTACK_LAB_MINISTACK_URL", self.ministack.url.clone()),
            ("ZONESTACK_LAB", Self::path(&self.run).display().to_string()),
        ])
    }

    /// The processes that are noted and do not run.
    pub(crate) fn dead(&self) -> Vec<&str> {
        let dead = self.processes.iter().filter(|(_, process)| !process.is_running());
        dead.map(|(name, _)| name.as_str()).collect()
    }
}
