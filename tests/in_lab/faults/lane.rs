//! One stack that goes up and down again and again, with a fault in most of its runs.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::cases::{Cases, Depth};
use super::{SHOWN, STACK, Work, holdings};
use crate::harness::{Call, Console, FaultProxy, Lab, Orders, Outcome, Program, Upstreams};

const UP: [&str; 2] = ["up", "--yes"];
const DOWN: [&str; 6] = ["down", "--delete-data", "data", "--delete-data", "db", "--yes"];
const PLAN: [&str; 2] = ["plan", "--detailed-exitcode"];
/// No run takes nearly as long, even with a fault.
const LIMIT: Duration = Duration::from_mins(2);
/// What is told of the requests before a fault.
const BEFORE: usize = 3;

/// A stack and its place.
pub(super) struct Lane<'a> {
    lab: &'a Lab,
    upstreams: Arc<Upstreams>,
    console: Console,
    program: Program,
    name: String,
    /// Whether the stack makes its namespace itself.
    own_namespace: bool,
    /// What belongs to a stack that is up, as text.
    made: String,
    depth: Depth,
    runs: usize,
    failed: usize,
}

type Verdict<T> = Result<T, String>;

impl<'a> Lane<'a> {
    pub(super) fn new(lab: &'a Lab, name: &str, depth: Depth, own_namespace: bool) -> Self {
        let mut lane = Self {
            lab,
            upstreams: lab.upstreams(),
            console: lab.console(),
            program: lab.program(""),
            name: String::new(),
            own_namespace,
            made: String::new(),
            depth,
            runs: 0,
            failed: 0,
        };
        lane.program.environment.insert("TEMPLATE".to_owned(), "a template".to_owned());
        lane.settle(name.to_owned());
        lane
    }

    pub(super) fn expecting(lab: &'a Lab, name: &str, depth: Depth, made: &str) -> Self {
        Self { made: made.to_owned(), ..Self::new(lab, name, depth, false) }
    }

    /// Takes a name that was never used.
    fn settle(&mut self, name: String) {
        self.program.stack(STACK.replace("NAME", &name));
        if !self.own_namespace {
            let namespace = json!({ "metadata": { "name": name } });
            self.lab.kubernetes.create("/api/v1/namespaces", &namespace);
        }
        self.name = name;
    }

    /// What belongs to a stack that is up.
    pub(super) fn made(&self) -> &str {
        &self.made
    }

    /// One `up` and one `down` without faults: their requests, and what there is in between.
    #[track_caller]
    pub(super) fn explore(&mut self) -> [Vec<Call>; 2] {
        let (outcome, up) = self.run(&UP, None);
        outcome.exits(0);
        self.made = self.holdings().join("\n");
        let (outcome, down) = self.run(&DOWN, None);
        outcome.exits(0);
        self.left().unwrap();
        [up, down]
    }

