//! Everything that carries the labels of a stack of a name: one list for each kind, metadata only, so that no value is read.
//!
//! Controllers copy labels to what they make (reliability.md B.2), and what is going away is not there any more: neither
//! counts.

use futures::StreamExt as _;
use futures::stream;
use serde_json::Value as Json;
use zonestack_core::driver::{DriverError, Owned, Owner};

use crate::api::{ApiServer, Detail, Place};
use crate::failure::{ApiFailure, Call};
use crate::kinds::{KINDS, NAMESPACE, ObjectKind, Readiness};
use crate::{marks, namespace};

/// Calls that are under way at the same time.
const AT_ONCE: usize = 8;

/// Every object of the stack: those in its namespace, those without one, and the namespace itself when it is marked. Kinds
/// that may not be listed are left out; when none may, that is the answer.
pub(crate) async fn owned(api: &ApiServer, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
    let home = api.get(&NAMESPACE, &Place::of_cluster(&owner.namespace), Detail::Metadata).await;
    // Where there is no namespace, or soon will be none, nothing is in it.
    let is_home = match &home {
        Ok(home) => home.as_ref().is_some_and(|home| !namespace::is_going(home)),
        Err(_) => true,
    };
    let kinds: Vec<&'static ObjectKind> = KINDS
        .iter()
        .filter(|kind| kind.readiness != Readiness::Namespace && (is_home || !kind.namespaced))
        .collect();
    let lists: Vec<_> = kinds.into_iter().map(|kind| list(api, kind, owner)).collect();
    let mut answers: Vec<_> = stream::iter(lists).buffered(AT_ONCE).collect().await;
    answers.push((&NAMESPACE, home.map(|home| home.into_iter().collect())));
    let mut found = Vec::new();
    let mut denied = None;
    let mut is_allowed = false;
    for (kind, answer) in answers {
        match answer {
            Ok(objects) => {
                is_allowed = true;
                found.extend(objects.iter().filter_map(|object| read(kind, object, owner)));
            }
            // A kind that this cluster does not have.
            Err(failure) if failure.is_not_found() => {}
            Err(failure) if failure.is_forbidden() => {
                denied.get_or_insert_with(|| error(kind, failure));
            }
            Err(failure) => return Err(error(kind, failure)),
        }
    }
    match denied {
        Some(denied) if !is_allowed => Err(denied),
        _ => Ok(found),
    }
}

async fn list(
    api: &ApiServer,
    kind: &'static ObjectKind,
    owner: &Owner,
) -> (&'static ObjectKind, Result<Vec<Json>, ApiFailure>) {
    let namespace = kind.namespaced.then_some(owner.namespace.as_str());
    let found = api.list(kind, namespace, &marks::selector(owner), Detail::Metadata).await;
    (kind, found)
}

fn error(kind: &ObjectKind, failure: ApiFailure) -> DriverError {
    let verb = if kind.readiness == Readiness::Namespace { "read" } else { "list" };
    failure.into_driver_error(Call::Read, &format!("{verb} {} of the stack", kind.plural))
}

fn read(kind: &ObjectKind, object: &Json, owner: &Owner) -> Option<Owned> {
    if namespace::controller(object).is_some() || namespace::is_going(object) {
        return None;
    }
    let name = object["metadata"]["name"].as_str()?;
    let name =
        if kind.namespaced { format!("{}/{name}", owner.namespace) } else { name.to_owned() };
    let mut found = marks::owned(kind.name(), name, object, owner)?;
    if kind.readiness == Readiness::Namespace {
        // The inventory makes it before the driver has marked it.
        found.id = found.id.or_else(|| Some(marks::namespace_id()));
    }
    Some(found)
}

#[cfg(test)]
mod tests;
