//! The kinds of RDS: how they are observed, created, updated, deleted.
//!
//! Everything is found by its name. Observing reads lists: one call for the instances, one for the subnet groups and one
//! more for the tags of each subnet group of ours, three for each parameter group.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_rds::Client;
use futures::future::{BoxFuture, FutureExt};
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Query, Status, Target,
};
use zonestack_core::kind::KindDeclaration;

mod answer; // an instance in the words of its specification
mod create; // the call that makes an instance
mod declaration; // what the engine must know of the kinds
mod delete; // the call that ends an instance
mod failure; // failed calls, with what to do
mod final_copy; // the snapshot that a deleted instance leaves
mod instance; // observing instances
mod modify; // the call that changes an instance
mod owned; // everything that carries the marks of a stack
mod parameter_group; // parameter groups
mod subnet_group; // subnet groups
mod tagging; // tags, on every kind alike

#[cfg(test)]
mod recorded; // a client that answers from a list and remembers what was sent

/// A PostgreSQL instance.
pub const INSTANCE: &str = "aws.rds.instance";
/// The subnets that instances may live in.
pub const SUBNET_GROUP: &str = "aws.rds.subnet-group";
/// Database parameters.
pub const PARAMETER_GROUP: &str = "aws.rds.parameter-group";
/// Between an instance's name and a major version in the name of its parameter group.
pub(crate) const PARAMETER_GROUP_INFIX: &str = "-postgres";

/// Drives `aws.rds.instance`, `aws.rds.subnet-group` and `aws.rds.parameter-group`.
pub struct RdsDriver {
    client: Client,
    /// What the last observation saw of each instance, by name: what an update needs besides the differences.
    seen: Mutex<BTreeMap<String, Seen>>,
}

/// What was last seen of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    status: String,
    allocated_storage: Option<i32>,
    log_exports: Vec<String>,
}

impl RdsDriver {
    /// The kinds that it drives: known without a client.
    pub fn declarations() -> Vec<KindDeclaration> {
        vec![declaration::subnet_group(), declaration::parameter_group(), declaration::instance()]
    }

    /// A driver for the account and region of a configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config), seen: Mutex::default() }
    }

    fn remember(&self, name: &str, seen: Seen) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), seen);
    }

    fn seen(&self, name: &str) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
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
    let message = format!("the RDS driver does not drive {} of {}", target.kind, target.id);
    DriverError::new(ErrorClass::Bug, message)
}

impl Driver for RdsDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        Self::declarations()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        async move {
            let (instances, subnet_groups, parameter_groups) = futures::join!(
                self.observe_instances(cx, of_kind(queries, INSTANCE)),
                self.observe_subnet_groups(cx, of_kind(queries, SUBNET_GROUP)),
                self.observe_parameter_groups(cx, of_kind(queries, PARAMETER_GROUP)),
            );
            let mut found: BTreeMap<usize, _> =
                instances.into_iter().chain(subnet_groups).chain(parameter_groups).collect();
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
                INSTANCE => self.create_instance(cx, target, spec).await,
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
            // One call for each update: tags first, because they say whose it is and need no particular state.
            if tagging::differs(differences) {
                return self.tag(cx, target, spec).await;
            }
            match target.kind.as_str() {
                INSTANCE => self.modify_instance(cx, target, spec, differences).await,
                SUBNET_GROUP => self.modify_subnet_group(target, spec, differences).await,
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
                INSTANCE => self.delete_instance(target, deletion).await,
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
