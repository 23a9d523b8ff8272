//! The sandbox as a driver of any kinds.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Owner, Query, Status, Target,
};
use zonestack_core::kind::{KindDeclaration, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::secret::{SecretError, SecretRef};
use zonestack_core::value::as_secret;

use crate::gate::{Purpose, Sandbox};
use crate::log::Operation;
use crate::service::Service;
use crate::world::Resource;

/// Plays any kinds from their declarations.
#[derive(Clone)]
pub struct SandboxDriver {
    sandbox: Sandbox,
    kinds: BTreeMap<Kind, KindDeclaration>,
}

impl SandboxDriver {
    /// A driver of these kinds in a sandbox. See [`Sandbox::driver`].
    pub fn new(sandbox: Sandbox, kinds: Vec<KindDeclaration>) -> Self {
        let kinds = kinds.into_iter().map(|kind| (kind.kind.clone(), kind)).collect();
        Self { sandbox, kinds }
    }

    fn kind(&self, kind: &Kind) -> Result<&KindDeclaration, DriverError> {
        let unknown = || {
            let message = format!("the sandbox was given no declaration of {kind}");
            DriverError::new(ErrorClass::Unsupported, message)
        };
        self.kinds.get(kind).ok_or_else(unknown)
    }

    /// A resource that carries the marks of a stack, as a list by marks shows it.
    fn as_owned(&self, owner: &Owner, found: &Resource) -> Option<Owned> {
        let mark = found.owner.as_ref().filter(|mark| mark.stack == owner.stack)?;
        let (kind, declaration) = self.kinds.get_key_value(&Kind::new(&found.kind))?;
        let elsewhere = match found.namespaced() {
            Some((namespace, _)) => namespace != owner.namespace,
            None => kind.kubernetes().is_none() && found.region != owner.region,
        };
        if elsewhere || found.deletion.is_some() || declaration.tagging == Tagging::None {
            return None;
        }
        let cluster = found.spec.pointer("/tags/zonestack:cluster").and_then(Json::as_str);
        Some(Owned {
            kind: kind.clone(),
            id: found.node.as_ref().and_then(|node| node.parse().ok()),
            uid: Some(mark.uid.clone()),
            cluster: cluster.map(str::to_owned),
            name: found.name.clone(),
            remote_id: Some(found.remote_id.clone()),
        })
    }

    async fn observe_kind(
        &self,
        cx: CallContext<'_>,
        kind: &Kind,
        queries: Vec<&Query>,
    ) -> Result<Vec<Observation>, DriverError> {
        let service = Service { kind: self.kind(kind)?, owner: cx.owner };
        let single = match queries.as_slice() {
            [query] => Some(&query.target.id),
            _ => None,
        };
        let purpose = Purpose {
            operation: Operation::Observe,
            stack: &cx.owner.stack,
            kind: Some(kind),
            id: single,
            entries: None,
        };
        let look = |query: &&Query| (*query).clone();
        let queries: Vec<Query> = queries.iter().map(look).collect();
        self.sandbox
            .call(
                purpose,
                |error| error,
                |turn| Ok(queries.iter().map(|query| service.observe(turn, query)).collect()),
            )
            .await
    }

    async fn change<T>(
        &self,
        cx: CallContext<'_>,
        operation: Operation,
        target: &Target,
        effect: impl FnOnce(&Service<'_>, &mut crate::gate::Turn<'_>) -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        let service = Service { kind: self.kind(&target.kind)?, owner: cx.owner };
        let purpose = Purpose {
            operation,
            stack: &cx.owner.stack,
            kind: Some(&target.kind),
            id: Some(&target.id),
            entries: None,
        };
        self.sandbox.call(purpose, |error| error, |turn| effect(&service, turn)).await
    }

    /// The real services need the values; the model only needs to know that there are some.
    async fn check_secrets(&self, cx: CallContext<'_>, spec: &Json) -> Result<(), DriverError> {
        for reference in secrets(spec) {
            if let Err(error) = cx.secrets.resolve(&reference).await {
                let class = match error {
                    SecretError::Missing(_) => ErrorClass::Invalid,
                    SecretError::Unreadable { .. } => ErrorClass::Transient,
                };
                return Err(DriverError::new(class, error.to_string()));
            }
        }
        Ok(())
    }
}

fn secrets(spec: &Json) -> Vec<SecretRef> {
    if let Some(reference) = as_secret(spec) {
        return vec![reference];
    }
    match spec {
        Json::Array(items) => items.iter().flat_map(secrets).collect(),
        Json::Object(map) => map.values().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

impl Driver for SandboxDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        self.kinds.values().cloned().collect()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        async move {
            let mut by_kind: BTreeMap<&Kind, Vec<(usize, &Query)>> = BTreeMap::new();
            for (index, query) in queries.iter().enumerate() {
                by_kind.entry(&query.target.kind).or_default().push((index, query));
            }
            let lists = by_kind.iter().map(|(kind, queries)| {
                let queries = queries.iter().map(|(_, query)| *query).collect();
                self.observe_kind(cx, kind, queries)
            });
            let mut answers: BTreeMap<usize, Result<Observation, DriverError>> = BTreeMap::new();
            for (queries, list) in by_kind.values().zip(join_all(lists).await) {
                let indices = queries.iter().map(|(index, _)| *index);
                match list {
                    Ok(found) => answers.extend(indices.zip(found.into_iter().map(Ok))),
                    Err(error) => answers.extend(indices.map(|index| (index, Err(error.clone())))),
                }
            }
            answers.into_values().collect()
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        async move {
            self.check_secrets(cx, spec).await?;
            self.change(cx, Operation::Create, target, |service, turn| {
                service.create(turn, target, spec)
            })
            .await
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
        async move {
            self.check_secrets(cx, spec).await?;
            self.change(cx, Operation::Update, target, |service, turn| {
                service.update(turn, target, spec, differences)
            })
            .await
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        self.change(cx, Operation::Delete, target, |service, turn| {
            service.delete(turn, target, deletion)
        })
        .boxed()
    }

    fn final_copy<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        self.change(cx, Operation::ReadFinalCopy, target, |_, turn| {
            let is_there = turn.world.final_copies.contains_key(name);
            Ok(if is_there { Status::Ready } else { Status::Absent })
        })
        .boxed()
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        let purpose = Purpose {
            operation: Operation::ListOwned,
            stack: &cx.owner.stack,
            kind: None,
            id: None,
            entries: None,
        };
        self.sandbox
            .call(
                purpose,
                |error| error,
                |turn| {
                    let found = turn.world.resources.iter();
                    Ok(found.filter_map(|found| self.as_owned(cx.owner, found)).collect())
                },
            )
            .boxed()
    }
}
