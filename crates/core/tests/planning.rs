//! What a plan says: by example, and by law.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

#[path = "planning/laws.rs"]
mod laws;
#[path = "planning/scene.rs"]
mod scene;

use serde_json::json;
use zonestack_core::driver::{Ownership, Status};
use zonestack_core::inventory::EntryState;
use zonestack_core::plan::Work;
use zonestack_core::resource::{DataClass, Foreign, StopFor, Until, UpgradeRule};

use scene::{DATABASE, Scene, of_kind, resource};

#[test]
fn what_is_not_there_is_created_in_order() {
    let fs = resource("data/fs").holding(DataClass::Data);
    let target = resource("data/target@eu-west-1a").after(&fs.id, Until::Ready);
    Scene::new([fs, target]).check(
        "
        create data/fs: does not exist
        create data/target@eu-west-1a: does not exist [after 0 ready]
        ",
    );
}

#[test]
fn what_is_as_wanted_is_kept() {
    Scene::new([resource("data/fs")]).made().check("keep data/fs: as wanted");
}

#[test]
fn a_changed_field_is_an_update_with_its_effect() {
    let db = |class: &str| {
        scene::with(resource("db/instance").holding(DataClass::Data), json!({ "class": class }))
    };
    Scene::new([db("small")]).made().wanting([db("large")]).check(
        "
        update db/instance: class differs
          class: small -> large (outage, in the maintenance window)
        ",
    );
}

#[test]
fn what_can_only_change_by_deletion_is_replaced_without_data_and_refused_with() {
    let of = |class: DataClass, size: u32| {
        scene::with(resource("x/thing").holding(class), json!({ "fixed": size }))
    };
    Scene::new([of(DataClass::Stateless, 1)]).made().wanting([of(DataClass::Stateless, 2)]).check(
        "
        replace x/thing: fixed cannot change in place
          fixed: 1 -> 2 (replace)
        ",
    );
    Scene::new([of(DataClass::Data, 1)]).made().wanting([of(DataClass::Data, 2)]).check(
        "
        refuse x/thing: fixed of thing can only change unless it is deleted, and it holds data
          fixed: 1 -> 2 (replace)
          hint: put fixed back; or make a new component beside x, move the data there, and remove the old one; or, to delete it and start with an empty one, name it: --replace x/thing
        ",
    );
}

#[test]
fn data_that_is_named_is_replaced_without_its_protection_and_leaves_a_copy() {
    let of = |size: u32| {
        let spec = json!({ "storage": size, "protected": true });
        scene::with(resource("db/instance").holding(DataClass::Data), spec)
    };
    let scene = Scene::new([of(100)]).made().wanting([of(50)]).replacing("db/instance");
    scene.check(
        "
        update db/instance: cleared because --replace names db/instance
          protected: true -> false
        replace db/instance: storage cannot change in place; made again, empty, as --replace says [after 0 ready]
          storage: 100 -> 50 (replace)
        ",
    );
    let plan = scene.plan();
    let Work::Replace { deletion, .. } = &plan.steps[1].work else { panic!("{plan:?}") };
    assert_eq!(deletion.final_copy.as_deref(), Some("git-db-cb92c4-1"));
}

#[test]
fn what_may_only_grow_is_refused_to_shrink() {
    let of = |size: u32| {
        scene::with(resource("db/instance").holding(DataClass::Data), json!({ "storage": size }))
    };
    Scene::new([of(100)]).made().wanting([of(200)]).check(
        "
        update db/instance: storage differs
          storage: 100 -> 200 (in the maintenance window)
        ",
    );
    Scene::new([of(100)]).made().wanting([of(50)]).check(
        "
        refuse db/instance: storage of instance can only go up unless it is deleted, and it holds data
          storage: 100 -> 50 (replace)
          hint: put storage back; or make a new component beside db, move the data there, and remove the old one; or, to delete it and start with an empty one, name it: --replace db/instance
        ",
    );
}

#[test]
fn what_holds_on_to_a_replaced_volume_is_replaced_with_it() {
    let volume = |server: &str| {
        let volume = resource("app/volume@eu-west-1a");
        scene::with(scene::of_kind(volume, scene::VOLUME), json!({ "fixed": server }))
    };
    let pod = |volume: &zonestack_core::resource::Resource| {
        resource("app/pod@eu-west-1a").after(&volume.id, Until::Exists)
    };
    let (old, new) = (volume("old"), volume("new"));
    let (before, after) = (pod(&old), pod(&new));
    Scene::new([old, before]).made().wanting([new, after]).check(
        "
        replace app/volume@eu-west-1a: fixed cannot change in place
          fixed: old -> new (replace)
        replace app/pod@eu-west-1a: needs app/volume@eu-west-1a, which is replaced [after 0 exists]
        ",
    );
}

