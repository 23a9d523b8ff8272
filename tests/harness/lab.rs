//! The lab that `cargo xtask test` has started: a real API server and emulators of AWS.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::console::Console;
use super::fault_proxy::{Upstream, Upstreams};
use super::kubernetes::{self, Kubernetes};
use super::{Program, environment};

/// One test at a time: they share nodes, and they count calls.
static ALONE: Mutex<()> = Mutex::new(());

/// An emulator: moto is right in most things, MiniStack in some others (lab.md, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emulator {
    Moto,
    MiniStack,
}

impl Emulator {
    fn key(self) -> &'static str {
        match self {
            Self::Moto => "moto",
            Self::MiniStack => "ministack",
        }
    }
}

/// The lab, for one test alone.
pub(crate) struct Lab {
    facts: Value,
    emulator: Emulator,
    pub(crate) kubernetes: Kubernetes,
    _alone: MutexGuard<'static, ()>,
}

impl Lab {
    /// Waits for other tests. AWS is moto.
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self::with(Emulator::Moto)
    }

    #[track_caller]
    pub(crate) fn with(emulator: Emulator) -> Self {
        let file = environment::lab_file();
        let alone = ALONE.lock().unwrap_or_else(|poison: PoisonError<_>| {
            println!(
                "a test before this one failed: what it left in the lab may be why this one does"
            );
            poison.into_inner()
        });
        let facts: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let kubernetes = Kubernetes::new(&facts["kubernetes"]);
        Self { facts, emulator, kubernetes, _alone: alone }
    }

    /// The program, with this lab as its world.
    pub(crate) fn program(&self, stack: &str) -> Program {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let environment = [
            ("KUBECONFIG", text(&self.facts["kubernetes"]["kubeconfig"])),
            ("AWS_ENDPOINT_URL", text(&self.aws()["url"])),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        Program::in_world(stack, BTreeMap::from(environment))
    }

    /// What a fault proxy stands for; the API server knows its requests as the program's.
    pub(crate) fn upstreams(&self) -> Arc<Upstreams> {
        let facts = &self.facts["kubernetes"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let authorization = format!("Bearer {}", text(&facts["token"]));
        let server = text(&facts["server"]);
        let trust = kubernetes::trust(facts);
        Arc::new(Upstreams {
            aws: Upstream::new(&text(&self.aws()["url"]), None, None),
            kubernetes: Upstream::new(&server, Some(trust), Some(authorization)),
        })
    }

    /// Kills a process of the lab with SIGKILL.
    #[track_caller]
    pub(crate) fn kill(&self, process: &str) {
        self.xtask("kill", process);
    }

    /// Starts a process of the lab again, as it was started first, and waits until it is ready.
    #[track_caller]
    pub(crate) fn restart(&self, process: &str) {
        self.xtask("restart", process);
    }

    #[track_caller]
    fn xtask(&self, action: &str, process: &str) {
        let name = self.facts["name"].as_str().unwrap();
        let output = Command::new(environment::xtask_path())
            .args(["lab", action, process, "--name", name])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lab {action} {process}: {message}");
    }

    fn aws(&self) -> &Value {
        &self.facts[self.emulator.key()]
    }

    /// The ids of the network: `vpc`, `zones`, `securityGroups`.
    pub(crate) fn network(&self) -> &Value {
        &self.aws()["network"]
    }

    /// The private subnets, by zone.
    pub(crate) fn private_subnets(&self) -> BTreeMap<String, String> {
        let zones = self.network()["zones"].as_object().unwrap().iter();
        let subnet = |facts: &Value| facts["subnets"]["private"].as_str().unwrap().to_owned();
        zones.map(|(zone, facts)| (zone.clone(), subnet(facts))).collect()
    }

    /// The security group of the worker nodes.
    pub(crate) fn node_group(&self) -> &str {
        self.network()["securityGroups"]["nodes"].as_str().unwrap()
    }

    /// What AWS holds, of these services: `ec2`, `efs`, `rds`, `elasticache`.
    #[track_caller]
    pub(crate) fn dump(&self, services: &[&str]) -> Value {
        self.python(services)
    }

    /// What a person does at a console: service, operation and arguments as boto3 has them.
    #[track_caller]
    pub(crate) fn by_hand(&self, service: &str, operation: &str, arguments: &Value) -> Value {
        self.python(&[&json!([[service, operation, arguments]]).to_string()])[0].take()
    }

    /// A console that stays open, for a test that looks often.
    #[track_caller]
    pub(crate) fn console(&self) -> Console {
        Console::open(self.script(&["--serve"]))
    }

    fn script(&self, arguments: &[&str]) -> Command {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../lab/dump.py");
        let mut command = Command::new(self.facts["moto"]["python"].as_str().unwrap());
        command
            .arg(script)
            .arg(self.aws()["url"].as_str().unwrap())
            .args(arguments)
            .env("NO_PROXY", "127.0.0.1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    #[track_caller]
    fn python(&self, arguments: &[&str]) -> Value {
        let output = self.script(arguments).stdin(Stdio::null()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "dump.py {arguments:?}: {message}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// How many calls the program has made so far: to AWS, and to the API server.
    pub(crate) fn calls(&self) -> Calls {
        let lines = |path: &Value| read_lines(Path::new(path.as_str().unwrap()));
        let aws = lines(&self.facts["moto"]["calls"]);
        let kubernetes = lines(&self.facts["kubernetes"]["auditLog"]);
        let of_program = |line: &Value| line["user"]["username"] == "lab:admin";
        Calls {
            aws: aws.iter().map(describe_aws).collect(),
            kubernetes: kubernetes.iter().filter(|line| of_program(line)).map(describe).collect(),
        }
    }
}

/// Calls, in order.
pub(crate) struct Calls {
    pub(crate) aws: Vec<String>,
    pub(crate) kubernetes: Vec<String>,
}

impl Calls {
    /// Those since an earlier moment.
    pub(crate) fn since(mut self, earlier: &Self) -> Self {
        self.aws.drain(..earlier.aws.len());
        self.kubernetes.drain(..earlier.kubernetes.len());
        self
    }
}

fn read_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // A line that is being written is not there yet.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn describe_aws(call: &Value) -> String {
    format!("{} {}", call["service"].as_str().unwrap(), call["action"].as_str().unwrap())
}

fn describe(call: &Value) -> String {
    format!("{} {}", call["verb"].as_str().unwrap(), call["requestURI"].as_str().unwrap())
}
