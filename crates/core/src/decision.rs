//! What happens to one wanted resource, from what it shall be, what is there and what is remembered. Pure.

use serde_json::Value as Json;

use crate::difference::differences;
use crate::driver::{Difference, Observation, Ownership, Status};
use crate::inventory::{Entry, EntryState};
use crate::kind::{Direction, Effect, KindDeclaration};
use crate::plan::{Action, Change, label};
use crate::resource::{DataClass, Foreign, Resource, UpgradeRule};
use crate::situation::Permits;
use crate::value::{Value, is_marker};

/// The outcome for one resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) action: Action,
    pub(crate) changes: Vec<Change>,
    pub(crate) reason: String,
    pub(crate) hint: Option<String>,
    /// False for a stranger that is used as it is.
    pub(crate) ours: bool,
}

impl Decision {
    fn new(action: Action, reason: impl Into<String>) -> Self {
        Self { action, changes: Vec::new(), reason: reason.into(), hint: None, ours: true }
    }

    fn refuse(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::new(Action::Refuse, reason) }
    }
}

/// Decides. `spec` is the resource's specification with every reference resolved that will still hold.
pub(crate) fn decide(
    resource: &Resource,
    spec: &Value,
    entry: Option<&Entry>,
    found: &Observation,
    declaration: &KindDeclaration,
    permits: &Permits,
) -> Decision {
    let name = resource.name.as_deref().or(found.remote_id.as_deref()).unwrap_or("it");
    let remembered = entry.filter(|entry| entry.ours);
    match &found.status {
        Status::Absent => match &resource.adopt {
            Some(given) if remembered.is_none() => Decision::refuse(
                format!("adopt: names {given}, which is not there"),
                "correct the id or name in the stack file; or take it out, to make a new one",
            ),
            _ => absent(resource, remembered, name, permits),
        },
        Status::Deleting => {
            Decision::new(Action::Create, "is being deleted; made again as soon as it is gone")
        }
        _ if is_ours(found, remembered) => {
            present(resource, spec, entry, found, declaration, permits)
        }
        _ if resource.adopt.is_some() => {
            let reason = "was there before; becomes the stack's own, as adopt: says".to_owned();
            let decision = present(resource, spec, entry, found, declaration, permits);
            match decision.action {
                Action::Keep | Action::Update => {
                    Decision { action: Action::Adopt, reason, ..decision }
                }
                Action::Adopt => Decision { reason, ..decision },
                _ => decision,
            }
        }
        _ if resource.foreign == Foreign::Use => Decision {
            ours: false,
            ..Decision::new(
                Action::Keep,
                "was there before; used as it is, never changed or deleted",
            )
        },
        _ => Decision::refuse(
            format!("{name} exists, but this stack did not make it"),
            format!(
                "choose another name for the stack or the component; or, if it shall be the stack's own, name it: `adopt: {{ {}: {} }}`",
                resource.id.local(),
                resource.name.as_deref().or(found.remote_id.as_deref()).unwrap_or("ID"),
            ),
        ),
    }
}

/// Ours by its marks; or by its remembered id, when somebody stripped the marks.
fn is_ours(found: &Observation, remembered: Option<&Entry>) -> bool {
    let same_id =
        remembered.is_some_and(|e| e.remote_id.is_some() && e.remote_id == found.remote_id);
    found.ownership == Ownership::Ours || same_id
}

fn absent(
    resource: &Resource,
    remembered: Option<&Entry>,
    name: &str,
    permits: &Permits,
) -> Decision {
    let may_recreate = permits.recreate.contains(&resource.id.component);
    let was_live =
        remembered.is_some_and(|e| matches!(e.state, EntryState::Live | EntryState::Retained));
    let component = &resource.id.component;
    match (was_live, resource.data) {
        (true, DataClass::Data | DataClass::Key) if !may_recreate => Decision::refuse(
            format!(
                "{} held {}, and somebody deleted it outside zonestack",
                remembered.and_then(|e| e.remote_id.as_deref()).unwrap_or(name),
                if resource.data == DataClass::Key { "keys that data needs" } else { "data" },
            ),
            format!(
                "restore it from a backup; or, to start with an empty one, run `zonestack up --recreate {component}`"
            ),
        ),
        (true, _) => Decision::new(Action::Create, "was deleted outside zonestack"),
        (false, _) => Decision::new(Action::Create, "does not exist"),
    }
}

