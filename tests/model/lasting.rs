//! Faults that last longer than one call, and things that happen to a run from outside (reliability.md B.6).

use std::sync::Arc;
use std::time::Duration;

use zonestack_core::clock::Clock as _;
use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_core::event::Outcome;
use zonestack_core::lease::{LeaseRecord, LeaseStore as _};
use zonestack_sandbox::{Call, Fault, Faults, NoFaults, Operation, World};

use super::cases::{all, mended};
use super::fault::{All, At, Mishap};
use super::laws::{nothing_left, only_a_copy_left};
use super::run::{End, LeaseUse, Task};
use super::stack_files::{EMPTIED, EXAMPLE, FULL};
use super::stage::Stage;
use super::sweep::operations;

const UP: Task = Task::Up(&EXAMPLE);
const REMOVAL: Task = Task::Down(&["data", "db"]);

/// Every call that matches fails, for as long as the process lives.
struct Always<M>(ErrorClass, M);

impl<M: Fn(&Call) -> bool + Send + Sync> Faults for Always<M> {
    fn before(&self, call: &Call) -> Option<Fault> {
        let message = format!("made to fail: {}", self.0.as_str());
        (self.1)(call).then(|| Fault::Fail(DriverError::new(self.0.clone(), message)))
    }

    fn after(&self, _: &Call) -> Option<Fault> {
        None
    }
}

fn always(
    class: ErrorClass,
    matches: impl Fn(&Call) -> bool + Send + Sync + 'static,
) -> Arc<dyn Faults> {
    Arc::new(Always(class, matches))
}

fn is(call: &Call, operation: Operation, kind: &str) -> bool {
    call.operation == operation && call.kind.as_ref().is_some_and(|found| found.as_str() == kind)
}

/// The outcome of the step of this resource.
#[track_caller]
fn outcome(end: &End, id: &str) -> Outcome {
    let End::Ran(plan, report) = end else { panic!("{end:?}") };
    let step = plan.steps.iter().rposition(|step| step.id.to_string() == id).unwrap();
    report.outcomes[&step].clone()
}

/// 39. From any call on, the credentials have expired: nothing is failed, and fresh ones finish it.
#[test]
fn credentials_that_expire_at_any_call_leave_it_unfinished() {
    for (name, before, task) in [("up", &[][..], UP), ("down with data", &[UP][..], REMOVAL)] {
        let start = Stage::after(before);
        let count = operations(&start, task).len() as u64;
        let cases: Vec<u64> = (1..=count).collect();
        all(&format!("{name}, credentials expire at each call"), &cases, |from| {
            let stage = Stage::on(&start);
            let from = *from;
            let expired = always(ErrorClass::Expired, move |call| call.number >= from);
            let end = stage.faulted(task, expired);
            if let End::Ran(_, report) = &end
                && report.failed()
            {
                return Err(format!("I9: expired credentials are no failure: {end:?}"));
            }
            mended(&stage, &start, task, [Arc::new(NoFaults), Arc::new(NoFaults)])
                .map_err(|why| format!("{why}, after {end:?}"))?;
            if task.may_delete_data() {
                nothing_left(&stage)?;
            }
            Ok(stage.runs() + 1)
        });
    }
}

/// 13. A service that throttles for ever: the run ends, says that nothing is wrong, and what does not depend on it is done.
#[test]
fn throttling_without_end_ends_the_run_unfinished() {
    let start = Stage::after(&[]);
    let stage = Stage::on(&start);
    let throttled =
        always(ErrorClass::Throttled, |call| is(call, Operation::Create, "aws.rds.instance"));
    let end = stage.faulted(UP, throttled);
    assert!(matches!(outcome(&end, "db/instance"), Outcome::Unfinished(_)), "{end:?}");
    assert_eq!(outcome(&end, "data/file-system"), Outcome::Done);
    assert!(stage.run(UP).complete());
}

/// 52. A plugin that suddenly asks for nothing does not take away what it asked for before.
#[test]
fn a_component_that_asks_for_nothing_any_more_is_refused() {
    let stage = Stage::on(&Stage::after(&[Task::Up(&FULL)]));
    let end = stage.run(Task::Up(&EMPTIED));
    let End::Refused(plan) = &end else { panic!("{end:?}") };
    let guards: Vec<&str> = plan.guards.iter().map(|guard| guard.code).collect();
    assert_eq!(guards, ["empty-component"]);
    assert!(stage.run(Task::Up(&FULL)).settled());
}

/// 24, 25, 26. What is denied, or beyond a quota, fails with its branch; everything else is done.
#[test]
fn a_refused_creation_fails_its_branch_and_nothing_else() {
    for class in [ErrorClass::Denied(Some("rds:CreateDBInstance".to_owned())), ErrorClass::Quota] {
        let stage = Stage::on(&Stage::after(&[]));
        let refused = always(class, |call| is(call, Operation::Create, "aws.rds.instance"));
        let end = stage.faulted(UP, refused);
        assert!(matches!(outcome(&end, "db/instance"), Outcome::Failed(_)), "{end:?}");
        assert_eq!(outcome(&end, "data/mount-target@eu-west-1a"), Outcome::Done);
        let skipped = outcome(&end, "gitlab/deployment@eu-west-1a");
        assert!(matches!(skipped, Outcome::Skipped(_)), "{skipped:?}");
        assert!(stage.run(UP).complete());
    }
}

/// 34. Interfaces hold a security group for ten minutes after what used them is gone.
#[test]
fn a_deletion_waits_for_what_still_holds_it() {
    let stage = Stage::on(&Stage::after(&[UP]));
    let first = stage.sandbox.world().unwrap();
    let held = always(ErrorClass::Dependency, |call| {
        is(call, Operation::Delete, "aws.ec2.security-group") && call.at < HELD_UNTIL
    });
    let end = stage.faulted(REMOVAL, held);
    assert!(end.complete(), "{end:?}");
    only_a_copy_left(&stage).unwrap();
    assert!(!first.resources().is_empty());
}

