//! Drives Kubernetes objects.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::api::Preconditions;
use serde_json::{Value as Json, json};
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Ownership, Query, Target,
};
use zonestack_core::kind::KindDeclaration;

use crate::api::{ApiServer, Detail, MANAGER, OnConflict};
use crate::compare::RELEASED_FIELDS;
use crate::failure::{ApiFailure, Call};
use crate::kinds::{KINDS, Readiness};
use crate::observe::Named;
use crate::{credentials, marks, namespace};

/// The driver of every `k8s.` kind. A specification is the whole manifest, a resource's name is `namespace/name`, or
/// `name` for what has no namespace.
///
/// # How it writes
/// By server-side apply as the field manager `zonestack`, strictly validated, and by force only on what a person named
/// (`up --take-over`): otherwise a field that somebody else has set to another value stops the step with their name
/// (reliability.md B.4.8). Secrets are the exception, see
/// [`crate::credentials`].
///
/// Server-side apply has no "only when it is not there", so a creation reads the object's metadata first. Should somebody
/// make the same object in the milliseconds between, none of their values is changed: they are refused as conflicts.
pub struct KubernetesDriver {
    api: ApiServer,
}

impl KubernetesDriver {
    /// A driver for the cluster of a client.
    pub fn new(client: kube::Client) -> Self {
        Self { api: ApiServer::new(client) }
    }

    /// The kinds of every such driver. Needs no cluster: for rendering, the sandbox, the documentation.
    pub fn declarations() -> Vec<KindDeclaration> {
        KINDS.iter().map(crate::kinds::ObjectKind::declaration).collect()
    }

    async fn make(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let named = Named::read(&target.kind, target.name.as_deref())?;
        let made = if named.kind.kind == "Secret" {
            let filled = credentials::fill(cx, &target.id, spec).await?;
            let namespace = named.place.namespace.as_deref();
            self.api.create(named.kind, namespace, filled.expose()).await.map_err(|failure| {
                filled.scrub(failure.into_driver_error(Call::Write, &named.what("create")))
            })?
        } else {
            let there = self.metadata(&named).await?;
            if there.is_some_and(|object| marks::ownership(&object, cx.owner) != Ownership::Ours) {
                let message = format!(
                    "{} {} exists, and this stack did not make it",
                    named.kind.kind, named.place
                );
                return Err(DriverError::new(ErrorClass::AlreadyExists, message));
            }
            self.apply(cx, target, &named, spec, None).await?
        };
        Ok(Created { remote_id: uid(&made) })
    }

    /// Applies a manifest; with a uid, only to the object that has it, so that what was deleted meanwhile is not made again.
    async fn apply(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        named: &Named,
        spec: &Json,
        uid: Option<&str>,
    ) -> Result<Json, DriverError> {
        let taken_over = cx.taken_over.contains(&target.id);
        let mut object = marks::mark(spec, cx.owner, &target.id);
        if let Some(uid) = uid {
            object["metadata"]["uid"] = uid.into();
        }
        let (kind, place) = (named.kind, &named.place);
        let first = if taken_over { OnConflict::TakeOver } else { OnConflict::Refuse };
        let applied = match self.api.apply(kind, place, &object, first).await {
            // Fields that somebody set in our name, as the message of a conflict tells them to.
            Err(failure) if is_with_ourselves(&failure) => {
                self.api.apply(kind, place, &object, OnConflict::TakeOver).await
            }
            applied => applied,
        };
        applied.map_err(|failure| failure.into_driver_error(Call::Write, &named.what("apply")))
    }

    async fn metadata(&self, named: &Named) -> Result<Option<Json>, DriverError> {
        let got = self.api.get(named.kind, &named.place, Detail::Metadata).await;
        got.map_err(|failure| failure.into_driver_error(Call::Read, &named.what("read")))
    }

    async fn change(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let named = Named::read(&target.kind, target.name.as_deref())?;
        if named.kind.kind == "Secret" {
            return self.complete(cx, target, &named, spec).await;
        }
        if named.kind.readiness == Readiness::Volume && is_release(differences) {
            let patch = json!({ "spec": { "claimRef": { "uid": null, "resourceVersion": null } } });
            let released = self.api.merge(named.kind, &named.place, &patch).await;
            return released
                .map(drop)
                .map_err(|failure| failure.into_driver_error(Call::Write, &named.what("release")));
        }
        self.apply(cx, target, &named, spec, target.remote_id.as_deref()).await.map(drop)
    }

