//! What a service shows.

use serde_json::Value as Json;
use zonestack_core::driver::{Observation, Query, Status};
use zonestack_core::projection::project;

use crate::gate::Turn;
use crate::options::millis;
use crate::service::Service;
use crate::world::{Resource, World};
use crate::{pods, status, template};

impl Service<'_> {
    pub(crate) fn observe(&self, turn: &Turn<'_>, query: &Query) -> Observation {
        let world: &World = turn.world;
        let at = world.now.saturating_sub(millis(turn.lag));
        let lags = !turn.lag.is_zero();
        let graves = world.graves.iter().filter(|grave| lags && grave.gone > at);
        let among: Vec<&Resource> = world
            .resources
            .iter()
            .chain(graves.map(|grave| &grave.resource))
            .filter(|found| !lags || found.made <= at)
            .collect();
        let Some(found) = self.find(world, &among, &query.target, query.spec.as_ref()) else {
            return Observation::absent();
        };
        let stale = found.change.is_some_and(|change| lags && change.from > at);
        let actual = found.before.as_ref().filter(|_| stale).unwrap_or(&found.spec);
        let status = status::status(world, found, at);
        let made = self.outputs_known(found, &status, at);
        Observation {
            remote_id: Some(found.remote_id.clone()),
            ownership: self.ownership(world, found),
            attributes: query
                .spec
                .as_ref()
                .map_or(Json::Null, |spec| self.attributes(spec, actual, found)),
            outputs: template::outputs(world, self.kind, found, made),
            status,
        }
    }

    /// Outputs of the services are known when the creation has ended; those of a workload never depend on its pods.
    fn outputs_known(&self, found: &Resource, status: &Status, at: u64) -> bool {
        if self.is_kubernetes() {
            pods::runs_pods(found) || !matches!(status, Status::Pending(_))
        } else {
            at >= found.ready
        }
    }

    /// What is, in the words of what was asked; of a Kubernetes object also what we once set and nobody asks for any more (its
    /// managed fields tell).
    fn attributes(&self, spec: &Json, actual: &Json, found: &Resource) -> Json {
        let mut attributes = project(spec, actual);
        if self.is_kubernetes() {
            add_unasked(spec, actual, &mut attributes, "", found);
        }
        attributes
    }
}

/// Adds what is there, was set by us, and is not asked for.
fn add_unasked(spec: &Json, actual: &Json, attributes: &mut Json, path: &str, found: &Resource) {
    let (Json::Object(spec), Json::Object(actual), Json::Object(attributes)) =
        (spec, actual, attributes)
    else {
        return;
    };
    for (key, value) in actual {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        match spec.get(key) {
            Some(asked) => {
                if let Some(attribute) = attributes.get_mut(key) {
                    add_unasked(asked, value, attribute, &path, found);
                }
            }
            None if !found.set_by_others.contains(&path) => {
                attributes.insert(key.clone(), value.clone());
            }
            None => {}
        }
    }
}
