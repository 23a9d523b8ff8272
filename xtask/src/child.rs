//! Child processes of a task: bounded in time, in a process group of their own, ended with all their children.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use thiserror::Error;

use crate::lab::interrupt;

/// How often the clock and Ctrl-C are looked at.
const STEP: Duration = Duration::from_millis(100);
/// How long a process may take to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// A process cannot be run.
#[derive(Debug, Error)]
pub(crate) enum ChildError {
    #[error("cannot start {program}")]
    Start { program: String, source: std::io::Error },
    #[error("cannot watch {program}")]
    Watch { program: String, source: std::io::Error },
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Exit(ExitStatus),
    /// It was killed at its limit.
    TooLong,
    /// It was killed because the user pressed Ctrl-C.
    Interrupted,
}

/// Runs a command to its end, which comes within `limit`. Its stdout goes to `hear`, line by line, as it comes.
///
/// # Guarantees
/// - When it returns, no process of the command's group runs any more: neither a test that hangs nor what it started.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    mut hear: impl FnMut(&str),
) -> Result<Ending, ChildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut child =
        command.spawn().map_err(|source| ChildError::Start { program: program.clone(), source })?;
    let group = Group::of(&child);
    let lines = lines(&mut child);
    let deadline = Instant::now() + limit;
    let ending = loop {
        match lines.recv_timeout(STEP) {
            Ok(line) => hear(&line),
            // All output is read; the end of the process follows.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(STEP / 10),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let ended = child.try_wait();
        match ended.map_err(|source| ChildError::Watch { program: program.clone(), source })? {
            Some(status) => break Ending::Exit(status),
            None if interrupt::requested() => break Ending::Interrupted,
            None if Instant::now() >= deadline => break Ending::TooLong,
            None => {}
        }
    };
    if !matches!(ending, Ending::Exit(_)) {
        group.signal(Signal::TERM);
        let patience = Instant::now() + GRACE;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < patience {
            thread::sleep(STEP);
        }
    }
    group.signal(Signal::KILL);
    drop(child.wait());
    group.gone();
    // The group is gone, so the pipe is closed, or a process that left the group holds it: do not wait for that one.
    while let Ok(line) = lines.recv_timeout(STEP) {
        hear(&line);
    }
    Ok(ending)
}

struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(i32::try_from(child.id()).ok().and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may have ended already.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Waits until the last of it is gone: a signal takes effect a moment after it is sent.
    fn gone(&self) {
        let patience = Instant::now() + GRACE;
        while self.0.is_some_and(|group| test_kill_process_group(group).is_ok())
            && Instant::now() < patience
        {
            thread::sleep(STEP / 10);
        }
    }
}

fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
                let line = String::from_utf8_lossy(&bytes);
                if sender.send(line.trim_end_matches('\n').to_owned()).is_err() {
                    return;
                }
                bytes.clear();
            }
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn every_line_is_heard_and_the_status_is_the_command_s() {
        let mut heard = Vec::new();
        let ending = run(&mut shell("echo one; printf two; exit 3"), GRACE, |line| {
            heard.push(line.to_owned());
        });
        assert!(matches!(ending.unwrap(), Ending::Exit(status) if status.code() == Some(3)));
        assert_eq!(heard, ["one", "two"]);
    }

    #[test]
    fn what_takes_too_long_is_killed_with_its_children() {
        let mut pid = String::new();
        let begin = Instant::now();
        let limit = Duration::from_millis(500);
        let ending = run(&mut shell("sleep 300 & echo $!; wait"), limit, |line| {
            line.clone_into(&mut pid);
        });
        assert_eq!(ending.unwrap(), Ending::TooLong);
        assert!(begin.elapsed() < Duration::from_mins(1));
        // The kernel takes a moment to end what it was told to kill.
        let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let is_over = || stat().is_empty() || stat().contains(") Z ");
        while !is_over() && begin.elapsed() < Duration::from_mins(1) {
            std::thread::yield_now();
        }
        assert!(is_over(), "{}", stat());
    }
}
