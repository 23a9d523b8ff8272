//! Names, tokens, parents and marks; what is in use; what is protected.

use serde_json::{Value as Json, json};
use zonestack_core::driver::{Driver as _, Observation, Ownership, Status};

use super::bed::{BASE, Bed, DOOR, GROUP, STORE, WIDGET, class};

fn store() -> Json {
    json!({ "mode": "elastic", "tags": { "zonestack:stack": "git" } })
}

#[test]
fn a_token_makes_one_thing_however_often_it_is_used() {
    let bed = Bed::new();
    let id = bed.made(STORE, "data/store", store());
    assert_eq!(bed.made(STORE, "data/store", store()), id);
    let other = json!({ "mode": "bursting", "tags": {} });
    assert_eq!(class(bed.create(STORE, "data/store", other)), "already exists");
    // Another stack has other tokens.
    assert_ne!(bed.stranger().made(STORE, "data/store", store()), id);
    assert_eq!(bed.world().resources().len(), 2);
}

#[test]
fn a_name_is_taken_until_its_holder_is_gone_and_then_gives_a_new_thing() {
    let bed = Bed::new();
    bed.made(GROUP, "db/group", json!({}));
    let digits = |bed: &Bed| bed.world().resources()[0].digits.clone();
    let first = digits(&bed);
    assert_eq!(class(bed.create(GROUP, "db/group", json!({}))), "already exists");
    assert_eq!(class(bed.stranger().create(GROUP, "db/group", json!({}))), "already exists");
    bed.delete(GROUP, "db/group").unwrap();
    assert_eq!(bed.status(GROUP, "db/group"), Status::Deleting);
    assert_eq!(class(bed.create(GROUP, "db/group", json!({}))), "already exists");
    bed.wait(6);
    assert_eq!(bed.look(GROUP, "db/group"), Observation::absent());
    bed.made(GROUP, "db/group", json!({}));
    assert_ne!(digits(&bed), first);
}

#[test]
fn a_parent_has_one_child_in_each_zone_and_has_to_be_ready_first() {
    let bed = Bed::new();
    let store = bed.made(STORE, "data/store", store());
    let door = |zone: &str, group: &str| json!({ "store_id": store, "subnet_id": bed.subnet(zone), "groups": [group] });
    let (a, b) = ("data/door@eu-west-1a", "data/door@eu-west-1b");
    assert_eq!(class(bed.create(DOOR, a, door("eu-west-1a", "sg-1"))), "busy");
    let nowhere = json!({ "store_id": "fs-0", "subnet_id": bed.subnet("eu-west-1a") });
    assert_eq!(class(bed.create(DOOR, a, nowhere)), "not found");
    bed.wait(10);
    bed.made(DOOR, a, door("eu-west-1a", "sg-1"));
    assert_eq!(class(bed.create(DOOR, a, door("eu-west-1a", "sg-2"))), "already exists");
    bed.made(DOOR, b, door("eu-west-1b", "sg-1"));
    // Found through its parent, and owned through it.
    let found = bed.look_for(DOOR, a, door("eu-west-1a", "sg-1"));
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.attributes, door("eu-west-1a", "sg-1"));
    let seen = bed.stranger().look_for(DOOR, a, door("eu-west-1a", "sg-1"));
    assert_eq!((seen.ownership, seen.remote_id), (Ownership::Foreign, found.remote_id));
}

#[test]
fn without_a_key_every_creation_makes_another() {
    let bed = Bed::new();
    let tags = json!({ "tags": { "zonestack:stack": "git" } });
    bed.made(WIDGET, "a/widget", tags.clone());
    let second = bed.made(WIDGET, "a/widget", tags.clone());
    assert_eq!(bed.world().resources().len(), 2);
    // Untagged, it is nobody's, and found by its id alone.
    assert_eq!(bed.status(WIDGET, "a/widget"), Status::Absent);
    let mut target = bed.target(WIDGET, "a/widget");
    target.remote_id = Some(second);
    assert_eq!(bed.query(target.clone(), None).ownership, Ownership::Foreign);
    assert_eq!(bed.query(target.clone(), Some(tags.clone())).attributes, json!({}));
    // The call that tags does nothing else, and works while the thing is being made.
    let wanted = json!({ "size": 2, "tags": { "zonestack:stack": "git" } });
    let differences = [("/tags", &tags["tags"]), ("/size", &json!(2))].map(|(path, to)| {
        zonestack_core::driver::Difference {
            path: path.to_owned(),
            from: None,
            to: Some(to.clone()),
        }
    });
    bed.wait(10);
    let tagging = bed.driver.update(bed.cx(), &target, &wanted, &differences);
    bed.clock.run(tagging).unwrap().unwrap();
    let found = bed.look_for(WIDGET, "a/widget", wanted);
    assert_eq!((found.ownership, found.attributes), (Ownership::Ours, tags));
}

