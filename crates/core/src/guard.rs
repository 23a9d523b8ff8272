//! What a plan of `up` must not do by mistake: delete much of a stack, or all of a component that is still in the file. Such
//! plans come from slips of the pen and from broken plugins (reliability.md, B.4.6). Pure.

use std::collections::BTreeMap;

use crate::name::{ComponentName, ResourceId};
use crate::plan::{Action, Guard, Plan, Step, Work};
use crate::removal::has_role_of;
use crate::situation::Situation;
use crate::stack::Stack;

/// Deletions that need no word.
const MOST: usize = 10;
/// The part of a stack whose deletion needs no word, in percent.
const PART: usize = 20;

/// Every guard that refuses the plan.
pub(crate) fn guards(stack: &Stack, situation: Situation<'_>, plan: &Plan) -> Vec<Guard> {
    let deletions = deletions(plan);
    let mut guards: Vec<Guard> = emptied(stack, situation, &deletions);
    guards.extend(many(situation, &deletions));
    guards
}

/// What goes and nothing takes the place of: a resource of the same name in another zone, or in none, does.
fn deletions(plan: &Plan) -> Vec<&Step> {
    let created = || plan.steps.iter().filter(|step| step.action == Action::Create);
    let is_replaced = |id: &ResourceId| created().any(|step| has_role_of(id, &step.id));
    plan.steps
        .iter()
        .filter(|step| matches!(step.work, Work::Delete { .. }) && !is_replaced(&step.id))
        .collect()
}

fn many(situation: Situation<'_>, deletions: &[&Step]) -> Option<Guard> {
    let count = deletions.len();
    let entries = situation.inventory.iter().flat_map(|inventory| inventory.entries.values());
    let all = entries.filter(|entry| entry.ours).count();
    let is_much = count > MOST || count * 100 > all * PART;
    let permitted = situation.permits.max_deletes.is_some_and(|most| count <= most);
    (count > 0 && is_much && !permitted).then(|| Guard {
        code: "many-deletions",
        message: format!("{count} of the stack's {all} resources would be deleted"),
        hint: format!("look through the plan; if it is meant, run with --max-deletes {count}"),
    })
}

/// Components of the file that render to nothing while something of theirs is there.
fn emptied(stack: &Stack, situation: Situation<'_>, deletions: &[&Step]) -> Vec<Guard> {
    let mut gone: BTreeMap<&ComponentName, usize> = BTreeMap::new();
    for step in deletions {
        *gone.entry(&step.id.component).or_default() += 1;
    }
    let wanted = |name: &ComponentName| {
        situation.desired.resources.iter().any(|resource| resource.id.component == *name)
    };
    gone.into_iter()
        .filter(|(name, _)| stack.component(name).is_some() && !wanted(name))
        .map(|(name, count)| Guard {
            code: "empty-component",
            message: format!(
                "{name} is in the stack file but asks for nothing, and {count} resources of it are there"
            ),
            hint: format!(
                "that is a mistake in its plugin; if {name} shall go, take it out of the stack file"
            ),
        })
        .collect()
}
