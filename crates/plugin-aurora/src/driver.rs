//! The kinds of Aurora: how they are observed, created, updated, deleted.
//!
//! Everything is found by its name. Observing reads lists: one call for the clusters, one for their instances, three for each
//! parameter group. The subnet group is a kind of the `rds` driver.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_rds::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Query, Status, Target,
};
use zonestack_core::kind::KindDeclaration;

mod cluster; // clusters: the data, the endpoint, the password
mod declaration; // what the engine must know of the kinds
mod failure; // failed calls, with what to do
mod final_copy; // the snapshot that a deleted cluster leaves
mod instance; // the instances of a cluster
mod owned; // everything that carries the marks of a stack
mod parameter_group; // parameter groups of clusters
mod tagging; // tags, on every kind alike

#[cfg(test)]
mod recorded; // a client that answers from a list and remembers what was sent

/// The engine's name in the API.
pub(crate) const ENGINE: &str = "aurora-postgresql";
/// A cluster.
pub const CLUSTER: &str = "aws.rds.cluster";
/// An instance of a cluster.
pub const INSTANCE: &str = "aws.rds.cluster-instance";
/// The database parameters of a cluster.
pub const PARAMETER_GROUP: &str = "aws.rds.cluster-parameter-group";

/// Drives `aws.rds.cluster`, `aws.rds.cluster-instance` and `aws.rds.cluster-parameter-group`.
pub struct AuroraDriver {
    client: Client,
    memory: Mutex<Memory>,
}

/// What one call must know of those before it.
#[derive(Debug, Default)]
struct Memory {
    /// What the last observation saw of each cluster, by name: what an update needs besides the differences.
    seen: BTreeMap<String, Seen>,
    /// The clusters that were given their password by this run: it cannot be read, so only this tells.
    passwords_set: BTreeSet<String>,
}

/// What was last seen of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    status: String,
    log_exports: Vec<String>,
}

impl AuroraDriver {
    /// The kinds that it drives: known without a client.
    pub fn declarations() -> Vec<KindDeclaration> {
        vec![declaration::parameter_group(), declaration::cluster(), declaration::instance()]
    }

    /// A driver for the account and region of a configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config), memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self, cluster: &str) -> Seen {
        self.memory().seen.get(cluster).cloned().unwrap_or_default()
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
    let message = format!("the Aurora driver does not drive {} of {}", target.kind, target.id);
    DriverError::new(ErrorClass::Bug, message)
}

impl Driver for AuroraDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        Self::declarations()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        async move {
            let (clusters, instances, parameter_groups) = futures::join!(
                self.observe_clusters(cx, of_kind(queries, CLUSTER)),
                self.observe_instances(cx, of_kind(queries, INSTANCE)),
                self.observe_parameter_groups(cx, of_kind(queries, PARAMETER_GROUP)),
            );
            let mut found: BTreeMap<usize, _> =
                clusters.into_iter().chain(instances).chain(parameter_groups).collect();
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
                CLUSTER => self.make_cluster(cx, target, spec).await,
                INSTANCE => self.create_instance(cx, target, spec).await,
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
            // One call for each update: tags first, because they say whose it is and need no particular state.
            if tagging::are_missing(differences) {
                return self.tag(cx, target, spec).await;
            }
            match target.kind.as_str() {
                CLUSTER => self.modify_cluster(cx, target, spec, differences).await,
                INSTANCE => self.modify_instance(target, spec, differences).await,
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
                CLUSTER => self.delete_cluster(target, deletion).await,
                INSTANCE => self.delete_instance(target).await,
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
