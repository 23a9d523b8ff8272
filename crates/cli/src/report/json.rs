//! The versioned format for programs: one document for `plan`, `status`, `outputs`; one object per line for `up` and `down`
//! (docs/json.md). Only this file decides its shape.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};
use zonestack_core::event::{Event, Outcome};
use zonestack_core::execute::Report;
use zonestack_core::plan::{Change, Plan, Step, shown};
use zonestack_core::status::StackStatus;

/// The version of the format. Fields are only added within a version.
pub(crate) const VERSION: u32 = 1;

/// A plan.
pub(crate) fn plan(stack: &str, plan: &Plan) -> Json {
    let summary: serde_json::Map<String, Json> = plan
        .summary()
        .into_iter()
        .map(|(action, count)| (action.as_str().to_owned(), count.into()))
        .collect();
    let advisories = plan.advisories.iter().map(|advisory| {
        json!({
            "code": advisory.code,
            "component": advisory.component.as_str(),
            "message": advisory.message,
            "hint": advisory.hint,
        })
    });
    let guards = plan
        .guards
        .iter()
        .map(|guard| json!({ "code": guard.code, "message": guard.message, "hint": guard.hint }));
    json!({
        "version": VERSION,
        "stack": stack,
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "summary": summary,
        "advisories": advisories.collect::<Vec<_>>(),
        "guards": guards.collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Json {
    json!({
        "action": step.action.as_str(),
        "id": step.id.to_string(),
        "kind": step.kind.as_str(),
        "zone": step.id.zone.as_ref().map(ToString::to_string),
        "changes": changes(&step.changes),
        "reason": step.reason,
        "hint": step.hint,
    })
}

fn changes(changes: &[Change]) -> Vec<Json> {
    let change = |change: &Change| {
        json!({
            "path": change.difference.path,
            "from": change.difference.from.as_ref().map(shown),
            "to": change.difference.to.as_ref().map(shown),
            "effect": change.effect.as_str(),
        })
    };
    changes.iter().map(change).collect()
}

/// A status.
pub(crate) fn status(stack: &str, status: &StackStatus) -> Json {
    let rows = status.rows.iter().map(|row| {
        let troubles: Vec<Json> = row
            .troubles
            .iter()
            .map(|trouble| json!({ "id": trouble.id.to_string(), "state": trouble.state }))
            .collect();
        json!({
            "component": row.component.as_str(),
            "zone": row.zone.as_ref().map(ToString::to_string),
            "health": row.health.as_str(),
            "ready": row.ready,
            "total": row.total,
            "troubles": troubles,
        })
    });
    let drift = status.drift.iter().map(|drift| {
        json!({
            "id": drift.id.to_string(),
            "action": drift.action.as_str(),
            "changes": changes(&drift.changes),
            "reason": drift.reason,
        })
    });
    json!({
        "version": VERSION,
        "stack": stack,
        "health": status.health().as_str(),
        "components": rows.collect::<Vec<_>>(),
        "drift": drift.collect::<Vec<_>>(),
    })
}

/// One event of a run.
pub(crate) fn event(plan: &Plan, event: &Event) -> Json {
    let named = |index: usize| {
        let step = &plan.steps[index];
        (step.id.to_string(), step.action.as_str())
    };
    match event {
        Event::Started { step } => {
            let (id, action) = named(*step);
            json!({ "version": VERSION, "event": "started", "id": id, "action": action })
        }
        Event::State { step, state } => {
            let (id, action) = named(*step);
            json!({ "version": VERSION, "event": "state", "id": id, "action": action, "state": state })
        }
        Event::Identified { step, remote_id } => {
            let (id, action) = named(*step);
            json!({
                "version": VERSION, "event": "identified", "id": id, "action": action,
                "remote_id": remote_id,
            })
        }
        Event::Retrying { step, error, pause } => {
            let (id, action) = named(*step);
            json!({
                "version": VERSION, "event": "retrying", "id": id, "action": action,
                "class": error.class.as_str(), "message": error.message, "pause_seconds": seconds(*pause),
            })
        }
        Event::Ended { step, outcome, took } => {
            let (id, action) = named(*step);
            let (word, message) = outcome_words(outcome);
            json!({
                "version": VERSION, "event": "ended", "id": id, "action": action,
                "outcome": word, "message": message, "seconds": seconds(*took),
            })
        }
        Event::InventoryUnreachable { message, pause } => json!({
            "version": VERSION, "event": "inventory-unreachable",
            "message": message, "pause_seconds": seconds(*pause),
        }),
    }
}

/// An outcome as a word, with a message where there is one.
pub(crate) fn outcome_words(outcome: &Outcome) -> (&'static str, Option<String>) {
    match outcome {
        Outcome::Done => ("done", None),
        Outcome::Failed(error) => {
            ("failed", Some(format!("{} ({})", error.message, error.class.as_str())))
        }
        Outcome::Unfinished(why) => ("unfinished", Some(why.clone())),
        Outcome::NotBegun(why) => ("not begun", Some(why.clone())),
        Outcome::Skipped(because) => ("skipped", Some(format!("{because} did not get done"))),
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// The last line of a run: how it ended, and how many of its steps ended how.
pub(crate) fn finished(result: &str, report: &Report) -> Json {
    let mut counts: BTreeMap<&str, usize> =
        ["done", "failed", "unfinished", "not begun", "skipped"].map(|word| (word, 0)).into();
    for outcome in report.outcomes.values() {
        *counts.entry(outcome_words(outcome).0).or_default() += 1;
    }
    json!({
        "version": VERSION, "event": "finished", "result": result,
        "steps": counts, "message": report.halted,
    })
}
