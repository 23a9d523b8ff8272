//! Laws over random sequences of calls.

use proptest::prelude::*;
use serde_json::json;
use zonestack_core::driver::Status;

use super::bed::{BASE, Bed, DOOR, GROUP, STORE, class};

#[derive(Debug, Clone)]
enum Act {
    Create(usize),
    Delete(usize),
    Look(usize),
    Wait(u16),
}

const THINGS: [(&str, &str); 5] = [
    (STORE, "a/store"),
    (GROUP, "a/one"),
    (BASE, "a/one"),
    (BASE, "a/two"),
    (DOOR, "a/door@eu-west-1b"),
];

fn act() -> impl Strategy<Value = Act> {
    let thing = || 0..THINGS.len();
    prop_oneof![
        3 => thing().prop_map(Act::Create),
        2 => thing().prop_map(Act::Delete),
        2 => thing().prop_map(Act::Look),
        2 => (0_u16..900).prop_map(Act::Wait),
    ]
}

fn play(acts: &[Act]) -> (Bed, Vec<&'static str>) {
    let bed = Bed::new();
    let mut answers = Vec::new();
    for act in acts {
        let spec = |kind: &str| match kind {
            BASE => json!({ "base_group": "one" }),
            DOOR => {
                let world = bed.world();
                let store = world.find(STORE, "a/store").map(|found| found.remote_id.clone());
                json!({ "store_id": store.unwrap_or_default(), "subnet_id": bed.subnet("eu-west-1b") })
            }
            _ => json!({}),
        };
        answers.push(match act {
            Act::Create(index) => {
                let (kind, id) = THINGS[*index];
                class(bed.create(kind, id, spec(kind)))
            }
            Act::Delete(index) => {
                let (kind, id) = THINGS[*index];
                let mut target = bed.target(kind, id);
                target.remote_id = bed.look_for(kind, id, spec(kind)).remote_id;
                class(bed.delete_with(target, None))
            }
            Act::Look(index) => {
                let (kind, id) = THINGS[*index];
                match bed.look_for(kind, id, spec(kind)).status {
                    Status::Absent => "absent",
                    Status::Ready => "ready",
                    Status::Deleting => "deleting",
                    _ => "pending",
                }
            }
            Act::Wait(seconds) => {
                bed.wait(u64::from(*seconds));
                "waited"
            }
        });
    }
    (bed, answers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn names_stay_unique_no_use_dangles_and_the_same_acts_give_the_same_world(
        acts in proptest::collection::vec(act(), 1..40)
    ) {
        let (bed, answers) = play(&acts);
        let world = bed.world();
        prop_assert!(world.duplicates().is_empty());
        let mut keys: Vec<_> = world.resources().iter().map(|found| (&found.kind, &found.name, &found.token)).collect();
        let count = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), count);
        // What a database uses is there as long as the database: deletion was refused.
        for found in world.resources().iter().filter(|found| found.kind == DOOR) {
            let store = found.spec["store_id"].as_str().unwrap_or_default();
            prop_assert!(store.is_empty() || world.find(STORE, store).is_ok());
        }
        let (again, same) = play(&acts);
        prop_assert_eq!(&answers, &same);
        prop_assert_eq!(again.world(), world);
    }

    #[test]
    fn a_world_reads_what_it_writes(acts in proptest::collection::vec(act(), 1..20)) {
        let (bed, _) = play(&acts);
        let mut world = bed.world();
        // What only lagging reads need is not kept.
        world.graves.clear();
        for resource in &mut world.resources {
            resource.before = None;
        }
        let text = serde_json::to_string(&world).unwrap();
        prop_assert_eq!(serde_json::from_str::<crate::World>(&text).unwrap(), world);
    }

    #[test]
    fn everything_can_be_deleted_in_the_end(acts in proptest::collection::vec(act(), 1..30)) {
        let (bed, _) = play(&acts);
        for _ in 0..3 {
            bed.wait(900);
            for (kind, id) in THINGS {
                let mut target = bed.target(kind, id);
                let world = bed.world();
                let found = world.resources().iter().find(|found| {
                    found.kind == kind && found.node.as_deref() == Some(id)
                });
                target.remote_id = found.map(|found| found.remote_id.clone());
                let answer = class(bed.delete_with(target, None));
                prop_assert!(["ok", "dependency"].contains(&answer), "{}", answer);
            }
        }
        bed.wait(900);
        prop_assert!(bed.world().resources().is_empty());
    }
}
