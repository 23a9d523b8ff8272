//! A status for people.

use std::fmt::Write as _;

use zonestack_core::status::{Health, StackStatus};

use super::plan_text;
use super::style::Style;

/// The status: a line for each component in each zone, then what is not ready, then drift.
pub(crate) fn status(status: &StackStatus, style: Style) -> String {
    let mut out = String::new();
    let component =
        status.rows.iter().map(|row| row.component.as_str().len()).max().unwrap_or(0).max(9);
    let zone = |row: &zonestack_core::status::Row| {
        row.zone.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
    };
    let zones = status.rows.iter().map(|row| zone(row).len()).max().unwrap_or(0).max(4);
    let _ =
        writeln!(out, "{:component$}  {:zones$}  {:8}  RESOURCES", "COMPONENT", "ZONE", "STATE");
    for row in &status.rows {
        let word = format!("{:8}", row.health.as_str());
        let word = match row.health {
            Health::Ready => style.good(&word),
            Health::Degraded => style.warn(&word),
            Health::Missing => style.bad(&word),
        };
        let _ = writeln!(
            out,
            "{:component$}  {:zones$}  {word}  {} of {} ready",
            row.component,
            zone(row),
            row.ready,
            row.total
        );
    }
    for trouble in status.rows.iter().flat_map(|row| &row.troubles) {
        let _ = writeln!(out, "{} {}: {}", style.warn("!"), trouble.id, trouble.state);
    }
    if status.drift.is_empty() {
        let _ = writeln!(out, "\nAs in the stack file: nothing to do.");
    } else {
        let _ = writeln!(out, "\nDifferent from the stack file; `zonestack up` would:");
        for drift in &status.drift {
            let _ = writeln!(
                out,
                "  {} {} {}  {}",
                style.action(drift.action),
                drift.action.as_str(),
                drift.id,
                style.dim(&drift.reason)
            );
            for change in &drift.changes {
                let _ = writeln!(out, "      {}", plan_text::change(change, style));
            }
        }
    }
    out
}
