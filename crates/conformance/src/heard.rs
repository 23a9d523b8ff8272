//! What the plugin says in the log, kept for laws that look into it.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The most lines that are kept. What is beyond is counted.
const MOST: usize = 20_000;

static LINES: Mutex<(Vec<String>, usize)> = Mutex::new((Vec::new(), 0));

struct Ear;

/// From now on lines are kept.
pub(crate) fn listen() {
    // A process has one law, so one ear.
    drop(tracing::subscriber::set_global_default(Ear));
}

/// Everything that was said so far.
pub(crate) fn everything() -> Vec<String> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
}

/// How many lines were said so far.
pub(crate) fn count() -> usize {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).1
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "zonestack::plugin"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        lines.1 += 1;
        if lines.0.len() < MOST {
            lines.0.push(text.0);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        // Writing to a String does not fail.
        let _ = write!(self.0, "{value:?} ");
    }
}
