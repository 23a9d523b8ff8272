//! The driver of file systems: one FSx call per create, update and delete, and as few as possible to observe.
//!
//! # Calls of an observation
//! One `DescribeFileSystems` per page of the account's file systems; for all file systems of ours together one
//! `DescribeVolumes` (their root volumes) and one `DescribeNetworkInterfaces` (their security groups, which FSx does not tell).

mod backup; // the last copy of what was deleted
mod change; // one call per update
mod failure; // failed calls, where FSx means something else than its codes say
mod file_system; // observed, created, deleted
mod kinds; // what the engine must know of it
mod shape; // a specification in FSx's own words
mod shown; // FSx's answers in the words of a specification

use aws_config::SdkConfig;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Query, Status, Target,
};
use zonestack_core::kind::KindDeclaration;

use crate::render::FILE_SYSTEM_KIND;

/// The driver of `aws.fsx.file-system`. See [`Driver`] for the contract.
#[derive(Debug)]
pub struct FsxDriver {
    fsx: aws_sdk_fsx::Client,
    /// The security groups of a file system are those of its network interfaces.
    ec2: aws_sdk_ec2::Client,
}

impl FsxDriver {
    /// The kinds that it drives: known without a client.
    pub fn declarations() -> Vec<KindDeclaration> {
        vec![kinds::file_system()]
    }

    /// A driver for the region and with the credentials of the configuration. Calls nothing.
    pub fn new(config: &SdkConfig) -> Self {
        Self { fsx: aws_sdk_fsx::Client::new(config), ec2: aws_sdk_ec2::Client::new(config) }
    }
}

impl Driver for FsxDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        Self::declarations()
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        Box::pin(file_system::observe(self, cx, queries))
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        Box::pin(async move {
            known(target)?;
            file_system::create(self, cx, target, spec).await
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
            known(target)?;
            change::update(self, cx, target, spec, differences).await
        })
    }

    fn delete<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(async move {
            known(target)?;
            file_system::delete(self, cx, target, deletion).await
        })
    }

    fn final_copy<'a>(
        &'a self,
        _cx: CallContext<'a>,
        target: &'a Target,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        Box::pin(async move {
            known(target)?;
            backup::status(self, target, name).await
        })
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        Box::pin(file_system::owned(self, cx))
    }
}

fn known(target: &Target) -> Result<(), DriverError> {
    if target.kind.as_str() == FILE_SYSTEM_KIND {
        return Ok(());
    }
    let message = format!("{}: the fsx driver does not know the kind {}", target.id, target.kind);
    Err(DriverError::new(ErrorClass::Bug, message))
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

/// The token of a creation. Without one of ours the SDK would send a random one, and a repeated call would make a second
/// file system.
fn token(target: &Target) -> Result<&str, DriverError> {
    target.token.as_deref().ok_or_else(|| {
        DriverError::new(ErrorClass::Bug, format!("{}: to be created without a token", target.id))
    })
}

#[cfg(test)]
mod tests;
