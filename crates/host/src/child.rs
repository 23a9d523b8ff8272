//! What `zonestack __plugin-host` runs: a process that loads one plugin and passes frames between its host and it.
//!
//! It keeps a fault of the plugin from the host. It is no sandbox: the plugin may do what the user may.
#![expect(
    unsafe_code,
    reason = "ends the process without its destructors, which belong to foreign code"
)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};
use sha2::{Digest as _, Sha256};

use crate::flood::Gauge;
use crate::frame::{self, FromPlugin, ToPlugin};
use crate::library::{Library, Sink};

pub use crate::process::COMMAND;

/// How long calls may go on when the host is gone.
const GRACE: Duration = Duration::from_secs(2);
/// So many bytes wait for a host that does not read before lines are dropped.
const LINES_MAX: usize = 4 << 20;
/// So many bytes are a flood.
const FLOOD: usize = 512 << 20;
/// The status of a child that was called wrongly, as of every command.
const USAGE: u8 = 64;

unsafe extern "C" {
    /// Ends the process at once.
    safe fn _exit(status: std::ffi::c_int) -> !;
}

/// Runs a child to its end. `args` are those after [`COMMAND`]: `--path FILE --sha256 HEX`.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let Some((library, sha256)) = arguments(args) else {
        return ExitCode::from(USAGE);
    };
    let Ok(protocol) = isolate() else { return ExitCode::FAILURE };
    let (to_write, written) = channel();
    let outlet = Arc::new(Outlet {
        frames: to_write,
        waiting: Arc::default(),
        gauge: Mutex::new(Gauge::new(Instant::now())),
        open: Mutex::default(),
        fewer: Condvar::new(),
    });
    let (commands, to_do) = channel();
    let waiting = Arc::clone(&outlet.waiting);
    let writer = thread::spawn(move || write(protocol, &written, &waiting));
    let loading = Arc::clone(&outlet);
    thread::spawn(move || work(&library, &sha256, &loading, &to_do));
    // This thread only reads, so that the end of the host is seen whatever the plugin does.
    let mut stdin = BufReader::new(io::stdin().lock());
    let mut grace = GRACE;
    while let Ok(Some(command)) = frame::read::<ToPlugin>(&mut stdin) {
        if let ToPlugin::Shutdown { grace_ms } = command {
            grace = grace.min(Duration::from_millis(grace_ms));
            break;
        }
        if let ToPlugin::Start { call, .. } = &command {
            outlet.open().insert(*call);
        }
        if commands.send(command).is_err() {
            break;
        }
    }
    let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
    drop(commands.send(ToPlugin::Shutdown { grace_ms }));
    outlet.wait_for_none(grace);
    drop(writer);
    // Destructors and handlers of the plugin do not run: its threads may still be at work.
    _exit(0)
}

fn arguments(args: impl Iterator<Item = OsString>) -> Option<(PathBuf, String)> {
    let args: Vec<OsString> = args.collect();
    let [path_flag, path, hash_flag, hash] = args.as_slice() else { return None };
    let right = path_flag == "--path" && hash_flag == "--sha256";
    Some((PathBuf::from(path), hash.to_str()?.to_owned())).filter(|_| right)
}

/// Gives up what a plugin needs not, and takes stdout away from it: what it prints goes to stderr. What is returned is the way
/// to the host.
fn isolate() -> io::Result<OwnedFd> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::thread::set_no_new_privs(true)?;
    // Not passed on to what the plugin starts.
    let protocol = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(protocol)
}

/// Loads the plugin, and does what it is told.
fn work(library: &Path, sha256: &str, outlet: &Arc<Outlet>, to_do: &Receiver<ToPlugin>) {
    let sink: Arc<dyn Sink> = Arc::<Outlet>::clone(outlet);
    let opened = verify(library, sha256)
        .and_then(|()| Library::open(library, sink).map_err(|error| error.to_string()));
    match opened {
        Ok(plugin) => {
            outlet.frame(FromPlugin::Ready);
            for command in to_do {
                plugin.send(&command);
            }
        }
        Err(reason) => outlet.frame(FromPlugin::Failed { reason }),
    }
}

/// The file's hash once more: it may have changed since the host looked.
fn verify(library: &Path, sha256: &str) -> Result<(), String> {
    let found = hash(library).map_err(|error| format!("cannot read it: {error}"))?;
    if found == sha256 {
        return Ok(());
    }
    Err(format!("it has changed: its SHA-256 is {found}, and {sha256} was expected"))
}

fn hash(library: &Path) -> io::Result<String> {
    let mut file = File::open(library)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut buffer) {
            Ok(0) => break,
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
    Ok(hasher.finalize().iter().flat_map(digits).flatten().collect())
}

/// Until the host does not read any more: then it is gone, and so is this process.
fn write(protocol: OwnedFd, frames: &Receiver<FromPlugin>, waiting: &AtomicUsize) {
    let mut protocol = File::from(protocol);
    for frame in frames {
        let size = weight(&frame);
        if frame::write(&mut protocol, frame).is_err() {
            return;
        }
        waiting.fetch_sub(size, Ordering::Relaxed);
    }
}

/// What a frame weighs while it waits.
fn weight(frame: &FromPlugin) -> usize {
    64 + match frame {
        FromPlugin::Complete { body, .. }
        | FromPlugin::Emit { body, .. }
        | FromPlugin::Ask { body, .. } => body.len(),
        _ => 0,
    }
}

/// Where the plugin's frames go.
struct Outlet {
    frames: Sender<FromPlugin>,
    /// What waits to be written, in bytes.
    waiting: Arc<AtomicUsize>,
    gauge: Mutex<Gauge>,
    /// Calls that have not ended.
    open: Mutex<BTreeSet<u64>>,
    fewer: Condvar,
}

impl Outlet {
    fn open(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_none(&self, grace: Duration) {
        let waits = |open: &mut BTreeSet<u64>| !open.is_empty();
        drop(self.fewer.wait_timeout_while(self.open(), grace, waits));
    }

    /// Whether a line may pass, and how many did not before.
    fn line(&self, bytes: usize) -> bool {
        let mut gauge = self.gauge.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = gauge.line(bytes, Instant::now());
        drop(gauge);
        if verdict.dropped > 0 {
            self.push(FromPlugin::Dropped { count: verdict.dropped });
        }
        verdict.passes && self.waiting.load(Ordering::Relaxed) < LINES_MAX
    }

    fn push(&self, frame: FromPlugin) {
        let size = weight(&frame);
        if self.waiting.fetch_add(size, Ordering::Relaxed) > FLOOD {
            _exit(1);
        }
        drop(self.frames.send(frame));
    }
}

impl Sink for Outlet {
    fn frame(&self, frame: FromPlugin) {
        let ended = match &frame {
            FromPlugin::Complete { call, .. }
            | FromPlugin::TooLarge { call, .. }
            | FromPlugin::Refused { call } => Some(*call),
            FromPlugin::Emit { body, .. } if !self.line(body.len()) => return,
            _ => None,
        };
        self.push(frame);
        if let Some(call) = ended {
            self.open().remove(&call);
            self.fewer.notify_all();
        }
    }
}
