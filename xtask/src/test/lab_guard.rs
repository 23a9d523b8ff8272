//! The lab of one test run: started in the background, taken down whatever happens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, test_kill_process};

use super::Verdict;
use crate::lab::{self, Lab, LabError, Options};

/// Every test run has a lab of its own, so that it never meets a developer's.
const PREFIX: &str = "test-";
const ZONES: usize = 3;

/// Takes the lab down when it is dropped.
pub(super) struct LabGuard {
    name: Option<String>,
    starting: Option<JoinHandle<Result<Lab, LabError>>>,
    path: Option<PathBuf>,
}

impl LabGuard {
    /// No lab is wanted.
    pub(super) fn none() -> Self {
        Self { name: None, starting: None, path: None }
    }

    /// Starts in the background, after what killed runs have left is swept away.
    pub(super) fn start() -> Result<Self, LabError> {
        for name in abandoned() {
            take_down(&name)?;
        }
        let name = format!("{PREFIX}{}", process::id());
        let options = Options { name: name.clone(), zones: ZONES };
        let starting = thread::spawn(move || lab::up(&options));
        Ok(Self { name: Some(name), starting: Some(starting), path: None })
    }

    /// Waits until it runs.
    pub(super) fn wait(&mut self) -> Verdict {
        let Some(starting) = self.starting.take() else {
            return Verdict::LeftOut("asked for with --no-lab");
        };
        match starting.join() {
            Ok(Ok(lab)) => {
                self.path = Some(Lab::path(&lab.run));
                Verdict::Passed
            }
            Ok(Err(error)) => Verdict::Failed(chain(&error)),
            Err(_) => Verdict::Failed("the lab's thread panicked".to_owned()),
        }
    }

    /// The lab's `lab.json`, while it runs.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Takes it down; `path` stays, for the summary.
    pub(super) fn stop(&mut self) -> Verdict {
        if let Some(starting) = self.starting.take() {
            drop(starting.join());
        }
        let Some(name) = self.name.take() else { return Verdict::LeftOut("there is none") };
        match take_down(&name) {
            Ok(()) => Verdict::Passed,
            Err(error) => Verdict::Failed(chain(&error)),
        }
    }
}

impl Drop for LabGuard {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Takes a lab down, its lock file with it: nobody else uses the name of a run's own lab.
fn take_down(name: &str) -> Result<(), LabError> {
    lab::down(name)?;
    drop(fs::remove_file(lab::runs()?.join(name).with_added_extension("lock")));
    Ok(())
}

/// Labs of test runs that were killed.
fn abandoned() -> Vec<String> {
    let Ok(root) = lab::runs() else { return Vec::new() };
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| owner(name).is_some_and(|pid| !is_alive(pid))).collect()
}

/// The process that a test run's lab belongs to.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid).is_ok())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labs_of_test_runs_are_swept_away() {
        assert_eq!(owner("test-123"), Some(123));
        assert_eq!(owner("default"), None);
        assert_eq!(owner("test-mine"), None);
        assert_eq!(owner("test-123.lock"), None);
    }
}