    /// Takes cases until there are none.
    pub(super) fn work(mut self, work: &Mutex<Work>) {
        let lock = || work.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (up, down) = {
                let mut work = lock();
                (work.up.next(), work.down.next())
            };
            if up.is_none() && down.is_none() {
                break;
            }
            let attempt = self.attempt(work, up.as_ref(), down.as_ref());
            let Err(why) = attempt else { continue };
            let mut work = lock();
            if work.failures.len() < SHOWN {
                println!("faults: {}: {why}\n", self.name);
            }
            work.failures.push(why);
            drop(work);
            // What went wrong must not go wrong once more in the next case.
            self.failed += 1;
            let name =
                format!("{}r{}", self.name.split('r').next().unwrap_or_default(), self.failed);
            self.settle(name);
        }
        lock().runs += self.runs;
        if !self.own_namespace {
            self.lab.kubernetes.delete(&format!("/api/v1/namespaces/{}", self.name));
        }
    }

    /// Up and down once; a fault in either.
    fn attempt(
        &mut self,
        work: &Mutex<Work>,
        up: Option<&Orders>,
        down: Option<&Orders>,
    ) -> Verdict<()> {
        let lock = || work.lock().unwrap_or_else(PoisonError::into_inner);
        let mut story = String::new();
        if up.is_some() {
            self.faulted(&UP, up, &mut story, |took| took(&mut lock().up))
                .and_then(|done| self.converged(done))
                .map_err(|why| format!("up\n{story}    {why}"))?;
        } else {
            self.clean(&UP)?;
        }
        let done = self.faulted(&DOWN, down, &mut story, |took| took(&mut lock().down));
        let done = done.and_then(|done| if done { Ok(()) } else { self.clean(&DOWN) });
        done.and_then(|()| self.left()).map_err(|why| format!("up and down\n{story}    {why}"))
    }

    /// A run with faults; further ones with other faults, as long as they do not do everything. Whether the last one did, or
    /// there was none.
    fn faulted(
        &mut self,
        command: &[&str],
        first: Option<&Orders>,
        story: &mut String,
        mut with_cases: impl FnMut(&mut dyn FnMut(&mut Cases)),
    ) -> Verdict<bool> {
        let mut orders = first.cloned();
        for index in 0..self.depth.chain {
            let Some(now) = orders.take() else { break };
            let (outcome, calls) = self.run(command, Some(&now));
            tell(story, &outcome, &calls);
            let done = truthful(&outcome, &now, &calls);
            let complete = done.as_ref().is_ok_and(|done| *done);
            // A kill at one request is followed by a clean run, unless the world is as it was before.
            let ends = !matches!(now, Orders::At(_)) && calls.iter().any(|call| call.changes);
            with_cases(&mut |cases| {
                cases.took(&now, &calls, outcome.code, index == 0);
                if !complete && !ends && index + 1 < self.depth.chain {
                    orders = cases.next();
                }
            });
            if done? {
                return Ok(true);
            }
            if ends {
                break;
            }
        }
        Ok(false)
    }

    /// One clean `up`, unless the last one has said that it has done all; then nothing is to do, and nothing there twice.
    fn converged(&mut self, done: bool) -> Verdict<()> {
        if !done {
            self.clean(&UP)?;
        }
        self.clean(&PLAN)?;
        let found = self.holdings().join("\n");
        if found == self.made {
            return Ok(());
        }
        Err(format!("there is\n{found}\nand there should be\n{}", self.made))
    }

    /// After `down`: the final snapshot, which is thrown away, and nothing else.
    fn left(&mut self) -> Verdict<()> {
        let holdings = self.console.holdings(&self.name);
        for line in &holdings {
            if let Some(snapshot) = line.strip_prefix("snapshot ") {
                let arguments = json!({ "DBSnapshotIdentifier": snapshot });
                self.console.call("rds", "delete_db_snapshot", &arguments);
            }
        }
        match &holdings[..] {
            [only] if only.starts_with("snapshot ") => {}
            _ => return Err(format!("AWS has after `down`\n{}", holdings.join("\n"))),
        }
        let left = self.holdings();
        if left.is_empty() {
            return Ok(());
        }
        Err(format!("there is after `down`\n{}", left.join("\n")))
    }

    fn holdings(&mut self) -> Vec<String> {
        holdings::of(&mut self.console, &self.lab.kubernetes, &self.name)
    }

    /// A run with the faults that are ordered, and its requests.
    fn run(&mut self, command: &[&str], orders: Option<&Orders>) -> (Outcome, Vec<Call>) {
        self.runs += 1;
        let proxy = FaultProxy::start(&self.upstreams, &self.name, orders.cloned());
        let (mut outcome, in_time) = proxy.run(&self.program, command).wait_within(LIMIT);
        let calls = proxy.finish();
        if !in_time {
            outcome.code = TOO_LONG;
        }
        (outcome, calls)
    }

    /// A run without faults, which must do everything.
    fn clean(&mut self, command: &[&str]) -> Verdict<()> {
        self.runs += 1;
        let (outcome, in_time) = self.program.start(command).wait_within(LIMIT);
        match outcome.code {
            0 if in_time => Ok(()),
            _ => Err(format!("a clean run does not end with 0: {outcome}")),
        }
    }
}

/// Stands for the code of a run that was ended because it took too long.
const TOO_LONG: i32 = -2;

/// Whether a run says that it has done everything. One that was not killed must end by itself and say how: 0, 1 or 3.
fn truthful(outcome: &Outcome, orders: &Orders, calls: &[Call]) -> Verdict<bool> {
    let met = calls.iter().any(|call| call.fault.is_some());
    let allowed: &[i32] = match orders {
        Orders::At(_) => &[0, 1, 3],
        _ if met => &[-1],
        _ => &[0],
    };
    if !allowed.contains(&outcome.code) || outcome.stderr.contains("panicked") {
        return Err(format!("it may not end with {}: {outcome}", outcome.code));
    }
    Ok(outcome.code == 0)
}

/// The faults of a run, with what was asked just before, and how it ended.
fn tell(story: &mut String, outcome: &Outcome, calls: &[Call]) {
    let faulty = |index: usize| calls.get(index).is_some_and(|call| call.fault.is_some());
    for (index, call) in calls.iter().enumerate() {
        if (index..=index + BEFORE).any(faulty) {
            let _ = writeln!(story, "    {}: {call}", index + 1);
        }
    }
    let _ = writeln!(story, "    … {} requests, and the end with {}", calls.len(), outcome.code);
}
