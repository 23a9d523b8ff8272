//! A world with a clock of its own, and runs of zonestack in it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Either, pending, select};
use zonestack_core::component::Component;
use zonestack_core::driver::Owner;
use zonestack_core::event::{Event, Listener, Outcome};
use zonestack_core::execute::{Interruption, Options, Report, Run, execute};
use zonestack_core::flow::{FlowError, Site, prepare, prepare_removal};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::observe::World;
use zonestack_core::parse::parse;
use zonestack_core::plan::Plan;
use zonestack_core::planning::Permits;
use zonestack_core::registry::Registry;
use zonestack_core::wire::{Wiring, validate_and_wire};
use zonestack_sandbox::{Faults, NoFaults, Pace, Sandbox, VirtualClock};

/// What a run is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task<'a> {
    /// `up` of this stack file.
    Up(&'a str),
    /// `down` with the data of these components.
    Down(&'a [&'a str]),
}

/// How a run ended.
pub(crate) enum End {
    /// The process was killed.
    Killed,
    /// There was no plan.
    NoPlan(FlowError),
    /// The plan refused.
    Refused(Plan),
    /// It ran.
    Ran(Plan, Report),
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::NoPlan(error) => write!(f, "no plan: {error:?}"),
            Self::Refused(plan) => {
                let steps = plan.refusals().map(|step| (step.id.to_string(), &step.reason));
                f.debug_list().entries(steps).finish()
            }
            Self::Ran(plan, report) => {
                let bad = report.outcomes.iter().filter(|(_, outcome)| **outcome != Outcome::Done);
                let bad = bad.map(|(step, outcome)| (plan.steps[*step].id.to_string(), outcome));
                write!(
                    f,
                    "ran {} steps, halted {:?}, not done ",
                    report.outcomes.len(),
                    report.halted
                )?;
                f.debug_list().entries(bad).finish()
            }
        }
    }
}

impl End {
    /// Whether everything was done, and whether there was anything to do.
    pub(crate) fn settled(&self) -> bool {
        matches!(self, Self::Ran(plan, report) if report.complete() && !plan.has_changes())
    }
}

/// A world.
pub(crate) struct Stage {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) sandbox: Sandbox,
}

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

fn registry() -> Registry {
    let components: Vec<Arc<dyn Component>> = vec![
        Arc::new(zonestack_plugin_efs::Efs),
        Arc::new(zonestack_plugin_rds::Rds),
        Arc::new(zonestack_plugin_redis::Redis),
        Arc::new(zonestack_plugin_gitlab::Gitlab),
    ];
    Registry::new(components)
}

fn kinds() -> Vec<KindDeclaration> {
    let mut kinds = zonestack_kubernetes::driver::KubernetesDriver::declarations();
    kinds.push(zonestack_aws::security_group::declaration());
    kinds.extend(zonestack_plugin_efs::EfsDriver::declarations());
    kinds.extend(zonestack_plugin_rds::RdsDriver::declarations());
    kinds
}

impl Stage {
    /// A world with nothing of ours in it, at the pace of the real services.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(VirtualClock::new());
        let mut options = zonestack_sandbox::Options::new("eu-west-1", "k8s.myzone.net");
        options.pace = Some(Pace::Real);
        let sandbox = Sandbox::in_memory(&options, clock.clone());
        Self { clock, sandbox }
    }

    /// The same, after these runs, all of which must end well.
    pub(crate) fn after(tasks: &[Task<'_>]) -> Self {
        let stage = Self::new();
        for task in tasks {
            let end = stage.run(*task);
            assert!(
                matches!(&end, End::Ran(_, report) if report.complete()),
                "the stage cannot be set: {end:?}"
            );
        }
        stage
    }

    /// A run without faults.
    pub(crate) fn run(&self, task: Task<'_>) -> End {
        self.faulted(task, Arc::new(NoFaults)).0
    }

    /// A run with faults, and how many calls it made.
    pub(crate) fn faulted(&self, task: Task<'_>, faults: Arc<dyn Faults>) -> (End, u64) {
        let process = self.sandbox.process("run", faults);
        let ended = self.clock.run(async {
            let crashed = process.crashed().boxed();
            match select(self.attempt(&process, task).boxed(), crashed).await {
                Either::Left((end, _)) => end,
                Either::Right(_) => End::Killed,
            }
        });
        let ended = ended.unwrap_or_else(|stuck| {
            let calls = self.sandbox.log().calls;
            let last: Vec<String> = calls[calls.len().saturating_sub(12)..]
                .iter()
                .map(|logged| {
                    let call = &logged.call;
                    let id = call.id.as_ref().map(ToString::to_string).unwrap_or_default();
                    format!(
                        "{:?} {} {:?} {id} {:?}",
                        call.at, call.number, call.operation, logged.answer
                    )
                })
                .collect();
            panic!("{task:?}: {stuck}; the last calls: {last:#?}")
        });
        (ended, process.calls())
    }

    async fn attempt(&self, process: &Sandbox, task: Task<'_>) -> End {
        let namespace = "git";
        let none = Arc::new(|_: &str| Ok(None));
        let secrets = Arc::new(process.secrets(namespace, none.clone(), none));
        let site = Site {
            world: World::new(vec![Arc::new(process.driver(kinds()))], secrets, self.clock.clone()),
            cluster: Box::new(process.cluster("k8s.myzone.net")),
            network: Box::new(process.network("eu-west-1")),
            store: Box::new(process.inventory("git", namespace)),
        };
        match task {
            Task::Up(text) => up(&site, &wiring(text)).await,
            Task::Down(delete) => down(&site, namespace, delete).await,
        }
    }
}

fn wiring(text: &str) -> Wiring {
    validate_and_wire(&parse(text.as_bytes()).unwrap(), &registry()).unwrap()
}

async fn up(site: &Site, wiring: &Wiring) -> End {
    let prepared = match prepare(site, wiring, &Permits::default()).await {
        Ok(prepared) => prepared,
        Err(error) => return End::NoPlan(error),
    };
    if prepared.plan.refusals().next().is_some() {
        return End::Refused(prepared.plan);
    }
    let uid = prepared.owner.uid.clone().unwrap_or_else(|| "0123456789abcdef".to_owned());
    let (inventory, version) = prepared.inventory(&uid);
    let report = execute(Run {
        plan: &prepared.plan,
        observed: &prepared.observed,
        world: &site.world,
        owner: &Owner { uid: Some(uid), ..prepared.owner.clone() },
        inventory,
        version,
        store: site.store.as_ref(),
        listener: &Silent,
        interruption: &Never,
        options: OPTIONS,
    })
    .await;
    End::Ran(prepared.plan, report)
}

async fn down(site: &Site, namespace: &str, delete: &[&str]) -> End {
    let delete_data = delete.iter().map(|name| name.parse().unwrap()).collect();
    let permits = Permits { delete_data, ..Permits::default() };
    let prepared = match prepare_removal(site, namespace, &permits).await {
        Ok(Some(prepared)) => prepared,
        Ok(None) => return End::Ran(Plan::default(), Report::default()),
        Err(error) => return End::NoPlan(error),
    };
    let (inventory, version) = prepared.remembered;
    let report = execute(Run {
        plan: &prepared.plan,
        observed: &prepared.observed,
        world: &site.world,
        owner: &prepared.owner,
        inventory,
        version: Some(version),
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
    call_timeout: Duration::from_secs(60),
};
