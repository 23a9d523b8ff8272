//! The documents that `--output json` prints, as tests want to read them.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::Outcome;

/// What `plan --output json` prints.
#[derive(Debug)]
pub(crate) struct Plan(pub(crate) Value);

impl Plan {
    #[track_caller]
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let document = outcome.json();
        assert_eq!(document["version"], 1, "{outcome}");
        assert!(document["steps"].is_array(), "{outcome}");
        Self(document)
    }

    pub(crate) fn steps(&self) -> &[Value] {
        self.0["steps"].as_array().unwrap()
    }

    /// How many steps of each action there are; the summary must say the same.
    #[track_caller]
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for step in self.steps() {
            *counts.entry(text(&step["action"]).to_owned()).or_default() += 1;
        }
        let summary = self.0["summary"].as_object().unwrap();
        let summary = summary.iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
        let summary: BTreeMap<String, u64> = summary.filter(|(_, count)| *count > 0).collect();
        assert_eq!(summary, counts);
        counts
    }

    /// Everything but what stays as it is: a line for each step, one for each field, one for each reason to refuse.
    #[track_caller]
    pub(crate) fn changes(&self) -> String {
        self.counts();
        let mut lines = String::new();
        for step in self.steps().iter().filter(|step| step["action"] != "keep") {
            let action = text(&step["action"]);
            let _ = writeln!(lines, "{action} {}", text(&step["id"]));
            for change in step["changes"].as_array().unwrap() {
                let effect = text(&change["effect"]);
                let (from, to) = (shown(&change["from"]), shown(&change["to"]));
                let _ = writeln!(lines, "  {}: {from} → {to} ({effect})", text(&change["path"]));
            }
            if ["refuse", "retain"].contains(&action) {
                let _ = writeln!(lines, "  because {}", text(&step["reason"]));
                if let Some(hint) = step["hint"].as_str() {
                    let _ = writeln!(lines, "  hint: {hint}");
                }
            }
        }
        if lines.is_empty() { "nothing\n".to_owned() } else { without_ids(&lines) }
    }

    /// The ids of the steps with this action.
    pub(crate) fn ids(&self, action: &str) -> Vec<&str> {
        let steps = self.steps().iter().filter(|step| step["action"] == action);
        steps.map(|step| text(&step["id"])).collect()
    }

    /// The codes of the guards that refuse it as a whole.
    pub(crate) fn guards(&self) -> Vec<&str> {
        self.0["guards"].as_array().unwrap().iter().map(|one| text(&one["code"])).collect()
    }

    /// The codes of the advisories.
    pub(crate) fn advisories(&self) -> Vec<&str> {
        self.0["advisories"].as_array().unwrap().iter().map(|one| text(&one["code"])).collect()
    }

    /// Fails the test unless every step keeps what is there.
    #[track_caller]
    pub(crate) fn is_noop(&self) {
        assert_eq!(self.changes(), "nothing\n");
        assert!(!self.steps().is_empty());
    }
}

/// What `status --output json` prints.
#[derive(Debug)]
pub(crate) struct Status(pub(crate) Value);

impl Status {
    #[track_caller]
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let document = outcome.json();
        assert_eq!(document["version"], 1, "{outcome}");
        Self(document)
    }

    /// A line for each component in each zone, and for each drift.
    pub(crate) fn lines(&self) -> String {
        let mut lines = format!("stack: {}\n", text(&self.0["health"]));
        for row in self.0["components"].as_array().unwrap() {
            let zone = row["zone"].as_str().map(|zone| format!("@{zone}")).unwrap_or_default();
            let _ = writeln!(
                lines,
                "{}{zone}: {} {}/{}",
                text(&row["component"]),
                text(&row["health"]),
                row["ready"],
                row["total"]
            );
        }
        for drift in self.0["drift"].as_array().unwrap() {
            let _ = writeln!(lines, "drift: {} {}", text(&drift["action"]), text(&drift["id"]));
        }
        lines
    }
}

/// The text with everything that differs from run to run, and looks it, left out: `fs-0123…` becomes `fs-…`.
pub(crate) fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            run.push(c);
            continue;
        }
        let is_id = run.len() >= 8 && run.contains(|c: char| c.is_ascii_digit());
        out.push_str(if is_id { "…" } else { &run });
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Longer lists are counted.
const LONG: usize = 200;

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if value.to_string().len() > LONG => format!("[{} items]", items.len()),
        other => other.to_string(),
    }
}
