//! The one place that every call passes: here it is counted, may fail, has its effect, is logged and saved.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use zonestack_core::clock::Clock;
use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_core::inventory::{Entry, EntryState};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::name::{Kind, ResourceId};

use crate::clock::unix_seconds;
use crate::fault::{Fault, Faults, NoFaults};
use crate::file::{SandboxFile, SandboxFileError, Saved};
use crate::log::{Call, CallLog, Logged, Operation};
use crate::options::{Options, millis};
use crate::settle::{next_change, settle};
use crate::world::World;
use crate::{
    SandboxCluster, SandboxDriver, SandboxInventory, SandboxLease, SandboxNetwork, SandboxSecrets,
    SecretReader,
};

/// A sandbox, and one process that uses it. Clones are the same process; [`Self::process`] starts another in the same world.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    process: Arc<Process>,
    faults: Arc<dyn Faults>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    world: World,
    file: Option<SandboxFile>,
    log: CallLog,
    /// The world's age, in milliseconds, at a moment of the clock.
    base: (u64, Duration),
    /// Before this age of the world there is nothing to settle.
    settled_until: u64,
}

struct Process {
    name: String,
    calls: AtomicU64,
    dead: watch::Sender<bool>,
}

impl Process {
    fn new(name: &str) -> Arc<Self> {
        let (dead, _) = watch::channel(false);
        Arc::new(Self { name: name.to_owned(), calls: AtomicU64::new(0), dead })
    }
}

/// What a call is about.
pub(crate) struct Purpose<'a> {
    pub(crate) operation: Operation,
    pub(crate) stack: &'a str,
    pub(crate) kind: Option<&'a Kind>,
    pub(crate) id: Option<&'a ResourceId>,
    /// For an inventory that is written, its entries.
    pub(crate) entries: Option<&'a BTreeMap<ResourceId, Entry>>,
}

impl Purpose<'_> {
    pub(crate) fn read(operation: Operation) -> Self {
        Self { operation, stack: "", kind: None, id: None, entries: None }
    }
}

/// What something did to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It only looked.
    None,
    /// It wanted to change something and was refused.
    Refused,
    /// It changed something, and what follows from that at once has been settled.
    Settled,
}

/// One call's hold on the world.
pub(crate) struct Turn<'w> {
    pub(crate) world: &'w mut World,
    /// How far a read lags behind.
    pub(crate) lag: Duration,
}

impl Sandbox {
    /// A sandbox that ends with the process.
    pub fn in_memory(options: &Options, clock: Arc<dyn Clock>) -> Self {
        Self::with_state(World::new(options), None, clock)
    }

    /// A sandbox with this world, that ends with the process: for many runs from the same beginning.
    pub fn of(world: World, clock: Arc<dyn Clock>) -> Self {
        Self::with_state(world, None, clock)
    }

