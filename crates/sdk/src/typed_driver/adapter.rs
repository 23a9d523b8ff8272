//! From the typed contract to the engine's.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use serde_json::{Map, Value as Json};
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Owner, Ownership, Query, Status, Target,
};
use zonestack_core::kind::{Identity, KindDeclaration};
use zonestack_core::marks;
use zonestack_core::name::ResourceId;
use zonestack_core::projection::project;

use super::{Call, Found, Outcome, Tags, TypedDriver};

/// A typed driver as the engine knows it.
pub(super) struct Typed<D> {
    driver: D,
    declared: KindDeclaration,
}

/// Something that is there, its specification as the engine compares it.
struct Seen {
    found: Found<Json>,
    /// `None` for a kind without tags.
    tags: Option<Tags>,
}

impl Seen {
    fn ownership(&self, owner: &Owner, id: &ResourceId) -> Ownership {
        let whose = |tags| marks::ownership(tags, owner, id);
        self.tags.as_ref().map_or(Ownership::Unknown, whose)
    }
}

impl<D: TypedDriver> Typed<D> {
    pub(super) fn new(driver: D) -> Self {
        Self { driver, declared: D::declaration() }
    }

    /// The specification with our marks, as its type.
    fn spec(&self, call: Call<'_>, spec: &Json) -> Outcome<D::Spec> {
        let Target { id, kind, .. } = call.target;
        let bug = |reason: &str| {
            let message = format!("{id}: its specification is none of {kind}: {reason}");
            DriverError::new(ErrorClass::Bug, message)
        };
        let mut spec = spec.clone();
        if let Some(path) = self.declared.marks_at {
            let tags = map_at(&mut spec, path)
                .ok_or_else(|| bug(&format!("there is no map at {path}")))?;
            // A mark wins over a tag of the user's.
            let marks = marks::marks(call.cx.owner, id);
            tags.extend(marks.into_iter().map(|(key, value)| (key, value.into())));
        }
        serde_json::from_value(spec).map_err(|error| bug(&error.to_string()))
    }

    fn seen(&self, found: Found<D::Spec>) -> Outcome<Seen> {
        let Found { status, remote_id, name, spec, outputs } = found;
        let spec = serde_json::to_value(spec).map_err(|error| {
            let message =
                format!("what is found of {} cannot be written: {error}", self.declared.kind);
            DriverError::new(ErrorClass::Bug, message)
        })?;
        let tags = self.declared.marks_at.map(|path| texts(spec.pointer(path)));
        Ok(Seen { found: Found { status, remote_id, name, spec, outputs }, tags })
    }

    async fn list(&self, owner: &Owner) -> Outcome<Vec<Seen>> {
        let listed = self.driver.list(owner).await?;
        listed.into_iter().map(|found| self.seen(found)).collect()
    }

    async fn find(&self, call: Call<'_>) -> Outcome<Option<Seen>> {
        let by_marks = matches!(self.declared.identity, Identity::Token | Identity::ServerId);
        if !by_marks || call.target.remote_id.is_some() {
            let found = match self.driver.find(call).await {
                Err(error) if error.class == ErrorClass::NotFound => None,
                found => found?,
            };
            if let Some(found) = found.filter(|found| found.status != Status::Absent) {
                return self.seen(found).map(Some);
            }
        }
        if by_marks { self.marked(call).await } else { Ok(None) }
    }

    /// What carries our marks. Two of them are one too many to choose from.
    async fn marked(&self, call: Call<'_>) -> Outcome<Option<Seen>> {
        let (owner, id) = (call.cx.owner, &call.target.id);
        let mut marked = self.list(owner).await?;
        marked.retain(|seen| !is_going(seen) && seen.ownership(owner, id) == Ownership::Ours);
        if let [first, second, ..] = &marked[..] {
            let message = format!(
                "{id}: {} and {} both carry its marks; remove the tag `{}` from the one that the stack shall not use",
                first.found.remote_id,
                second.found.remote_id,
                marks::NODE
            );
            return Err(DriverError::new(ErrorClass::Invalid, message));
        }
        Ok(marked.pop())
    }

    async fn look(&self, cx: CallContext<'_>, query: &Query) -> Outcome<Observation> {
        let target = &query.target;
        let Some(seen) = self.find(Call { target, cx }).await? else {
            return Ok(Observation::absent());
        };
        let attributes = query.spec.as_ref().map(|spec| project(spec, &seen.found.spec));
        Ok(Observation {
            ownership: seen.ownership(cx.owner, &target.id),
            status: seen.found.status,
            remote_id: Some(seen.found.remote_id),
            attributes: attributes.unwrap_or_default(),
            outputs: seen.found.outputs,
        })
    }

    fn owned_one(&self, owner: &Owner, seen: Seen) -> Option<Owned> {
        let marked = marks::owned(self.declared.kind.as_str(), seen.tags.as_ref()?, owner)?;
        let is_named = self.declared.identity == Identity::Name;
        let id = seen.found.remote_id;
        let name = seen.found.name.or_else(|| is_named.then(|| id.clone()));
        Some(Owned { name, remote_id: Some(id), ..marked })
    }
}

fn is_going(seen: &Seen) -> bool {
    matches!(seen.found.status, Status::Absent | Status::Deleting)
}

/// The map at a path such as `/metadata/labels`, made when it is missing; `None` when something else is there.
fn map_at<'a>(spec: &'a mut Json, path: &str) -> Option<&'a mut Map<String, Json>> {
    let mut map = spec.as_object_mut()?;
    for key in path.split('/').skip(1) {
        let place = map.entry(key).or_insert_with(|| Json::Object(Map::new()));
        map = place.as_object_mut()?;
    }
    Some(map)
}

fn texts(map: Option<&Json>) -> BTreeMap<String, String> {
    let map = map.and_then(Json::as_object).into_iter().flatten();
    map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

impl<D: TypedDriver> Driver for Typed<D> {
    fn kinds(&self) -> Vec<KindDeclaration> {
        vec![self.declared.clone()]
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        join_all(queries.iter().map(move |query| self.look(cx, query))).boxed()
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        let call = Call { target, cx };
        async move {
            let spec = self.spec(call, spec)?;
            // Nothing at the service keeps a repeated call from making a second one.
            if self.declared.identity == Identity::ServerId
                && let Some(seen) = self.marked(call).await?
            {
                return Ok(Created { remote_id: Some(seen.found.remote_id) });
            }
            let id = self.driver.create(call, spec).await?;
            Ok(Created { remote_id: Some(id) })
        }
        .boxed()
    }

    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        let call = Call { target, cx };
        async move { self.driver.update(call, self.spec(call, spec)?, differences).await }.boxed()
    }

    fn delete<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        async move {
            match self.driver.delete(Call { target, cx }, deletion).await {
                Err(error) if error.class == ErrorClass::NotFound => Ok(()),
                deleted => deleted,
            }
        }
        .boxed()
    }

    fn final_copy<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        self.driver.final_copy(Call { target, cx }, name).boxed()
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        async move {
            let listed = self.list(cx.owner).await?.into_iter();
            let alive = listed.filter(|seen| !is_going(seen));
            Ok(alive.filter_map(|seen| self.owned_one(cx.owner, seen)).collect())
        }
        .boxed()
    }
}
