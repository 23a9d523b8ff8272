//! Desired, observed and remembered become a plan. A pure, total function: whatever it is given, there is a plan; what must
//! not be done is a step that refuses.

use std::collections::{BTreeMap, BTreeSet};

use crate::decision::{Decision, decide};
use crate::desired::Desired;
use crate::diagnostic::{Diagnostic, Severity};
use crate::driver::{Difference, Target};
use crate::inventory::{Entry, EntryState};
use crate::kind::Effect;
use crate::name::{ComponentName, ResourceId};
use crate::observe::target;
use crate::plan::{Action, Advisory, Change, Plan, Step, Wait, Work, label};
use crate::removal;
use crate::resource::{DataClass, Need, Resource, Until};
use crate::situation::Situation;
use crate::succession;
use crate::value::Value;

/// The plan.
pub fn plan(situation: Situation<'_>) -> Plan {
    let decisions = replace_dependents(situation, decide_all(situation));
    let mut steps = wanted_steps(situation, &decisions);
    removal::append(situation, &mut steps);
    let mut advisories = advisories(situation.desired);
    advisories.extend(succession::settle(situation, &mut steps));
    advisories.extend(keys_go(&steps));
    Plan { steps, advisories, guards: Vec::new() }
}

/// A last copy of data without the keys that read it is half a copy: told while there is still time to save them.
fn keys_go(steps: &[Step]) -> Option<Advisory> {
    let leaves_copy = steps.iter().any(
        |step| matches!(&step.work, Work::Delete { deletion, .. } if deletion.final_copy.is_some()),
    );
    let keys: Vec<&Step> = steps
        .iter()
        .filter(|step| step.action == Action::Delete && step.data == DataClass::Key)
        .collect();
    let first = keys.first().filter(|_| leaves_copy)?;
    let names: Vec<&str> = keys.iter().filter_map(|step| step.known_as.as_deref()).collect();
    Some(Advisory {
        code: "keys-go-with-data".to_owned(),
        component: first.id.component.clone(),
        message: format!(
            "the final snapshot stays, but the keys that read what is encrypted in it go: {}",
            names.join(", ")
        ),
        hint: Some("save them first: kubectl get secret NAME -o yaml".to_owned()),
    })
}

fn advisories(desired: &Desired) -> Vec<Advisory> {
    let advisory = |finding: &Diagnostic| Advisory {
        code: finding.code.to_owned(),
        component: finding.component.clone().unwrap_or_else(ComponentName::stack),
        message: finding.message.clone(),
        hint: finding.hint.clone(),
    };
    desired.findings.iter().filter(|f| f.severity == Severity::Advisory).map(advisory).collect()
}

/// The specification with every reference resolved whose producer stays as it is.
fn resolved(situation: Situation<'_>, resource: &Resource, made: &BTreeSet<ResourceId>) -> Value {
    resource.spec.resolve(&|reference| {
        (!made.contains(&reference.resource))
            .then(|| situation.observed.output(reference))
            .flatten()
    })
}

/// A decision for each wanted resource, in the order of the graph.
fn decide_all(situation: Situation<'_>) -> Vec<Decision> {
    let mut made = BTreeSet::new();
    let mut decisions = Vec::with_capacity(situation.desired.resources.len());
    for resource in &situation.desired.resources {
        let decision = match situation.kinds.get(&resource.kind) {
            Some(declaration) => decide(
                resource,
                &resolved(situation, resource, &made),
                situation.entry(&resource.id),
                &situation.observed.get(&resource.id),
                declaration,
                situation.permits,
            ),
            None => Decision {
                action: Action::Refuse,
                changes: Vec::new(),
                reason: format!("no driver for the kind {}", resource.kind),
                hint: Some("install the plugin that has it".to_owned()),
                ours: true,
            },
        };
        if matches!(decision.action, Action::Create | Action::Replace) {
            made.insert(resource.id.clone());
        }
        decisions.push(decision);
    }
    decisions
}

