//! A plan becomes tasks: what can be carried out on its own, with what it waits for. Pure.

use std::collections::BTreeMap;

use crate::name::ResourceId;
use crate::plan::{Plan, Wait, Work};
use crate::resource::Until;

/// Which part of its step a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The deletion of a replacement.
    Demolish,
    /// The creation of a replacement.
    Rebuild,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// Index of its step in the plan.
    pub(crate) step: usize,
    pub(crate) part: Part,
    /// Indices of the tasks that it waits for.
    pub(crate) after: Vec<(usize, Until)>,
}

/// The tasks of a plan. A replaced resource is deleted after whatever needs it and is replaced too, and made before that.
pub(crate) fn tasks(plan: &Plan) -> Vec<Task> {
    let is_replaced = |step: usize| matches!(plan.steps[step].work, Work::Replace { .. });
    let replaced: Vec<usize> = (0..plan.steps.len()).filter(|step| is_replaced(*step)).collect();
    let demolish_at: BTreeMap<usize, usize> =
        replaced.iter().enumerate().map(|(task, step)| (*step, task)).collect();
    let main = |step: usize| replaced.len() + step;

    let mut tasks: Vec<Task> = Vec::with_capacity(replaced.len() + plan.steps.len());
    for step in &replaced {
        let id: &ResourceId = &plan.steps[*step].id;
        let dependents = replaced.iter().filter(|other| plan.steps[**other].needs.contains(id));
        let mut after: Vec<(usize, Until)> =
            dependents.map(|dependent| (demolish_at[dependent], Until::Ready)).collect();
        // What merely changes because of the replacement does so afterwards; what is stopped for it stops before, and
        // its own protection is cleared before.
        after.extend(plan.steps[*step].after.iter().filter_map(|wait| {
            let is_stop = plan.steps[wait.step].id != *id
                && plan.steps.iter().skip(wait.step + 1).any(|s| s.id == plan.steps[wait.step].id);
            let is_clearing = matches!(plan.steps[wait.step].work, Work::Set { .. });
            (is_stop || is_clearing).then_some((main(wait.step), Until::Ready))
        }));
        tasks.push(Task { step: *step, part: Part::Demolish, after });
    }
    for (index, step) in plan.steps.iter().enumerate() {
        let wait = |wait: &Wait| (main(wait.step), wait.until);
        let mut after: Vec<(usize, Until)> = step.after.iter().map(wait).collect();
        let part = match demolish_at.get(&index) {
            Some(demolish) => {
                after.push((*demolish, Until::Ready));
                Part::Rebuild
            }
            None => Part::Whole,
        };
        tasks.push(Task { step: index, part, after });
    }
    tasks
}
