//! The program with a place to work in.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::loaded::{Loaded, loaded};
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
        let folder = Folder::new();
        if let Some(loaded) = loaded() {
            loaded.trust_in(folder.path());
        }
        Self { folder, environment: BTreeMap::new(), options }
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

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(environment::program_path());
        command.args(arguments).args(&self.options);
        command.current_dir(self.folder.path());
        command.env_clear();
        command.env("PATH", environment::search_path()).env("HOME", self.folder.path());
        command.env("COLUMNS", "100").env("RUST_BACKTRACE", "1");
        if let Some(loaded) = loaded() {
            loaded.apply(&mut command);
        }
        command.envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it with nobody at the other end of its stdout and stderr. Its exit code.
    #[track_caller]
    pub(crate) fn unheard(&self, arguments: &[&str]) -> i32 {
        let mut child = self.command(arguments).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Starts it.
    #[track_caller]
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, &[])
    }

    /// Starts it with these variables besides its own.
    #[track_caller]
    pub(crate) fn start_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Running {
        let mut child = self.command(arguments).envs(variables.iter().copied()).spawn().unwrap();
        let heard = [Heard::default(), Heard::default()];
        Running {
            command: format!("zonestack {}", arguments.join(" ")),
            readers: [read(child.stdout.take(), &heard[0]), read(child.stderr.take(), &heard[1])],
            heard,
            child,
        }
    }

    /// `plan --output json`; its exit code must say whether something is refused.
    #[track_caller]
    pub(crate) fn plan(&self) -> Plan {
        let outcome = self.run(&["plan", "--output", "json"]);
        assert!([0, 4].contains(&outcome.code), "{outcome}");
        let plan = Plan::of(&outcome);
        let refused = !plan.ids("refuse").is_empty() || !plan.guards().is_empty();
        assert_eq!(outcome.code == 4, refused, "{outcome}");
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
    readers: [JoinHandle<()>; 2],
    /// What stdout and stderr have said so far.
    heard: [Heard; 2],
}

type Heard = Arc<Mutex<Vec<u8>>>;

impl Running {
    /// Sends a signal, as Ctrl-C does with SIGINT.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// How often it has said something so far, on both streams.
    pub(crate) fn times(&self, text: &str) -> usize {
        self.heard.iter().map(|heard| so_far(heard).matches(text).count()).sum()
    }

    /// Waits until it has said something so often. False when it ended before.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str, times: usize) -> bool {
        let deadline = Instant::now() + LIMIT;
        loop {
            let ended = self.child.try_wait().unwrap().is_some();
            if self.times(text) >= times {
                return true;
            }
            if ended {
                return false;
            }
            assert!(Instant::now() < deadline, "{text:?} is not said within {LIMIT:?}");
            thread::sleep(STEP);
        }
    }

    /// Waits for its end; one that takes too long is killed and fails the test.
    #[track_caller]
    pub(crate) fn wait(self) -> Outcome {
        let (outcome, in_time) = self.wait_within(LIMIT);
        assert!(in_time, "took longer than {LIMIT:?}: {outcome}");
        outcome
    }

    /// Waits for its end, which kills it when that takes longer than `limit`; whether it did not.
    pub(crate) fn wait_within(mut self, limit: Duration) -> (Outcome, bool) {
        let deadline = Instant::now() + limit;
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
        for reader in self.readers {
            reader.join().unwrap();
        }
        let [stdout, stderr] = self.heard.map(|heard| so_far(&heard));
        let stderr = if loaded().is_some() { Loaded::unsaid(&stderr) } else { stderr };
        let code = status.and_then(|status| status.code()).unwrap_or(-1);
        (Outcome { command: self.command, code, stdout, stderr }, status.is_some())
    }
}

fn read(stream: Option<impl Read + Send + 'static>, heard: &Heard) -> JoinHandle<()> {
    let (mut stream, heard) = (stream.unwrap(), Arc::clone(heard));
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        loop {
            match stream.read(&mut bytes).unwrap() {
                0 => return,
                count => lock(&heard).extend_from_slice(&bytes[..count]),
            }
        }
    })
}

fn lock(heard: &Heard) -> std::sync::MutexGuard<'_, Vec<u8>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes that are no UTF-8 would be a fault; the half of a character at the end is none.
fn so_far(heard: &Heard) -> String {
    let bytes = lock(heard);
    match str::from_utf8(&bytes) {
        Ok(text) => text.to_owned(),
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned()
        }
        Err(error) => panic!("{error} in the output: {}", String::from_utf8_lossy(&bytes)),
    }
}
