//! Two processes in one world; the inventory's compare-and-swap; intents before effects.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join;
use serde_json::json;
use zonestack_core::driver::{Deletion, Driver as _};
use zonestack_core::inventory::{
    Entry, EntryState, Inventory, InventoryError, InventoryStore as _,
};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

use super::bed::{Bed, GROUP, NAMESPACE, class};
use crate::{NoFaults, Operation};

fn inventory(bed: &Bed, entries: &[(&str, EntryState)]) -> Inventory {
    let entry = |state| Entry {
        kind: Kind::new(GROUP),
        name: None,
        generation: 1,
        remote_id: None,
        parent: None,
        needs: Vec::new(),
        data: DataClass::Stateless,
        state,
        since: "2026-11-23T07:00:00Z".to_owned(),
        spec_hash: None,
        ours: true,
    };
    let entries: BTreeMap<_, _> =
        entries.iter().map(|(id, state)| (id.parse().unwrap(), entry(*state))).collect();
    Inventory {
        stack: "git".to_owned(),
        uid: bed.owner.uid.clone().unwrap(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        cluster: "k8s.myzone.net".to_owned(),
        epoch: 1,
        called: BTreeMap::new(),
        entries,
    }
}

#[test]
fn of_two_writers_of_an_inventory_one_wins() {
    let bed = Bed::new();
    let (one, two) = (bed.sandbox.clone(), bed.sandbox.process("two", Arc::new(NoFaults)));
    let (one, two) = (one.inventory("git", "git"), two.inventory("git", "git"));
    let new = inventory(&bed, &[]);
    assert!(bed.clock.run(one.load()).unwrap().unwrap().is_none());
    let saves = join(one.save(&new, None), two.save(&new, None));
    let (first, second) = bed.clock.run(saves).unwrap();
    assert!(matches!(second, Err(InventoryError::Conflict)));
    let (loaded, version) = bed.clock.run(two.load()).unwrap().unwrap().unwrap();
    assert_eq!((&loaded, &version), (&new, &first.unwrap()));
    let next = bed.clock.run(two.save(&new, Some(&version))).unwrap().unwrap();
    let late = bed.clock.run(one.save(&new, Some(&version))).unwrap();
    assert!(matches!(late, Err(InventoryError::Conflict)));
    assert!(matches!(bed.clock.run(one.remove(&version)).unwrap(), Err(InventoryError::Conflict)));
    bed.clock.run(one.remove(&next)).unwrap().unwrap();
    bed.clock.run(one.remove(&next)).unwrap().unwrap();
    assert!(bed.clock.run(one.load()).unwrap().unwrap().is_none());
    // The first save made the namespace, as ours.
    assert_eq!(bed.look(NAMESPACE, "stack/git").ownership, zonestack_core::driver::Ownership::Ours);
}

#[test]
fn a_damaged_or_newer_inventory_is_told() {
    let bed = Bed::new();
    let store = bed.sandbox.inventory("git", "git");
    for text in ["{", "{\"schema\": 99}"] {
        bed.change(|world| world.overwrite_inventory("git/git", Some(text)));
        assert!(matches!(bed.clock.run(store.load()).unwrap(), Err(InventoryError::Read(_))));
    }
}

#[test]
fn two_creators_of_one_name_get_one_thing() {
    let bed = Bed::new();
    let other = bed.stranger();
    let (target, spec) = (bed.target(GROUP, "a/group"), json!({}));
    let both = join(
        bed.driver.create(bed.cx(), &target, &spec),
        other.driver.create(other.cx(), &target, &spec),
    );
    let (first, second) = bed.clock.run(both).unwrap();
    assert_eq!((class(first), class(second)), ("ok", "already exists"));
}

#[test]
fn the_log_finds_what_was_not_announced() {
    let bed = Bed::new();
    let store = bed.sandbox.inventory("git", "git");
    let (announced, not) = (bed.target(GROUP, "a/announced"), bed.target(GROUP, "a/not"));
    let spec = json!({});
    bed.clock
        .run(async {
            let entry = |state| inventory(&bed, &[("a/announced", state)]);
            let version = store.save(&entry(EntryState::Creating), None).await.unwrap();
            bed.driver.create(bed.cx(), &announced, &spec).await.unwrap();
            let version = store.save(&entry(EntryState::Deleting), Some(&version)).await.unwrap();
            bed.driver.delete(bed.cx(), &announced, &Deletion::default()).await.unwrap();
            assert!(bed.sandbox.log().unannounced().is_empty());
            // A save that conflicts announces nothing.
            let both = inventory(&bed, &[("a/not", EntryState::Creating)]);
            assert!(store.save(&both, None).await.is_err());
            bed.driver.create(bed.cx(), &not, &spec).await.unwrap();
            store.save(&entry(EntryState::Live), Some(&version)).await.unwrap();
            bed.driver.delete(bed.cx(), &announced, &Deletion::default()).await.unwrap();
        })
        .unwrap();
    let log = bed.sandbox.log();
    let found: Vec<_> = log.unannounced().iter().map(|call| call.operation).collect();
    assert_eq!(found, [Operation::Create, Operation::Delete]);
    assert_eq!(log.counts()[&Operation::SaveInventory], 4);
    assert_eq!(log.calls.iter().filter(|logged| !logged.effect).count(), 1);
}
