//! A service as one caller sees it: which resource is meant, and whose it is.

use serde_json::Value as Json;
use zonestack_core::driver::{DriverError, ErrorClass, Owner, Ownership, Target};
use zonestack_core::kind::{Identity, KindDeclaration, Tagging};

use crate::references;
use crate::world::{Mark, Place, Resource, World};

/// One kind's service, as one caller sees it.
pub(crate) struct Service<'a> {
    pub(crate) kind: &'a KindDeclaration,
    pub(crate) owner: &'a Owner,
}

pub(crate) fn refuse(class: ErrorClass, mut message: String) -> DriverError {
    message.insert_str(0, "sandbox: ");
    DriverError::new(class, message)
}

impl Service<'_> {
    pub(crate) fn is_kubernetes(&self) -> bool {
        self.kind.kind.kubernetes().is_some()
    }

    pub(crate) fn mark(&self) -> Option<Mark> {
        Some(Mark { stack: self.owner.stack.clone(), uid: self.owner.uid.clone()? })
    }

    /// Looks as reliability.md B.4.3 says: by id, by key, by marks.
    pub(crate) fn find<'w>(
        &self,
        world: &World,
        among: &[&'w Resource],
        target: &Target,
        spec: Option<&Json>,
    ) -> Option<&'w Resource> {
        let of_kind = among.iter().copied().filter(|found| {
            found.kind == target.kind.as_str()
                && (self.is_kubernetes() || found.region == self.owner.region)
        });
        let same_name = |found: &&Resource| {
            self.kind.identity != Identity::Name
                || target.name.is_none()
                || target.name == found.name
        };
        if let Some(id) = &target.remote_id {
            let by_id = of_kind.clone().filter(same_name).find(|found| found.remote_id == *id);
            if by_id.is_some() {
                return by_id;
            }
        }
        let by_key = match self.kind.identity {
            Identity::Name => {
                let name = target.name.as_ref()?;
                return of_kind.clone().find(|found| found.name.as_ref() == Some(name));
            }
            Identity::Token => {
                let token = target.token.as_ref();
                of_kind.clone().find(|found| token.is_some() && found.token.as_ref() == token)
            }
            Identity::Parent { at } => match (spec, &target.parent) {
                (Some(spec), _) => {
                    let place = references::part_of(world, spec, zone(target));
                    of_kind.clone().find(|found| {
                        references::part_of(world, &found.spec, found.zone()) == place
                    })
                }
                (None, Some(parent)) => of_kind.clone().find(|found| {
                    found.spec.pointer(at).and_then(Json::as_str) == Some(parent)
                        && found.zone() == zone(target)
                }),
                (None, None) => None,
            },
            Identity::ServerId => None,
        };
        by_key.or_else(|| {
            let (mark, node) = (self.mark()?, target.id.to_string());
            let marked = of_kind.filter(|found| {
                self.kind.tagging != Tagging::None
                    && found.owner.as_ref() == Some(&mark)
                    && found.node.as_ref() == Some(&node)
            });
            marked.min_by_key(|found| found.deletion.is_some())
        })
    }

    pub(crate) fn find_now(
        &self,
        world: &World,
        target: &Target,
        spec: Option<&Json>,
    ) -> Option<u64> {
        let among: Vec<&Resource> = world.resources.iter().collect();
        self.find(world, &among, target, spec).map(|found| found.serial)
    }

    pub(crate) fn ownership(&self, world: &World, found: &Resource) -> Ownership {
        let ours = |owner: Option<&Mark>| match self.mark() {
            Some(mark) if owner == Some(&mark) => Ownership::Ours,
            _ => Ownership::Foreign,
        };
        if self.kind.tagging != Tagging::None {
            return ours(found.owner.as_ref());
        }
        let parents = references::parents(world, &found.spec);
        let marked = parents.iter().filter_map(|parent| parent.owner.as_ref());
        if parents.is_empty() {
            // The service has no marks and no parent tells: the model remembers who asked.
            ours(found.owner.as_ref())
        } else if marked.clone().any(|owner| ours(Some(owner)) == Ownership::Ours) {
            Ownership::Ours
        } else {
            Ownership::Foreign
        }
    }
}

pub(crate) fn zone(target: &Target) -> Option<&str> {
    target.id.zone.as_ref().map(zonestack_core::name::Zone::as_str)
}

pub(crate) fn title(target: &Target) -> String {
    match &target.name {
        Some(name) => format!("{} {name}", target.kind),
        None => format!("{} of {}", target.kind, target.id),
    }
}

pub(crate) fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Resource {
    /// The zone that it is in.
    pub(crate) fn zone(&self) -> Option<&str> {
        match &self.place {
            Place::Regional => None,
            Place::Zonal(zone) | Place::Replicated { primary: zone, .. } => Some(zone),
        }
    }
}