    /// Adds to a Secret what is missing.
    async fn complete(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        named: &Named,
        spec: &Json,
    ) -> Result<(), DriverError> {
        let live = self.api.get(named.kind, &named.place, Detail::Object).await;
        let live = live
            .map_err(|failure| failure.into_driver_error(Call::Read, &named.what("read")))?
            .ok_or_else(|| {
                let message = format!("Secret {} is not there any more", named.place);
                DriverError::new(ErrorClass::NotFound, message)
            })?;
        let Some(patch) = credentials::completion(cx, &target.id, spec, &live).await? else {
            return Ok(());
        };
        let patched = self.api.merge(named.kind, &named.place, patch.expose()).await;
        patched.map(drop).map_err(|failure| {
            patch.scrub(failure.into_driver_error(Call::Write, &named.what("complete")))
        })
    }

    async fn end(&self, cx: CallContext<'_>, target: &Target) -> Result<(), DriverError> {
        let named = Named::read(&target.kind, target.name.as_deref())?;
        let Some(live) = self.metadata(&named).await? else { return Ok(()) };
        let uid = uid(&live);
        let is_remembered = uid.is_some() && uid == target.remote_id;
        if !is_remembered && marks::ownership(&live, cx.owner) != Ownership::Ours {
            // Ours is gone; this is somebody else's of the same name.
            return Ok(());
        }
        if !live["metadata"]["deletionTimestamp"].is_null() {
            return Ok(());
        }
        if let Some(controller) = namespace::controller(&live) {
            let message = format!(
                "{} {} belongs to a {controller}, which would make it again: delete that instead",
                named.kind.kind, named.place
            );
            return Err(DriverError::new(ErrorClass::Dependency, message));
        }
        if named.kind.readiness == Readiness::Namespace {
            self.refuse_full(cx, &named).await?;
        }
        let preconditions = Preconditions { uid, resource_version: None };
        match self.api.delete(named.kind, &named.place, preconditions).await {
            Ok(_) => Ok(()),
            // What was read is gone, and something else has taken its name.
            Err(failure) if failure.is_conflict() => Ok(()),
            Err(failure) => Err(failure.into_driver_error(Call::Write, &named.what("delete"))),
        }
    }

    /// A namespace takes everything in it along.
    async fn refuse_full(&self, cx: CallContext<'_>, named: &Named) -> Result<(), DriverError> {
        let found = namespace::strangers(&self.api, &named.place.name, &cx.owner.stack).await;
        let found = found
            .map_err(|failure| failure.into_driver_error(Call::Read, &named.what("look into")))?;
        if found.is_empty() {
            return Ok(());
        }
        let shown = found.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        let more = match found.len().saturating_sub(10) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!(
            "namespace {} still holds what zonestack did not make: {shown}{more}. Move or delete it, then run this again",
            named.place
        );
        Err(DriverError::new(ErrorClass::Dependency, message))
    }
}

fn is_with_ourselves(failure: &ApiFailure) -> bool {
    let conflicts = failure.conflicts();
    !conflicts.is_empty() && conflicts.iter().all(|(_, manager)| *manager == MANAGER)
}

fn uid(object: &Json) -> Option<String> {
    object["metadata"]["uid"].as_str().map(ToOwned::to_owned)
}

/// Whether the differences are those of a volume that remembers its former claim.
fn is_release(differences: &[Difference]) -> bool {
    differences.iter().any(|difference| {
        let field = difference.path.strip_prefix("/spec/claimRef/");
        difference.to.is_none() && field.is_some_and(|field| RELEASED_FIELDS.contains(&field))
    })
}

impl Driver for KubernetesDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        Self::declarations()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        crate::observe::observe(&self.api, cx, queries).boxed()
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        self.make(cx, target, spec).boxed()
    }

    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        self.change(cx, target, spec, differences).boxed()
    }

    fn delete<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        _deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        self.end(cx, target).boxed()
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        crate::owned::owned(&self.api, cx.owner).boxed()
    }
}

#[cfg(test)]
mod tests;