    /// The sandbox in a file, as others left it; time has passed in it since. A new one when there is no file: the file is
    /// written by the first call that changes something.
    pub fn open(
        path: &Path,
        options: &Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SandboxFileError> {
        let mut file = SandboxFile::new(path);
        // A file that cannot be written is told of now, not by the first change.
        let _turn = file.lock()?;
        let world = match file.read()? {
            Some(Saved { mut world, at }) => {
                let passed = unix_seconds(&clock.timestamp())
                    .zip(unix_seconds(&at))
                    .map_or(0, |(now, then)| now.saturating_sub(then));
                world.now = world.now.saturating_add(passed.saturating_mul(1_000));
                world.pace = options.pace.unwrap_or(world.pace);
                world
            }
            None => World::new(options),
        };
        Ok(Self::with_state(world, Some(file), clock))
    }

    fn with_state(world: World, file: Option<SandboxFile>, clock: Arc<dyn Clock>) -> Self {
        let base = (world.now, clock.now());
        let state =
            Mutex::new(State { world, file, log: CallLog::default(), base, settled_until: 0 });
        Self {
            shared: Arc::new(Shared { clock, state }),
            process: Process::new("main"),
            faults: Arc::new(NoFaults),
        }
    }

    /// Another process in the same world: with calls counted from 1, alive, and with these faults.
    #[must_use]
    pub fn process(&self, name: &str, faults: Arc<dyn Faults>) -> Self {
        Self { shared: Arc::clone(&self.shared), process: Process::new(name), faults }
    }

    /// The driver of the given kinds.
    pub fn driver(&self, kinds: Vec<KindDeclaration>) -> SandboxDriver {
        SandboxDriver::new(self.clone(), kinds)
    }

    /// Where the inventory of a stack is kept.
    pub fn inventory(&self, stack: &str, namespace: &str) -> SandboxInventory {
        SandboxInventory::new(self.clone(), stack, namespace)
    }

    /// Where the lease of a stack is kept.
    pub fn lease(&self, stack: &str, namespace: &str) -> SandboxLease {
        SandboxLease::new(self.clone(), stack, namespace)
    }

    /// The cluster of that name.
    pub fn cluster(&self, name: &str) -> SandboxCluster {
        SandboxCluster::new(self.clone(), name)
    }

    /// The network, as seen in a region.
    pub fn network(&self, region: &str) -> SandboxNetwork {
        SandboxNetwork::new(self.clone(), region)
    }

    /// Secret values: keys of Secrets in a namespace of the world, and what the two functions read from outside.
    pub fn secrets(
        &self,
        namespace: &str,
        environment: SecretReader,
        file: SecretReader,
    ) -> SandboxSecrets {
        SandboxSecrets::new(self.clone(), namespace, environment, file)
    }

    /// What was called so far, by all processes.
    pub fn log(&self) -> CallLog {
        self.state().log.clone()
    }

    /// How many calls this process made.
    pub fn calls(&self) -> u64 {
        self.process.calls.load(Ordering::SeqCst)
    }

    /// Ends when a fault has made this process die ([`Fault::Crash`]). Whoever runs it drops its future then.
    pub async fn crashed(&self) {
        let mut dead = self.process.dead.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        drop(dead.wait_for(|dead| *dead).await);
    }

    /// The world as it is now.
    pub fn world(&self) -> Result<World, SandboxFileError> {
        self.state().with(&*self.shared.clock, |world| (world.clone(), Effect::None))
    }

    /// Does something to the world from outside, such as [`World::lose_zone`], and saves it. Not a call: no fault, no log.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T, SandboxFileError> {
        self.state().with(&*self.shared.clock, |world| {
            let before = world.clone();
            let result = change(world);
            let now = world.now;
            settle(world, now);
            (result, if before == *world { Effect::None } else { Effect::Settled })
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call: `effect` is what it does, `fail` makes its error of a driver's.
    pub(crate) async fn call<T, E: std::fmt::Display>(
        &self,
        purpose: Purpose<'_>,
        fail: impl Fn(DriverError) -> E,
        effect: impl FnOnce(&mut Turn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.while_alive().await;
        let call = Call {
            number: self.process.calls.fetch_add(1, Ordering::SeqCst) + 1,
            process: self.process.name.clone(),
            operation: purpose.operation,
            stack: purpose.stack.to_owned(),
            kind: purpose.kind.cloned(),
            id: purpose.id.cloned(),
            at: self.shared.clock.now(),
        };
        let latency = self.state().world.pace.latency();
        if !latency.is_zero() {
            self.shared.clock.sleep(latency).await;
        }
        let mut lag = Duration::ZERO;
        match self.faults.before(&call) {
            None => {}
            Some(Fault::Lag(duration)) => lag = duration,
            Some(fault) => {
                if let Err(error) = self.suffer(fault).await {
                    let error = fail(error);
                    self.record(&call, &purpose, false, Some(Err(error.to_string())));
                    return Err(error);
                }
            }
        }
        self.while_alive().await;
        let (position, result) = self.take_place(&call, &purpose, lag, &fail, effect);
        if let Some(fault) = self.faults.after(&call)
            && let Err(error) = self.suffer(fault).await
        {
            let error = fail(error);
            self.answer(position, Err(error.to_string()));
            return Err(error);
        }
        self.while_alive().await;
        let answer = result.as_ref().map(|_| ()).map_err(ToString::to_string);
        tracing::debug!(?call, ?answer, "sandbox call");
        self.answer(position, answer);
        result
    }

    fn take_place<T, E>(
        &self,
        call: &Call,
        purpose: &Purpose<'_>,
        lag: Duration,
        fail: &impl Fn(DriverError) -> E,
        effect: impl FnOnce(&mut Turn<'_>) -> Result<T, E>,
    ) -> (usize, Result<T, E>) {
        let mut state = self.state();
        let outcome = state.with(&*self.shared.clock, |world| {
            let result = effect(&mut Turn { world, lag });
            match (call.operation.changes(), result.is_ok()) {
                (false, _) => (result, Effect::None),
                (true, false) => (result, Effect::Refused),
                (true, true) => {
                    let now = world.now;
                    settle(world, now);
                    (result, Effect::Settled)
                }
            }
        });
        let result = outcome.unwrap_or_else(|error| {
            let class = match error {
                SandboxFileError::Write { .. } => ErrorClass::Transient,
                _ => ErrorClass::Invalid,
            };
            Err(fail(DriverError::new(class, error.in_full())))
        });
        let effect = result.is_ok();
        let position = state.log.calls.len();
        let entries = purpose.entries.map(states);
        state.log.calls.push(Logged { call: call.clone(), effect, answer: None, entries });
        (position, result)
    }

    fn record(
        &self,
        call: &Call,
        purpose: &Purpose<'_>,
        effect: bool,
        answer: Option<Result<(), String>>,
    ) {
        let entries = purpose.entries.map(states);
        self.state().log.calls.push(Logged { call: call.clone(), effect, answer, entries });
    }

    fn answer(&self, position: usize, answer: Result<(), String>) {
        if let Some(logged) = self.state().log.calls.get_mut(position) {
            logged.answer = Some(answer);
        }
    }

    async fn suffer(&self, fault: Fault) -> Result<(), DriverError> {
        match fault {
            Fault::Delay(duration) => {
                self.shared.clock.sleep(duration).await;
                Ok(())
            }
            Fault::Fail(error) => Err(error),
            Fault::Lag(_) => Ok(()),
            Fault::Hang => std::future::pending().await,
            Fault::Crash => {
                self.process.dead.send_replace(true);
                std::future::pending().await
            }
        }
    }

    /// Never ends once the process is dead.
    async fn while_alive(&self) {
        if *self.process.dead.borrow() {
            std::future::pending::<()>().await;
        }
    }
}

fn states(entries: &BTreeMap<ResourceId, Entry>) -> BTreeMap<ResourceId, EntryState> {
    entries.iter().map(|(id, entry)| (id.clone(), entry.state)).collect()
}

impl State {
    /// Does something with the world at this moment, and saves it when that or the passing of time changed something. When it
    /// cannot be saved, nothing has changed.
    fn with<T>(
        &mut self,
        clock: &dyn Clock,
        body: impl FnOnce(&mut World) -> (T, Effect),
    ) -> Result<T, SandboxFileError> {
        let lock = self.file.as_ref().map(SandboxFile::lock).transpose()?;
        if let Some(Saved { world, .. }) =
            self.file.as_mut().map(SandboxFile::read).transpose()?.flatten()
        {
            // Another command wrote: go on from there.
            let pace = self.world.pace;
            self.base = (self.now(clock).max(world.now), clock.now());
            self.world = World { pace, ..world };
            self.settled_until = 0;
        }
        let now = self.now(clock).max(self.world.now);
        let passed = now >= self.settled_until;
        let settled = passed && settle(&mut self.world, now);
        self.world.now = now;
        if passed {
            self.settled_until = next_change(&self.world);
        }
        let (result, effect) = body(&mut self.world);
        match effect {
            Effect::None => {}
            Effect::Refused => self.settled_until = 0,
            Effect::Settled => self.settled_until = next_change(&self.world),
        }
        if let Some(file) = self.file.as_mut().filter(|_| effect == Effect::Settled || settled)
            && let Err(error) = file.write(&self.world, &clock.timestamp())
        {
            if let Some(Saved { world, .. }) = file.last() {
                self.world = world;
            }
            self.settled_until = 0;
            return Err(error);
        }
        drop(lock);
        Ok(result)
    }

    fn now(&self, clock: &dyn Clock) -> u64 {
        let (age, at) = self.base;
        age.saturating_add(millis(clock.now().saturating_sub(at)))
    }
}

#[cfg(test)]
mod tests {
    use futures::future::{Either, select};
    use std::pin::pin;

    use super::*;
    use crate::VirtualClock;

    struct At(u64, Fault, Fault);

    impl Faults for At {
        fn before(&self, call: &Call) -> Option<Fault> {
            (call.number == self.0).then(|| self.1.clone())
        }

        fn after(&self, call: &Call) -> Option<Fault> {
            (call.number == self.0).then(|| self.2.clone())
        }
    }

    async fn mark(sandbox: &Sandbox) -> Result<u64, DriverError> {
        let purpose = Purpose::read(Operation::Create);
        sandbox
            .call(
                purpose,
                |error| error,
                |turn| {
                    turn.world.count += 1;
                    Ok(turn.world.count)
                },
            )
            .await
    }

    #[track_caller]
    fn check(before: Fault, after: Fault, effects: u64, answer: &str) {
        let clock = Arc::new(VirtualClock::new());
        let options = Options::new("eu-west-1", "c");
        let sandbox = Sandbox::in_memory(&options, clock.clone())
            .process("p", Arc::new(At(1, before, after)));
        let answered = clock.run(async {
            match select(pin!(mark(&sandbox)), pin!(sandbox.crashed())).await {
                Either::Left((result, _)) => format!("{result:?}"),
                Either::Right(_) => "crashed".to_owned(),
            }
        });
        let answered = answered.unwrap_or_else(|unfinished| unfinished.to_string());
        assert!(answered.contains(answer), "{answered}");
        assert_eq!(sandbox.world().unwrap().count, effects);
        let took_place = sandbox.log().calls.iter().filter(|logged| logged.effect).count() as u64;
        assert_eq!(took_place, effects);
    }

    #[test]
    fn a_fault_strikes_before_or_after_the_effect() {
        let none = || Fault::Delay(Duration::ZERO);
        let fails = || Fault::Fail(DriverError::new(ErrorClass::Ambiguous, "timed out"));
        check(none(), none(), 1, "Ok(1)");
        check(fails(), none(), 0, "timed out");
        check(none(), fails(), 1, "timed out");
        check(Fault::Crash, none(), 0, "crashed");
        check(none(), Fault::Crash, 1, "crashed");
        check(Fault::Hang, none(), 0, "something that never happens");
        check(none(), Fault::Hang, 1, "something that never happens");
    }

    #[test]
    fn a_dead_process_makes_no_call_and_its_successor_does() {
        let clock = Arc::new(VirtualClock::new());
        let first = Sandbox::in_memory(&Options::new("eu-west-1", "c"), clock.clone())
            .process("first", Arc::new(At(1, Fault::Crash, Fault::Crash)));
        assert!(clock.run(mark(&first)).is_err());
        assert!(clock.run(mark(&first)).is_err());
        let second = first.process("second", Arc::new(NoFaults));
        assert_eq!(clock.run(mark(&second)).unwrap(), Ok(1));
    }
}
