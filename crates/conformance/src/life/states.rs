//! Every state that a kind declares, and a run that is killed in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, select};
use zonestack_core::clock::Clock as _;
use zonestack_core::driver::{CallContext, Driver as _, Query, Status, Target};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::name::{Kind, ResourceId};
use zonestack_sandbox::{NoFaults, Operation, World};

use super::run::{self, Task};
use super::{BOUNDARIES, Life, Stage};
use crate::drivers::request::{Marked, owner};
use crate::subject::{COMPONENT, Subject};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

/// A moment of a run without faults at which a resource is in a state that its kind declares.
struct Moment {
    task: Task,
    id: ResourceId,
    /// `None` for its end.
    state: Option<&'static str>,
    at: Duration,
}

impl Moment {
    fn title(&self) -> String {
        let state =
            self.state.map_or_else(|| "being deleted".to_owned(), |state| format!("{state:?}"));
        format!("{} that is killed while {} is {state}", self.task, self.id)
    }
}

/// Every declared state is played and waited out, and a run that is killed in it is finished by the next.
pub(crate) fn states(subject: &Subject) -> Outcome {
    let life = Life::new(&subject.loaded()?)?;
    let mut tried = false;
    let after = {
        let stage = life.stage(&life.start);
        stage.completes(Task::Up)?;
        let moments = life.moments(&stage, Task::Up);
        for moment in life.chosen(&moments) {
            tried = true;
            life.killed_at(&life.start, moment)?;
        }
        stage.world()?
    };
    let stage = life.stage(&after);
    stage.completes(Task::DownWithData)?;
    let moments = life.moments(&stage, Task::DownWithData);
    for moment in life.chosen(&moments) {
        tried = true;
        life.killed_at(&after, moment)?.nothing_left()?;
    }
    if tried {
        Ok(())
    } else {
        not_applicable("nothing that it renders takes time to be made or to go")
    }
}

impl Life {
    /// The middle of every state of what the component renders.
    fn moments(&self, stage: &Stage<'_>, task: Task) -> Vec<Moment> {
        let mut seen = BTreeSet::new();
        let mut moments = Vec::new();
        for logged in stage.sandbox.log().calls {
            let call = logged.call;
            let (Some(id), Some(kind)) = (call.id, call.kind) else { continue };
            let declared = self.kinds.iter().find(|declared| declared.kind == kind);
            let Some(declared) = declared.filter(|_| kind.kubernetes().is_none()) else { continue };
            if id.component.as_str() != COMPONENT || !logged.effect {
                continue;
            }
            let states = match call.operation {
                Operation::Create if task == Task::Up => making(declared),
                Operation::Delete if task != Task::Up => {
                    vec![(None, declared.model.delete / 2)]
                }
                _ => continue,
            };
            // Made or deleted again because an answer came late: the same state.
            if !seen.insert(id.clone()) {
                continue;
            }
            moments.extend(
                states.into_iter().filter(|(_, after)| !after.is_zero()).map(|(state, after)| {
                    Moment { task, id: id.clone(), state, at: call.at + after }
                }),
            );
        }
        moments
    }

    /// All of them, or as many as there is time for. Which, the seed decides.
    fn chosen<'m>(&self, moments: &'m [Moment]) -> Vec<&'m Moment> {
        let first = usize::try_from(self.seed).unwrap_or_default() % moments.len().max(1);
        let turned = moments.iter().cycle().skip(first);
        let step = moments.len().div_ceil(BOUNDARIES).max(1);
        turned.take(moments.len()).step_by(step).collect()
    }

    /// A run that is killed at a moment, in the state of that moment, and further ones that finish it.
    fn killed_at(&self, world: &World, moment: &Moment) -> Result<Stage<'_>, Stop> {
        let told = |stop: Stop| match stop {
            Stop::Failed(why) => Stop::Failed(format!("{}: {why}", moment.title())),
            other @ Stop::NotApplicable(_) => other,
        };
        let stage = self.stage(world);
        stage.until(moment.task, moment.at).map_err(told)?;
        stage.is_in(moment).map_err(told)?;
        stage.finishes(moment.task).map_err(told)?;
        Ok(stage)
    }
}

impl Stage<'_> {
    /// A run that is killed at a moment, whatever it does then.
    fn until(&self, task: Task, at: Duration) -> Outcome {
        let uid = self.next_uid();
        let process = self.sandbox.process(&uid, Arc::new(NoFaults));
        let attempt = run::run(self.life, &process, self.clock.clone(), task, &uid, false).boxed();
        let end = self.clock.sleep(at.saturating_sub(self.clock.now()));
        match self.clock.run(select(attempt, end)) {
            Ok(Either::Right(_)) => Ok(()),
            Ok(Either::Left((end, _))) => failed(format!("the run ended before that: {end:?}")),
            Err(why) => failed(why.to_string()),
        }
    }

    /// The sandbox plays the state that the kind declares.
    fn is_in(&self, moment: &Moment) -> Outcome {
        let found = self.status_of(&moment.id)?;
        let expected = match moment.state {
            Some(word) => Status::Pending(word.to_owned()),
            None => Status::Deleting,
        };
        if found.as_ref() == Some(&expected) {
            return Ok(());
        }
        failed(format!("it is {found:?} then, and not {expected:?}"))
    }
    /// Where a resource stands now.
    fn status_of(&self, id: &ResourceId) -> Result<Option<Status>, Stop> {
        let world = self.world()?;
        let node = id.to_string();
        let found = world.resources().iter().find(|found| found.node.as_ref() == Some(&node));
        let Some(found) = found else { return Ok(None) };
        let target = Target {
            id: id.clone(),
            kind: Kind::new(&found.kind),
            name: found.name.clone(),
            token: found.token.clone(),
            remote_id: Some(found.remote_id.clone()),
            parent: None,
        };
        let queries = [Query { target, spec: None }];
        let process = self.sandbox.process("looker", Arc::new(NoFaults));
        let driver = process.driver(self.life.kinds.clone());
        let owner = owner();
        let looking = driver.observe(CallContext::new(&owner, &Marked), &queries);
        match self.clock.run(looking).map(|mut found| found.pop()) {
            Ok(Some(Ok(found))) => Ok(Some(found.status)),
            Ok(Some(Err(error))) => failed(error.message),
            Ok(None) => failed("it is observed without an answer"),
            Err(why) => failed(why.to_string()),
        }
    }
}

/// The states while it is made, each with the moment in its middle, counted from its creation.
fn making(kind: &KindDeclaration) -> Vec<(Option<&'static str>, Duration)> {
    let states = &kind.model.creating;
    let halves = u32::try_from(states.len() * 2).unwrap_or(u32::MAX).max(1);
    let middle = |index: u32| kind.model.create * (2 * index + 1) / halves;
    (0..).zip(states).map(|(index, state)| (Some(*state), middle(index))).collect()
}
