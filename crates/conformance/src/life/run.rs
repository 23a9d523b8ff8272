//! One run of the engine in the sandbox: what it is asked to do, and how it ends.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Either, pending, select};
use zonestack_core::clock::Clock;
use zonestack_core::driver::{Driver, Owner};
use zonestack_core::event::{Event, Listener, Outcome};
use zonestack_core::execute::{Report, Run, execute};
use zonestack_core::flow::{FlowError, Site, Tenant, prepare, prepare_removal};
use zonestack_core::observe::World;
use zonestack_core::plan::Plan;
use zonestack_core::run_options::{Interruption, Options};
use zonestack_core::situation::Permits;
use zonestack_sandbox::Sandbox;

use super::Life;
use super::repeated::Repeated;
use crate::drivers::request::VALUE;
use crate::subject::{CLUSTER, REGION, STACK};

/// What a run is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// `up`.
    Up,
    /// `down`.
    Down,
    /// `down` with all data.
    DownWithData,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "`up`",
            Self::Down => "`down`",
            Self::DownWithData => "`down` with the data",
        })
    }
}

/// How a run ended.
pub(super) enum End {
    /// The process was killed.
    Killed,
    /// There was no plan.
    NoPlan(FlowError),
    /// The plan refused.
    Refused(Plan),
    /// It ran.
    Ran(Plan, Report),
    /// It did not end in time, or waits for what never happens.
    Stuck(String),
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::NoPlan(FlowError::Stack(found)) => {
                let told: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
                write!(f, "no plan: {}", told.join("; "))
            }
            Self::NoPlan(FlowError::Surroundings(found)) => {
                let told: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
                write!(f, "no plan: {}", told.join("; "))
            }
            Self::NoPlan(error) => write!(f, "no plan: {error}"),
            Self::Refused(plan) => {
                let steps = plan.refusals().map(|step| format!("{}: {}", step.id, step.reason));
                let told: Vec<String> =
                    steps.chain(plan.guards.iter().map(|guard| format!("{guard:?}"))).collect();
                write!(f, "refused: {}", told.join("; "))
            }
            Self::Ran(plan, report) => {
                let bad = report.outcomes.iter().filter(|(_, outcome)| **outcome != Outcome::Done);
                let bad: Vec<String> = bad
                    .map(|(step, outcome)| format!("{} {outcome:?}", plan.steps[*step].id))
                    .take(3)
                    .collect();
                write!(f, "ran {} steps, not done: {}", report.outcomes.len(), bad.join("; "))
            }
            Self::Stuck(why) => f.write_str(why),
        }
    }
}

impl End {
    /// Whether it says that everything was done.
    pub(super) fn complete(&self) -> bool {
        matches!(self, Self::Ran(_, report) if report.complete())
    }

    /// What it found to do, when it had a plan.
    pub(super) fn changes(&self) -> Vec<String> {
        let Self::Ran(plan, _) = self else { return Vec::new() };
        let steps = plan.steps.iter().filter(|step| !step.is_noop());
        steps.map(|step| format!("{:?} {} ({})", step.action, step.id, step.reason)).collect()
    }

    /// Whether everything is done and there was nothing to do.
    pub(super) fn settled(&self) -> bool {
        self.complete() && self.changes().is_empty()
    }

    /// The plan, with everything in it.
    pub(super) fn plan_text(&self) -> String {
        match self {
            Self::Ran(plan, _) | Self::Refused(plan) => format!("{plan:?}"),
            _ => String::new(),
        }
    }
}

/// The sandbox, as a run reaches it.
pub(super) fn site(life: &Life, process: &Sandbox, clock: Arc<dyn Clock>, twice: bool) -> Site {
    let value = Arc::new(|_: &str| Ok(Some(VALUE.to_owned())));
    let secrets = Arc::new(process.secrets(STACK, value.clone(), value));
    let plain = process.driver(life.kinds.clone());
    let driver: Arc<dyn Driver> =
        if twice { Arc::new(Repeated::new(plain)) } else { Arc::new(plain) };
    Site {
        world: World::new(vec![driver], secrets, clock),
        cluster: Box::new(process.cluster(CLUSTER)),
        network: Box::new(process.network(REGION)),
        store: Box::new(process.inventory(STACK, STACK)),
        lease: Box::new(process.lease(STACK, STACK)),
    }
}

/// Runs until the task or the process ends. `uid` is the stack's if it has none yet.
pub(super) async fn run(
    life: &Life,
    process: &Sandbox,
    clock: Arc<dyn Clock>,
    task: Task,
    uid: &str,
    twice: bool,
) -> End {
    let site = site(life, process, clock, twice);
    let crashed = process.crashed().boxed();
    let attempt = async {
        match task {
            Task::Up => up(life, &site, uid).await,
            Task::Down => down(life, &site, false).await,
            Task::DownWithData => down(life, &site, true).await,
        }
    };
    match select(attempt.boxed(), crashed).await {
        Either::Left((end, _)) => end,
        Either::Right(_) => End::Killed,
    }
}

async fn up(life: &Life, site: &Site, run: &str) -> End {
    let prepared = match prepare(site, &life.wiring, &Permits::default()).await {
        Ok(prepared) => prepared,
        Err(error) => return End::NoPlan(error),
    };
    if prepared.plan.is_refused() {
        return End::Refused(prepared.plan);
    }
    let uid = prepared.owner.uid.clone().unwrap_or_else(|| run.to_owned());
    let (inventory, version) = prepared.inventory(&uid);
    let owner = Owner { uid: Some(uid), ..prepared.owner.clone() };
    let report = execute(Run {
        plan: &prepared.plan,
        observed: &prepared.observed,
        world: &site.world,
        owner: &owner,
        taken_over: &BTreeSet::new(),
        inventory,
        version,
        renamed: prepared.renamed,
        lease: None,
        store: site.store.as_ref(),
        listener: &Silent,
        interruption: &Never,
        options: OPTIONS,
    })
    .await;
    End::Ran(prepared.plan, report)
}

async fn down(life: &Life, site: &Site, with_data: bool) -> End {
    let delete_data = if with_data { life.components.clone() } else { BTreeSet::new() };
    let permits = Permits { delete_data, ..Permits::default() };
    let tenant = Tenant { stack: STACK, namespace: STACK, region: REGION, cluster: CLUSTER };
    let prepared = match prepare_removal(site, &tenant, &permits).await {
        Ok(Some(prepared)) => prepared,
        Ok(None) => return End::Ran(Plan::default(), Report::default()),
        Err(error) => return End::NoPlan(error),
    };
    if prepared.plan.is_refused() {
        return End::Refused(prepared.plan);
    }
    let (inventory, version) = prepared.remembered;
    let report = execute(Run {
        plan: &prepared.plan,
        observed: &prepared.observed,
        world: &site.world,
        owner: &prepared.owner,
        taken_over: &BTreeSet::new(),
        inventory,
        version: Some(version),
        renamed: false,
        lease: None,
        store: site.store.as_ref(),
        listener: &Silent,
        interruption: &Never,
        options: OPTIONS,
    })
    .await;
    End::Ran(prepared.plan, report)
}

const OPTIONS: Options = Options {
    parallel: 16,
    poll_first: Duration::from_secs(1),
    poll_max: Duration::from_secs(30),
    call_timeout: Duration::from_mins(1),
};

struct Silent;

impl Listener for Silent {
    fn hear(&self, _: &Event) {}
}

struct Never;

impl Interruption for Never {
    fn requested(&self) -> bool {
        false
    }

    fn wait(&self) -> BoxFuture<'_, ()> {
        pending().boxed()
    }
}
