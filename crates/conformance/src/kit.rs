//! All laws: each in a process of its own, with a time limit, in a folder that is gone afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value as Json;
use zonestack_host::card::CardError;
use zonestack_host::store::{Candidate, StoreError};

use crate::child::{COMMAND, Order};
use crate::laws::{Group, Law};
use crate::verdict::Verdict;

/// So many laws run at the same time: they wait as much as they compute.
const AT_ONCE: usize = 4;
/// How often a process is looked at.
const STEP: Duration = Duration::from_millis(5);
/// As much as is read of what a process says that was not asked for a verdict.
const WORDS: u64 = 4096;

/// What is tested.
#[derive(Debug, Clone)]
pub struct Test {
    /// This program, which is started again for each law.
    pub program: PathBuf,
    /// The author's file. It is copied; nothing is written to it.
    pub library: PathBuf,
    /// What chance follows from.
    pub seed: u64,
    /// Settings to try with, for component types that need some.
    pub with: Option<Json>,
}

/// What came of one law.
#[derive(Debug)]
pub struct Judged {
    /// The law.
    pub law: &'static Law,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

/// Nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] StoreError),
    /// There is no place to work in.
    #[error("cannot write to {}: {source}", path.display())]
    Folder {
        /// The place.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A folder of this run's own, gone with its contents when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(seed: u64) -> Result<Self, KitError> {
        let path = std::env::temp_dir().join(format!("zonestack-kit-{}-{seed:x}", process::id()));
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|source| KitError::Folder { path: path.clone(), source })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Tries these laws, and tells each in their order, as soon as it is known. Writes nothing but in a folder for temporary files,
/// which is removed.
///
/// # Errors
/// The file cannot be read, or there is no place to work in. That a law is broken is none.
pub fn run(
    test: &Test,
    laws: &[&'static Law],
    mut tell: impl FnMut(&Judged),
) -> Result<(), KitError> {
    let candidate = Candidate::read(&test.library)?;
    let folder = Folder::new(test.seed)?;
    let file = test.library.file_name().unwrap_or_default();
    let copy = folder.0.join(file);
    candidate.install(&copy).map_err(|source| KitError::Folder { path: copy.clone(), source })?;
    // A plugin whose file has another name can be loaded, and is told by a law of its own.
    let (name, readable) = match candidate.identity() {
        Ok(identity) => (identity.name, true),
        Err(StoreError::Card { source: CardError::OtherName { card, .. }, .. }) => (card, true),
        Err(_) => (String::new(), false),
    };
    let order = |law: &Law| Order {
        law: law.name.to_owned(),
        library: copy.clone(),
        sha256: candidate.sha256.clone(),
        name: name.clone(),
        seed: test.seed,
        given: test.with.clone(),
    };
    let judge = |law: &'static Law| {
        let begin = Instant::now();
        let verdict = if readable || (law.group == Group::Card && law.name != "card-is-true") {
            tried(&test.program, &folder.0, law, &order(law))
        } else {
            Verdict::NotApplicable("its card cannot be read".to_owned())
        };
        Judged { law, verdict, took: begin.elapsed() }
    };
    let next = AtomicUsize::new(0);
    let (sender, judged) = channel();
    let sender = Mutex::new(sender);
    thread::scope(|scope| {
        let (next, judge, sender) = (&next, &judge, &sender);
        for _ in 0..AT_ONCE {
            let own = sender.lock().map(|sender| sender.clone());
            let Ok(own) = own else { continue };
            scope.spawn(move || {
                while let Some((index, law)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    laws.get(index).map(|law| (index, law))
                } {
                    drop(own.send((index, judge(law))));
                }
            });
        }
        let mut early = BTreeMap::new();
        let mut turn = 0;
        while turn < laws.len() {
            let Ok((index, one)) = judged.recv() else { break };
            early.insert(index, one);
            while let Some(one) = early.remove(&turn) {
                tell(&one);
                turn += 1;
            }
        }
    });
    Ok(())
}

/// Tries a law in a process of its own.
fn tried(program: &Path, folder: &Path, law: &Law, order: &Order) -> Verdict {
    match attempt(program, folder, law, order) {
        Ok(verdict) => verdict,
        Err(error) => Verdict::Failed(format!("the law could not be tried: {error}")),
    }
}

fn attempt(program: &Path, folder: &Path, law: &Law, order: &Order) -> io::Result<Verdict> {
    let own = folder.join(law.name);
    fs::create_dir(&own)?;
    let mut command = Command::new(program);
    command.arg(COMMAND).arg(serde_json::to_string(order)?);
    // What the plugin writes at home or among temporary files is seen, and goes with the folder.
    command.current_dir(&own).env("HOME", &own).env("TMPDIR", &own);
    // A Ctrl-C reaches this process, and its end those that it has started.
    command.process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let stdout = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        if let Some(stdout) = stdout {
            drop(stdout.take(WORDS * 64).read_to_string(&mut text));
        }
        text
    });
    let status = ended(&mut child, law.group.limit())?;
    let text = reader.join().unwrap_or_default();
    let Some(status) = status else {
        return Ok(Verdict::Failed(format!("it was not done within {:?}", law.group.limit())));
    };
    Ok(serde_json::from_str(&text).unwrap_or_else(|_| {
        Verdict::Failed(format!("the process that tried it ended without a verdict ({status})"))
    }))
}

/// How the process ended; `None` when it did not in time, and was killed.
fn ended(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() > limit {
            // It has not been waited for, so its number is its own. What it loaded ends with its stdin.
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(STEP);
    }
}
