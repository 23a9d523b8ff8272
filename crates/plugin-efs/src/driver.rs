//! The driver of file systems and mount targets: one EFS call per create, update and delete, and as few as possible to
//! observe.
//!
//! # Calls of an observation
//! In total one `DescribeFileSystems` per hundred file systems of the account, and one `DescribeNetworkInterfaces`. Per file
//! system of ours `DescribeLifecycleConfiguration` and `DescribeBackupPolicy`; per file system with mount targets
//! `DescribeMountTargets`. EFS lists neither across file systems (design.md, invariant 12). Only when the engine cannot tell
//! enough, and the round before did not, more: a mount target by its id, a file system by its id.

mod failure; // failed calls, where EFS means something else than its codes say
mod file_system; // kind aws.efs.file-system
mod kinds; // what the engine must know of both
mod mount_target; // kind aws.efs.mount-target

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_efs::types::LifeCycleState;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use zonestack_core::context::partition_of;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Ownership, Query, Status, Target,
};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::name::ComponentName;

use crate::render::{FILE_SYSTEM_KIND, MOUNT_TARGET_KIND};

/// The driver of `aws.efs.file-system` and `aws.efs.mount-target`. See [`Driver`] for the contract.
#[derive(Debug)]
pub struct EfsDriver {
    efs: aws_sdk_efs::Client,
    /// Security groups of mount targets are read from their network interfaces, all in one call.
    ec2: aws_sdk_ec2::Client,
    /// File systems that were observed, by id. Mount targets have no tags: whose they are, their file system tells.
    seen: Mutex<BTreeMap<String, Seen>>,
}

/// What an observation of a file system leaves for those of its mount targets.
#[derive(Debug, Clone)]
struct Seen {
    /// The component that asked for it.
    component: ComponentName,
    /// Whose it is.
    ownership: Ownership,
}

/// A query with its place in the answer.
type Asked<'a> = (usize, &'a Query);
/// An answer with its place.
type Answer = (usize, Result<Observation, DriverError>);

impl EfsDriver {
    /// The kinds that it drives: known without a client.
    pub fn declarations() -> Vec<KindDeclaration> {
        vec![kinds::file_system(), kinds::mount_target()]
    }

    /// A driver for the region and with the credentials of the configuration. Calls nothing.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            efs: aws_sdk_efs::Client::new(config),
            ec2: aws_sdk_ec2::Client::new(config),
            seen: Mutex::default(),
        }
    }

    fn remember(&self, id: &str, component: &ComponentName, ownership: Ownership) {
        let seen = Seen { component: component.clone(), ownership };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), seen);
    }

    fn recall(&self, id: &str) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

impl Driver for EfsDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        Self::declarations()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        Box::pin(async move {
            let of_kind = |kind: &str| -> Vec<Asked<'a>> {
                queries.iter().enumerate().filter(|(_, q)| q.target.kind.as_str() == kind).collect()
            };
            // File systems first: whose they are decides whose their mount targets are.
            let mut answers: BTreeMap<usize, _> =
                file_system::observe(self, cx, &of_kind(FILE_SYSTEM_KIND))
                    .await
                    .into_iter()
                    .collect();
            answers.extend(mount_target::observe(self, cx, &of_kind(MOUNT_TARGET_KIND)).await);
            queries
                .iter()
                .enumerate()
                .map(|(place, query)| {
                    answers.remove(&place).unwrap_or_else(|| Err(unknown_kind(&query.target)))
                })
                .collect()
        })
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        Box::pin(async move {
            match target.kind.as_str() {
                FILE_SYSTEM_KIND => file_system::create(self, cx, target, spec).await,
                MOUNT_TARGET_KIND => mount_target::create(self, target, spec).await,
                _ => Err(unknown_kind(target)),
            }
        })
    }

    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(async move {
            match target.kind.as_str() {
                FILE_SYSTEM_KIND => file_system::update(self, cx, target, spec, differences).await,
                MOUNT_TARGET_KIND => mount_target::update(self, target, spec, differences).await,
                _ => Err(unknown_kind(target)),
            }
        })
    }

    fn delete<'a>(
        &'a self,
        _cx: CallContext<'a>,
        target: &'a Target,
        _deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(async move {
            match target.kind.as_str() {
                FILE_SYSTEM_KIND => file_system::delete(self, target).await,
                MOUNT_TARGET_KIND => mount_target::delete(self, target).await,
                _ => Err(unknown_kind(target)),
            }
        })
    }

    /// File systems only: mount targets carry no marks.
    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        Box::pin(file_system::owned(self, cx))
    }
}

/// Where a file system or a mount target stands. Both have the same states (domain.md 3.2).
fn status_of(state: &LifeCycleState) -> Status {
    match state {
        LifeCycleState::Available => Status::Ready,
        LifeCycleState::Updating => Status::Busy(state.as_str().to_owned()),
        LifeCycleState::Deleting => Status::Deleting,
        LifeCycleState::Deleted => Status::Absent,
        LifeCycleState::Error => Status::Failed("EFS reports the state `error`".to_owned()),
        other => Status::Pending(other.as_str().to_owned()),
    }
}

/// The regional name of a file system (domain.md 3.4).
fn dns_name(file_system: &str, region: &str) -> String {
    let suffix = match partition_of(region) {
        "aws-cn" => "amazonaws.com.cn",
        _ => "amazonaws.com",
    };
    format!("{file_system}.efs.{region}.{suffix}")
}

/// A text of a resolved specification.
fn text<'a>(target: &Target, spec: &'a Json, key: &str) -> Result<&'a str, DriverError> {
    spec.get(key).and_then(Json::as_str).ok_or_else(|| {
        DriverError::new(
            ErrorClass::Bug,
            format!("{}: `{key}` is not known yet, but the call needs it", target.id),
        )
    })
}

/// The id of what is to be changed or deleted.
fn remote_id(target: &Target) -> Result<&str, DriverError> {
    target.remote_id.as_deref().ok_or_else(|| {
        DriverError::new(
            ErrorClass::Bug,
            format!("{}: to be changed or deleted, but its id is not known", target.id),
        )
    })
}

fn unknown_kind(target: &Target) -> DriverError {
    let message = format!("{}: the efs driver does not know the kind {}", target.id, target.kind);
    DriverError::new(ErrorClass::Bug, message)
}

/// A difference that no call can remove.
fn cannot_change(target: &Target, difference: &Difference) -> DriverError {
    let message = format!(
        "{}: EFS cannot change `{}` of what is there",
        target.id,
        difference.path.trim_start_matches('/')
    );
    DriverError::new(ErrorClass::Unsupported, message)
}

#[cfg(test)]
mod tests;
