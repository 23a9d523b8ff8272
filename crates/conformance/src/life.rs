//! The whole engine in the sandbox, in made-up time: what the plugin renders lives, survives faults, and goes.

mod fault; // what goes wrong, and where
mod repeated; // a driver that makes every call twice
mod run; // one run, and how it ends
pub(crate) mod states; // every declared state, and a run that is killed in it

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use zonestack_core::clock::Clock as _;
use zonestack_core::driver::Status;
use zonestack_core::flow::prepare;
use zonestack_core::kind::KindDeclaration;
use zonestack_core::name::{ComponentName, Zone};
use zonestack_core::observe::observe;
use zonestack_core::resource::{DataClass, Placement, Resource};
use zonestack_core::situation::Permits;
use zonestack_core::wire::Wiring;
use zonestack_sandbox::{Faults, NoFaults, Operation, Options, Pace, Sandbox, VirtualClock, World};

use crate::subject::{CLUSTER, COMPONENT, Loaded, REGION, Subject};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

use fault::{At, Mishap};
use run::{End, Task};

/// No run takes nearly as long (reliability.md B.6, I8).
const LONGEST: Duration = Duration::from_hours(12);
/// How long after the loss of a zone everything that can has taken over.
const TAKEOVER: Duration = Duration::from_mins(20);
/// Clean runs that it may take to mend what a fault left.
const CLEAN_RUNS: usize = 3;
/// At how many calls of a run things go wrong. Which, the seed decides.
const BOUNDARIES: usize = 20;

/// A stack with the component under test, wired, and a world without it.
pub(crate) struct Life {
    wiring: Wiring,
    /// The component and what it requires.
    components: BTreeSet<ComponentName>,
    kinds: Vec<KindDeclaration>,
    start: World,
    seed: u64,
}

/// A world, and runs in it.
struct Stage<'a> {
    life: &'a Life,
    clock: Arc<VirtualClock>,
    sandbox: Sandbox,
    runs: AtomicU64,
}

impl Life {
    /// A stack around an example.
    pub(crate) fn new(loaded: &Loaded<'_>) -> Result<Self, Stop> {
        let example = loaded.example()?;
        let tested = loaded.type_of(&example)?;
        let text = loaded.stack_file(tested, &example.config, &[COMPONENT])?;
        let wiring = match loaded.wired(&text)? {
            Ok(wiring) => wiring,
            Err(reasons) => return failed(reasons.join("; ")),
        };
        let components = wiring.stack.components.iter().map(|found| found.name.clone()).collect();
        let mut options = Options::new(REGION, CLUSTER);
        options.pace = Some(Pace::Real);
        Ok(Self {
            wiring,
            components,
            kinds: loaded.declarations.values().cloned().collect(),
            start: World::new(&options),
            seed: loaded.subject.seed,
        })
    }

    fn stage(&self, world: &World) -> Stage<'_> {
        let clock = Arc::new(VirtualClock::new());
        let sandbox = Sandbox::of(world.clone(), clock.clone());
        Stage { life: self, clock, sandbox, runs: AtomicU64::new(0) }
    }

    /// The world after a run of `up`, which must end well.
    fn up(&self) -> Result<Stage<'_>, Stop> {
        let stage = self.stage(&self.start);
        stage.completes(Task::Up)?;
        Ok(stage)
    }

    /// Everything that a run leaves, as text.
    pub(crate) fn traces(&self) -> Result<Vec<String>, Stop> {
        let stage = self.stage(&self.start);
        let end = stage.run(Task::Up);
        let world = stage.world()?;
        let mut traces = vec![format!("{end:?}"), end.plan_text()];
        traces.extend(world.inventories().values().map(|stored| stored.text.clone()));
        traces.extend(world.resources().iter().map(|found| format!("{found:?}")));
        traces.push(format!("{:?}", stage.sandbox.log()));
        Ok(traces)
    }

    /// Calls of a run without faults at which things shall go wrong.
    fn boundaries(&self, operations: &[Operation], mishap: Mishap) -> Vec<At> {
        let calls: Vec<u64> = (1..)
            .zip(operations)
            .filter(|(_, operation)| mishap.differs_at(**operation))
            .map(|(call, _)| call)
            .collect();
        if calls.len() <= BOUNDARIES {
            return calls.into_iter().map(|call| At(call, mishap)).collect();
        }
        let first = usize::try_from(self.seed).unwrap_or_default();
        let chosen: BTreeSet<u64> = (0..BOUNDARIES)
            .map(|index| calls[(first + index * calls.len() / BOUNDARIES) % calls.len()])
            .collect();
        chosen.into_iter().map(|call| At(call, mishap)).collect()
    }
}

