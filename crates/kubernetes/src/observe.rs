//! Few calls for many objects: one list for each kind and namespace, by the stack's label. What the list does not have may
//! still be there without our labels, so each of those is asked for by name; but where there is no namespace, nothing is in
//! it. A kind that is asked for once is asked for by name at once.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream;
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, DriverError, ErrorClass, Observation, Owner, Ownership, Query, Status,
};
use zonestack_core::name::Kind;

use crate::api::{ApiServer, Detail, Place};
use crate::failure::Call;
use crate::kinds::{self, ObjectKind, Readiness};
use crate::{compare, marks, readiness};

/// Calls that are under way at the same time.
const AT_ONCE: usize = 8;

/// An object that the engine names: its kind and place.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) kind: &'static ObjectKind,
    pub(crate) place: Place,
}

impl Named {
    /// From the engine's words: kind `k8s.apps/v1.Deployment`, name `namespace/name` or `name`.
    pub(crate) fn read(kind: &Kind, name: Option<&str>) -> Result<Self, DriverError> {
        let bug = |text: &str| DriverError::new(ErrorClass::Bug, format!("{kind}: {text}"));
        let row = kinds::find(kind).ok_or_else(|| {
            DriverError::new(
                ErrorClass::Unsupported,
                format!("{kind} is not a kind that this driver knows"),
            )
        })?;
        let name = name.ok_or_else(|| bug("the object has no name"))?;
        let place = match (name.split_once('/'), row.namespaced) {
            (Some((namespace, name)), true) => Place::in_namespace(namespace, name),
            (None, false) => Place::of_cluster(name),
            (None, true) => return Err(bug(&format!("{name} must be written namespace/name"))),
            (Some(_), false) => {
                return Err(bug(&format!("{name} has a namespace, its kind has none")));
            }
        };
        Ok(Self { kind: row, place })
    }

    /// As messages name it, such as `Deployment dev/gitlab`.
    pub(crate) fn what(&self, verb: &str) -> String {
        format!("{verb} {} {}", self.kind.kind, self.place)
    }
}

type Found = Result<Option<Json>, DriverError>;

/// One answer per query, in the same order.
pub(crate) async fn observe(
    api: &ApiServer,
    cx: CallContext<'_>,
    queries: &[Query],
) -> Vec<Result<Observation, DriverError>> {
    let named: Vec<Result<Named, DriverError>> = queries
        .iter()
        .map(|query| Named::read(&query.target.kind, query.target.name.as_deref()))
        .collect();
    let mut found: BTreeMap<usize, Found> = BTreeMap::new();
    let missing = namespaces(api, &named, &mut found).await;
    let mut groups: BTreeMap<(&str, Option<&str>), Vec<usize>> = BTreeMap::new();
    for (index, named) in named.iter().enumerate() {
        let (Ok(named), false) = (named, found.contains_key(&index)) else { continue };
        let namespace = named.place.namespace.as_deref();
        if namespace.is_some_and(|namespace| missing.contains(namespace)) {
            found.insert(index, Ok(None));
        } else {
            groups.entry((named.kind.kind, namespace)).or_default().push(index);
        }
    }
    let looks: Vec<_> =
        groups.into_values().map(|group| look(api, cx.owner, &named, group)).collect();
    let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
    while let Some(answers) = looks.next().await {
        found.extend(answers);
    }
    drop(looks);
    let mut observations = Vec::with_capacity(queries.len());
    for (index, (query, named)) in queries.iter().zip(named).enumerate() {
        let object = named.and_then(|named| Ok((named, found.remove(&index).unwrap_or(Ok(None))?)));
        observations.push(match object {
            Ok((named, Some(object))) => {
                Ok(explained(api, &named, &object, seen(&named, query, &object, cx.owner)).await)
            }
            Ok((_, None)) => Ok(Observation::absent()),
            Err(error) => Err(error),
        });
    }
    observations
}

/// Asks for every namespace that is queried; answers with those that are not there.
async fn namespaces(
    api: &ApiServer,
    named: &[Result<Named, DriverError>],
    found: &mut BTreeMap<usize, Found>,
) -> BTreeSet<String> {
    let mut missing = BTreeSet::new();
    for (index, named) in named.iter().enumerate() {
        let Ok(named) = named else { continue };
        if named.kind.readiness == Readiness::Namespace {
            let namespace = get(api, named).await;
            if matches!(namespace, Ok(None)) {
                missing.insert(named.place.name.clone());
            }
            found.insert(index, namespace);
        }
    }
    missing
}

/// One kind in one namespace.
async fn look(
    api: &ApiServer,
    owner: &Owner,
    named: &[Result<Named, DriverError>],
    group: Vec<usize>,
) -> Vec<(usize, Found)> {
    let members: Vec<(usize, &Named)> = group
        .into_iter()
        .filter_map(|index| Some((index, named.get(index)?.as_ref().ok()?)))
        .collect();
    let Some((_, first)) = members.first() else { return Vec::new() };
    let mut listed = BTreeMap::new();
    if members.len() > 1 {
        let (kind, namespace) = (first.kind, first.place.namespace.as_deref());
        match api.list(kind, namespace, &marks::selector(owner), Detail::Object).await {
            Ok(objects) => listed.extend(objects.into_iter().filter_map(|object| {
                Some((object["metadata"]["name"].as_str()?.to_owned(), object))
            })),
            Err(failure) => {
                let error = failure.into_driver_error(Call::Read, &format!("list {}", kind.plural));
                return members.iter().map(|(index, _)| (*index, Err(error.clone()))).collect();
            }
        }
    }
    let mut answers = Vec::with_capacity(members.len());
    let mut asked = Vec::new();
    for (index, named) in members {
        match listed.remove(&named.place.name) {
            Some(object) => answers.push((index, Ok(Some(object)))),
            None => asked.push(async move { (index, get(api, named).await) }),
        }
    }
    let gets: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
    answers.extend(gets);
    answers
}

async fn get(api: &ApiServer, named: &Named) -> Found {
    let got = api.get(named.kind, &named.place, Detail::Object).await;
    got.map_err(|failure| failure.into_driver_error(Call::Read, &named.what("read")))
}

/// What an object is to the engine.
fn seen(named: &Named, query: &Query, object: &Json, owner: &Owner) -> Observation {
    let spec = query.spec.as_ref();
    Observation {
        status: readiness::status(named.kind, object),
        remote_id: object["metadata"]["uid"].as_str().map(ToOwned::to_owned),
        ownership: marks::ownership(object, owner),
        attributes: spec.map_or(Json::Null, |spec| compare::attributes(named.kind, spec, object)),
        outputs: readiness::outputs(named.kind, object),
    }
}

/// A Deployment of ours that has given up says why, from its pods: the one call that is made for a state.
async fn explained(
    api: &ApiServer,
    named: &Named,
    object: &Json,
    observation: Observation,
) -> Observation {
    let (Status::Failed(text), Readiness::Deployment, Ownership::Ours) =
        (&observation.status, named.kind.readiness, observation.ownership)
    else {
        return observation;
    };
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let selector: Vec<String> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    let namespace = named.place.namespace.as_deref().unwrap_or_default();
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    if selector.is_empty() {
        return observation;
    }
    let reasons = match api.list_path(&path, &selector.join(","), Detail::Object).await {
        Ok(pods) => readiness::waiting_reasons(&pods),
        Err(failure) => Some(format!("its pods could not be read: {failure}")),
    };
    match reasons {
        Some(reasons) => {
            Observation { status: Status::Failed(format!("{text}: {reasons}")), ..observation }
        }
        None => observation,
    }
}
