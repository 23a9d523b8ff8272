//! Calls under way in one loaded plugin: who waits for which, until when, and what the plugin must not do.
//!
//! A call that lasts too long is asked to stop, and when it does not within the grace, the plugin is killed. All calls then end
//! with what is true of them: the plugin has ended, and what they did is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use zonestack_abi::{EMIT_CHECKPOINT, EMIT_LOG, MESSAGE_MAX, STATUS_OK};
use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_sdk::message::{Description, LogLine, method};

use crate::call::{CallError, Event, Limits};
use crate::flood::Gauge;
use crate::frame::{FromPlugin, ToPlugin};
use crate::library::Sink;
use crate::services::refused;

/// The most that a plugin may ask for at the same time.
const ASKS_MAX: usize = 1000;
/// The most faults that are kept.
const FAULTS_MAX: usize = 100;

/// How frames get to the plugin. Nothing here blocks.
pub(crate) trait Transport: Send + Sync {
    /// Passes a frame on; one that cannot be is followed by the end.
    fn send(&self, frame: ToPlugin);
    /// Ends the plugin at once. False when that is not possible.
    fn kill(&self) -> bool;
    /// Nothing more will be sent. A child ends then, and false is returned where nothing ends by that.
    fn close(&self) -> bool;
    /// The number of its process, when it has one of its own that has not ended.
    fn process(&self) -> Option<u32>;
}

type Waiter = Box<dyn Fn(Event) + Send>;

/// One loaded plugin.
pub(crate) struct Session {
    /// The plugin's name, for messages.
    name: String,
    limits: Limits,
    transport: OnceLock<Box<dyn Transport>>,
    state: Mutex<State>,
    /// A deadline has come nearer, or everything has ended.
    changed: Condvar,
}

struct State {
    next: u64,
    open: BTreeMap<u64, Open>,
    /// Calls that were ended here although the plugin had not ended them, in a process that cannot be killed.
    forgotten: BTreeSet<u64>,
    /// Asks that wait for an answer, and the calls that they are for. Nobody answers those of a call that has ended.
    asks: Vec<(u64, u64)>,
    /// Until when it must be loaded and have described itself; `None` when it has.
    load_by: Option<Instant>,
    /// What it said of itself.
    described: Option<Description>,
    /// Calls that wait until it has: nothing is sent to a plugin that does not fit.
    held: Vec<(u64, ToPlugin)>,
    /// Why it is being killed.
    killed: Option<String>,
    ended: Option<CallError>,
    faults: Vec<String>,
    gauge: Gauge,
}

impl State {
    /// Takes out a call, and what it has asked.
    fn ended(&mut self, call: u64) -> Option<Open> {
        self.asks.retain(|(_, of)| *of != call);
        self.open.remove(&call)
    }
}

struct Open {
    waiter: Waiter,
    /// Whether it is driven by a future that can answer what is asked.
    can_ask: bool,
    method: &'static str,
    limit: Duration,
    /// Counted from when the plugin has described itself.
    deadline: Option<Instant>,
    stopping: bool,
    checkpoint: Option<String>,
}

impl Session {
    pub(crate) fn new(name: &str, limits: Limits) -> Arc<Self> {
        let now = Instant::now();
        let session = Arc::new(Self {
            name: name.to_owned(),
            limits,
            transport: OnceLock::new(),
            state: Mutex::new(State {
                next: 1,
                open: BTreeMap::new(),
                forgotten: BTreeSet::new(),
                asks: Vec::new(),
                load_by: Some(now + limits.load),
                described: None,
                held: Vec::new(),
                killed: None,
                ended: None,
                faults: Vec::new(),
                gauge: Gauge::new(now),
            }),
            changed: Condvar::new(),
        });
        let watched = Arc::clone(&session);
        let watch = move || watched.watch();
        let builder = thread::Builder::new().name(format!("watch:{name}"));
        if let Err(error) = builder.spawn(watch) {
            session.ended(&format!("cannot be watched: {error}"));
        }
        session
    }

    /// Frames go here from now on.
    pub(crate) fn connect(&self, transport: Box<dyn Transport>) {
        drop(self.transport.set(transport));
    }

    /// Starts the first call, by which the plugin describes itself. It ends with [`Self::welcome`] or [`Self::unfit`].
    pub(crate) fn greet(&self, body: Vec<u8>, waiter: Waiter) {
        let call = {
            let mut state = self.state();
            if state.ended.is_some() {
                return;
            }
            state.open(method::DESCRIBE, self.limits.load, false, waiter)
        };
        self.send(ToPlugin::Start { call, method: method::DESCRIBE.to_owned(), body });
    }

