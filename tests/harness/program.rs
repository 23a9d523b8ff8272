//! The program with a place to work in.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Folder, Outcome, Plan, environment};

/// No command of a test takes nearly as long.
const LIMIT: Duration = Duration::from_mins(3);
const STEP: Duration = Duration::from_millis(5);

/// The program, run in a folder of its own, with nothing of the developer's environment.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) folder: Folder,
    pub(crate) environment: BTreeMap<String, String>,
    /// Options of every command.
    options: Vec<String>,
}

impl Program {
    fn new(options: &[&str]) -> Self {
        let options = options.iter().map(ToString::to_string).collect();
        Self { folder: Folder::new(), environment: BTreeMap::new(), options }
    }

    /// With a sandbox of its own in which everything happens at once.
    pub(crate) fn in_sandbox(stack: &str) -> Self {
        let program = Self::new(&["--sandbox=sandbox.json", "--sandbox-pace", "instant"]);
        program.stack(stack);
        program
    }

    /// Without a sandbox, account or cluster.
    pub(crate) fn offline(stack: impl AsRef<[u8]>) -> Self {
        let program = Self::new(&[]);
        program.stack(stack);
        program
    }

    /// With the world that these variables say.
    pub(crate) fn in_world(stack: &str, environment: BTreeMap<String, String>) -> Self {
        let program = Self { environment, ..Self::new(&[]) };
        program.stack(stack);
        program
    }

    /// An option for every further command.
    pub(crate) fn option(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }

    /// Writes the stack file.
    pub(crate) fn stack(&self, text: impl AsRef<[u8]>) {
        self.folder.write("stack.yaml", text);
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).wait()
    }

    /// Starts it.
    #[track_caller]
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(environment::program_path());
        command.args(arguments).args(&self.options);
        command.current_dir(self.folder.path());
        command.env_clear();
        command.env("PATH", environment::search_path()).env("HOME", self.folder.path());
        command.env("COLUMNS", "100").env("RUST_BACKTRACE", "1");
        command.envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Running {
            command: format!("zonestack {}", arguments.join(" ")),
            stdout: read(child.stdout.take()),
            stderr: read(child.stderr.take()),
            child,
        }
    }

    /// `plan --output json`; its exit code must say whether something is refused.
    #[track_caller]
    pub(crate) fn plan(&self) -> Plan {
        let outcome = self.run(&["plan", "--output", "json"]);
        assert!([0, 4].contains(&outcome.code), "{outcome}");
        let plan = Plan::of(&outcome);
        assert_eq!(outcome.code == 4, !plan.ids("refuse").is_empty(), "{outcome}");
        plan
    }

    /// `up --yes`, which must work.
    #[track_caller]
    pub(crate) fn up(&self) -> Outcome {
        self.run(&["up", "--yes"]).exits(0)
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A program that runs.
pub(crate) struct Running {
    command: String,
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Running {
    /// Sends a signal, as Ctrl-C does with SIGINT.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end; one that takes too long is killed and fails the test.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Outcome {
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() >= deadline {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                break None;
            }
            thread::sleep(STEP);
        };
        let outcome = Outcome {
            command: self.command,
            code: status.and_then(|status| status.code()).unwrap_or(-1),
            stdout: self.stdout.join().unwrap(),
            stderr: self.stderr.join().unwrap(),
        };
        assert!(status.is_some(), "took longer than {LIMIT:?}: {outcome}");
        outcome
    }
}

fn read(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.unwrap().read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}
