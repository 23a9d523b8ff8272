//! One run of zonestack: what it is asked to do, and how it ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Either, pending, select};
use zonestack_core::clock::Clock;
use zonestack_core::driver::Owner;
use zonestack_core::event::{Event, Listener, Outcome};
use zonestack_core::execute::{Report, Run, execute};
use zonestack_core::flow::{FlowError, Site, Tenant, prepare, prepare_removal};
use zonestack_core::inventory::{Inventory, Version};
use zonestack_core::lease::{Applicant, Lease, NotLeased, acquire};
use zonestack_core::observe::{Observed, World};
use zonestack_core::plan::Plan;
use zonestack_core::run_options::{Interruption, Options};
use zonestack_core::situation::Permits;
use zonestack_sandbox::Sandbox;

use super::stack_files::{KINDS, StackFile};

/// What a run is asked to do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Task {
    /// `up` of this stack file.
    Up(&'static StackFile),
    /// `down` with the data of these components.
    Down(&'static [&'static str]),
}

impl Task {
    /// Whether data may be deleted.
    pub(crate) fn may_delete_data(self) -> bool {
        match self {
            Self::Down(named) => !named.is_empty(),
            Self::Up(file) => !file.replaces().is_empty(),
        }
    }
}

/// Whether runs take the lease. They are as safe without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseUse {
    With,
    Without,
}

impl LeaseUse {
    async fn take<'a>(self, site: &'a Site, run: &str) -> Result<Option<Lease<'a>>, NotLeased> {
        if self == Self::Without {
            return Ok(None);
        }
        // Of another process nothing is known: a dead holder is waited for.
        let applicant =
            Applicant { name: format!("run {run}"), is_gone: &|_| false, waits_for: &|_| {} };
        acquire(site.lease.as_ref(), site.world.clock.as_ref(), &applicant).await.map(Some)
    }
}

/// How a run ended.
pub(crate) enum End {
    /// The process was killed.
    Killed,
    /// There was no plan.
    NoPlan(FlowError),
    /// Another run has the lease.
    NotLeased(NotLeased),
    /// The plan refused.
    Refused(Plan),
    /// It ran.
    Ran(Plan, Report),
    /// It did not end in time, or waits for what never happens; the last calls.
    Stuck(String),
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::NoPlan(error) => write!(f, "no plan: {error:?}"),
            Self::NotLeased(refused) => write!(f, "not leased: {refused}"),
            Self::Refused(plan) => {
                write!(f, "guards {:?} ", plan.guards)?;
                let steps = plan.refusals().map(|step| (step.id.to_string(), &step.reason));
                f.write_str("refused ")?;
                f.debug_list().entries(steps).finish()
            }
            Self::Ran(plan, report) => {
                let bad = report.outcomes.iter().filter(|(_, outcome)| **outcome != Outcome::Done);
                let bad = bad.map(|(step, outcome)| (plan.steps[*step].id.to_string(), outcome));
                let steps = report.outcomes.len();
                write!(f, "ran {steps} steps, halted {:?}, not done ", report.halted)?;
                f.debug_list().entries(bad.take(4)).finish()
            }
            Self::Stuck(why) => f.write_str(why),
        }
    }
}

impl End {
    /// Whether it says that everything was done.
    pub(crate) fn complete(&self) -> bool {
        matches!(self, Self::Ran(_, report) if report.complete())
    }

    /// What it found to do, when it had a plan.
    pub(crate) fn changes(&self) -> Vec<String> {
        let Self::Ran(plan, _) = self else { return Vec::new() };
        let steps = plan.steps.iter().filter(|step| !step.is_noop());
        steps.map(|step| format!("{:?} {}: {}", step.action, step.id, step.reason)).collect()
    }

    /// Whether everything is done and there was nothing to do.
    pub(crate) fn settled(&self) -> bool {
        self.complete() && self.changes().is_empty()
    }
}

