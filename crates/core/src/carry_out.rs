//! One task is carried out: one API call at a time, each followed by looking.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::channel::mpsc::UnboundedSender;
use futures::future::{BoxFuture, Either, select};
use serde_json::Value as Json;

use crate::difference::differences;
use crate::driver::{
    CallContext, Deletion, Difference, Driver, DriverError, ErrorClass, Observation, Owner,
    Ownership, Query, Status, Target,
};
use crate::event::Event;
use crate::kind::KindDeclaration;
use crate::lease::Lease;
use crate::name::ResourceId;
use crate::observe::World;
use crate::run_options::{Interruption, Options};
use crate::value::Value;

/// How often an update is repeated when the same difference stays.
const STUBBORN: u32 = 5;
/// How long a service may throttle or fail before the run gives up for now.
const PATIENCE: Duration = Duration::from_mins(5);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a task did not get done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A person must act.
    Failed(DriverError),
    /// Another run finishes it.
    Unfinished(String),
    /// It is deleted, but something went wrong with it that a person must know.
    Gone(DriverError),
}

/// What a task tells while it is under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Signal {
    /// The resource is there: its id and the outputs that are known.
    Exists { task: usize, remote_id: Option<String>, outputs: BTreeMap<String, Json> },
    /// For whoever listens.
    Event(Event),
}

/// Everything that carrying out one task needs.
pub(crate) struct Errand<'a> {
    pub(crate) task: usize,
    pub(crate) step: usize,
    pub(crate) world: &'a World,
    pub(crate) driver: &'a dyn Driver,
    pub(crate) declaration: &'a KindDeclaration,
    pub(crate) owner: &'a Owner,
    pub(crate) taken_over: &'a BTreeSet<ResourceId>,
    pub(crate) options: Options,
    pub(crate) interruption: &'a dyn Interruption,
    pub(crate) lease: Option<&'a Lease<'a>>,
    /// Set when the run must not go on: nothing is awaited any more.
    pub(crate) halt: &'a AtomicBool,
    pub(crate) signals: UnboundedSender<Signal>,
}

/// When patience ends: restarted by whatever shows that things move.
struct Deadline {
    within: Duration,
    since: Duration,
    state: String,
}

