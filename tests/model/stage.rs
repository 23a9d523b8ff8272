//! A world with a clock of its own, and runs of zonestack in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join;
use serde_json::json;
use zonestack_core::clock::Clock as _;
use zonestack_sandbox::clock::Unfinished;
use zonestack_sandbox::{Faults, NoFaults, Options, Pace, Sandbox, VirtualClock, World};

use super::run::{End, LeaseUse, Task, run};

/// No run takes nearly as long (reliability.md B.6, I8).
const LONGEST: Duration = Duration::from_hours(12);

/// A world.
pub(crate) struct Stage {
    clock: Arc<VirtualClock>,
    pub(crate) sandbox: Sandbox,
    runs: AtomicU64,
    lease: LeaseUse,
}

impl Stage {
    /// A world as it was left, at the pace of the real services.
    pub(crate) fn on(world: &World) -> Self {
        let clock = Arc::new(VirtualClock::new());
        let sandbox = Sandbox::of(world.clone(), clock.clone());
        Self { clock, sandbox, runs: AtomicU64::new(0), lease: LeaseUse::Without }
    }

    /// The same, but runs take the lease or do not.
    pub(crate) fn using(self, lease: LeaseUse) -> Self {
        Self { lease, ..self }
    }

    /// The world after these runs, all of which must end well. In the beginning it has nothing of ours, but strangers.
    pub(crate) fn after(tasks: &[Task]) -> World {
        let mut options = Options::new("eu-west-1", "k8s.myzone.net");
        options.pace = Some(Pace::Real);
        let mut world = World::new(&options);
        plant_strangers(&mut world);
        let stage = Self::on(&world);
        for task in tasks {
            let end = stage.run(*task);
            assert!(end.complete(), "the stage cannot be set: {end:?}");
        }
        stage.sandbox.world().unwrap()
    }

    /// A run without faults.
    pub(crate) fn run(&self, task: Task) -> End {
        self.faulted(task, Arc::new(NoFaults))
    }

    /// A run with faults.
    pub(crate) fn faulted(&self, task: Task, faults: Arc<dyn Faults>) -> End {
        let uid = self.uid();
        let process = self.sandbox.process(&uid, faults);
        let future = run(&process, self.clock.clone(), task, &uid, self.lease);
        self.clock.run_until(self.deadline(), future).unwrap_or_else(|why| self.stuck(why))
    }

    /// Two runs at the same time.
    pub(crate) fn together(&self, runs: [(Task, Arc<dyn Faults>); 2]) -> [End; 2] {
        let [(one, one_faults), (two, two_faults)] = runs;
        let (uid, other) = (self.uid(), self.uid());
        let first = self.sandbox.process(&uid, one_faults);
        let second = self.sandbox.process(&other, two_faults);
        let both = join(
            run(&first, self.clock.clone(), one, &uid, self.lease),
            run(&second, self.clock.clone(), two, &other, self.lease),
        );
        match self.clock.run_until(self.deadline(), both) {
            Ok((first, second)) => [first, second],
            Err(why) => [self.stuck(why), self.stuck(why)],
        }
    }

    /// The time here.
    pub(crate) fn clock(&self) -> Arc<VirtualClock> {
        self.clock.clone()
    }

    /// A run without faults, while something else happens.
    pub(crate) fn beside(&self, task: Task, happens: impl Future<Output = ()>) -> End {
        let uid = self.uid();
        let process = self.sandbox.process(&uid, Arc::new(NoFaults));
        let both = join(run(&process, self.clock.clone(), task, &uid, self.lease), happens);
        match self.clock.run_until(self.deadline(), both) {
            Ok((end, ())) => end,
            Err(why) => self.stuck(why),
        }
    }

    /// How many runs there were.
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// What a process calls a stack that has no uid yet: every one would make up another. Its own name as well.
    fn uid(&self) -> String {
        format!("{:016x}", 0x0123_4567_89ab_cdef + self.runs.fetch_add(1, Ordering::Relaxed))
    }

    fn deadline(&self) -> Duration {
        self.clock.now() + LONGEST
    }

    fn stuck(&self, why: Unfinished) -> End {
        let calls = self.sandbox.log().calls;
        let last = calls[calls.len().saturating_sub(8)..].iter().map(|logged| {
            let call = &logged.call;
            let id = call.id.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{:?} {} {:?} {id} {:?}", call.at, call.number, call.operation, logged.answer)
        });
        End::Stuck(format!("{why}; the last calls: {:#?}", last.collect::<Vec<_>>()))
    }
}

/// What other people have in the same account and cluster (reliability.md B.6, I4).
fn plant_strangers(world: &mut World) {
    let vpc = world.site.vpc.clone();
    let group = json!({ "name": "git-data", "vpc": vpc, "description": "another's" });
    world.plant("aws.ec2.security-group", "other-data", group);
    world.plant("aws.efs.file-system", "", json!({ "encrypted": true }));
    world.plant(
        "aws.rds.instance",
        "other-db",
        json!({ "engine": "postgres", "protected": false }),
    );
    let template = json!({ "spec": { "containers": [{ "name": "web", "image": "web:1" }] } });
    let deployment = json!({ "spec": { "replicas": 1, "template": template } });
    world.plant("k8s.apps/v1.Deployment", "default/gitlab", deployment);
    world.plant("k8s.v1.PersistentVolume", "other-data", json!({ "spec": {} }));
}