/// What cannot let go of a replaced resource while running is replaced with it.
fn replace_dependents(situation: Situation<'_>, mut decisions: Vec<Decision>) -> Vec<Decision> {
    let resources = &situation.desired.resources;
    let mut pulling: BTreeSet<&ResourceId> = BTreeSet::new();
    for index in 0..resources.len() {
        let resource = &resources[index];
        let needed = resource.all_needs();
        let cause = needed.iter().find(|need| pulling.contains(&need.id));
        let is_there =
            matches!(decisions[index].action, Action::Keep | Action::Update | Action::Adopt)
                && decisions[index].ours;
        if let (Some(cause), true, false) = (cause, is_there, resource.data.is_kept()) {
            decisions[index].action = Action::Replace;
            decisions[index].reason = format!("needs {}, which is replaced", cause.id);
        }
        let pulls = situation.kinds.get(&resource.kind).is_some_and(|k| k.replaces_dependents);
        if decisions[index].action == Action::Replace && pulls {
            pulling.insert(&resource.id);
        }
    }
    decisions
}

/// The step that clears the protection of data whose replacement was named.
fn clearing(situation: Situation<'_>, resource: &Resource, decision: &Decision) -> Option<Step> {
    let entry = situation.entry(&resource.id).filter(|_| resource.data.is_kept())?;
    let reason = || format!("cleared because --replace names {}", resource.id);
    (decision.action == Action::Replace)
        .then(|| removal::unprotect(situation, &resource.id, entry, reason))
        .flatten()
}

/// Steps for what is wanted: stops and cleared protections first, then each resource in the order of the graph.
fn wanted_steps(situation: Situation<'_>, decisions: &[Decision]) -> Vec<Step> {
    let resources = &situation.desired.resources;
    let by_id: BTreeMap<&ResourceId, usize> =
        resources.iter().enumerate().map(|(index, resource)| (&resource.id, index)).collect();
    let halts: BTreeMap<usize, Step> = (0..resources.len())
        .filter_map(|index| Some((index, stop(situation, decisions, &by_id, index)?)))
        .collect();
    let clearings: BTreeMap<usize, Step> = (0..resources.len())
        .filter_map(|at| Some((at, clearing(situation, &resources[at], &decisions[at])?)))
        .collect();
    let offset = halts.len() + clearings.len();
    let cleared_at: BTreeMap<usize, usize> =
        clearings.keys().enumerate().map(|(at, index)| (*index, halts.len() + at)).collect();
    let halt_at: BTreeMap<usize, usize> =
        halts.keys().enumerate().map(|(position, index)| (*index, position)).collect();

    let main = |index: usize| offset + index;
    let waits = |index: usize, without: Option<&ResourceId>| -> Vec<Wait> {
        let needs = resources[index].all_needs().into_iter();
        needs
            .filter(|need| Some(&need.id) != without)
            .filter_map(|need| wait(&need, decisions, index, *by_id.get(&need.id)?, main))
            .collect()
    };
    let mut steps: Vec<Step> = Vec::with_capacity(offset + resources.len());
    for (index, mut step) in halts.clone() {
        let leader = resources[index].stop_for.as_ref().map(|stop| &stop.leader);
        step.after = waits(index, leader);
        steps.push(step);
    }
    steps.extend(clearings.into_values());
    for (index, decision) in decisions.iter().enumerate() {
        let resource = &resources[index];
        let mut step = step(situation, resource, decision);
        if !step.is_noop() {
            step.after = waits(index, None);
            let before = halt_at.get(&index).into_iter().chain(cleared_at.get(&index));
            step.after.extend(before.map(|s| Wait { step: *s, until: Until::Ready }));
            for follower in halts.keys().filter(|follower| {
                resources[**follower].stop_for.as_ref().is_some_and(|s| s.leader == resource.id)
            }) {
                step.after.push(Wait { step: halt_at[follower], until: Until::Ready });
            }
        }
        steps.push(step);
    }
    steps
}

