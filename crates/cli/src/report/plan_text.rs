//! A plan for people: grouped by component, each step with its reason and its changed fields.

use std::fmt::Write as _;

use serde_json::Value as Json;
use zonestack_core::kind::Effect;
use zonestack_core::plan::{Action, Change, Plan, Step, shown};

use super::style::Style;

/// The longest value that is shown whole.
const LONGEST_VALUE: usize = 60;

/// The plan. What stays as it is is counted, and listed only when `all` is set.
pub(crate) fn plan(plan: &Plan, all: bool, style: Style) -> String {
    let mut out = String::new();
    let width = plan.steps.iter().map(|step| title(step).chars().count()).max().unwrap_or(0);
    let mut component = None;
    for step in &plan.steps {
        if step.action == Action::Keep && !all {
            continue;
        }
        if component != Some(&step.id.component) {
            let gap = if out.is_empty() { "" } else { "\n" };
            let _ = writeln!(out, "{gap}{}", style.bold(step.id.component.as_str()));
            component = Some(&step.id.component);
        }
        one(&mut out, step, width, style);
    }
    for advisory in &plan.advisories {
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(
            out,
            "{gap}{} {} ({})\n{}",
            style.warn("!"),
            style.bold(&advisory.code),
            advisory.component,
            wrapped(&advisory.message, "  ")
        );
        if let Some(hint) = &advisory.hint {
            let _ = writeln!(out, "{}", wrapped(&format!("hint: {hint}"), "  "));
        }
    }
    for guard in &plan.guards {
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(
            out,
            "{gap}{} {}\n{}\n{}",
            style.bad("✗"),
            style.bold(guard.code),
            wrapped(&guard.message, "  "),
            wrapped(&format!("hint: {}", guard.hint), "  ")
        );
    }
    let gap = if out.is_empty() { "" } else { "\n" };
    let _ = writeln!(out, "{gap}{}", summary(plan, style));
    out
}

/// One line: how many steps of each action.
pub(crate) fn summary(plan: &Plan, style: Style) -> String {
    let summary = plan.summary();
    let counts: Vec<String> = Action::ALL
        .iter()
        .filter(|action| summary[*action] > 0)
        .map(|action| format!("{} to {}", summary[action], action.as_str()))
        .collect();
    let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    if plan.has_changes() {
        format!("{} {counts}.", style.bold("Plan:"))
    } else {
        format!("{} {counts}. Nothing to do.", style.bold("Plan:"))
    }
}

fn title(step: &Step) -> String {
    match &step.id.zone {
        Some(zone) => format!("{}@{zone}", step.id.name),
        None => step.id.name.clone(),
    }
}

fn one(out: &mut String, step: &Step, width: usize, style: Style) {
    let title = format!("{:width$}", title(step));
    let _ = writeln!(
        out,
        "  {} {title}  {:7}  {}",
        style.action(step.action),
        step.action.as_str(),
        style.dim(&step.reason)
    );
    for change in &step.changes {
        let _ = writeln!(out, "      {}", self::change(change, style));
    }
    if let Some(hint) = &step.hint {
        let _ = writeln!(out, "{}", wrapped(&format!("hint: {hint}"), "      "));
    }
}

/// `~ class: db.t4g.medium → db.m7g.large (outage, in the maintenance window)`
pub(crate) fn change(change: &Change, style: Style) -> String {
    let path = &change.label;
    let effect = match change.effect {
        Effect::InPlace => String::new(),
        effect => format!(" ({})", effect.as_str()),
    };
    let (from, to) = (change.difference.from.as_ref(), change.difference.to.as_ref());
    match (from, to) {
        (None, Some(to)) => format!("{} {path}: {}{effect}", style.good("+"), value(to)),
        (Some(from), None) => format!("{} {path}: {}{effect}", style.bad("-"), value(from)),
        (from, to) => format!(
            "{} {path}: {} → {}{effect}",
            style.warn("~"),
            from.map(value).unwrap_or_default(),
            to.map(value).unwrap_or_default()
        ),
    }
}

fn value(json: &Json) -> String {
    let text = match shown(json) {
        Json::String(text) => text,
        json => json.to_string(),
    };
    if text.chars().count() <= LONGEST_VALUE {
        return text;
    }
    let short: String = text.chars().take(LONGEST_VALUE - 1).collect();
    format!("{short}…")
}

/// Breaks a text at about 100 columns.
pub(crate) fn wrapped(text: &str, indent: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > WIDTH - indent.len() {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}
