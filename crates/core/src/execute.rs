//! A plan is carried out: independent tasks in parallel, each creation and deletion recorded before it is begun.
//!
//! # Flow
//! 1. Tasks whose waits are over are chosen; what they are about to create or delete is written to the inventory in one
//!    save, by compare-and-swap. No save, no start.
//! 2. They run. What they find (ids, outputs) is kept and written with the next save.
//! 3. A failed task stops what waits for it and nothing else.
//!
//! # Guarantees
//! Whatever ends the run, the next one finds every creation that was begun: by its id, name, token or parent.

mod saving; // the inventory of a run, written while tasks go on

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{BoxFuture, Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::Value as Json;

use crate::carry_out::{Errand, Signal, Trouble};
use crate::driver::{DriverError, ErrorClass, Observation, Owner, Status, Target};
use crate::event::{Event, Listener, Outcome};
use crate::inventory::{Inventory, InventoryStore, Version};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::name::ResourceId;
use crate::observe::{Observed, World, token};
use crate::plan::{Plan, Step, Work};
use crate::resource::Until;
use crate::run_options::{Interruption, Options};
use crate::schedule::{Part, Task, tasks};
use crate::value::{Ref, Value};

/// What a run starts from.
pub struct Run<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What the plan was made from.
    pub observed: &'a Observed,
    /// The world.
    pub world: &'a World,
    /// Who we are, with a uid.
    pub owner: &'a Owner,
    /// Resources whose fields are taken over from other managers.
    pub taken_over: &'a BTreeSet<ResourceId>,
    /// What is remembered: new for a first run, then without a version.
    pub inventory: Inventory,
    /// The version that the first save replaces.
    pub version: Option<Version>,
    /// Whether the inventory has names that are not stored yet.
    pub renamed: bool,
    /// Where the inventory is kept.
    pub store: &'a dyn InventoryStore,
    /// The lease under which it works. Without one it is as safe, but another run may do the same work.
    pub lease: Option<&'a Lease<'a>>,
    /// Who hears of it.
    pub listener: &'a dyn Listener,
    /// Who may end it.
    pub interruption: &'a dyn Interruption,
    /// How.
    pub options: Options,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// The outcome of each step that was to change something, by index in the plan.
    pub outcomes: BTreeMap<usize, Outcome>,
    /// Whether a person ended it.
    pub interrupted: bool,
    /// Why nothing more was begun, when the inventory was the reason.
    pub halted: Option<String>,
    /// Every output that is known at the end.
    pub outputs: BTreeMap<(ResourceId, String), Json>,
}