impl Stage<'_> {
    fn run(&self, task: Task) -> End {
        self.faulted(task, Arc::new(NoFaults))
    }

    fn faulted(&self, task: Task, faults: Arc<dyn Faults>) -> End {
        self.running(task, faults, false)
    }

    fn running(&self, task: Task, faults: Arc<dyn Faults>, twice: bool) -> End {
        let uid = self.next_uid();
        let process = self.sandbox.process(&uid, faults);
        let attempt = run::run(self.life, &process, self.clock.clone(), task, &uid, twice);
        let deadline = self.clock.now() + LONGEST;
        let end = self.clock.run_until(deadline, attempt);
        end.unwrap_or_else(|why| End::Stuck(why.to_string()))
    }

    /// The uid that a stack without one gets in the next run.
    fn next_uid(&self) -> String {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}", 0x0123_4567_89ab_cdef_u64 + number)
    }

    fn completes(&self, task: Task) -> Outcome {
        let end = self.run(task);
        if end.complete() { Ok(()) } else { failed(format!("{task}: {end:?}")) }
    }

    /// A further run finds nothing to do.
    fn settled(&self, task: Task) -> Outcome {
        let end = self.run(task);
        if end.settled() {
            return Ok(());
        }
        let changes = end.changes();
        failed(format!("{task} again is not done: {}: {end:?}", changes.join("; ")))
    }

    fn world(&self) -> Result<World, Stop> {
        self.sandbox.world().map_err(|error| Stop::Failed(error.to_string()))
    }

    /// No second resource for a node, whatever run made it.
    fn no_twins(&self) -> Outcome {
        let world = self.world()?;
        let mut seen = BTreeMap::new();
        for resource in world.resources() {
            let Some(node) = &resource.node else { continue };
            if let Some(twin) = seen.insert((&resource.kind, node), &resource.remote_id) {
                return failed(format!(
                    "{node} is there twice, as {twin} and {}: what identifies the kind {} does not",
                    resource.remote_id, resource.kind
                ));
            }
        }
        Ok(())
    }

    /// Nothing of the stack is there.
    fn nothing_left(&self) -> Outcome {
        let world = self.world()?;
        let ours = world.resources().iter().filter(|found| found.node.is_some());
        let left: Vec<String> = ours.filter_map(|found| found.node.clone()).collect();
        if !left.is_empty() {
            return failed(format!("left behind: {}", left.join(", ")));
        }
        if !world.inventories().is_empty() {
            return failed("the inventory is left behind");
        }
        Ok(())
    }

    /// A run with a fault, then clean ones: they must reach a plan with nothing to do.
    fn mended(&self, task: Task, fault: At) -> Outcome {
        let told = |stop: Stop| match stop {
            Stop::Failed(why) => Stop::Failed(format!("{fault} of {task}: {why}")),
            other @ Stop::NotApplicable(_) => other,
        };
        self.faulted(task, Arc::new(fault));
        self.finishes(task).map_err(told)
    }

    /// Clean runs reach a plan with nothing to do.
    fn finishes(&self, task: Task) -> Outcome {
        let mut last = String::new();
        for _ in 0..CLEAN_RUNS {
            let end = self.run(task);
            if end.settled() {
                return self.no_twins();
            }
            last = format!("{end:?}, which did {}", end.changes().join("; "));
        }
        failed(format!("not mended by {CLEAN_RUNS} clean runs: {last}"))
    }
}

/// The calls of a run without faults.
fn operations(life: &Life, world: &World, task: Task) -> Result<Vec<Operation>, Stop> {
    let stage = life.stage(world);
    stage.completes(task)?;
    let mut calls: Vec<_> =
        stage.sandbox.log().calls.into_iter().map(|logged| logged.call).collect();
    calls.sort_by_key(|call| call.number);
    Ok(calls.into_iter().map(|call| call.operation).collect())
}

/// `up` ends with everything ready.
pub(crate) fn up(subject: &Subject) -> Outcome {
    Life::new(&subject.loaded()?)?.up()?.no_twins()
}

/// A second `up` has nothing to do.
pub(crate) fn again(subject: &Subject) -> Outcome {
    Life::new(&subject.loaded()?)?.up()?.settled(Task::Up)
}

/// Every call made twice makes nothing twice.
pub(crate) fn repeated(subject: &Subject) -> Outcome {
    let life = Life::new(&subject.loaded()?)?;
    let stage = life.stage(&life.start);
    for task in [Task::Up, Task::DownWithData] {
        let end = stage.running(task, Arc::new(NoFaults), true);
        if !end.complete() {
            return failed(format!("{task} with every call made twice: {end:?}"));
        }
        stage.no_twins()?;
    }
    stage.nothing_left()
}

