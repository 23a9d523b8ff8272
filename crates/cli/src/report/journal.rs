//! A record of a run on this machine, while it goes on: what was found under which id, line by line. A convenience for the
//! person who looks for what a run did whose inventory could not be written; nothing reads it (reliability.md, B.4.1).

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use zonestack_core::event::{Event, Listener};
use zonestack_core::plan::Plan;

use super::scrubber::scrub;
use super::{json, note};

/// The file `run-<id>.jsonl` of a run. Without one, when it cannot be written.
pub(crate) struct Journal<'a> {
    plan: &'a Plan,
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl<'a> Journal<'a> {
    /// Begins the journal of a run in a folder, which is made. A disk that is full, or not ours to write, is told and no
    /// reason to stop.
    pub(crate) fn begin(folder: &Path, run: &str, plan: &'a Plan) -> Self {
        let path = folder.join(format!("run-{run}.jsonl"));
        let opened = fs::create_dir_all(folder)
            .and_then(|()| OpenOptions::new().append(true).create_new(true).open(&path));
        let file = opened.map_err(|error| tell(&path, &error)).ok();
        Self { plan, path, file: Mutex::new(file) }
    }

    /// Ends it: what is all in the inventory needs no journal; otherwise where it is.
    pub(crate) fn end(self, complete: bool) -> Option<PathBuf> {
        self.file.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        if complete {
            // One that stays behind harms nobody.
            drop(fs::remove_file(&self.path));
            return None;
        }
        Some(self.path)
    }

    fn write(&self, file: &mut Option<File>, event: &Event) {
        let Some(open) = file else { return };
        let line = format!("{}\n", scrub(&json::event(self.plan, event).to_string()));
        let mut written = open.write_all(line.as_bytes());
        if matches!(event, Event::Identified { .. }) {
            // An id is what cannot be found out again as easily.
            written = written.and_then(|()| open.sync_data());
        }
        if let Err(error) = written {
            tell(&self.path, &error);
            *file = None;
        }
    }
}

fn tell(path: &Path, error: &std::io::Error) {
    note(&format!("warning: no journal of this run: {}: {error}", path.display()));
}

impl Listener for Journal<'_> {
    fn hear(&self, event: &Event) {
        self.write(&mut self.file.lock().unwrap_or_else(PoisonError::into_inner), event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_ends_the_journal_and_not_the_run() {
        let plan = Plan::default();
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let journal =
            Journal { plan: &plan, path: "/dev/full".into(), file: Mutex::new(Some(full)) };
        let event = Event::InventoryUnreachable {
            message: "away".to_owned(),
            pause: std::time::Duration::from_secs(1),
        };
        journal.hear(&event);
        journal.hear(&event);
        assert_eq!(journal.end(false), None);
    }
}
