//! The kinds of ElastiCache: how they are observed, created, updated, deleted.
//!
//! Everything is found by its name. Observing reads lists: one call for the replication groups, one for their nodes, one for
//! the subnet groups, and one more for the tags of each thing of ours; three for each parameter group.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_elasticache::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Query, Status, Target,
};
use zonestack_core::kind::KindDeclaration;

mod answer; // a replication group in the words of its specification
mod create; // the call that makes a replication group
mod declaration; // what the engine must know of the kinds
mod delete; // the call that ends a replication group
mod failure; // failed calls, with what to do
mod final_copy; // the snapshot that a deleted replication group leaves
mod mark; // whose a replication group is while its tags cannot be read
mod modify; // the call that changes a replication group
mod nodes; // the calls that change in which zones it has nodes
mod owned; // everything that carries the marks of a stack
mod parameter_group; // parameter groups
mod replication_group; // observing replication groups
mod spec; // reading a specification
mod state; // the service's words for states
mod subnet_group; // subnet groups
mod tagging; // tags, on every kind alike

#[cfg(test)]
mod recorded; // a client that answers from a list and remembers what was sent

/// A primary and its replicas over several zones.
pub const REPLICATION_GROUP: &str = "aws.elasticache.replication-group";
/// The subnets that nodes may live in.
pub const SUBNET_GROUP: &str = "aws.elasticache.subnet-group";
/// The engine's parameters.
pub const PARAMETER_GROUP: &str = "aws.elasticache.parameter-group";

/// Drives `aws.elasticache.replication-group`, `aws.elasticache.subnet-group` and `aws.elasticache.parameter-group`.
pub struct ElastiCacheDriver {
    client: Client,
    /// What the last observation saw, by name: what an update needs besides the differences.
    seen: Mutex<Seen>,
}

/// What was last seen.
#[derive(Debug, Default)]
struct Seen {
    /// The nodes of each replication group, the primary first.
    nodes: BTreeMap<String, Vec<Node>>,
    /// The subnets of each subnet group.
    subnets: BTreeMap<String, Vec<String>>,
}

/// A node of a replication group.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    /// The id of the cluster of one that it is.
    id: String,
    zone: String,
    is_primary: bool,
}

impl ElastiCacheDriver {
    /// The kinds that it drives: known without a client.
    pub fn declarations() -> Vec<KindDeclaration> {
        vec![
            declaration::subnet_group(),
            declaration::parameter_group(),
            declaration::replication_group(),
        ]
    }

    /// A driver for the account and region of a configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config), seen: Mutex::default() }
    }

    fn remember(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn seen_nodes(&self, name: &str) -> Vec<Node> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.nodes.get(name).cloned().unwrap_or_default()
    }

    fn seen_subnets(&self, name: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.subnets.get(name).cloned().unwrap_or_default()
    }
}

/// An observation for each query of one kind, with the query's place among all.
type Observed = Vec<(usize, Result<Observation, DriverError>)>;

/// The queries of one kind, each with its place among all.
fn of_kind<'a>(queries: &'a [Query], kind: &str) -> Vec<(usize, &'a Query)> {
    queries.iter().enumerate().filter(|(_, query)| query.target.kind.as_str() == kind).collect()
}

/// The physical name that every kind here is found by.
fn name_of(target: &Target) -> Result<&str, DriverError> {
    target.name.as_deref().ok_or_else(|| {
        DriverError::new(ErrorClass::Bug, format!("{} has no physical name", target.id))
    })
}

fn unknown_kind(target: &Target) -> DriverError {
    let message = format!("the ElastiCache driver does not drive {} of {}", target.kind, target.id);
    DriverError::new(ErrorClass::Bug, message)
}

impl Driver for ElastiCacheDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        Self::declarations()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        async move {
            let (groups, subnet_groups, parameter_groups) = futures::join!(
                self.observe_replication_groups(cx, of_kind(queries, REPLICATION_GROUP)),
                self.observe_subnet_groups(cx, of_kind(queries, SUBNET_GROUP)),
                self.observe_parameter_groups(cx, of_kind(queries, PARAMETER_GROUP)),
            );
            let mut found: BTreeMap<usize, _> =
                groups.into_iter().chain(subnet_groups).chain(parameter_groups).collect();
            let answer = |(index, query): (usize, &Query)| {
                found.remove(&index).unwrap_or_else(|| Err(unknown_kind(&query.target)))
            };
            queries.iter().enumerate().map(answer).collect()
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
            match target.kind.as_str() {
                REPLICATION_GROUP => self.create_replication_group(cx, target, spec).await,
                SUBNET_GROUP => self.create_subnet_group(cx, target, spec).await,
                PARAMETER_GROUP => self.create_parameter_group(cx, target, spec).await,
                _ => Err(unknown_kind(target)),
            }
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
            // One call for each update: tags first, because they say whose it is.
            if tagging::differs(differences) {
                return self.tag(cx, target, spec).await;
            }
            match target.kind.as_str() {
                REPLICATION_GROUP => {
                    self.update_replication_group(cx, target, spec, differences).await
                }
                SUBNET_GROUP => self.modify_subnet_group(target, spec).await,
                PARAMETER_GROUP => self.modify_parameter_group(target, spec, differences).await,
                _ => Err(unknown_kind(target)),
            }
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        _cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        async move {
            match target.kind.as_str() {
                REPLICATION_GROUP => self.delete_replication_group(target, deletion).await,
                SUBNET_GROUP => self.delete_subnet_group(target).await,
                PARAMETER_GROUP => self.delete_parameter_group(target).await,
                _ => Err(unknown_kind(target)),
            }
        }
        .boxed()
    }

    fn final_copy<'a>(
        &'a self,
        _cx: CallContext<'a>,
        target: &'a Target,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        self.final_snapshot(target, name).boxed()
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        self.all_owned(cx.owner).boxed()
    }
}