impl Errand<'_> {
    fn cx(&self) -> CallContext<'_> {
        CallContext {
            taken_over: self.taken_over,
            ..CallContext::new(self.owner, self.world.secrets.as_ref())
        }
    }

    fn tell(&self, event: Event) {
        // Whoever listened is gone only when the run is over.
        drop(self.signals.unbounded_send(Signal::Event(event)));
    }

    /// Makes the resource if need be, and brings it to its specification.
    pub(crate) async fn apply(
        &self,
        mut target: Target,
        spec: &Value,
        exists: bool,
    ) -> Result<Observation, Trouble> {
        let json = spec.to_json();
        if !exists {
            target.remote_id = self.create(&target, &json).await?.or(target.remote_id);
        }
        self.converge(target, spec, &json, exists).await
    }

    /// Creates until something of ours is there. Gives the id, when the creation told it.
    async fn create(&self, target: &Target, spec: &Json) -> Result<Option<String>, Trouble> {
        let mut deadline = self.deadline(self.declaration.delete_within);
        let mut pause = self.options.poll_first;
        loop {
            let call = self.driver.create(self.cx(), target, spec);
            match self.bounded("create", call).await {
                Ok(created) => return Ok(created.remote_id),
                Err(error) => match error.class {
                    ErrorClass::AlreadyExists | ErrorClass::Ambiguous => {
                        if let Some(found) = self.after_doubt(target, spec, &error).await? {
                            return Ok(found.remote_id);
                        }
                        self.rest(&mut pause, &mut deadline, &error).await?;
                    }
                    _ => self.bear(error, &mut pause, &mut deadline).await?,
                },
            }
        }
    }

    /// Looks for what an uncertain creation may have made, as long as reads may lag behind.
    async fn after_doubt(
        &self,
        target: &Target,
        spec: &Json,
        error: &DriverError,
    ) -> Result<Option<Observation>, Trouble> {
        let until = self.world.clock.now() + self.declaration.read_after_write;
        let mut pause = self.options.poll_first;
        loop {
            let found = self.look(target, Some(spec)).await?;
            match (&found.status, found.ownership) {
                (Status::Absent, _) => {}
                (Status::Deleting, _) => return Ok(None),
                (_, Ownership::Ours) => return Ok(Some(found)),
                (_, Ownership::Foreign) => {
                    let name = target.name.clone().or(found.remote_id).unwrap_or_default();
                    return Err(Trouble::Failed(DriverError::new(
                        ErrorClass::AlreadyExists,
                        format!("{name} exists, but this stack did not make it ({error})"),
                    )));
                }
                (_, Ownership::Unknown) => {}
            }
            if self.world.clock.now() >= until {
                return Ok(None);
            }
            self.sleep(pause).await?;
            pause = longer(pause, self.options.poll_max);
        }
    }

    /// Updates until nothing differs and the resource is ready.
    async fn converge(
        &self,
        mut target: Target,
        spec: &Value,
        json: &Json,
        mut may_update: bool,
    ) -> Result<Observation, Trouble> {
        let mut deadline = self.deadline(self.declaration.ready_within);
        let mut pause = self.options.poll_first;
        let mut tried: Option<(Vec<Difference>, u32)> = None;
        let mut seen_at = self.world.clock.now();
        loop {
            let found = self.look(&target, Some(json)).await?;
            if found.status == Status::Absent {
                let missing = self.world.clock.now().saturating_sub(seen_at);
                if missing > self.declaration.read_after_write.max(self.options.poll_max) {
                    let seconds = missing.as_secs();
                    let message = format!("is not there any more, for {seconds} s; run it again");
                    return Err(Trouble::Unfinished(message));
                }
            }
            if found.is_present() {
                seen_at = self.world.clock.now();
                target.remote_id = found.remote_id.clone().or(target.remote_id);
                drop(self.signals.unbounded_send(Signal::Exists {
                    task: self.task,
                    remote_id: found.remote_id.clone(),
                    outputs: found.outputs.clone(),
                }));
            }
            let differing =
                if found.is_present() { differences(spec, &found.attributes) } else { Vec::new() };
            may_update |= found.status == Status::Ready;
            match &found.status {
                Status::Ready if differing.is_empty() => return Ok(found),
                Status::Failed(state) if differing.is_empty() => {
                    return Err(Trouble::Failed(DriverError::new(
                        ErrorClass::Invalid,
                        format!("reached the state {state}"),
                    )));
                }
                Status::Absent | Status::Deleting => {}
                _ if differing.is_empty() || !may_update => {}
                _ => {
                    let times = match &tried {
                        Some((before, times)) if *before == differing => times + 1,
                        _ => 1,
                    };
                    if times > STUBBORN {
                        return Err(Trouble::Failed(stubborn(&differing)));
                    }
                    let call = self.driver.update(self.cx(), &target, json, &differing);
                    match self.bounded("update", call).await {
                        Ok(()) => {
                            tried = Some((differing, times));
                            if times == 1 {
                                // The next call, or the first look, need not wait.
                                continue;
                            }
                        }
                        Err(error) if error.class == ErrorClass::Ambiguous => {}
                        Err(error) => {
                            self.bear(error, &mut pause, &mut deadline).await?;
                            continue;
                        }
                    }
                }
            }
            self.notice(&found.status, &mut deadline, &mut pause)?;
            self.sleep(pause).await?;
            pause = longer(pause, self.options.poll_max);
        }
    }

    /// Waits until a kept resource is ready.
    pub(crate) async fn wait_ready(
        &self,
        target: &Target,
        spec: &Value,
    ) -> Result<Observation, Trouble> {
        let json = spec.to_json();
        let mut deadline = self.deadline(self.declaration.ready_within);
        let mut pause = self.options.poll_first;
        loop {
            let found = self.look(target, Some(&json)).await?;
            match &found.status {
                Status::Ready | Status::Busy(_) => return Ok(found),
                Status::Failed(state) => {
                    return Err(Trouble::Failed(DriverError::new(
                        ErrorClass::Invalid,
                        format!("is in the state {state}"),
                    )));
                }
                status => self.notice(status, &mut deadline, &mut pause)?,
            }
            self.sleep(pause).await?;
            pause = longer(pause, self.options.poll_max);
        }
    }

    /// Sets one field.
    pub(crate) async fn set(
        &self,
        target: &Target,
        difference: &Difference,
    ) -> Result<(), Trouble> {
        let mut spec = Value::Map(BTreeMap::new());
        let to = difference.to.clone().map_or(Value::Scalar(Json::Null), Value::from);
        spec.set(&difference.path, to);
        let json = spec.to_json();
        let mut deadline = self.deadline(self.declaration.ready_within);
        let mut pause = self.options.poll_first;
        loop {
            let differing = std::slice::from_ref(difference);
            let call = self.driver.update(self.cx(), target, &json, differing);
            match self.bounded("update", call).await {
                Ok(()) => return Ok(()),
                Err(error) if error.class == ErrorClass::NotFound => return Ok(()),
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    self.rest(&mut pause, &mut deadline, &error).await?;
                }
                Err(error) => self.bear(error, &mut pause, &mut deadline).await?,
            }
        }
    }

    /// Deletes until nothing is there.
    pub(crate) async fn delete(&self, target: &Target, deletion: &Deletion) -> Result<(), Trouble> {
        let mut deadline = self.deadline(self.declaration.delete_within);
        let mut pause = self.options.poll_first;
        let mut asked = false;
        loop {
            if !asked {
                let call = self.driver.delete(self.cx(), target, deletion);
                match self.bounded("delete", call).await {
                    Ok(()) => asked = true,
                    Err(error) if error.class == ErrorClass::NotFound => asked = true,
                    Err(error) if error.class == ErrorClass::Ambiguous => {
                        self.rest(&mut pause, &mut deadline, &error).await?;
                    }
                    Err(error) => {
                        self.bear(error, &mut pause, &mut deadline).await?;
                        continue;
                    }
                }
            }
            let found = self.look(target, None).await?;
            match &found.status {
                Status::Absent => return self.copied(target, deletion).await,
                Status::Deleting => asked = true,
                _ => {}
            }
            self.notice(&found.status, &mut deadline, &mut pause)?;
            self.sleep(pause).await?;
            pause = longer(pause, self.options.poll_max);
        }
    }

    /// What was deleted left the copy that it was to leave: nobody is told that data is safe before it is.
    async fn copied(&self, target: &Target, deletion: &Deletion) -> Result<(), Trouble> {
        let Some(name) = &deletion.final_copy else { return Ok(()) };
        let mut deadline = self.deadline(self.declaration.delete_within);
        let mut pause = self.options.poll_first;
        let since = self.world.clock.now();
        loop {
            let call = self.driver.final_copy(self.cx(), target, name);
            let status = match self.bounded("look for the final copy", call).await {
                Ok(status) => status,
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    self.rest(&mut pause, &mut deadline, &error).await?;
                    continue;
                }
                Err(error) => {
                    self.bear(error, &mut pause, &mut deadline).await?;
                    continue;
                }
            };
            let missing = || {
                let message = format!("is gone, but its final copy {name} is not there");
                Trouble::Gone(DriverError::new(ErrorClass::NotFound, message))
            };
            match &status {
                Status::Ready | Status::Busy(_) => return Ok(()),
                Status::Failed(state) => {
                    let message = format!("is gone, and its final copy {name} is {state}");
                    return Err(Trouble::Gone(DriverError::new(ErrorClass::Invalid, message)));
                }
                Status::Deleting => return Err(missing()),
                Status::Absent => {
                    let waited = self.world.clock.now().saturating_sub(since);
                    if waited > self.declaration.read_after_write {
                        return Err(missing());
                    }
                }
                Status::Pending(_) => {
                    self.notice(&status, &mut deadline, &mut pause)?;
                }
            }
            self.sleep(pause).await?;
            pause = longer(pause, self.options.poll_max);
        }
    }

    async fn look(&self, target: &Target, spec: Option<&Json>) -> Result<Observation, Trouble> {
        let query = [Query { target: target.clone(), spec: spec.cloned() }];
        let mut deadline = self.deadline(PATIENCE);
        let mut pause = self.options.poll_first;
        loop {
            let call = async {
                self.driver.observe(self.cx(), &query).await.pop().unwrap_or_else(|| {
                    Err(DriverError::new(ErrorClass::Bug, "the driver gave no answer"))
                })
            };
            match self.bounded("observe", Box::pin(call)).await {
                Ok(found) => return Ok(found),
                Err(error) if error.class == ErrorClass::NotFound => {
                    return Ok(Observation::absent());
                }
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    self.rest(&mut pause, &mut deadline, &error).await?;
                }
                Err(error) => self.bear(error, &mut pause, &mut deadline).await?,
            }
        }
    }

    /// A call with an end: one that does not answer in time may have had its effect.
    async fn bounded<T>(
        &self,
        what: &str,
        call: BoxFuture<'_, Result<T, DriverError>>,
    ) -> Result<T, DriverError> {
        let limit = self.options.call_timeout;
        match select(call, self.world.clock.sleep(limit)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(DriverError::new(
                ErrorClass::Ambiguous,
                format!("no answer to {what} within {} s", limit.as_secs()),
            )),
        }
    }

    /// What to do about a failed call: pause and go on, or give up.
    async fn bear(
        &self,
        error: DriverError,
        pause: &mut Duration,
        deadline: &mut Deadline,
    ) -> Result<(), Trouble> {
        match error.class {
            ErrorClass::Throttled
            | ErrorClass::Transient
            | ErrorClass::Busy
            | ErrorClass::Dependency => self.rest(pause, deadline, &error).await,
            ErrorClass::Expired => Err(Trouble::Unfinished(error.message)),
            _ => Err(Trouble::Failed(error)),
        }
    }

    async fn rest(
        &self,
        pause: &mut Duration,
        deadline: &mut Deadline,
        error: &DriverError,
    ) -> Result<(), Trouble> {
        let waited = self.world.clock.now().saturating_sub(deadline.since);
        if waited > deadline.within {
            let message = format!("gave up after {} s: {error}", waited.as_secs());
            return Err(Trouble::Unfinished(message));
        }
        self.tell(Event::Retrying { step: self.step, error: error.clone(), pause: *pause });
        self.sleep(*pause).await?;
        *pause = longer(*pause, LONGEST_PAUSE.min(self.options.poll_max));
        Ok(())
    }

    fn deadline(&self, within: Duration) -> Deadline {
        Deadline { within, since: self.world.clock.now(), state: String::new() }
    }

    /// Reports a change of state, which restarts the clock; gives up when nothing changed for too long.
    fn notice(
        &self,
        status: &Status,
        deadline: &mut Deadline,
        pause: &mut Duration,
    ) -> Result<(), Trouble> {
        let now = self.world.clock.now();
        let state = described(status);
        if state != deadline.state {
            *pause = self.options.poll_first;
            deadline.since = now;
            deadline.state.clone_from(&state);
            self.tell(Event::State { step: self.step, state });
        } else if now.saturating_sub(deadline.since) > deadline.within {
            let seconds = deadline.within.as_secs();
            return Err(Trouble::Unfinished(format!("still {state} after {seconds} s")));
        }
        Ok(())
    }

    async fn sleep(&self, pause: Duration) -> Result<(), Trouble> {
        let interrupted = || Trouble::Unfinished("interrupted".to_owned());
        if self.interruption.requested() {
            return Err(interrupted());
        }
        if self.halt.load(Ordering::Relaxed) {
            return Err(Trouble::Unfinished("the run was stopped".to_owned()));
        }
        if let Some(lost) = self.lease.and_then(Lease::lost) {
            return Err(Trouble::Unfinished(lost));
        }
        match select(self.world.clock.sleep(pause), self.interruption.wait()).await {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(interrupted()),
        }
    }
}

fn longer(pause: Duration, longest: Duration) -> Duration {
    (pause + pause / 2).min(longest)
}

/// A status in a word or a few.
pub(crate) fn described(status: &Status) -> String {
    match status {
        Status::Absent => "not there yet".to_owned(),
        Status::Pending(state) | Status::Busy(state) => state.clone(),
        Status::Ready => "ready".to_owned(),
        Status::Failed(state) => format!("failed: {state}"),
        Status::Deleting => "deleting".to_owned(),
    }
}

fn stubborn(differing: &[Difference]) -> DriverError {
    let paths: Vec<&str> = differing.iter().map(|d| d.path.as_str()).collect();
    DriverError::new(
        ErrorClass::Invalid,
        format!(
            "the service accepted a change of {} but does not show it; look at the resource, then run again",
            paths.join(", ")
        ),
    )
}
