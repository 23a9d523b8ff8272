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

use std::collections::BTreeMap;
use std::time::Duration;

use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{BoxFuture, Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, pin_mut};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::carry_out::{Errand, Signal, Trouble};
use crate::driver::{DriverError, ErrorClass, Observation, Owner, Status, Target};
use crate::event::{Event, Listener, Outcome};
use crate::inventory::{Entry, EntryState, Inventory, InventoryError, InventoryStore, Version};
use crate::name::ResourceId;
use crate::observe::{Observed, World, token};
use crate::plan::{Plan, Step, Work};
use crate::resource::{Resource, Until};
use crate::schedule::{Part, Task, tasks};
use crate::value::{Ref, Value};

/// How patient and how parallel a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Tasks at the same time, at least one.
    pub parallel: usize,
    /// The first pause between two looks.
    pub poll_first: Duration,
    /// The longest pause between two looks.
    pub poll_max: Duration,
    /// How long one API call may take.
    pub call_timeout: Duration,
}

/// Contract: tells that the person wants the run to end.
pub trait Interruption: Send + Sync {
    /// Whether that was asked.
    fn requested(&self) -> bool;
    /// Ends when it is asked.
    fn wait(&self) -> BoxFuture<'_, ()>;
}

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
    /// What is remembered: new for a first run, then without a version.
    pub inventory: Inventory,
    /// The version that the first save replaces.
    pub version: Option<Version>,
    /// Where the inventory is kept.
    pub store: &'a dyn InventoryStore,
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
    dirty: bool,
    report: Report,
}

/// How long the inventory may be out of reach before nothing more is begun.
const INVENTORY_PATIENCE: Duration = Duration::from_secs(300);

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
    let engine = Engine {
        run,
        tasks,
        progress: vec![Progress::Waiting; count],
        begun: vec![Duration::ZERO; count],
        outputs,
        dirty: false,
        report: Report::default(),
    };
    engine.work().await
}

