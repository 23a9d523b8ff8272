//! etcd, kube-apiserver, kube-controller-manager and kube-scheduler.
//!
//! The times by which a lost node is noticed are far shorter than Kubernetes' own (50 s, then 300 s), so that a test can
//! lose a zone, and long enough for a busy machine to renew its leases.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use ureq::Agent;

use super::api::{Api, ApiError};
use super::cache;
use super::credentials::{self, CredentialError, Tokens, User};
use super::files::FileError;
use super::process::{Process, ProcessError};
use super::state::{Kubernetes, Lab, StateError};

pub(crate) const ETCD: &str = "etcd";
pub(crate) const API_SERVER: &str = "kube-apiserver";
const CONTROLLER_MANAGER: &str = "kube-controller-manager";
const SCHEDULER: &str = "kube-scheduler";

const ETCD_READY: Duration = Duration::from_mins(1);
const API_SERVER_READY: Duration = Duration::from_mins(2);

/// The control plane does not come up.
#[derive(Debug, Error)]
pub(crate) enum ControlPlaneError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// The ports of the control plane.
pub(crate) struct Ports {
    pub(crate) api_server: u16,
    pub(crate) etcd: u16,
    pub(crate) etcd_peer: u16,
}

/// Where the control plane will be.
pub(crate) fn describe(run: &Path, ports: &Ports, tokens: &Tokens) -> Kubernetes {
    Kubernetes {
        server: format!("https://127.0.0.1:{}", ports.api_server),
        kubeconfig: run.join("kubeconfig"),
        certificate: certificates(run).join("apiserver.crt"),
        token: tokens.of(User::Admin).to_owned(),
        xtask_token: tokens.of(User::Xtask).to_owned(),
        audit_log: run.join("audit.log"),
        etcd: format!("http://127.0.0.1:{}", ports.etcd),
    }
}

/// Starts the four and waits until the API server is ready.
pub(crate) fn start(
    lab: &mut Lab,
    ports: &Ports,
    tokens: &Tokens,
) -> Result<Api, ControlPlaneError> {
    let run = lab.run.clone();
    tokens.write(&token_file(&run))?;
    credentials::write_service_account_keys(&private_key(&run), &public_key(&run))?;

    let etcd = Process::start(ETCD, &mut etcd(lab, ports), &run)?;
    lab.add(ETCD, etcd.clone())?;
    wait_for_etcd(lab, &etcd)?;

    let server = Process::start(API_SERVER, &mut api_server(lab, ports), &run)?;
    lab.add(API_SERVER, server.clone())?;
    let api = wait_for_api_server(lab, &server)?;
    let kubernetes = lab.kubernetes.clone();

    for (user, path) in [
        (User::Admin, kubernetes.kubeconfig.clone()),
        (User::ControllerManager, kubeconfig(&run, CONTROLLER_MANAGER)),
        (User::Scheduler, kubeconfig(&run, SCHEDULER)),
        (User::Kwok, kwok_kubeconfig(&run)),
    ] {
        let token = tokens.of(user);
        credentials::write_kubeconfig(&path, &kubernetes.server, &kubernetes.certificate, token)?;
    }
    let manager = Process::start(CONTROLLER_MANAGER, &mut controller_manager(lab), &run)?;
    lab.add(CONTROLLER_MANAGER, manager)?;
    let scheduler = Process::start(SCHEDULER, &mut scheduler(lab), &run)?;
    lab.add(SCHEDULER, scheduler)?;
    Ok(api)
}

/// Waits until etcd is healthy.
pub(crate) fn wait_for_etcd(lab: &Lab, etcd: &Process) -> Result<(), ProcessError> {
    let agent = Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(5)));
    let agent = agent.build().new_agent();
    let health = format!("{}/health", lab.kubernetes.etcd);
    etcd.ready(ETCD, ETCD_READY, || agent.get(&health).call().ok()).map(drop)
}

/// Waits until the API server says that it is ready, which it does not as long as it cannot reach etcd.
pub(crate) fn wait_for_api_server(lab: &Lab, server: &Process) -> Result<Api, ProcessError> {
    let api = server.ready(API_SERVER, API_SERVER_READY, || connect(&lab.kubernetes).ok())?;
    server.ready(API_SERVER, API_SERVER_READY, || api.is_ready().then_some(()))?;
    Ok(api)
}