fn swept(subject: &Subject, mishaps: &[Mishap]) -> Outcome {
    let life = Life::new(&subject.loaded()?)?;
    let after = life.up()?.world()?;
    for (world, task) in [(&life.start, Task::Up), (&after, Task::DownWithData)] {
        let operations = operations(&life, world, task)?;
        for mishap in mishaps {
            for fault in life.boundaries(&operations, *mishap) {
                let stage = life.stage(world);
                stage.mended(task, fault)?;
                if task == Task::DownWithData {
                    stage.nothing_left()?;
                }
            }
        }
    }
    Ok(())
}

/// Killed before and after calls.
pub(crate) fn killed(subject: &Subject) -> Outcome {
    swept(subject, &[Mishap::KilledBefore, Mishap::KilledAfter])
}

/// Answers that are lost.
pub(crate) fn lost(subject: &Subject) -> Outcome {
    swept(subject, &[Mishap::AnswerLost, Mishap::FailedAfter])
}

/// Calls that are refused for a while.
pub(crate) fn throttled(subject: &Subject) -> Outcome {
    swept(subject, &[Mishap::Throttled])
}

/// `down` keeps what holds data.
pub(crate) fn keeps(subject: &Subject) -> Outcome {
    let life = Life::new(&subject.loaded()?)?;
    let stage = life.up()?;
    // What the engine keeps is what the resource says, or its kind.
    let before = stage.world()?;
    let data: BTreeSet<&str> = life
        .kinds
        .iter()
        .filter(|kind| kind.data == DataClass::Data && kind.kind.kubernetes().is_none())
        .map(|kind| kind.kind.as_str())
        .collect();
    let of_component = |node: &str| node.split('/').next() == Some(COMPONENT);
    let holding = |world: &World| -> BTreeSet<u64> {
        let found = world.resources().iter().filter(|found| {
            data.contains(found.kind.as_str()) && found.node.as_deref().is_some_and(of_component)
        });
        found.map(|found| found.serial).collect()
    };
    let there = holding(&before);
    stage.completes(Task::Down)?;
    if there.is_empty() {
        return not_applicable("nothing that it renders holds data");
    }
    if holding(&stage.world()?) != there {
        return failed("`down` deleted what holds data, although nobody named it");
    }
    Ok(())
}

/// `down` with its data leaves nothing.
pub(crate) fn down(subject: &Subject) -> Outcome {
    let life = Life::new(&subject.loaded()?)?;
    let stage = life.up()?;
    stage.completes(Task::DownWithData)?;
    stage.nothing_left()
}

/// Whether a resource says that it survives the loss of a zone.
fn survives(resource: &Resource, lost: &Zone) -> bool {
    match &resource.placement {
        Placement::Zonal(zone) => zone != lost,
        Placement::Regional => true,
        Placement::Replicated { zones, .. } => zones.iter().any(|zone| zone != lost),
    }
}

/// What says that it survives the loss of a zone does.
pub(crate) fn zones(subject: &Subject) -> Outcome {
    let life = Life::new(&subject.loaded()?)?;
    let stage = life.up()?;
    let process = stage.sandbox.process("looker", Arc::new(NoFaults));
    let site = run::site(&life, &process, stage.clock.clone(), false);
    let permits = Permits::default();
    let prepared = stage.clock.run(prepare(&site, &life.wiring, &permits));
    let prepared = match prepared {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(error)) => return failed(format!("after `up` there is no plan: {error}")),
        Err(why) => return failed(why.to_string()),
    };
    let inventory = prepared.remembered.as_ref().map(|(inventory, _)| inventory);
    for zone in prepared.context.zone_names() {
        let lose = stage.sandbox.change(|world| world.lose_zone(zone.as_str()));
        lose.map_err(|error| Stop::Failed(error.to_string()))?
            .map_err(|error| Stop::Failed(error.to_string()))?;
        stage.clock.advance(TAKEOVER);
        let looking = observe(Some(&prepared.desired), inventory, &prepared.owner, &site.world);
        let observed = match stage.clock.run(looking) {
            Ok(Ok(observed)) => observed,
            Ok(Err(error)) => return failed(format!("without {zone}: {error}")),
            Err(why) => return failed(why.to_string()),
        };
        for resource in crate::subject::own(&prepared.desired) {
            let status = observed.get(&resource.id).status;
            let works = matches!(status, Status::Ready | Status::Busy(_));
            if survives(resource, &zone) && !works {
                return failed(format!(
                    "{} says that it survives the loss of {zone} ({:?}), and is {status:?} without it",
                    resource.id, resource.placement
                ));
            }
        }
        let restore = stage.sandbox.change(|world| world.restore_zone(zone.as_str()));
        restore
            .map_err(|error| Stop::Failed(error.to_string()))?
            .map_err(|error| Stop::Failed(error.to_string()))?;
        stage.clock.advance(TAKEOVER);
    }
    Ok(())
}