/// A removal begins at nought, and would delete its first group within two minutes.
const HELD_UNTIL: Duration = Duration::from_mins(10);

/// 46. Somebody else takes the lease in the middle of a run: it begins nothing more, and the next run finishes.
#[test]
fn a_stolen_lease_ends_the_run_safely() {
    let start = Stage::after(&[]);
    for minutes in [1, 4, 9] {
        let stage = Stage::on(&start).using(LeaseUse::With);
        let thief = stage.sandbox.process("thief", Arc::new(NoFaults));
        let clock = stage.clock();
        let steal = async move {
            clock.sleep(Duration::from_mins(minutes)).await;
            let store = thief.lease("git", "git");
            let (_, version) = store.read().await.unwrap().unwrap();
            let record = LeaseRecord {
                holder: "mallory@elsewhere/1/run".to_owned(),
                since: clock.timestamp(),
                renewed: clock.timestamp(),
            };
            store.write(&record, Some(&version)).await.unwrap();
        };
        let end = stage.beside(UP, steal);
        let End::Ran(_, report) = &end else { panic!("{end:?}") };
        assert!(report.halted.as_ref().is_some_and(|why| why.contains("mallory")), "{end:?}");
        assert!(!report.failed(), "{end:?}");
        // The thief is dead: a minute later the lease is free.
        assert!(stage.run(UP).complete());
        mended(&stage, &start, UP, [Arc::new(NoFaults), Arc::new(NoFaults)]).unwrap();
    }
}

/// 46. Who may not write leases works without one.
#[test]
fn without_the_right_to_leases_a_run_goes_on_without() {
    let stage = Stage::on(&Stage::after(&[])).using(LeaseUse::With);
    let denied = always(ErrorClass::Denied(None), |call| {
        matches!(call.operation, Operation::ReadLease | Operation::WriteLease)
    });
    assert!(stage.faulted(UP, denied).complete());
}

/// A namespace that was there before is used, and is as it was when the stack is gone.
#[test]
fn a_namespace_that_was_there_stays() {
    let mut start = Stage::after(&[]);
    start.plant("k8s.v1.Namespace", "git", serde_json::json!({ "metadata": { "name": "git" } }));
    let stage = Stage::on(&start);
    assert!(stage.run(UP).complete());
    assert!(stage.run(REMOVAL).complete());
    let (before, after) = (start.resources(), stage.sandbox.world().unwrap());
    let is_namespace = |kind: &str| kind == "k8s.v1.Namespace";
    let before: Vec<_> = before.iter().filter(|found| is_namespace(&found.kind)).collect();
    let after: Vec<_> = after.resources().iter().filter(|f| is_namespace(&f.kind)).collect();
    assert_eq!(after, before);
}

/// Ended while the database was being made, and then something happened to it.
fn database_after(change: impl Fn(&mut World)) -> (Stage, End) {
    let start = Stage::after(&[]);
    let made = operations(&start, UP).len() as u64;
    let stage = Stage::on(&start);
    for call in 1..made {
        let stage = Stage::on(&start);
        drop(stage.faulted(UP, Arc::new(All(vec![At(call, Mishap::KilledBefore)]))));
        let world = stage.sandbox.world().unwrap();
        let is_made = world.find("aws.rds.instance", "git-db").is_ok();
        if is_made {
            stage.sandbox.change(|world| change(world)).unwrap();
            let end = stage.run(UP);
            return (stage, end);
        }
    }
    (stage, End::Killed)
}

/// 30. A database that never becomes available: unfinished, not failed, and never deleted.
#[test]
fn what_never_gets_ready_is_left_as_it_is() {
    let (stage, end) = database_after(|world| world.stall("aws.rds.instance", "git-db").unwrap());
    assert!(matches!(outcome(&end, "db/instance"), Outcome::Unfinished(_)), "{end:?}");
    assert!(stage.sandbox.world().unwrap().find("aws.rds.instance", "git-db").is_ok());
}

/// 31. A database in a state that does not mend itself is reported with the state, and never deleted.
#[test]
fn what_has_failed_is_reported_and_left_as_it_is() {
    let (stage, end) = database_after(|world| {
        world.fail("aws.rds.instance", "git-db", Some("incompatible-network")).unwrap();
    });
    let told = format!("{:?}", outcome(&end, "db/instance"));
    assert!(told.contains("incompatible-network"), "{told}");
    assert!(stage.sandbox.world().unwrap().find("aws.rds.instance", "git-db").is_ok());
}

/// 32. The file system is deleted by hand while `up` runs: it is not silently made again over the loss.
#[test]
fn what_is_deleted_by_hand_meanwhile_is_told() {
    let stage = Stage::on(&Stage::after(&[]));
    let sandbox = stage.sandbox.clone();
    let clock = stage.clock();
    let delete = async move {
        clock.sleep(Duration::from_mins(8)).await;
        sandbox
            .change(|world| {
                for zone in ["a", "b", "c"] {
                    let door = format!("data/mount-target@eu-west-1{zone}");
                    world.remove_by_hand("aws.efs.mount-target", &door).unwrap();
                }
                world.remove_by_hand("aws.efs.file-system", "data/file-system").unwrap();
            })
            .unwrap();
    };
    drop(stage.beside(UP, delete));
    let end = stage.run(UP);
    let End::Refused(plan) = &end else { panic!("{end:?}") };
    let refused: Vec<String> = plan.refusals().map(|step| step.id.to_string()).collect();
    assert_eq!(refused, ["data/file-system"]);
}