#[test]
fn the_same_node_made_twice_is_found_as_a_duplicate() {
    let bed = Bed::new();
    bed.made(STORE, "data/store", store());
    assert!(bed.world().duplicates().is_empty());
    let mut target = bed.target(STORE, "data/store");
    target.token = Some("another".to_owned());
    bed.clock.run(bed.driver.create(bed.cx(), &target, &store())).unwrap().unwrap();
    assert_eq!(bed.world().duplicates().len(), 1);
}

#[test]
fn marks_that_are_taken_away_make_a_thing_foreign_and_come_back_with_an_update() {
    let bed = Bed::new();
    bed.made(STORE, "data/store", store());
    bed.wait(10);
    let (id, path) = ("data/store", "/tags/zonestack:stack");
    bed.change(|world| world.tamper(STORE, id, path, Json::Null)).unwrap();
    let found = bed.look_for(STORE, id, store());
    assert_eq!(found.ownership, Ownership::Foreign);
    assert_eq!(found.attributes, json!({ "mode": "elastic", "tags": {} }));
    bed.update(STORE, id, store(), path, Json::Null, json!("git")).unwrap();
    let found = bed.look_for(STORE, id, store());
    assert_eq!((found.ownership, found.attributes), (Ownership::Ours, store()));
    assert_eq!(found.status, Status::Ready);
}

#[test]
fn what_is_in_use_is_not_deleted_even_where_all_have_one_name() {
    let bed = Bed::new();
    bed.made(GROUP, "a/git-db", json!({ "tags": { "Name": "git-db" } }));
    bed.wait(10);
    bed.made(BASE, "b/git-db", json!({ "identifier": "git-db", "base_group": "git-db" }));
    bed.wait(12 * 60);
    let in_use = bed.delete(GROUP, "a/git-db").unwrap_err();
    assert_eq!(
        in_use.to_string(),
        "sandbox: aws.made-up.base-group git-db is in use by aws.made-up.base git-db"
    );
    bed.delete(BASE, "b/git-db").unwrap();
    // Until it is gone, not until it is going.
    assert_eq!(class(bed.delete(GROUP, "a/git-db")), "dependency");
    bed.wait(6);
    bed.delete(GROUP, "a/git-db").unwrap();
    bed.wait(6);
    assert!(bed.world().resources().is_empty());
}

#[test]
fn a_store_with_doors_is_in_use() {
    let bed = Bed::new();
    let store = bed.made(STORE, "data/store", store());
    bed.wait(10);
    let spec = json!({ "store_id": store, "subnet_id": bed.subnet("eu-west-1a") });
    bed.made(DOOR, "data/door@eu-west-1a", spec.clone());
    assert_eq!(class(bed.delete(STORE, "data/store")), "dependency");
    // A door is deleted by its id: its parent stands in no target.
    let mut target = bed.target(DOOR, "data/door@eu-west-1a");
    target.remote_id = bed.look_for(DOOR, "data/door@eu-west-1a", spec).remote_id;
    bed.delete_with(target.clone(), None).unwrap();
    bed.wait(6);
    bed.delete_with(target, None).unwrap();
    bed.delete(STORE, "data/store").unwrap();
    bed.delete(STORE, "data/store").unwrap();
    bed.wait(6);
    bed.delete(STORE, "data/store").unwrap();
    assert!(bed.world().resources().is_empty());
}

#[test]
fn a_protected_thing_stays_and_a_final_copy_has_a_name_of_its_own() {
    let bed = Bed::new();
    let spec = |protected: bool| json!({ "protected": protected });
    bed.made(BASE, "db/main", spec(true));
    bed.wait(12 * 60);
    assert_eq!(class(bed.delete(BASE, "db/main")), "invalid");
    bed.update(BASE, "db/main", spec(false), "/protected", json!(true), json!(false)).unwrap();
    let delete = || bed.delete_with(bed.target(BASE, "db/main"), Some("last"));
    delete().unwrap();
    bed.wait(6);
    assert_eq!(bed.world().final_copies()["last"].of, "main");
    bed.made(BASE, "db/main", spec(false));
    assert_eq!(class(delete()), "already exists");
    assert_ne!(bed.status(BASE, "db/main"), Status::Deleting);
}

#[test]
fn a_stranger_is_found_as_foreign() {
    let bed = Bed::new();
    bed.change(|world| world.plant(BASE, "main", json!({ "engine": "x" })));
    let found = bed.look_for(BASE, "db/main", json!({ "engine": "y" }));
    assert_eq!((found.status, found.ownership), (Status::Ready, Ownership::Foreign));
    assert_eq!(found.attributes, json!({ "engine": "x" }));
    assert_eq!(class(bed.create(BASE, "db/main", json!({}))), "already exists");
}
