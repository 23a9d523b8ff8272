//! How a service makes something.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value as Json;
use zonestack_core::driver::{Created, DriverError, ErrorClass, Target};
use zonestack_core::kind::{Identity, Tagging};
use zonestack_core::projection::project;

use crate::digest::hex;
use crate::gate::Turn;
use crate::options::millis;
use crate::service::{Service, refuse, title, zone};
use crate::world::{Mark, Place, Resource, World};
use crate::{references, status, template};

/// How long RDS takes to fail over (domain.md, 4.4).
const FAILOVER: Duration = Duration::from_mins(1);

impl Service<'_> {
    pub(crate) fn create(
        &self,
        turn: &mut Turn<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let title = title(target);
        self.check_namespace(turn.world, target)?;
        self.check_zone(turn.world, target, spec, &title)?;
        if let Some(made) = self.already_there(turn.world, target, spec, &title)? {
            return Ok(Created { remote_id: Some(made) });
        }
        if matches!(self.kind.identity, Identity::Parent { .. }) {
            let parents = references::parents(turn.world, spec);
            if parents.is_empty() && !references::is_in_network_group(turn.world, spec) {
                let message = format!("{title}: what it is to be part of is not there");
                return Err(refuse(ErrorClass::NotFound, message));
            }
            let now = turn.world.now;
            if let Some(parent) = parents.iter().find(|parent| {
                parent.deletion.is_some() || status::being_made(parent, now).is_some()
            }) {
                let message = format!("{title} has to wait: {} is not available", parent.title());
                return Err(refuse(ErrorClass::Busy, message));
            }
        }
        let remote_id = self.insert(turn, target, spec)?;
        Ok(Created { remote_id: Some(remote_id) })
    }

    fn check_namespace(&self, world: &World, target: &Target) -> Result<(), DriverError> {
        if !self.is_kubernetes() {
            return Ok(());
        }
        let Some((namespace, _)) = target.name.as_deref().and_then(|name| name.split_once('/'))
        else {
            return Ok(());
        };
        let found = world.namespace(namespace).ok_or_else(|| {
            refuse(ErrorClass::NotFound, format!("namespaces \"{namespace}\" not found"))
        })?;
        if found.deletion.is_some() {
            let message = format!("namespace {namespace} is being terminated");
            return Err(refuse(ErrorClass::Busy, message));
        }
        Ok(())
    }

    fn check_zone(
        &self,
        world: &World,
        target: &Target,
        spec: &Json,
        title: &str,
    ) -> Result<(), DriverError> {
        if self.is_kubernetes() {
            return Ok(());
        }
        match place(world, target, spec) {
            Place::Zonal(zone) if world.site.lost_since(&zone).is_some() => Err(refuse(
                ErrorClass::ZoneUnavailable,
                format!("{title}: zone {zone} is out of service"),
            )),
            _ => Ok(()),
        }
    }

    /// Whether the key of the new thing is taken. The id of what the same token made before.
    fn already_there(
        &self,
        world: &World,
        target: &Target,
        spec: &Json,
        title: &str,
    ) -> Result<Option<String>, DriverError> {
        let by_key = Target { remote_id: None, ..target.clone() };
        if self.kind.identity == Identity::Name && target.name.is_none() {
            return Err(refuse(ErrorClass::Bug, format!("{title} needs a name")));
        }
        let found = match self.kind.identity {
            Identity::ServerId => return Ok(None),
            Identity::Token if target.token.is_none() => return Ok(None),
            Identity::Token => world
                .resources
                .iter()
                .find(|found| found.kind == target.kind.as_str() && found.token == target.token),
            Identity::Name | Identity::Parent { .. } => {
                let among: Vec<&Resource> = world.resources.iter().collect();
                self.find(world, &among, &by_key, Some(spec))
            }
        };
        let Some(found) = found else { return Ok(None) };
        if found.deletion.is_some() {
            let class =
                if self.is_kubernetes() { ErrorClass::Busy } else { ErrorClass::AlreadyExists };
            return Err(refuse(class, format!("{title} is still being deleted")));
        }
        if self.kind.identity == Identity::Token && project(spec, &found.spec) == *spec {
            return Ok(Some(found.remote_id.clone()));
        }
        Err(refuse(
            ErrorClass::AlreadyExists,
            format!("{title} already exists, as {}", found.remote_id),
        ))
    }

    fn insert(
        &self,
        turn: &mut Turn<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<String, DriverError> {
        let world = &mut *turn.world;
        let model = &self.kind.model;
        let takes = |duration| millis(world.pace.scale(duration));
        let (create, delete) = (takes(model.create), takes(model.delete));
        let node = target.id.to_string();
        let uid = self.owner.uid.clone().unwrap_or_default();
        let key = format!("{uid} {} {node}", self.kind.kind);
        let generation = world.generations.entry(key.clone()).or_default();
        *generation += 1;
        let digits = hex(world.seed, &[&key, &generation.to_string()], 40);
        world.count += 1;
        let tags_now = self.kind.tagging != Tagging::After;
        let mut spec = spec.clone();
        if let Some(path) = self.kind.marks_at.filter(|_| !tags_now) {
            references::remove(&mut spec, path);
        }
        let now = world.now;
        let mut resource = Resource {
            serial: world.count,
            kind: self.kind.kind.to_string(),
            node: Some(node),
            name: target.name.clone(),
            token: target.token.clone(),
            remote_id: String::new(),
            digits,
            region: self.owner.region.clone(),
            owner: self.mark().filter(|_| tags_now),
            marks_at: self.kind.marks_at.map(str::to_owned),
            place: place(world, target, &spec),
            spec,
            set_by_others: BTreeSet::new(),
            creating: model.creating.iter().map(|state| (*state).to_owned()).collect(),
            made: now,
            ready: now.saturating_add(create),
            change: None,
            deletion: None,
            delete_takes: delete,
            started: None,
            start_takes: create,
            failure: None,
            before: None,
        };
        let id = template::fill(model.id, world, &resource);
        let Some(Json::String(id)) = id else {
            let message =
                format!("the id template {:?} of {} cannot be filled in", model.id, self.kind.kind);
            return Err(refuse(ErrorClass::Bug, message));
        };
        resource.remote_id.clone_from(&id);
        world.resources.push(resource);
        Ok(id)
    }
}