fn present(
    resource: &Resource,
    spec: &Value,
    entry: Option<&Entry>,
    found: &Observation,
    declaration: &KindDeclaration,
    permits: &Permits,
) -> Decision {
    let changes: Vec<Change> = differences(spec, &found.attributes)
        .into_iter()
        .map(|difference| Change {
            effect: effect(&difference, declaration),
            label: label(spec, &difference.path),
            difference,
        })
        .collect();
    if let Some(violation) = resource.upgrade.as_ref().and_then(|rule| upgrade(rule, &changes)) {
        return Decision { changes, ..violation };
    }
    if changes.iter().any(|change| change.effect == Effect::Replace) {
        let name = resource.name.as_deref().or(found.remote_id.as_deref()).unwrap_or("it");
        return replacement(resource, changes, declaration, name, permits);
    }
    let state = entry.map(|entry| entry.state);
    let (action, reason) = match (changes.is_empty(), state) {
        (true, Some(EntryState::Live)) => (Action::Keep, kept_because(found)),
        (false, Some(EntryState::Live)) => (Action::Update, updated_because(&changes)),
        (_, Some(EntryState::Retained)) => {
            (Action::Adopt, "was kept when its component went; taken up again".to_owned())
        }
        (_, Some(EntryState::Deleting)) => {
            (Action::Adopt, "was about to be deleted; taken up again".to_owned())
        }
        (_, Some(EntryState::Creating) | None) => {
            (Action::Adopt, "was made by a run that did not finish; taken up again".to_owned())
        }
    };
    Decision { changes, ..Decision::new(action, reason) }
}

fn kept_because(found: &Observation) -> String {
    match &found.status {
        Status::Failed(state) => format!("as wanted, but failed: {state}"),
        Status::Pending(state) => format!("as wanted, not ready: {state}"),
        _ => "as wanted".to_owned(),
    }
}

fn updated_because(changes: &[Change]) -> String {
    let fields: Vec<&str> =
        changes.iter().map(|change| change.label.rsplit('.').next().unwrap_or_default()).collect();
    match fields.as_slice() {
        [only] => format!("{only} differs"),
        [first, rest @ ..] => format!("{first} and {} more differ", rest.len()),
        [] => String::new(),
    }
}

fn replacement(
    resource: &Resource,
    changes: Vec<Change>,
    declaration: &KindDeclaration,
    name: &str,
    permits: &Permits,
) -> Decision {
    let replacing = || changes.iter().filter(|change| change.effect == Effect::Replace);
    let fields: Vec<&str> = replacing().map(|change| change.label.as_str()).collect();
    let fields = fields.join(", ");
    let named = permits.replace.contains(&resource.id);
    let decision = if resource.data.is_kept() && !named {
        let shrinks = replacing().all(|c| {
            declaration.rule(&c.difference.path).direction == Direction::Up
                && declaration.rule(&c.difference.path).effect != Effect::Replace
        });
        let how = if shrinks { "can only go up" } else { "can only change" };
        Decision::refuse(
            format!("{fields} of {name} {how} unless it is deleted, and it holds data"),
            format!(
                "put {fields} back; or make a new component beside {}, move the data there, and remove the old one; or, to \
                 delete it and start with an empty one, name it: --replace {}",
                resource.id.component, resource.id
            ),
        )
    } else if resource.data.is_kept() {
        let reason =
            format!("{fields} cannot change in place; made again, empty, as --replace says");
        Decision::new(Action::Replace, reason)
    } else {
        Decision::new(Action::Replace, format!("{fields} cannot change in place"))
    };
    Decision { changes, ..decision }
}

