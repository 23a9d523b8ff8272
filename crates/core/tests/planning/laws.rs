//! Laws of planning over random graphs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;
use zonestack_core::driver::{Ownership, Status};
use zonestack_core::inventory::EntryState;
use zonestack_core::plan::{Action, Plan};
use zonestack_core::resource::{DataClass, Resource, Until};

use crate::scene::{Scene, VOLUME, of_kind, resource, with};

/// A graph of up to twelve resources; each needs some of those before it.
fn graph() -> impl Strategy<Value = Vec<Resource>> {
    let node = (0..4_u8, 0..3_u8, any::<u16>(), any::<u16>(), 0..3_u8);
    prop::collection::vec(node, 1..12).prop_map(|nodes| {
        let mut resources: Vec<Resource> = Vec::new();
        for (index, (component, class, needs, ready, size)) in nodes.into_iter().enumerate() {
            let name = format!("c{component}/r{index}");
            let class = [DataClass::Stateless, DataClass::Data, DataClass::Key][usize::from(class)];
            let mut one = with(resource(&name).holding(class), json!({ "fixed": 1, "free": size }));
            if needs % 5 == 0 {
                one = of_kind(one, VOLUME);
            }
            for (other, earlier) in resources.iter().enumerate() {
                if needs >> other & 1 == 1 {
                    let until = if ready >> other & 1 == 1 { Until::Ready } else { Until::Exists };
                    one = one.after(&earlier.id, until);
                }
            }
            resources.push(one);
        }
        resources
    })
}

/// Every step can be reached: waits form no circle.
fn assert_reachable(plan: &Plan) {
    let mut done: BTreeSet<usize> = BTreeSet::new();
    loop {
        let next: Vec<usize> = (0..plan.steps.len())
            .filter(|step| !done.contains(step))
            .filter(|step| plan.steps[*step].after.iter().all(|wait| done.contains(&wait.step)))
            .collect();
        if next.is_empty() {
            break;
        }
        done.extend(next);
    }
    assert_eq!(done.len(), plan.steps.len(), "steps wait for each other: {plan:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn after_an_up_there_is_nothing_to_do(resources in graph()) {
        let plan = Scene::new(resources).made().plan();
        prop_assert!(!plan.has_changes());
        prop_assert!(plan.steps.iter().all(|step| step.action == Action::Keep));
    }

    #[test]
    fn a_creation_waits_for_all_that_it_needs(resources in graph()) {
        let plan = Scene::new(resources.clone()).plan();
        let at: BTreeMap<_, _> =
            plan.steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect();
        for resource in &resources {
            for need in resource.all_needs() {
                let waits = &plan.steps[at[&resource.id]].after;
                prop_assert!(waits.iter().any(|w| w.step == at[&need.id] && w.until == need.until));
            }
        }
        assert_reachable(&plan);
    }

    #[test]
    fn a_deletion_waits_for_whatever_needs_it_and_data_is_never_deleted_unnamed(
        resources in graph(),
        kept in any::<u16>(),
    ) {
        let wanted: Vec<Resource> = closed(&resources, kept);
        let plan = Scene::new(resources.clone()).made().wanting(wanted).plan();
        assert_reachable(&plan);
        let deleted: BTreeMap<_, _> = plan
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| step.action == Action::Delete)
            .map(|(index, step)| (step.id.clone(), index))
            .collect();
        for resource in &resources {
            if deleted.contains_key(&resource.id) {
                prop_assert!(resource.data != DataClass::Data, "{} holds data", resource.id);
            }
            for need in resource.all_needs() {
                if let Some(index) = deleted.get(&need.id) {
                    let Some(dependent) = deleted.get(&resource.id) else {
                        prop_assert!(false, "{} is deleted, {} needs it", need.id, resource.id);
                        continue;
                    };
                    prop_assert!(plan.steps[*index].after.iter().any(|w| w.step == *dependent));
                }
            }
        }
    }

    #[test]
    fn removing_components_touches_nothing_else(resources in graph()) {
        // The first resource's component, and every component that needs a removed one.
        let mut gone = BTreeSet::from([resources[0].id.component.clone()]);
        loop {
            let more: BTreeSet<_> = resources
                .iter()
                .filter(|r| r.all_needs().iter().any(|need| gone.contains(&need.id.component)))
                .map(|r| r.id.component.clone())
                .collect();
            if more.is_subset(&gone) {
                break;
            }
            gone.extend(more);
        }
        let is_gone = |r: &&Resource| gone.contains(&r.id.component);
        let rest: Vec<Resource> = resources.iter().filter(|r| !is_gone(r)).cloned().collect();
        let plan = Scene::new(resources.clone()).made().wanting(rest).plan();
        for step in plan.steps.iter().filter(|step| !step.is_noop()) {
            prop_assert!(gone.contains(&step.id.component), "{} is touched", step.id);
        }
    }

    #[test]
    fn planning_is_total(
        resources in graph(),
        other in graph(),
        status in 0..6_u8,
        owner in 0..3_u8,
        state in 0..4_u8,
        lost in 0..12_usize,
    ) {
        let status = match status {
            0 => Status::Pending("creating".to_owned()),
            1 => Status::Busy("modifying".to_owned()),
            2 => Status::Ready,
            3 => Status::Failed("failed".to_owned()),
            4 => Status::Deleting,
            _ => Status::Absent,
        };
        let ownership =
            [Ownership::Ours, Ownership::Foreign, Ownership::Unknown][usize::from(owner)];
        let state = [EntryState::Creating, EntryState::Live, EntryState::Deleting, EntryState::Retained]
            [usize::from(state)];
        let some = resources[lost % resources.len()].id.to_string();
        let scene = Scene::new(resources)
            .made()
            .owned_by(ownership)
            .in_state(state)
            .standing(&some, status)
            .wanting(other);
        assert_reachable(&scene.plan());
    }
}

/// The resources of the mask, without those whose needs are not among them.
fn closed(resources: &[Resource], mask: u16) -> Vec<Resource> {
    let mut kept: Vec<Resource> = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        let whole = resource.all_needs().iter().all(|need| kept.iter().any(|k| k.id == need.id));
        if mask >> index & 1 == 1 && whole {
            kept.push(resource.clone());
        }
    }
    kept
}