/// Where a thing lives: in the zone that it is made for; where the services' own words for it, `availability_zone` and
/// `multi_az`, say; in its subnet's zone; in none.
fn place(world: &World, target: &Target, spec: &Json) -> Place {
    let zone_field = spec.get("availability_zone").and_then(Json::as_str).map(str::to_owned);
    let zone = zone(target).map(str::to_owned).or(zone_field);
    let zone = zone.or_else(|| references::zone_of(&world.site, spec));
    let first = || world.site.zones.iter().find(|zone| zone.lost_since.is_none());
    let chosen = || zone.clone().or_else(|| first().map(|zone| zone.name.clone()));
    match spec.get("multi_az").and_then(Json::as_bool) {
        Some(multi) => {
            chosen().map_or(Place::Regional, |zone| in_zone(zone, multi, failover(world)))
        }
        None => zone.map_or(Place::Regional, Place::Zonal),
    }
}

/// In one zone, with a copy in others or without.
pub(crate) fn in_zone(zone: String, multi: bool, failover: u64) -> Place {
    if multi { Place::Replicated { primary: zone, failover } } else { Place::Zonal(zone) }
}

/// How long a copy takes to take over.
pub(crate) fn failover(world: &World) -> u64 {
    millis(world.pace.scale(FAILOVER))
}

impl World {
    /// The Namespace object of that name.
    pub(crate) fn namespace(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|found| {
            found.kubernetes() == Some("Namespace") && found.name.as_deref() == Some(name)
        })
    }

    /// Makes a namespace for a stack's inventory, marked as the stack's.
    pub(crate) fn make_namespace(&mut self, name: &str, mark: Mark) {
        let spec = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": name },
        });
        let id = self.plant("k8s.v1.Namespace", name, spec);
        if let Some(made) = self.resources.iter_mut().find(|found| found.remote_id == id) {
            made.owner = Some(mark);
        }
    }
}
