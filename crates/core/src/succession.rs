//! A data store that takes the place of another one: under a new name, or as another type after a change of `use`. It would
//! start empty, and what uses it would not notice; so that has to be said. Pure.

use crate::interface::how_to_move;
use crate::plan::{Action, Advisory, Step, Work};
use crate::resource::DataClass;
use crate::situation::Situation;
use crate::value::{Value, is_marker};

/// Refuses successors that nobody spoke of; gives what is to be known of the others.
pub(crate) fn settle(situation: Situation<'_>, steps: &mut [Step]) -> Vec<Advisory> {
    let kept: Vec<Step> = steps
        .iter()
        .filter(|step| step.data == DataClass::Data && step.action == Action::Retain)
        .cloned()
        .collect();
    // What is in a cache goes with it: nobody may expect to find it in the next one.
    let given_up: Vec<Step> = steps
        .iter()
        .filter(|step| step.data == DataClass::Cache && step.action == Action::Delete)
        .chain(&kept)
        .cloned()
        .collect();
    let mut advisories = Vec::new();
    for step in steps.iter_mut() {
        if step.action != Action::Create || step.data != DataClass::Data {
            continue;
        }
        let component = &step.id.component;
        let permitted = situation.permits.recreate.contains(component);
        let predecessor =
            given_up.iter().rfind(|old| old.id.component == *component && old.kind != step.kind);
        let renamed = kept.iter().find(|old| old.kind == step.kind && old.work == Work::Retain);
        match (predecessor, renamed) {
            (Some(old), _) if permitted || is_settled(situation, step) => {
                advisories.push(left_behind(situation, old, step));
            }
            (Some(old), _) => {
                let hint = how_to_go_on(situation, old, step);
                let reason = format!("would start empty, while {}", fate(old));
                refuse(step, reason, hint);
            }
            (None, Some(old)) if !permitted => {
                let reason =
                    format!("would start empty, while {} with its data is given up", old.id);
                let hint = format!(
                    "if it is the same under a new name, write `renamed_from: {}` beside its `use`; if an empty one is meant, run with --recreate {component}",
                    old.id.component
                );
                refuse(step, reason, hint);
            }
            (None, _) => {}
        }
    }
    advisories
}

fn refuse(step: &mut Step, reason: String, hint: String) {
    step.action = Action::Refuse;
    step.work = Work::Nothing;
    step.reason = reason;
    step.hint = Some(hint);
}

/// Whether the stack file says what the new store starts with: nothing, or a copy.
fn is_settled(situation: Situation<'_>, step: &Step) -> bool {
    let role = situation.desired.roles.get(&step.id.component);
    role.is_some_and(|role| role.starts_empty) || is_restored(situation, step)
}

fn is_restored(situation: Situation<'_>, step: &Step) -> bool {
    let path = situation.kinds.get(&step.kind).and_then(|kind| kind.restores_from);
    let resource = situation.desired.get(&step.id);
    let source = path.and_then(|path| resource?.spec.at(path).map(Value::to_json));
    source.is_some_and(|source| !source.is_null() && !is_marker(&source))
}

fn known(step: &Step) -> String {
    match &step.known_as {
        Some(name) => format!("{} ({name})", step.id),
        None => step.id.to_string(),
    }
}

fn fate(old: &Step) -> String {
    match old.action {
        Action::Retain => format!("{} keeps the data", known(old)),
        _ => format!("{} goes with what is in it", known(old)),
    }
}

fn moving(situation: Situation<'_>, step: &Step) -> &'static str {
    let role = situation.desired.roles.get(&step.id.component);
    how_to_move(role.and_then(|role| role.provides.first()).copied().unwrap_or_default())
}

fn how_to_go_on(situation: Situation<'_>, old: &Step, step: &Step) -> String {
    let restores = situation.kinds.get(&step.kind).is_some_and(|kind| kind.restores_from.is_some());
    let copy = if restores {
        "to fill it from a copy, name one in its settings (`fromSnapshot` or `fromBackup`); "
    } else {
        ""
    };
    format!(
        "nothing is moved by itself. To move the data, leave {} as it is, add the new one as a second component, {}, and then name it in `needs`; {copy}to start with nothing, write `data: start-empty` beside its `use`",
        old.id.component,
        moving(situation, step)
    )
}

fn left_behind(situation: Situation<'_>, old: &Step, step: &Step) -> Advisory {
    let starts = if is_restored(situation, step) { "starts from the copy" } else { "starts empty" };
    Advisory {
        code: "data-not-moved".to_owned(),
        component: step.id.component.clone(),
        message: format!(
            "{} {starts}; {} and is used by nothing any more; nothing is moved by itself",
            step.id,
            fate(old)
        ),
        hint: (old.action == Action::Retain)
            .then(|| format!("to move the data later: {}", moving(situation, step))),
    }
}
