//! Processes that outlive the command that started them.
//!
//! A process is known by its id and its start time, so that an id that the system has given to another program is never
//! killed. Each has its own process group and carries the run folder in its environment, by which those are found that a
//! crash has kept out of the state file.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpid};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::files::{self, FileError};
use super::wait::{self, Interrupted};

/// The variable that marks a process as one of a lab's.
const MARK: &str = "ZONESTACK_LAB_RUN";
const KILLED_WITHIN: Duration = Duration::from_secs(10);
const TAIL: usize = 15;

/// A process that could not be started, or did not do what it should.
#[derive(Debug, Error)]
pub(crate) enum ProcessError {
    #[error("cannot start {name} ({program})")]
    Start { name: String, program: String, source: std::io::Error },
    #[error("{name} ended while it was needed. Its log, {}, ends with:\n{tail}", log.display())]
    Ended { name: String, log: PathBuf, tail: String },
    #[error(
        "{name} was not ready within {} s. Its log, {}, ends with:\n{tail}",
        limit.as_secs(),
        log.display()
    )]
    NotReady { name: String, limit: Duration, log: PathBuf, tail: String },
    #[error("{name} failed ({status}). Its log, {}, ends with:\n{tail}", log.display())]
    Failed { name: String, status: ExitStatus, log: PathBuf, tail: String },
    #[error("{name} (process {pid}) does not end, though it was killed")]
    Immortal { name: String, pid: u32 },
    #[error("how {name} was started is not noted: `cargo xtask lab down`, then `up` again")]
    Unknown { name: String },
    #[error("cannot watch {name}")]
    Watch { name: String, source: std::io::Error },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A process of the lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// When it started, in whatever form the system has; only compared.
    started: String,
    pub(crate) log: PathBuf,
    /// The program and its arguments, with which it can be started again.
    #[serde(default)]
    command: Vec<String>,
    /// The variables that it has besides those of whoever starts it.
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

impl Process {
    /// Starts `command` in the run folder with its output in `<run>/<name>.log`.
    pub(crate) fn start(
        name: &str,
        command: &mut Command,
        run: &Path,
    ) -> Result<Self, ProcessError> {
        let log = run.join(format!("{name}.log"));
        let text = |text: &OsStr| text.to_string_lossy().into_owned();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words = words.map(text).collect();
        let environment = command.get_envs();
        let environment =
            environment.filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
        let child = launch(name, command, run, &log, None)?;
        let started = start_time(child.id()).unwrap_or_default();
        Ok(Self { pid: child.id(), started, log, command: words, environment })
    }