    /// The plugin fits: calls may begin.
    pub(crate) fn welcome(&self, described: Description) {
        let held = {
            let mut state = self.state();
            state.load_by = None;
            state.described = Some(described);
            let now = Instant::now();
            for open in state.open.values_mut() {
                open.deadline = Some(now + open.limit);
            }
            std::mem::take(&mut state.held)
        };
        self.changed.notify_all();
        for (_, frame) in held {
            self.send(frame);
        }
    }

    /// What the plugin says of itself. Blocks until it has.
    pub(crate) fn described(&self) -> Result<Description, CallError> {
        let waits = |state: &mut State| state.described.is_none() && state.ended.is_none();
        let state = self.changed.wait_while(self.state(), waits);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        match (&state.ended, &state.described) {
            (None, Some(described)) => Ok(described.clone()),
            (Some(error), _) => Err(error.clone()),
            (None, None) => Err(CallError::lost()),
        }
    }

    /// Starts a call, when the plugin has described itself.
    pub(crate) fn call(
        &self,
        method: &'static str,
        body: Vec<u8>,
        limit: Duration,
        can_ask: bool,
        waiter: Waiter,
    ) -> Result<u64, CallError> {
        if body.len() > MESSAGE_MAX {
            return Err(CallError::Request(body.len()));
        }
        let (call, frame) = {
            let mut state = self.state();
            if let Some(error) = &state.ended {
                return Err(error.clone());
            }
            let call = state.open(method, limit, can_ask, waiter);
            let frame = ToPlugin::Start { call, method: method.to_owned(), body };
            if state.load_by.is_some() {
                state.held.push((call, frame));
                return Ok(call);
            }
            (call, frame)
        };
        self.changed.notify_all();
        self.send(frame);
        Ok(call)
    }

    /// Nobody waits for this call any more: it is asked to stop, and must.
    pub(crate) fn abandon(&self, call: u64) {
        {
            let mut state = self.state();
            if let Some(place) = state.held.iter().position(|(held, _)| *held == call) {
                // It was never sent.
                state.held.remove(place);
                state.open.remove(&call);
            }
            let Some(open) = state.open.get_mut(&call) else { return };
            open.stopping = true;
            open.deadline = Some(Instant::now() + self.limits.grace);
        }
        self.changed.notify_all();
        self.send(ToPlugin::Cancel { call });
    }

    /// Answers what the plugin asked.
    pub(crate) fn answer(&self, ask: u64, (status, body): (i32, Vec<u8>)) {
        {
            let mut state = self.state();
            if let Some(place) = state.asks.iter().position(|(open, _)| *open == ask) {
                state.asks.swap_remove(place);
            }
        }
        self.send(ToPlugin::Answer { ask, status, body });
    }

