//! The first start and upgrades: who waits for whom.

use insta::assert_snapshot;
use serde_json::json;
use zonestack_core::component::Rendered;
use zonestack_core::resource::{DataClass, Until};

use super::World;

/// One line for each resource: what it is, where it lives, what it holds, what it comes after.
fn graph(rendered: &Rendered) -> String {
    rendered
        .resources
        .iter()
        .map(|resource| {
            let needs: Vec<_> = resource
                .all_needs()
                .iter()
                .map(|need| match need.until {
                    Until::Exists => need.id.to_string(),
                    Until::Ready => format!("{} (ready)", need.id),
                })
                .collect();
            let stop =
                resource.stop_for.as_ref().map(|stop| format!(" | stops for {}", stop.leader));
            let data = match resource.data {
                DataClass::Stateless => String::new(),
                data => format!(" [{}]", data.as_str()),
            };
            format!(
                "{}{data} | {} | {}{}\n",
                resource.id,
                resource.name.as_deref().unwrap_or_default(),
                needs.join(", "),
                stop.unwrap_or_default()
            )
        })
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn one_to_six_zones() {
    let ids = |number| {
        let rendered = World::new(number).render();
        let ids: Vec<_> = rendered.resources.iter().map(|r| r.id.to_string()).collect();
        format!("{number}: {}\n", ids.join(" "))
    };
    assert_snapshot!((1..=6).map(ids).collect::<String>());
}

#[test]
fn the_first_zone_starts_alone() {
    assert_snapshot!(graph(&World::new(3).render()));
}

#[test]
fn failover_is_one_pod_for_all_zones() {
    assert_snapshot!(graph(&World::new(3).with(json!({ "mode": "failover" })).render()));
}

#[test]
fn upgrades_stop_the_followers_and_skip_no_stop() {
    let rendered = World::new(3).render();
    let deployments: Vec<_> =
        rendered.resources.iter().filter(|r| r.id.name == "deployment").collect();
    assert_eq!(deployments.len(), 3);
    for deployment in &deployments {
        let rule = deployment.upgrade.as_ref().unwrap();
        assert_eq!(rule.stops, [2, 5, 8, 11]);
        let image = deployment.spec.at(&rule.path).unwrap().as_str();
        assert_eq!(image, Some("sameersbn/gitlab:19.2.0"));
    }
    assert!(deployments[0].stop_for.is_none());
    for follower in &deployments[1..] {
        let stop = follower.stop_for.as_ref().unwrap();
        assert_eq!(stop.leader, deployments[0].id);
        assert!(stop.when.iter().all(|path| deployments[0].spec.at(path).is_some()));
        for (path, value) in &stop.set {
            assert!(follower.spec.at(path).is_some(), "{path}");
            assert_eq!(value, &json!(0));
        }
    }
}

#[test]
fn more_zones_change_nothing_of_those_that_are_there() {
    let two = World::new(2).render().resources;
    let three = World::new(3).render().resources;
    for resource in two {
        assert!(three.contains(&resource), "{} changed", resource.id);
    }
}