    /// Starts it once more, as it was started; it must have ended.
    pub(crate) fn again(&self, name: &str, run: &Path) -> Result<Self, ProcessError> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| ProcessError::Unknown { name: name.to_owned() })?;
        let mut command = Command::new(program);
        command.args(arguments).envs(&self.environment);
        Self::start(name, &mut command, run)
    }

    /// Whether it still runs, and is the one that was started.
    pub(crate) fn is_running(&self) -> bool {
        start_time(self.pid).is_some_and(|started| started == self.started)
    }

    /// Waits until `ready` has an answer. The error has the end of the log.
    pub(crate) fn ready<T>(
        &self,
        name: &str,
        limit: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T, ProcessError> {
        let answer = wait::until(limit, || match ready() {
            Some(answer) => Ok(Some(answer)),
            None if self.is_running() => Ok(None),
            None => {
                let (log, tail) = (self.log.clone(), files::tail(&self.log, TAIL));
                Err(ProcessError::Ended { name: name.to_owned(), log, tail })
            }
        })?;
        answer.ok_or_else(|| ProcessError::NotReady {
            name: name.to_owned(),
            limit,
            log: self.log.clone(),
            tail: files::tail(&self.log, TAIL),
        })
    }

    /// Kills it and its children. Nothing in a lab is worth a graceful end: its data goes with it.
    pub(crate) fn stop(&self, name: &str) -> Result<(), ProcessError> {
        self.kill();
        self.gone(name)
    }

    fn kill(&self) {
        if !self.is_running() {
            return;
        }
        if let Some(group) = as_pid(self.pid) {
            // It may end between the question and the signal; `gone` finds out.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn gone(&self, name: &str) -> Result<(), ProcessError> {
        // Not through `wait::until`: the end of a process must not be cut short by a Ctrl-C.
        let deadline = std::time::Instant::now() + KILLED_WITHIN;
        while self.is_running() {
            if std::time::Instant::now() > deadline {
                return Err(ProcessError::Immortal { name: name.to_owned(), pid: self.pid });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// Kills all, then waits for all.
pub(crate) fn stop_all<'a>(
    processes: impl IntoIterator<Item = (&'a str, &'a Process)>,
) -> Result<(), ProcessError> {
    let processes: Vec<_> = processes.into_iter().collect();
    for (_, process) in &processes {
        process.kill();
    }
    processes.iter().try_for_each(|(name, process)| process.gone(name))
}

/// The processes with this run folder in their environment. Only Linux shows that; elsewhere there are none.
pub(crate) fn marked(run: &Path) -> Vec<Process> {
    let mark = format!("{MARK}={}", run.display());
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let environment = fs::read(entry.path().join("environ")).ok()?;
            environment
                .split(|byte| *byte == 0)
                .any(|line| line == mark.as_bytes())
                .then_some(())?;
            Some(Process {
                pid,
                started: start_time(pid)?,
                log: PathBuf::new(),
                command: Vec::new(),
                environment: BTreeMap::new(),
            })
        })
        .collect()
}

/// Runs a command to its end, which must come within `limit`. Its output goes to `log`; with `stdout`, only stderr does.
pub(crate) fn run(
    name: &str,
    command: &mut Command,
    folder: &Path,
    log: &Path,
    stdout: Option<&Path>,
    limit: Duration,
) -> Result<(), ProcessError> {
    let mut child = launch(name, command, folder, log, stdout)?;
    let ended = wait::until(limit, || {
        child.try_wait().map_err(|source| ProcessError::Watch { name: name.to_owned(), source })
    });
    let tail = || files::tail(log, TAIL);
    match ended {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(status)) => {
            let (log, tail) = (log.to_owned(), tail());
            Err(ProcessError::Failed { name: name.to_owned(), status, log, tail })
        }
        Ok(None) => {
            end(&mut child);
            let (log, tail) = (log.to_owned(), tail());
            Err(ProcessError::NotReady { name: name.to_owned(), limit, log, tail })
        }
        Err(error) => {
            end(&mut child);
            Err(error)
        }
    }
}

fn launch(
    name: &str,
    command: &mut Command,
    folder: &Path,
    log: &Path,
    stdout: Option<&Path>,
) -> Result<Child, ProcessError> {
    use std::os::unix::process::CommandExt;

    let output = files::append(stdout.unwrap_or(log))?;
    command
        .current_dir(folder)
        .env(MARK, folder)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(files::append(log)?)
        .process_group(0);
    command.spawn().map_err(|source| ProcessError::Start {
        name: name.to_owned(),
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })
}

fn end(child: &mut Child) {
    if let Some(group) = as_pid(child.id()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    drop(child.wait());
}

fn as_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// When a process started; `None` when there is none, or only its corpse, which is then buried if it is our child's.
fn start_time(pid: u32) -> Option<String> {
    let stat = if Path::new("/proc/self/stat").exists() {
        // `pid (name) state ppid … starttime …`: the name may hold anything, so count from the last parenthesis.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<String> =
            stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect();
        (fields.first()?.clone(), fields.get(19)?.clone())
    } else {
        let output = Command::new("ps")
            .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
            .output()
            .ok()?;
        let line = String::from_utf8(output.stdout).ok()?;
        let (state, started) = line.trim().split_once(' ')?;
        (state.to_owned(), started.trim().to_owned())
    };
    let (state, started) = stat;
    if state.starts_with('Z') {
        if let Some(child) = as_pid(pid) {
            let _ = waitpid(Some(child), WaitOptions::NOHANG);
        }
        return None;
    }
    Some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path) -> Process {
        files::create_folder(folder).unwrap();
        Process::start("sleeper", Command::new("sleep").arg("60"), folder).unwrap()
    }

    #[test]
    fn a_process_runs_until_it_is_stopped() {
        let folder = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id()));
        let process = sleeper(&folder);
        assert!(process.is_running());
        // The kernel shows a program's environment a moment after it has started.
        let found = wait::until(Duration::from_secs(10), || {
            Ok::<_, Interrupted>(marked(&folder).first().map(|found| found.pid))
        });
        assert_eq!(found.unwrap(), Some(process.pid));
        process.stop("sleeper").unwrap();
        assert!(!process.is_running());
        assert!(marked(&folder).is_empty());
        files::remove_folder(&folder).unwrap();
    }

    #[test]
    fn a_process_is_started_again_as_it_was() {
        let folder = std::env::temp_dir().join(format!("xtask-again-{}", std::process::id()));
        files::create_folder(&folder).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo $WORD >> words; sleep 60"]).env("WORD", "here");
        let first = Process::start("it", &mut command, &folder).unwrap();
        let words = |times: usize| {
            let written = wait::until(Duration::from_secs(10), || {
                let text = std::fs::read_to_string(folder.join("words")).unwrap_or_default();
                Ok::<_, Interrupted>((text == "here\n".repeat(times)).then_some(()))
            });
            assert!(written.unwrap().is_some(), "{times} times");
        };
        words(1);
        first.stop("it").unwrap();
        let second = first.again("it", &folder).unwrap();
        words(2);
        assert!(second.is_running() && !first.is_running());
        second.stop("it").unwrap();
        files::remove_folder(&folder).unwrap();
    }

    #[test]
    fn another_process_with_the_same_id_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("xtask-recycled-{}", std::process::id()));
        let process = sleeper(&folder);
        let recycled = Process { started: "another time".to_owned(), ..process.clone() };
        assert!(!recycled.is_running());
        recycled.stop("recycled").unwrap();
        assert!(process.is_running());
        process.stop("sleeper").unwrap();
        files::remove_folder(&folder).unwrap();
    }

    #[test]
    fn the_error_of_a_failed_command_has_the_end_of_its_log() {
        let folder = std::env::temp_dir().join(format!("xtask-failed-{}", std::process::id()));
        files::create_folder(&folder).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo the reason >&2; exit 3"]);
        let log = folder.join("log");
        let error = run("it", &mut command, &folder, &log, None, Duration::from_secs(10));
        assert!(error.unwrap_err().to_string().contains("the reason"));
        files::remove_folder(&folder).unwrap();
    }
}