    /// What the plugin did that it must not.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.state().faults.clone()
    }

    /// The number of its process, when it has one of its own that has not ended.
    pub(crate) fn process(&self) -> Option<u32> {
        self.transport.get().and_then(|transport| transport.process())
    }

    /// How it has ended, when it has.
    pub(crate) fn end(&self) -> Option<CallError> {
        self.state().ended.clone()
    }

    /// Asks everything to end, and ends it when it does not. Returns when it has ended, or after the grace.
    pub(crate) fn shutdown(&self, grace: Duration) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.send(ToPlugin::Shutdown { grace_ms });
        let ends = self.transport.get().is_some_and(|transport| transport.close());
        let waits = |state: &mut State| state.ended.is_none() && (ends || !state.open.is_empty());
        let state = self.state();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, grace, waits)
            .unwrap_or_else(PoisonError::into_inner);
        let still_there = state.ended.is_none();
        drop(state);
        if still_there && !self.kill("did not end when it was asked to") {
            self.ended("is not used any more");
        }
    }

    /// Nothing more is sent, and it ends.
    pub(crate) fn close(&self) {
        if !self.transport.get().is_some_and(|transport| transport.close()) {
            self.ended("is not used any more");
        }
    }

    /// It has ended, and how: every open call ends with it.
    pub(crate) fn ended(&self, how: &str) {
        let mut state = self.state();
        if state.ended.is_some() {
            return;
        }
        let how = state.killed.take().unwrap_or_else(|| how.to_owned());
        let error = if state.load_by.is_some() {
            CallError::Load(format!("it {how} while it was loaded"))
        } else {
            CallError::Ended { how, checkpoint: None }
        };
        self.end_with(state, &error);
    }

    /// It cannot be used, and why. It is ended.
    pub(crate) fn unfit(&self, reason: &str) {
        let state = self.state();
        if state.ended.is_none() {
            self.end_with(state, &CallError::Load(reason.to_owned()));
        }
        if let Some(transport) = self.transport.get() {
            transport.kill();
        }
    }

    fn end_with(&self, mut state: MutexGuard<'_, State>, error: &CallError) {
        state.ended = Some(error.clone());
        let open = std::mem::take(&mut state.open);
        drop(state);
        self.changed.notify_all();
        for call in open.into_values() {
            let error = match error {
                CallError::Ended { how, .. } => {
                    CallError::Ended { how: how.clone(), checkpoint: call.checkpoint }
                }
                other => other.clone(),
            };
            (call.waiter)(Event::Done(Err(error)));
        }
    }

    fn send(&self, frame: ToPlugin) {
        if let Some(transport) = self.transport.get() {
            transport.send(frame);
        }
    }

    /// Ends the plugin, when that is possible.
    fn kill(&self, reason: &str) -> bool {
        self.state().killed.get_or_insert_with(|| reason.to_owned());
        self.transport.get().is_some_and(|transport| transport.kill())
    }

    fn done(&self, call: u64, result: Result<Vec<u8>, CallError>) {
        let mut state = self.state();
        if let Some(open) = state.ended(call) {
            drop(state);
            self.changed.notify_all();
            (open.waiter)(Event::Done(result));
        } else if !state.forgotten.remove(&call) {
            drop(state);
            self.fault(format!("it ended call {call}, which is not open"));
        }
    }

    fn fault(&self, what: String) {
        let mut state = self.state();
        if state.faults.len() < FAULTS_MAX {
            tracing::warn!(target: "zonestack::plugin", plugin = self.name, "a fault of the plugin: {what}");
            state.faults.push(what);
        }
    }

    /// Passes on what is asked to the call that it is for, or to any other that can answer.
    fn asked(&self, call: u64, ask: u64, method: String, body: Vec<u8>) {
        let mut state = self.state();
        let mut able = state.open.iter().filter(|(_, open)| open.can_ask);
        let found = able.find(|(open, _)| **open == call || call == 0).map(|(open, _)| *open);
        if let Some(of) = found {
            state.asks.push((ask, of));
            if state.asks.len() > ASKS_MAX {
                drop(state);
                self.kill("asked for more than 1000 things at once");
            } else if let Some(open) = state.open.get(&of) {
                (open.waiter)(Event::Ask { ask, method, body });
            }
            return;
        }
        drop(state);
        let message = format!("{method} can be asked only while a call of a driver is under way");
        self.answer(ask, refused(DriverError::new(ErrorClass::Unsupported, message)));
    }

    /// A line that the plugin, or a library of it, wrote.
    pub(crate) fn line(&self, line: &LogLine) {
        let verdict = self.state().gauge.line(line.text.len(), Instant::now());
        self.dropped(verdict.dropped);
        if !verdict.passes {
            return;
        }
        let (plugin, from, text) = (self.name.as_str(), line.target.as_str(), line.text.as_str());
        match line.level.as_str() {
            "error" => tracing::error!(target: "zonestack::plugin", plugin, from, "{text}"),
            "warn" => tracing::warn!(target: "zonestack::plugin", plugin, from, "{text}"),
            "debug" => tracing::debug!(target: "zonestack::plugin", plugin, from, "{text}"),
            "trace" => tracing::trace!(target: "zonestack::plugin", plugin, from, "{text}"),
            _ => tracing::info!(target: "zonestack::plugin", plugin, from, "{text}"),
        }
    }

    fn dropped(&self, count: u64) {
        if count > 0 {
            let plugin = self.name.as_str();
            tracing::warn!(target: "zonestack::plugin", plugin, "{count} of its lines were too many or too long and are not shown");
        }
    }

    fn emitted(&self, call: u64, kind: u32, body: &[u8]) {
        match kind {
            EMIT_LOG => {
                let line = serde_json::from_slice(body).unwrap_or_else(|_| LogLine {
                    level: String::new(),
                    target: String::new(),
                    text: String::from_utf8_lossy(body).into_owned(),
                });
                self.line(&line);
            }
            EMIT_CHECKPOINT => {
                let text = String::from_utf8_lossy(body).into_owned();
                if let Some(open) = self.state().open.get_mut(&call) {
                    open.checkpoint = Some(text);
                }
            }
            _ => {
                let said: Json = serde_json::from_slice(body).unwrap_or_default();
                let text = said.get("text").and_then(Json::as_str).unwrap_or_default().to_owned();
                let target = "progress".to_owned();
                self.line(&LogLine { level: "info".to_owned(), target, text });
            }
        }
    }

    /// Watches over the deadlines until the end.
    fn watch(&self) {
        let mut state = self.state();
        while state.ended.is_none() {
            let now = Instant::now();
            if state.load_by.is_some_and(|by| by <= now) {
                drop(state);
                let reason = format!("was not ready within {:?}", self.limits.load);
                if !self.kill(&reason) {
                    self.ended(&reason);
                }
                state = self.state();
                state.load_by = state.load_by.map(|by| by + self.limits.grace);
                continue;
            }
            let (stop, hung) = overdue(&mut state, now, self.limits.grace);
            if stop.is_empty() && hung.is_empty() {
                let next = state.open.values().filter_map(|open| open.deadline);
                let next = next.chain(state.load_by).min();
                state = match next {
                    Some(at) => {
                        let pause = at.saturating_duration_since(now);
                        let waited = self.changed.wait_timeout(state, pause);
                        waited.unwrap_or_else(PoisonError::into_inner).0
                    }
                    None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                };
                continue;
            }
            drop(state);
            for call in stop {
                self.send(ToPlugin::Cancel { call });
            }
            self.end_hung(hung);
            state = self.state();
        }
    }

    /// Ends calls that do not end: with the plugin, or without it when it cannot be killed.
    fn end_hung(&self, hung: Vec<(u64, String)>) {
        let Some((_, reason)) = hung.first() else { return };
        if self.kill(reason) {
            return;
        }
        for (call, reason) in hung {
            let mut state = self.state();
            let Some(open) = state.ended(call) else { continue };
            state.forgotten.insert(call);
            drop(state);
            let how = format!("{reason}, and cannot be ended because it is in this process");
            (open.waiter)(Event::Done(Err(CallError::Ended { how, checkpoint: open.checkpoint })));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A new call.
    fn open(
        &mut self,
        method: &'static str,
        limit: Duration,
        can_ask: bool,
        waiter: Waiter,
    ) -> u64 {
        let call = self.next;
        self.next += 1;
        let deadline = self.load_by.is_none().then(|| Instant::now() + limit);
        let open =
            Open { waiter, can_ask, method, limit, deadline, stopping: false, checkpoint: None };
        self.open.insert(call, open);
        call
    }
}

/// Calls that must be asked to stop now, and calls that were and have not.
fn overdue(state: &mut State, now: Instant, grace: Duration) -> (Vec<u64>, Vec<(u64, String)>) {
    let (mut stop, mut hung) = (Vec::new(), Vec::new());
    for (&call, open) in &mut state.open {
        if open.deadline.is_none_or(|deadline| deadline > now) {
            continue;
        }
        open.deadline = Some(now + grace);
        if open.stopping {
            let method = open.method;
            hung.push((call, format!("hung in `{method}` and did not stop when it was asked to")));
        } else {
            open.stopping = true;
            stop.push(call);
        }
    }
    (stop, hung)
}

impl Sink for Session {
    fn frame(&self, frame: FromPlugin) {
        match frame {
            FromPlugin::Ready => {}
            FromPlugin::Failed { reason } => self.unfit(&reason),
            FromPlugin::Refused { call } => self.done(call, Err(CallError::Refused)),
            FromPlugin::TooLarge { call, length } => {
                self.done(call, Err(CallError::TooLarge(length)));
            }
            FromPlugin::Complete { call, status: STATUS_OK, body } => self.done(call, Ok(body)),
            FromPlugin::Complete { call, body, .. } => {
                let error = match serde_json::from_slice(&body) {
                    Ok(failure) => CallError::Failed(failure),
                    Err(error) => CallError::Unreadable(error.to_string()),
                };
                self.done(call, Err(error));
            }
            FromPlugin::Emit { call, kind, body } => self.emitted(call, kind, &body),
            FromPlugin::Ask { call, ask, method, body } => self.asked(call, ask, method, body),
            FromPlugin::Dropped { count } => self.dropped(count),
        }
    }
}