/// A client for the lab's own use, which the audit log leaves out.
pub(crate) fn connect(kubernetes: &Kubernetes) -> Result<Api, ApiError> {
    Api::new(&kubernetes.server, &kubernetes.certificate, &kubernetes.xtask_token)
}

/// Waits until a pod could be created: the default namespace has its default service account.
pub(crate) fn wait_for_service_account(lab: &Lab, api: &Api) -> Result<(), ProcessError> {
    let Some(manager) = lab.processes.get(CONTROLLER_MANAGER) else { return Ok(()) };
    let path = "/api/v1/namespaces/default/serviceaccounts/default";
    let account: Value =
        manager.ready(CONTROLLER_MANAGER, API_SERVER_READY, || api.get(path).ok())?;
    drop(account);
    Ok(())
}

pub(crate) fn kwok_kubeconfig(run: &Path) -> PathBuf {
    kubeconfig(run, "kwok")
}

fn kubeconfig(run: &Path, name: &str) -> PathBuf {
    run.join(format!("{name}.kubeconfig"))
}

fn certificates(run: &Path) -> PathBuf {
    run.join("certificates")
}

fn token_file(run: &Path) -> PathBuf {
    run.join("tokens.csv")
}

fn private_key(run: &Path) -> PathBuf {
    run.join("service-account.key")
}

fn public_key(run: &Path) -> PathBuf {
    run.join("service-account.pub")
}

/// `--name=value`, for values that are paths.
fn flag(name: &str, value: &Path) -> String {
    format!("--{name}={}", value.display())
}

fn etcd(lab: &Lab, ports: &Ports) -> Command {
    let client = &lab.kubernetes.etcd;
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    let mut command = Command::new(&lab.binaries.etcd);
    command.arg(flag("data-dir", &lab.run.join("etcd"))).args([
        "--name=lab".to_owned(),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=lab={peer}"),
        // Nothing here outlives the lab.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]);
    command
}

fn api_server(lab: &Lab, ports: &Ports) -> Command {
    let mut command = Command::new(&lab.binaries.kube_apiserver);
    command.args([
        format!("--etcd-servers={}", lab.kubernetes.etcd),
        format!("--secure-port={}", ports.api_server),
        flag("cert-dir", &certificates(&lab.run)),
        flag("token-auth-file", &token_file(&lab.run)),
        flag("service-account-key-file", &public_key(&lab.run)),
        flag("service-account-signing-key-file", &private_key(&lab.run)),
        flag("audit-policy-file", &cache::sources().join("audit-policy.yaml")),
        flag("audit-log-path", &lab.kubernetes.audit_log),
    ]);
    command.args([
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--external-hostname=127.0.0.1",
        "--endpoint-reconciler-type=none",
        "--authorization-mode=Node,RBAC",
        "--anonymous-auth=false",
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--default-not-ready-toleration-seconds=5",
        "--default-unreachable-toleration-seconds=5",
        "--audit-log-format=json",
        // A line is in the file before the client has its answer.
        "--audit-log-mode=blocking-strict",
        "--profiling=false",
    ]);
    command
}

fn controller_manager(lab: &Lab) -> Command {
    let mut command = Command::new(&lab.binaries.kube_controller_manager);
    command.args([
        flag("kubeconfig", &kubeconfig(&lab.run, CONTROLLER_MANAGER)),
        flag("service-account-private-key-file", &private_key(&lab.run)),
        flag("root-ca-file", &lab.kubernetes.certificate),
    ]);
    command.args([
        "--bind-address=127.0.0.1",
        "--secure-port=0",
        "--leader-elect=false",
        "--use-service-account-credentials",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        "--node-monitor-period=1s",
        "--node-monitor-grace-period=10s",
        // Kubernetes' own rate is one node in ten seconds.
        "--node-eviction-rate=10",
        "--profiling=false",
    ]);
    command
}

fn scheduler(lab: &Lab) -> Command {
    let mut command = Command::new(&lab.binaries.kube_scheduler);
    command.arg(flag("kubeconfig", &kubeconfig(&lab.run, SCHEDULER))).args([
        "--bind-address=127.0.0.1",
        "--secure-port=0",
        "--leader-elect=false",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        "--profiling=false",
    ]);
    command
}