impl<'a> Engine<'a> {
    async fn work(mut self) -> Report {
        let (sender, mut signals) = unbounded();
        let mut running: FuturesUnordered<BoxFuture<'a, Ended>> = FuturesUnordered::new();
        self.run.inventory.epoch += 1;
        loop {
            self.settle();
            let ready = if self.may_begin() { self.ready(running.len()) } else { Vec::new() };
            for task in &ready {
                self.intend(*task);
            }
            let in_flight = running.len();
            if self.dirty && !self.save(&mut running, &mut signals).await {
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
        !self.report.interrupted && self.report.halted.is_none()
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
                    self.record_instant(task);
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
        let resource = match &self.step(task).work {
            Work::Apply { resource, .. } | Work::Replace { resource, .. } => resource,
            _ => return true,
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

    fn record_instant(&mut self, task: usize) {
        let step = self.step(task);
        match &step.work {
            Work::Retain => {
                let since = self.run.world.clock.timestamp();
                if let Some(entry) = self.run.inventory.entries.get_mut(&step.id) {
                    entry.state = EntryState::Retained;
                    entry.since = since;
                    self.dirty = true;
                }
            }
            Work::Forget => {
                self.run.inventory.entries.remove(&step.id);
                self.dirty = true;
            }
            Work::Await(resource, target) => self.record_kept(resource, target),
            _ => {}
        }
        self.end(task, Outcome::Done);
    }

    /// A stranger that is used has a record, so that `down` knows to leave it; written when something else is.
    fn record_kept(&mut self, resource: &Resource, target: &Target) {
        if !self.run.inventory.entries.contains_key(&resource.id) {
            let entry = self.entry(resource, target.remote_id.clone(), 1, EntryState::Live, false);
            self.run.inventory.entries.insert(resource.id.clone(), entry);
        }
    }

    fn entry(
        &self,
        resource: &Resource,
        remote_id: Option<String>,
        generation: u32,
        state: EntryState,
        ours: bool,
    ) -> Entry {
        Entry {
            kind: resource.kind.clone(),
            name: resource.name.clone(),
            generation,
            remote_id,
            needs: resource.all_needs().into_iter().map(|need| need.id).collect(),
            data: resource.data,
            state,
            since: self.run.world.clock.timestamp(),
            spec_hash: None,
            ours,
        }
    }

    /// Records what is about to happen.
    fn intend(&mut self, task: usize) {
        let step = self.step(task);
        match (&step.work, self.tasks[task].part) {
            (Work::Apply { resource, target, generation, exists }, _) => {
                let known = self.run.inventory.entries.get(&step.id);
                if !*exists || known.is_none_or(|entry| entry.state != EntryState::Live) {
                    let id = target.remote_id.clone();
                    let state = EntryState::Creating;
                    let entry = self.entry(resource, id, *generation, state, true);
                    self.record(&step.id, entry);
                }
            }
            (Work::Replace { resource, generation, .. }, Part::Rebuild) => {
                let entry = self.entry(resource, None, *generation, EntryState::Creating, true);
                self.record(&step.id, entry);
            }
            (Work::Replace { .. } | Work::Delete { .. }, _) => {
                let since = self.run.world.clock.timestamp();
                if let Some(entry) = self.run.inventory.entries.get_mut(&step.id) {
                    entry.state = EntryState::Deleting;
                    entry.since = since;
                    self.dirty = true;
                }
            }
            _ => {}
        }
    }

    fn record(&mut self, id: &ResourceId, entry: Entry) {
        self.run.inventory.entries.insert(id.clone(), entry);
        self.dirty = true;
    }

    /// What was chosen but could not be recorded was not begun.
    fn withdraw(&mut self, ready: &[usize]) {
        for task in ready {
            let reason = self.report.halted.clone().unwrap_or_default();
            self.end(*task, Outcome::Unfinished(reason));
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
            options: self.run.options,
            interruption: self.run.interruption,
            signals,
        };
        let part = self.tasks[task].part;
        let spec = self.resolved(step);
        let generation = self.run.inventory.entries.get(&step.id).map_or(1, |e| e.generation);
        let token = token(owner, &step.id, generation);
        async move {
            let nothing = Observation::absent();
            let result = match (&step.work, part) {
                (Work::Apply { target, exists, .. }, _) => {
                    let target = Target { token, ..target.clone() };
                    errand.apply(target, &spec, *exists).await
                }
                (Work::Replace { old, .. }, Part::Demolish) => {
                    errand.delete(old, &crate::driver::Deletion::default()).await.map(|()| nothing)
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
        let resource = match &step.work {
            Work::Apply { resource, .. }
            | Work::Replace { resource, .. }
            | Work::Await(resource, _) => resource,
            _ => return Value::Scalar(Json::Null),
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
        for (name, value) in outputs {
            self.outputs.insert((id.clone(), name), value);
        }
        if let (Some(entry), Some(_)) = (self.run.inventory.entries.get_mut(id), &remote_id) {
            if entry.remote_id != remote_id {
                entry.remote_id = remote_id;
                self.dirty = true;
            }
        }
    }

    fn ended(&mut self, (task, result): Ended, signals: &mut UnboundedReceiver<Signal>) {
        while let Some(Some(signal)) = signals.next().now_or_never() {
            self.signalled(signal);
        }
        let outcome = match result {
            Ok(found) => {
                self.found(task, found.remote_id, found.outputs);
                self.record_done(task);
                Outcome::Done
            }
            Err(Trouble::Failed(error)) => Outcome::Failed(error),
            Err(Trouble::Unfinished(why)) => Outcome::Unfinished(why),
        };
        self.end(task, outcome);
    }

    fn record_done(&mut self, task: usize) {
        let step = self.step(task);
        let since = self.run.world.clock.timestamp();
        match (&step.work, self.tasks[task].part) {
            (Work::Delete { .. }, _) => {
                self.run.inventory.entries.remove(&step.id);
                self.dirty = true;
            }
            (Work::Replace { .. }, Part::Demolish) => {}
            (Work::Apply { .. } | Work::Replace { .. }, _) => {
                let hash = hash(&self.resolved(step));
                if let Some(entry) = self.run.inventory.entries.get_mut(&step.id) {
                    entry.spec_hash = Some(hash);
                    entry.needs.clone_from(&step.needs);
                    entry.data = step.data;
                    if entry.state != EntryState::Live {
                        entry.state = EntryState::Live;
                        entry.since = since;
                    }
                    self.dirty = true;
                }
            }
            _ => {}
        }
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

    /// Writes the inventory, while running tasks go on. False when nothing more may be begun.
    async fn save(
        &mut self,
        running: &mut FuturesUnordered<BoxFuture<'a, Ended>>,
        signals: &mut UnboundedReceiver<Signal>,
    ) -> bool {
        let since = self.run.world.clock.now();
        let mut pause = Duration::from_secs(1);
        let mut ended = Vec::new();
        let written = loop {
            let (store, inventory) = (self.run.store, &self.run.inventory);
            let gone = inventory.entries.values().all(|entry| !entry.ours);
            let version = self.run.version.as_ref();
            let attempt = async {
                match (gone, version) {
                    (true, Some(version)) => store.remove(version).await.map(|()| None),
                    (true, None) => Ok(None),
                    (false, version) => store.save(inventory, version).await.map(Some),
                }
            };
            let result = alongside(attempt, running, &mut ended).await;
            match result {
                Ok(version) => {
                    self.run.version = version;
                    break true;
                }
                Err(InventoryError::Unreachable(message))
                    if self.run.world.clock.now().saturating_sub(since) < INVENTORY_PATIENCE
                        && !self.run.interruption.requested() =>
                {
                    self.run.listener.hear(&Event::InventoryUnreachable { message, pause });
                    alongside(self.run.world.clock.sleep(pause), running, &mut ended).await;
                    pause = (pause * 2).min(Duration::from_secs(30));
                }
                Err(error) => {
                    self.report.halted = Some(error.to_string());
                    break false;
                }
            }
        };
        if written {
            self.dirty = false;
        }
        for one in ended {
            self.ended(one, signals);
        }
        written
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
        if self.dirty {
            self.save(running, signals).await;
        }
        let why = match (&self.report.halted, self.report.interrupted) {
            (Some(halted), _) => halted.clone(),
            (None, true) => "interrupted before it was begun".to_owned(),
            (None, false) => "was not begun".to_owned(),
        };
        for task in 0..self.tasks.len() {
            if self.progress[task] == Progress::Waiting {
                self.end(task, Outcome::Unfinished(why.clone()));
            }
        }
        self.report.outputs = self.outputs;
        self.report
    }
}

/// Waits for something while running tasks go on; those that end are kept.
async fn alongside<'a, T>(
    future: impl Future<Output = T>,
    running: &mut FuturesUnordered<BoxFuture<'a, Ended>>,
    ended: &mut Vec<Ended>,
) -> T {
    pin_mut!(future);
    while !running.is_empty() {
        match select(future.as_mut(), running.next()).await {
            Either::Left((result, _)) => return result,
            Either::Right((one, _)) => ended.extend(one),
        }
    }
    future.await
}

/// Sixteen hexadecimal digits of a specification.
fn hash(spec: &Value) -> String {
    let digest = Sha256::digest(spec.to_json().to_string());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
