//! States that take time, changes, reads that lag.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use zonestack_core::driver::{Driver as _, Observation, Status};

use super::bed::{BASE, Bed, STORE, class};
use crate::{Call, Fault, Faults, Operation};

fn pending(state: &str) -> Status {
    Status::Pending(state.to_owned())
}

#[test]
fn states_follow_one_another_and_outputs_come_with_the_last() {
    let bed = Bed::new();
    let spec = json!({ "port": 5432 });
    bed.made(BASE, "db/main", spec);
    let known = |bed: &Bed| bed.look(BASE, "db/main").outputs.into_keys().collect::<Vec<_>>();
    assert_eq!(bed.status(BASE, "db/main"), pending("creating"));
    assert_eq!(known(&bed), ["id", "port"]);
    bed.wait(6 * 60);
    assert_eq!(bed.status(BASE, "db/main"), pending("backing-up"));
    bed.wait(6 * 60);
    assert_eq!(bed.status(BASE, "db/main"), Status::Ready);
    assert_eq!(known(&bed), ["address", "id", "port"]);
    let outputs = bed.look(BASE, "db/main").outputs;
    assert_eq!((&outputs["port"], &outputs["id"]), (&json!(5432), &json!("main")));
}

#[test]
fn a_thing_is_changed_only_when_it_is_available_and_only_in_ways_that_the_service_knows() {
    let bed = Bed::new();
    let id = "db/main";
    let spec = json!({ "engine": "a", "size": 50 });
    bed.made(BASE, id, spec.clone());
    let grow = || bed.update(BASE, id, json!({ "size": 100 }), "/size", json!(50), json!(100));
    assert_eq!(class(grow()), "busy");
    bed.wait(12 * 60);
    grow().unwrap();
    // Accepted at once, in effect a little later.
    let found = bed.look_for(BASE, id, json!({ "engine": "a", "size": 0 }));
    assert_eq!(found.attributes, json!({ "engine": "a", "size": 100 }));
    assert_eq!(found.status, Status::Busy("modifying".to_owned()));
    assert_eq!(class(grow()), "busy");
    bed.wait(4);
    assert_eq!(bed.status(BASE, id), Status::Ready);
    let shrink = bed.update(BASE, id, json!({ "size": 10 }), "/size", json!(100), json!(10));
    assert_eq!(class(shrink), "invalid");
    let other = json!({ "engine": "b" });
    let replace = bed.update(BASE, id, other, "/engine", json!("a"), json!("b"));
    assert_eq!(class(replace), "invalid");
    assert_eq!(class(bed.update(BASE, "db/none", spec, "/size", json!(1), json!(2))), "not found");
}

#[test]
fn what_fails_stays_failed_and_what_stalls_never_gets_ready() {
    let bed = Bed::new();
    bed.made(BASE, "db/main", json!({}));
    bed.change(|world| world.stall(BASE, "main")).unwrap();
    bed.wait(100 * 60 * 60);
    assert_eq!(bed.status(BASE, "db/main"), pending("creating"));
    bed.change(|world| world.fail(BASE, "main", Some("incompatible-network"))).unwrap();
    assert_eq!(bed.status(BASE, "db/main"), Status::Failed("incompatible-network".to_owned()));
    assert!(bed.change(|world| world.fail(BASE, "none", None)).is_err());
}

#[test]
fn what_is_removed_by_hand_is_absent() {
    let bed = Bed::new();
    bed.made(STORE, "data/store", json!({}));
    bed.change(|world| world.remove_by_hand(STORE, "data/store")).unwrap();
    assert_eq!(bed.status(STORE, "data/store"), Status::Absent);
}

struct Lagging(Duration);

impl Faults for Lagging {
    fn before(&self, call: &Call) -> Option<Fault> {
        (call.operation == Operation::Observe).then_some(Fault::Lag(self.0))
    }

    fn after(&self, _: &Call) -> Option<Fault> {
        None
    }
}

#[test]
fn a_read_that_lags_shows_what_was() {
    let bed = Bed::new();
    let late = bed.sandbox.process("late", Arc::new(Lagging(Duration::from_secs(30))));
    let late = Bed::on(bed.clock.clone(), late, bed.owner.uid.as_deref().unwrap());
    let size = |size: u32| json!({ "size": size });
    bed.made(BASE, "db/main", size(1));
    assert_eq!(late.status(BASE, "db/main"), Status::Absent);
    bed.wait(31);
    assert_eq!(late.status(BASE, "db/main"), pending("creating"));
    bed.wait(12 * 60);
    bed.update(BASE, "db/main", size(2), "/size", json!(1), json!(2)).unwrap();
    assert_eq!(late.look_for(BASE, "db/main", size(2)).attributes, size(1));
    bed.wait(31);
    assert_eq!(late.look_for(BASE, "db/main", size(2)).attributes, size(2));
    bed.delete(BASE, "db/main").unwrap();
    bed.wait(7);
    assert_eq!(bed.status(BASE, "db/main"), Status::Absent);
    assert_eq!(late.status(BASE, "db/main"), Status::Ready);
    bed.wait(28);
    assert_eq!(late.status(BASE, "db/main"), Status::Deleting);
    bed.wait(31);
    assert_eq!(late.status(BASE, "db/main"), Status::Absent);
}

#[test]
fn a_batch_is_answered_in_its_order_with_one_call_for_each_kind() {
    let bed = Bed::new();
    bed.made(BASE, "db/main", json!({}));
    bed.made(STORE, "data/store", json!({}));
    let ids = [(STORE, "data/store"), (BASE, "db/main"), (STORE, "data/none"), ("k8s.v1.X", "a/x")];
    let queries = ids.map(|(kind, id)| zonestack_core::driver::Query {
        target: bed.target(kind, id),
        spec: None,
    });
    let calls = bed.sandbox.calls();
    let answers = bed.clock.run(bed.driver.observe(bed.cx(), &queries)).unwrap();
    assert_eq!(bed.sandbox.calls() - calls, 2);
    let present = |index: usize| answers[index].as_ref().map(Observation::is_present);
    assert_eq!((present(0), present(1), present(2)), (Ok(true), Ok(true), Ok(false)));
    assert_eq!(class(answers[3].clone()), "unsupported");
}