impl Report {
    /// Whether a step failed.
    pub fn failed(&self) -> bool {
        self.outcomes.values().any(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// Whether everything was done.
    pub fn complete(&self) -> bool {
        self.halted.is_none() && self.outcomes.values().all(|outcome| *outcome == Outcome::Done)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Waiting,
    Running,
    Exists,
    Done,
    Over,
}

type Ended = (usize, Result<Observation, Trouble>);

struct Engine<'a> {
    run: Run<'a>,
    tasks: Vec<Task>,
    progress: Vec<Progress>,
    begun: Vec<Duration>,
    outputs: BTreeMap<(ResourceId, String), Json>,
    ledger: Ledger,
    report: Report,
    /// Whether another run wrote the inventory meanwhile.
    conflict: bool,
    /// Tells the tasks that nothing is awaited any more.
    halt: &'a AtomicBool,
}

/// Carries out a plan. Never called with a plan that refuses: those are stopped before.
pub async fn execute(run: Run<'_>) -> Report {
    let tasks = tasks(run.plan);
    let count = tasks.len();
    let mut outputs = BTreeMap::new();
    for (id, found) in run.observed.iter() {
        for (name, value) in &found.outputs {
            outputs.insert((id.clone(), name.clone()), value.clone());
        }
    }
    let ledger = Ledger::new(
        run.inventory.clone(),
        run.version.clone(),
        Arc::clone(&run.world.clock),
        run.renamed,
    );
    let lease = run.lease;
    let halt = AtomicBool::new(false);
    let engine = Engine {
        halt: &halt,
        run,
        tasks,
        progress: vec![Progress::Waiting; count],
        begun: vec![Duration::ZERO; count],
        outputs,
        ledger,
        report: Report::default(),
        conflict: false,
    };
    match lease {
        None => engine.work().await,
        Some(lease) => match select(engine.work().boxed(), lease.keep().boxed()).await {
            Either::Left((report, _)) => report,
            Either::Right((never, _)) => match never {},
        },
    }
}

impl<'a> Engine<'a> {
    async fn work(mut self) -> Report {
        let (sender, mut signals) = unbounded();
        let mut running: FuturesUnordered<BoxFuture<'a, Ended>> = FuturesUnordered::new();
        loop {
            self.settle();
            let ready = if self.may_begin() { self.ready(running.len()) } else { Vec::new() };
            for task in &ready {
                let step = self.step(*task);
                let spec = self.resolved(step);
                let part = self.tasks[*task].part;
                self.ledger.intend(step, part, &spec, &self.run.world.kinds);
            }
            let in_flight = running.len();
            if self.ledger.is_dirty() && !self.save(&mut running, &mut signals).await {
                self.withdraw(&ready);
                self.drain(&mut running, &mut signals).await;
                break;
            }
            let ended_meanwhile = running.len() < in_flight;
            for task in ready {
                let errand = self.begin(task, sender.clone());
                running.push(errand);
            }
            if !running.is_empty() {
                self.listen(&mut running, &mut signals).await;
            } else if !ended_meanwhile {
                break;
            }
        }
        self.finish(&mut running, &mut signals).await
    }

    fn step(&self, task: usize) -> &'a Step {
        &self.run.plan.steps[self.tasks[task].step]
    }

    fn may_begin(&mut self) -> bool {
        self.report.interrupted |= self.run.interruption.requested();
        if let (Some(lost), None) = (self.run.lease.and_then(Lease::lost), &self.report.halted) {
            self.stop(lost);
        }
        !self.report.interrupted && self.report.halted.is_none()
    }

    /// Begins nothing new and waits for nothing; calls in flight end.
    fn stop(&mut self, why: String) {
        self.report.halted = Some(why);
        self.halt.store(true, Ordering::Relaxed);
    }

    /// Ends at once whatever needs no call, and skips what waits in vain.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for task in 0..self.tasks.len() {
                if self.progress[task] != Progress::Waiting {
                    continue;
                }
                if let Some(cause) = self.in_vain(task) {
                    self.end(task, Outcome::Skipped(cause));
                    moved = true;
                } else if self.is_instant(task) && self.is_free(task) {
                    let step = self.step(task);
                    self.ledger.instant(step);
                    self.end(task, Outcome::Done);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn in_vain(&self, task: usize) -> Option<ResourceId> {
        let failed = self.tasks[task]
            .after
            .iter()
            .find(|(other, _)| self.progress[*other] == Progress::Over);
        failed.map(|(other, _)| self.step(*other).id.clone())
    }

    fn is_instant(&self, task: usize) -> bool {
        match &self.step(task).work {
            Work::Nothing | Work::Retain | Work::Forget => true,
            Work::Await(..) => !self.is_awaited(task),
            _ => false,
        }
    }

    /// Whether somebody needs a kept resource to be ready, or an output of it that is not known, and it is not so.
    fn is_awaited(&self, task: usize) -> bool {
        let id = &self.step(task).id;
        if self.run.observed.get(id).status == Status::Ready {
            return false;
        }
        (0..self.tasks.len()).any(|other| {
            let waits = self.tasks[other].after.iter().find(|(t, _)| *t == task);
            waits.is_some_and(|(_, until)| *until == Until::Ready || !self.outputs_known(other, id))
        })
    }

    fn outputs_known(&self, task: usize, of: &ResourceId) -> bool {
        let (Work::Apply { resource, .. } | Work::Replace { resource, .. }) = &self.step(task).work
        else {
            return true;
        };
        let known = |r: &&Ref| self.outputs.contains_key(&(r.resource.clone(), r.output.clone()));
        resource.spec.refs().iter().filter(|r| r.resource == *of).all(known)
    }

    fn is_free(&self, task: usize) -> bool {
        self.tasks[task].after.iter().all(|(other, until)| match self.progress[*other] {
            Progress::Done => true,
            Progress::Exists => {
                *until == Until::Exists && self.outputs_known(task, &self.step(*other).id)
            }
            _ => false,
        })
    }

    fn ready(&self, running: usize) -> Vec<usize> {
        let free = (0..self.tasks.len())
            .filter(|task| self.progress[*task] == Progress::Waiting && self.is_free(*task));
        free.take(self.run.options.parallel.max(1).saturating_sub(running)).collect()
    }

    /// What was chosen but could not be recorded was not begun.
    fn withdraw(&mut self, ready: &[usize]) {
        for task in ready {
            let reason = self.report.halted.clone().unwrap_or_default();
            self.end(*task, Outcome::NotBegun(reason));
        }
    }

    fn begin(
        &mut self,
        task: usize,
        signals: futures::channel::mpsc::UnboundedSender<Signal>,
    ) -> BoxFuture<'a, Ended> {
        self.progress[task] = Progress::Running;
        self.begun[task] = self.run.world.clock.now();
        let step = self.step(task);
        self.run.listener.hear(&Event::Started { step: self.tasks[task].step });
        let (world, owner) = (self.run.world, self.run.owner);
        let (Some(driver), Some(declaration)) =
            (world.driver(&step.kind), world.kinds.get(&step.kind))
        else {
            let message = format!("no driver for the kind {}", step.kind);
            let error = DriverError::new(ErrorClass::Unsupported, message);
            return async move { (task, Err(Trouble::Failed(error))) }.boxed();
        };
        let errand = Errand {
            task,
            step: self.tasks[task].step,
            world,
            driver: driver.as_ref(),
            declaration,
            owner,
            taken_over: self.run.taken_over,
            options: self.run.options,
            interruption: self.run.interruption,
            lease: self.run.lease,
            halt: self.halt,
            signals,
        };
        let part = self.tasks[task].part;
        let spec = self.resolved(step);
        let generation = self.ledger.generation(&step.id);
        let token = token(owner, Some(declaration), &step.id, generation);
        async move {
            let nothing = Observation::absent();
            let result = match (&step.work, part) {
                (Work::Apply { target, exists, .. }, _) => {
                    let target = Target { token, ..target.clone() };
                    errand.apply(target, &spec, *exists).await
                }
                (Work::Replace { old, deletion, .. }, Part::Demolish) => {
                    errand.delete(old, deletion).await.map(|()| nothing)
                }
                (Work::Replace { old, .. }, _) => {
                    let target = Target { token, remote_id: None, ..old.clone() };
                    errand.apply(target, &spec, false).await
                }
                (Work::Await(_, target), _) => errand.wait_ready(target, &spec).await,
                (Work::Set { target, difference }, _) => {
                    errand.set(target, difference).await.map(|()| nothing)
                }
                (Work::Delete { target, deletion }, _) => {
                    errand.delete(target, deletion).await.map(|()| nothing)
                }
                (Work::Nothing | Work::Retain | Work::Forget, _) => Ok(nothing),
            };
            (task, result)
        }
        .boxed()
    }

    fn resolved(&self, step: &Step) -> Value {
        let (Work::Apply { resource, .. }
        | Work::Replace { resource, .. }
        | Work::Await(resource, _)) = &step.work
        else {
            return Value::Scalar(Json::Null);
        };
        resource
            .spec
            .resolve(&|r| self.outputs.get(&(r.resource.clone(), r.output.clone())).cloned())
    }

    /// Waits for one thing to happen, then takes in everything else that has happened already.
    async fn listen(
        &mut self,
        running: &mut FuturesUnordered<BoxFuture<'a, Ended>>,
        signals: &mut UnboundedReceiver<Signal>,
    ) {
        match select(running.next(), signals.next()).await {
            Either::Left((Some(ended), _)) => self.ended(ended, signals),
            Either::Right((Some(signal), _)) => self.signalled(signal),
            _ => {}
        }
        while let Some(Some(signal)) = signals.next().now_or_never() {
            self.signalled(signal);
        }
        while let Some(Some(ended)) = running.next().now_or_never() {
            self.ended(ended, signals);
        }
    }

    fn signalled(&mut self, signal: Signal) {
        match signal {
            Signal::Event(event) => self.run.listener.hear(&event),
            Signal::Exists { task, remote_id, outputs } => {
                self.found(task, remote_id, outputs);
                if self.progress[task] == Progress::Running {
                    self.progress[task] = Progress::Exists;
                }
            }
        }
    }

    fn found(&mut self, task: usize, remote_id: Option<String>, outputs: BTreeMap<String, Json>) {
        let id = &self.step(task).id;
        if let Some(remote_id) = remote_id.as_ref().filter(|found| self.ledger.is_new(id, found)) {
            let step = self.tasks[task].step;
            self.run.listener.hear(&Event::Identified { step, remote_id: remote_id.clone() });
        }
        for (name, value) in outputs {
            self.outputs.insert((id.clone(), name), value);
        }
        self.ledger.found(id, remote_id);
    }

    fn ended(&mut self, (task, result): Ended, signals: &mut UnboundedReceiver<Signal>) {
        while let Some(Some(signal)) = signals.next().now_or_never() {
            self.signalled(signal);
        }
        let outcome = match result {
            Ok(found) => {
                self.found(task, found.remote_id, found.outputs);
                let step = self.step(task);
                self.ledger.done(step, self.tasks[task].part, &self.resolved(step));
                Outcome::Done
            }
            Err(Trouble::Failed(error)) => Outcome::Failed(error),
            Err(Trouble::Gone(error)) => {
                let step = self.step(task);
                self.ledger.done(step, self.tasks[task].part, &self.resolved(step));
                Outcome::Failed(error)
            }
            Err(Trouble::Unfinished(why)) => Outcome::Unfinished(why),
        };
        self.end(task, outcome);
    }

    fn end(&mut self, task: usize, outcome: Outcome) {
        let done = outcome == Outcome::Done;
        let was_running = matches!(self.progress[task], Progress::Running | Progress::Exists);
        self.progress[task] = if done { Progress::Done } else { Progress::Over };
        let step = self.tasks[task].step;
        let demolished = self.tasks[task].part == Part::Demolish && done;
        if !self.step(task).is_noop() && !demolished {
            let took = if was_running {
                self.run.world.clock.now().saturating_sub(self.begun[task])
            } else {
                Duration::ZERO
            };
            self.run.listener.hear(&Event::Ended { step, outcome: outcome.clone(), took });
            self.report.outcomes.entry(step).or_insert(outcome);
        }
    }

    /// Lets the calls in flight end; begins nothing.
    async fn drain(
        &mut self,
        running: &mut FuturesUnordered<BoxFuture<'a, Ended>>,
        signals: &mut UnboundedReceiver<Signal>,
    ) {
        while !running.is_empty() {
            self.listen(running, signals).await;
        }
    }

    async fn finish(
        mut self,
        running: &mut FuturesUnordered<BoxFuture<'a, Ended>>,
        signals: &mut UnboundedReceiver<Signal>,
    ) -> Report {
        if self.ledger.is_dirty() && !self.conflict {
            self.save(running, signals).await;
        }
        if self.conflict {
            self.drain(running, signals).await;
            self.hand_over().await;
        }
        let why = match (&self.report.halted, self.report.interrupted) {
            (Some(halted), _) => halted.clone(),
            (None, true) => "the run was interrupted".to_owned(),
            (None, false) => "the run ended".to_owned(),
        };
        for task in 0..self.tasks.len() {
            if self.progress[task] == Progress::Waiting {
                self.end(task, Outcome::NotBegun(why.clone()));
            }
        }
        self.report.outputs = self.outputs;
        self.report
    }
}
