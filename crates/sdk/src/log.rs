//! What the plugin's libraries log, sent to the host.

use std::cell::Cell;
use std::fmt::{Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::host::Host;
use crate::message::LogLine;

thread_local! {
    /// Whether this thread is sending: what that logs is not sent.
    static SENDING: Cell<bool> = const { Cell::new(false) };
}

/// Sends events at `INFO` and above.
struct ToHost(Host);

/// From now on events of this library go to the host, unless the plugin has a subscriber of its own.
pub(crate) fn install(host: &Host) {
    drop(tracing::subscriber::set_global_default(ToHost(host.clone())));
}

impl Subscriber for ToHost {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if SENDING.replace(true) {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        self.0.log(&LogLine {
            level: event.metadata().level().as_str().to_lowercase(),
            target: event.metadata().target().to_owned(),
            text: text.message + &text.fields,
        });
        SENDING.set(false);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