#[test]
fn a_stranger_is_refused_or_used() {
    let stranger = |foreign: Foreign| {
        let mut wanted = resource("stack/namespace");
        wanted.foreign = foreign;
        Scene::new([wanted]).made().forgotten().owned_by(Ownership::Foreign)
    };
    stranger(Foreign::Use)
        .check("keep stack/namespace: was there before; used as it is, never changed or deleted");
    stranger(Foreign::Refuse).check(
        "
        refuse stack/namespace: namespace exists, but this stack did not make it
          hint: choose another name for the stack or the component; or, if it shall be the stack's own, name it: `adopt: { namespace: namespace }`
        ",
    );
}

#[test]
fn a_stranger_that_is_named_becomes_the_stacks_own() {
    let wanted = |size: u32| {
        let mut wanted = scene::with(resource("db/group"), json!({ "size": size }));
        wanted.adopt = Some("remote-db/group".to_owned());
        wanted
    };
    let stranger = || Scene::new([wanted(1)]).made().forgotten().owned_by(Ownership::Foreign);
    stranger().check("adopt db/group: was there before; becomes the stack's own, as adopt: says");
    stranger().wanting([wanted(2)]).check(
        "
        adopt db/group: was there before; becomes the stack's own, as adopt: says
          size: 1 -> 2
        ",
    );
    stranger().gone("db/group").check(
        "
        refuse db/group: adopt: names remote-db/group, which is not there
          hint: correct the id or name in the stack file; or take it out, to make a new one
        ",
    );
    // Once it is the stack's own, the line in the file does no more.
    Scene::new([wanted(1)]).made().check("keep db/group: as wanted");
}

#[test]
fn what_lost_its_marks_is_known_by_its_id() {
    Scene::new([resource("data/fs")])
        .made()
        .owned_by(Ownership::Foreign)
        .check("keep data/fs: as wanted");
}

#[test]
fn what_a_dead_run_left_is_taken_up_again() {
    Scene::new([resource("data/fs")])
        .made()
        .in_state(EntryState::Creating)
        .check("adopt data/fs: was made by a run that did not finish; taken up again");
    Scene::new([resource("data/fs")])
        .made()
        .in_state(EntryState::Retained)
        .check("adopt data/fs: was kept when its component went; taken up again");
}

#[test]
fn lost_data_is_not_silently_made_again() {
    let fs = || resource("data/fs").holding(DataClass::Data);
    Scene::new([fs()]).made().gone("data/fs").check(
        "
        refuse data/fs: remote-data/fs held data, and somebody deleted it outside zonestack
          hint: restore it from a backup; or, to start with an empty one, run `zonestack up --recreate data`
        ",
    );
    Scene::new([fs()])
        .made()
        .gone("data/fs")
        .recreating("data")
        .check("create data/fs: was deleted outside zonestack");
    Scene::new([resource("data/fs")])
        .made()
        .gone("data/fs")
        .check("create data/fs: was deleted outside zonestack");
}

#[test]
fn a_failed_resource_that_is_as_wanted_is_kept_and_said_so() {
    Scene::new([resource("db/instance")])
        .made()
        .standing("db/instance", Status::Failed("storage-full".to_owned()))
        .check("keep db/instance: as wanted, but failed: storage-full");
}

#[test]
fn followers_stop_while_their_leader_changes_its_version() {
    let pods = |version: &str| {
        let spec = json!({ "image": format!("app:{version}"), "replicas": 1 });
        let rule = UpgradeRule {
            path: "/image".to_owned(),
            subject: "App".to_owned(),
            stops: vec![5],
            source: "the upgrade path".to_owned(),
        };
        let mut leader = scene::with(resource("app/pod@eu-west-1a"), spec.clone());
        leader.upgrade = Some(rule.clone());
        let mut follower = scene::with(resource("app/pod@eu-west-1b"), spec);
        follower.upgrade = Some(rule);
        follower = follower.after(&leader.id, Until::Ready);
        follower.stop_for = Some(StopFor {
            leader: leader.id.clone(),
            when: vec!["/image".to_owned()],
            set: vec![("/replicas".to_owned(), json!(0))],
        });
        [leader, follower]
    };
    Scene::new(pods("1.2.0")).made().wanting(pods("1.3.0")).check(
        "
        update app/pod@eu-west-1b: stops while app/pod@eu-west-1a changes
          replicas: 1 -> 0 (outage)
        update app/pod@eu-west-1a: image differs [after 0 ready]
          image: app:1.2.0 -> app:1.3.0
        update app/pod@eu-west-1b: image differs [after 1 ready] [after 0 ready]
          image: app:1.2.0 -> app:1.3.0
        ",
    );
}