/// An update waits for readiness only of what this plan changes; a creation waits for all that it needs.
fn wait(
    need: &Need,
    decisions: &[Decision],
    index: usize,
    needed: usize,
    main: impl Fn(usize) -> usize,
) -> Option<Wait> {
    let is_new = matches!(decisions[index].action, Action::Create | Action::Replace);
    let unchanged = decisions[needed].action == Action::Keep;
    match (unchanged, is_new) {
        (true, false) => None,
        _ => Some(Wait { step: main(needed), until: need.until }),
    }
}

fn step(situation: Situation<'_>, resource: &Resource, decision: &Decision) -> Step {
    let entry = situation.entry(&resource.id);
    let found = situation.observed.get(&resource.id);
    let mut to = target(resource, entry, situation.owner, situation.kinds);
    to.remote_id = found.remote_id.clone().or(to.remote_id);
    let boxed = || Box::new(resource.clone());
    let work = match decision.action {
        Action::Keep => Work::Await(boxed(), to),
        Action::Create => {
            let generation = entry.map_or(1, next_generation);
            let target = Target { remote_id: None, ..to };
            Work::Apply { resource: boxed(), target, generation, exists: false }
        }
        Action::Update | Action::Adopt => {
            let generation = entry.map_or(1, |entry| entry.generation);
            Work::Apply { resource: boxed(), target: to, generation, exists: true }
        }
        Action::Replace => {
            let generation = entry.map_or(2, |entry| entry.generation + 1);
            let deletion = entry
                .map(|entry| removal::deletion(situation, &resource.id, entry))
                .unwrap_or_default();
            Work::Replace { resource: boxed(), old: to, deletion, generation }
        }
        Action::Delete | Action::Retain | Action::Refuse => Work::Nothing,
    };
    Step {
        action: decision.action,
        id: resource.id.clone(),
        kind: resource.kind.clone(),
        known_as: resource.name.clone().or(found.remote_id),
        data: resource.data,
        changes: decision.changes.clone(),
        reason: decision.reason.clone(),
        hint: decision.hint.clone(),
        work,
        after: Vec::new(),
        needs: resource.all_needs().into_iter().map(|need| need.id).collect(),
    }
}

/// A creation that was begun keeps its generation, so that its token finds what it may have made.
fn next_generation(entry: &Entry) -> u32 {
    match entry.state {
        EntryState::Creating => entry.generation,
        _ => entry.generation + 1,
    }
}

/// The step that stops a follower before its leader changes, when it must.
fn stop(
    situation: Situation<'_>,
    decisions: &[Decision],
    by_id: &BTreeMap<&ResourceId, usize>,
    index: usize,
) -> Option<Step> {
    let resource = &situation.desired.resources[index];
    let rule = resource.stop_for.as_ref()?;
    let leader = &decisions[*by_id.get(&rule.leader)?];
    let leader_changes = matches!(leader.action, Action::Update | Action::Replace | Action::Adopt)
        && leader.changes.iter().any(|change| {
            rule.when.iter().any(|path| change.difference.path.starts_with(path.as_str()))
        });
    let running = matches!(decisions[index].action, Action::Update | Action::Keep | Action::Adopt);
    if !leader_changes || !running {
        return None;
    }
    let found = situation.observed.get(&resource.id);
    let changes: Vec<Change> = rule
        .set
        .iter()
        .filter_map(|(path, to)| {
            let from = found.attributes.pointer(path).cloned();
            (from.as_ref() != Some(to)).then(|| Change {
                label: label(&resource.spec, path),
                difference: Difference { path: path.clone(), from, to: Some(to.clone()) },
                effect: Effect::Outage,
            })
        })
        .collect();
    if changes.is_empty() {
        return None;
    }
    let mut stopped = resource.clone();
    for (path, to) in &rule.set {
        stopped.spec.set(path, Value::from(to.clone()));
    }
    let decision = Decision {
        action: Action::Update,
        changes,
        reason: format!("stops while {} changes", rule.leader),
        hint: None,
        ours: true,
    };
    Some(step(situation, &stopped, &decision))
}