/// The effect of a difference by its kind's rules.
fn effect(difference: &Difference, declaration: &KindDeclaration) -> Effect {
    let rule = declaration.rule(&difference.path);
    let up = rule.direction == Direction::Any
        || match (&difference.from, &difference.to) {
            (Some(from), Some(to)) => is_marker(to) || number(to) >= number(from),
            _ => true,
        };
    if up { rule.effect } else { Effect::Replace }
}

/// A number, or a dotted version, as something that compares by number.
fn number(json: &Json) -> Vec<u64> {
    let text = json.as_str().map_or_else(|| json.to_string(), ToOwned::to_owned);
    text.split('.').map_while(|part| part.parse().ok()).collect()
}

/// Checks a change of version against an application's rule: no downgrade, no skipped stop.
fn upgrade(rule: &UpgradeRule, changes: &[Change]) -> Option<Decision> {
    let change = changes.iter().find(|change| change.difference.path == rule.path)?;
    let version = |json: &Option<Json>| {
        let text = json.as_ref()?.as_str()?;
        let version = text.rsplit_once(':')?.1;
        let numbers = number(&version.split(['-', '+']).next()?.into());
        (numbers.len() >= 2).then_some((version.to_owned(), numbers))
    };
    let (from_text, from) = version(&change.difference.from)?;
    let (to_text, to) = version(&change.difference.to)?;
    if to < from {
        return Some(Decision::refuse(
            format!("{} {from_text} cannot go back to {to_text}", rule.subject),
            format!("keep {from_text}, or restore a backup made with {to_text} into a new stack"),
        ));
    }
    let stop = next_stop(rule, (from[0], from[1]));
    ((to[0], to[1]) > stop).then(|| {
        Decision::refuse(
            format!(
                "{} must stop at {}.{} on its way from {from_text} to {to_text}",
                rule.subject, stop.0, stop.1
            ),
            format!(
                "upgrade to {}.{} first and let its background migrations finish: {}",
                stop.0, stop.1, rule.source
            ),
        )
    })
}

/// The first required stop after a version.
fn next_stop(rule: &UpgradeRule, (major, minor): (u64, u64)) -> (u64, u64) {
    match rule.stops.iter().find(|stop| **stop > minor) {
        Some(stop) => (major, *stop),
        None => (major + 1, rule.stops.first().copied().unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_upgrade(from: &str, to: &str, expected: Option<&str>) {
        let rule = UpgradeRule {
            path: "/image".to_owned(),
            subject: "GitLab".to_owned(),
            stops: vec![2, 5, 8, 11],
            source: "the upgrade path".to_owned(),
        };
        let change = Change {
            difference: Difference {
                path: "/image".to_owned(),
                from: Some(json!(format!("gitlab:{from}"))),
                to: Some(json!(format!("gitlab:{to}"))),
            },
            label: "image".to_owned(),
            effect: Effect::InPlace,
        };
        let reason = upgrade(&rule, &[change]).map(|decision| decision.reason);
        assert_eq!(reason.as_deref(), expected);
    }

    #[test]
    fn upgrades_go_up_and_stop_where_they_must() {
        check_upgrade("19.2.0", "19.2.1", None);
        check_upgrade("19.2.0", "19.5.0", None);
        check_upgrade("18.11.3", "19.2.0", None);
        check_upgrade("19.2.0", "19.1.9", Some("GitLab 19.2.0 cannot go back to 19.1.9"));
        check_upgrade(
            "19.2.0",
            "19.6.0",
            Some("GitLab must stop at 19.5 on its way from 19.2.0 to 19.6.0"),
        );
        check_upgrade(
            "18.8.0",
            "19.2.0",
            Some("GitLab must stop at 18.11 on its way from 18.8.0 to 19.2.0"),
        );
    }
}