/// Runs until the task or the process ends. `uid` is the stack's if it has none yet.
pub(crate) async fn run(
    process: &Sandbox,
    clock: Arc<dyn Clock>,
    task: Task,
    uid: &str,
    lease: LeaseUse,
) -> End {
    let crashed = process.crashed().boxed();
    match select(attempt(process, clock, task, uid, lease).boxed(), crashed).await {
        Either::Left((end, _)) => end,
        Either::Right(_) => End::Killed,
    }
}

async fn attempt(
    process: &Sandbox,
    clock: Arc<dyn Clock>,
    task: Task,
    uid: &str,
    lease: LeaseUse,
) -> End {
    let namespace = "git";
    let none = Arc::new(|_: &str| Ok(None));
    let secrets = Arc::new(process.secrets(namespace, none.clone(), none));
    let site = Site {
        world: World::new(vec![Arc::new(process.driver(KINDS.clone()))], secrets, clock),
        cluster: Box::new(process.cluster("k8s.myzone.net")),
        network: Box::new(process.network("eu-west-1")),
        store: Box::new(process.inventory("git", namespace)),
        lease: Box::new(process.lease("git", namespace)),
    };
    match task {
        Task::Up(file) => up(&site, file, uid, lease).await,
        Task::Down(delete) => down(&site, delete, uid, lease).await,
    }
}

async fn up(site: &Site, file: &StackFile, run: &str, lease: LeaseUse) -> End {
    // A zone less is more than a fifth of this stack.
    let replace = file.replaces().iter().map(|id| id.parse().unwrap()).collect();
    let permits = Permits { max_deletes: Some(8), replace, ..Permits::default() };
    let prepared = match prepare(site, file.wiring(), &permits).await {
        Ok(prepared) => prepared,
        Err(error) => return End::NoPlan(error),
    };
    if prepared.plan.is_refused() {
        return End::Refused(prepared.plan);
    }
    let uid = prepared.owner.uid.clone().unwrap_or_else(|| run.to_owned());
    let (inventory, version) = prepared.inventory(&uid);
    let owner = Owner { uid: Some(uid), ..prepared.owner.clone() };
    let undertaking = Undertaking {
        plan: prepared.plan,
        observed: &prepared.observed,
        owner: &owner,
        inventory,
        version,
        renamed: prepared.renamed,
    };
    undertaking.carry_out(site, run, lease).await
}

async fn down(site: &Site, delete: &[&str], run: &str, lease: LeaseUse) -> End {
    let delete_data = delete.iter().map(|name| name.parse().unwrap()).collect();
    let permits = Permits { delete_data, ..Permits::default() };
    let tenant =
        Tenant { stack: "git", namespace: "git", region: "eu-west-1", cluster: "k8s.myzone.net" };
    let prepared = match prepare_removal(site, &tenant, &permits).await {
        Ok(Some(prepared)) => prepared,
        Ok(None) => return End::Ran(Plan::default(), Report::default()),
        Err(error) => return End::NoPlan(error),
    };
    let (inventory, version) = prepared.remembered;
    let undertaking = Undertaking {
        plan: prepared.plan,
        observed: &prepared.observed,
        owner: &prepared.owner,
        inventory,
        version: Some(version),
        renamed: false,
    };
    undertaking.carry_out(site, run, lease).await
}

/// What `up` and `down` share once there is a plan.
struct Undertaking<'a> {
    plan: Plan,
    observed: &'a Observed,
    owner: &'a Owner,
    inventory: Inventory,
    version: Option<Version>,
    renamed: bool,
}

impl Undertaking<'_> {
    async fn carry_out(self, site: &Site, run: &str, lease: LeaseUse) -> End {
        let lease = match lease.take(site, run).await {
            Ok(lease) => lease,
            Err(refused) => return End::NotLeased(refused),
        };
        let report = execute(Run {
            plan: &self.plan,
            observed: self.observed,
            world: &site.world,
            owner: self.owner,
            taken_over: &std::collections::BTreeSet::new(),
            inventory: self.inventory,
            version: self.version,
            renamed: self.renamed,
            lease: lease.as_ref(),
            store: site.store.as_ref(),
            listener: &Silent,
            interruption: &Never,
            options: OPTIONS,
        })
        .await;
        if let Some(lease) = lease {
            lease.release().await;
        }
        End::Ran(self.plan, report)
    }
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
