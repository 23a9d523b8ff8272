//! The child process, from the host's side: one thread writes frames, one reads them, one reads what it prints, one waits
//! for its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use zonestack_sdk::message::LogLine;

use crate::flood::LINE_MAX;
use crate::frame::{self, FromPlugin, ToPlugin};
use crate::library::Sink as _;
use crate::session::{Session, Transport};

/// The hidden command that makes the program a child.
pub const COMMAND: &str = "__plugin-host";

/// Variables that a child gets when they are set. No credentials, no cluster (plugin-abi.md, A.3.6).
const ALLOWED: [&str; 18] = [
    "PATH",
    "HOME",
    "TZ",
    "TMPDIR",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
];

/// How long what a child has written may still be on its way when it has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running child.
struct Process {
    /// To the thread that writes; `None` when nothing more is sent.
    frames: Mutex<Option<Sender<ToPlugin>>>,
    /// Its process group, until its end is collected.
    group: Arc<Mutex<Option<Pid>>>,
}

impl Transport for Process {
    fn send(&self, frame: ToPlugin) {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frames) = frames.as_ref() {
            // A writer that has ended is followed by the end of the child.
            drop(frames.send(frame));
        }
    }

    fn kill(&self) -> bool {
        kill(&self.group);
        true
    }

    fn close(&self) -> bool {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).take();
        true
    }

    fn process(&self) -> Option<u32> {
        let group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        group.and_then(|group| u32::try_from(group.as_raw_nonzero().get()).ok())
    }
}

fn kill(group: &Mutex<Option<Pid>>) {
    let group = group.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(group) = *group {
        // One that has ended by itself is as good.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Starts a child that loads the library, and connects the session to it.
pub(crate) fn start(
    program: &Path,
    library: &Path,
    sha256: &str,
    name: &str,
    session: &Arc<Session>,
) -> io::Result<()> {
    let mut command = Command::new(program);
    command.arg(COMMAND).arg("--path").arg(library).arg("--sha256").arg(sha256);
    command.env_clear().envs(environment());
    // A Ctrl-C on the terminal reaches only the host, which decides.
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
        return Err(io::Error::other("the child has no streams"));
    };
    let group = Arc::new(Mutex::new(group));
    let (frames, to_write) = channel();
    let process = Process { frames: Mutex::new(Some(frames)), group: Arc::clone(&group) };
    session.connect(Box::new(process));
    let (drained, all_read) = channel();
    let spawn = |role: &str, task: Box<dyn FnOnce() + Send>| {
        thread::Builder::new().name(format!("{role}:{name}")).spawn(task).map(drop)
    };
    let (reading, printing, waiting) =
        (Arc::clone(session), Arc::clone(session), Arc::clone(session));
    let reading_group = Arc::clone(&group);
    spawn("wait", Box::new(move || wait(child, &group, &all_read, &waiting)))?;
    spawn("write", Box::new(move || write(stdin, &to_write)))?;
    spawn("read", Box::new(move || read(stdout, &reading, &reading_group, &drained)))?;
    spawn("print", Box::new(move || print(stderr, &printing)))
}

#[expect(clippy::disallowed_methods, reason = "passed on to the child unread, by name")]
fn environment() -> BTreeMap<&'static str, OsString> {
    ALLOWED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect()
}

/// Until nothing more is sent, or the child does not read any more.
fn write(mut stdin: ChildStdin, frames: &Receiver<ToPlugin>) {
    for frame in frames {
        if frame::write(&mut stdin, frame).is_err() {
            return;
        }
    }
}

/// Until the child has closed its end. One that sends what is no frame is ended.
fn read(stdout: ChildStdout, session: &Session, group: &Mutex<Option<Pid>>, drained: &Sender<()>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        match frame::read::<FromPlugin>(&mut stdout) {
            Ok(Some(frame)) => session.frame(frame),
            Ok(None) => break,
            Err(error) => {
                tracing::debug!("a child is ended: {error}");
                break;
            }
        }
    }
    // Without this end it is of no use.
    kill(group);
    let _ = drained.send(());
}

/// Collects the child's end, and ends what it left in its group.
fn wait(mut child: Child, group: &Mutex<Option<Pid>>, all_read: &Receiver<()>, session: &Session) {
    let pid = *group.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pid) = pid {
        // Its number stays its own until it is collected below.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
    }
    kill(group);
    let status = {
        let mut group = group.lock().unwrap_or_else(PoisonError::into_inner);
        *group = None;
        child.wait()
    };
    // What it answered before its end counts.
    let _ = all_read.recv_timeout(LAST_WORDS);
    match status {
        Ok(status) => session.ended(&how(status)),
        Err(error) => session.ended(&format!("ended unseen: {error}")),
    }
    session.close();
}

/// How a process ended, as the rest of a sentence.
fn how(status: ExitStatus) -> String {
    let told = status.to_string();
    match (told.strip_prefix("signal: "), status.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (None, Some(code)) => format!("exited with status {code}"),
        (None, None) => format!("ended: {told}"),
    }
}

/// What a child prints becomes lines of the log.
fn print(mut stderr: ChildStderr, session: &Session) {
    let mut line = Vec::new();
    let mut buffer = vec![0; 8192];
    while let Ok(count) = stderr.read(&mut buffer) {
        if count == 0 {
            break;
        }
        for &byte in &buffer[..count] {
            match byte {
                b'\n' => say(&mut line, session),
                // One byte more than may be, so that it is known to be too long.
                _ if line.len() <= LINE_MAX => line.push(byte),
                _ => {}
            }
        }
    }
    if !line.is_empty() {
        say(&mut line, session);
    }
}

fn say(line: &mut Vec<u8>, session: &Session) {
    let text = String::from_utf8_lossy(line).into_owned();
    line.clear();
    session.line(&LogLine { level: "info".to_owned(), target: "stderr".to_owned(), text });
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn an_end_is_told_by_its_signal_or_status() {
        assert_eq!(how(ExitStatus::from_raw(11)), "was ended by signal 11 (SIGSEGV)");
        assert_eq!(how(ExitStatus::from_raw(3 << 8)), "exited with status 3");
    }

    #[test]
    fn no_credentials_are_passed_on() {
        for name in ALLOWED {
            let secret = name.contains("KEY") || name.contains("TOKEN") || name.contains("KUBE");
            assert!(!secret, "{name}");
        }
    }
}