#[test]
fn removed_things_go_in_reverse_and_data_stays_with_what_it_needs() {
    let group = resource("db/group");
    let db = resource("db/instance").holding(DataClass::Data).after(&group.id, Until::Exists);
    let key = resource("app/key").holding(DataClass::Key);
    let pod = resource("app/pod").after(&db.id, Until::Ready).after(&key.id, Until::Exists);
    let scene = || Scene::new([group.clone(), db.clone(), key.clone(), pod.clone()]).made();
    scene().wanting([]).check(
        "
        delete app/pod: not wanted any more
        retain db/instance: holds data; delete it with --delete-data db
        retain db/group: db/instance needs it
        retain app/key: holds keys; kept as long as the stack keeps data
        ",
    );
    scene().wanting([]).deleting("db").check(
        "
        delete app/pod: not wanted any more
        update db/instance: cleared because --delete-data names db [after 0 ready]
          protected: true -> false
        delete db/instance: named by --delete-data; leaves the snapshot git-db-cb92c4-1 [after 0 ready] [after 1 ready]
        delete db/group: not wanted any more [after 2 ready]
        delete app/key: no data is left that needs it [after 0 ready]
        ",
    );
}

/// The guard of every removal: what the stack did not make is none of its business.
#[test]
fn what_was_there_before_is_never_removed() {
    let used = resource("stack/namespace");
    Scene::new([used]).made().of_others().wanting([]).check("");
}

#[test]
fn what_takes_over_comes_after_what_it_takes_over_from() {
    let old = resource("app/pod@eu-west-1a");
    let new = resource("app/pod");
    Scene::new([old]).made().wanting([new]).check(
        "
        create app/pod: does not exist [after 1 ready]
        delete app/pod@eu-west-1a: not wanted any more
        ",
    );
}

#[test]
fn another_type_of_data_store_is_not_silently_started_empty() {
    let old = || resource("x/old").holding(DataClass::Data);
    let new = || of_kind(resource("x/new").holding(DataClass::Data), DATABASE);
    let retained = "retain x/old: holds data; delete it with --delete-data x";
    let swapped = Scene::new([old()]).made().wanting([new()]);
    swapped.check(&format!(
        "
        refuse x/new: would start empty, while x/old (old) keeps the data
          hint: nothing is moved by itself. To move the data, leave x as it is, add the new one as a second component, copy it as its application's documentation says, and then name it in `needs`; to start with nothing, write `data: start-empty` beside its `use`
        {retained}
        "
    ));
    let said = swapped.starting_empty("x");
    said.check(&format!("create x/new: does not exist\n{retained}"));
    assert_eq!(said.plan().advisories[0].code, "data-not-moved");
}

#[test]
fn a_renamed_data_store_is_not_silently_started_empty() {
    let fs = |name: &str| resource(name).holding(DataClass::Data);
    let scene = || Scene::new([fs("data/fs")]).made().wanting([fs("files/fs")]);
    scene().check(
        "
        refuse files/fs: would start empty, while data/fs with its data is given up
          hint: if it is the same under a new name, write `renamed_from: data` beside its `use`; if an empty one is meant, run with --recreate files
        retain data/fs: holds data; delete it with --delete-data data
        ",
    );
    scene().recreating("files").check(
        "
        create files/fs: does not exist
        retain data/fs: holds data; delete it with --delete-data data
        ",
    );
}

/// A run was ended between the deletion and the sight of the copy.
#[test]
fn a_copy_that_nobody_has_seen_is_awaited_though_its_original_is_gone() {
    let db = resource("db/instance").holding(DataClass::Data);
    let scene = || {
        Scene::new([db.clone()])
            .made()
            .in_state(EntryState::Deleting)
            .gone("db/instance")
            .wanting([])
    };
    scene()
        .deleting("db")
        .check("delete db/instance: named by --delete-data; leaves the snapshot git-db-cb92c4-1");
    scene().check("delete db/instance: is gone already");
}

#[test]
fn keys_that_go_while_a_snapshot_stays_are_told() {
    let db = resource("db/instance").holding(DataClass::Data);
    let key = resource("app/key").holding(DataClass::Key);
    let plan = Scene::new([db, key]).made().wanting([]).deleting("db").plan();
    let codes: Vec<&str> = plan.advisories.iter().map(|a| a.code.as_str()).collect();
    assert_eq!(codes, ["keys-go-with-data"]);
}
