//! Failed calls, where EFS means something else than the general table of codes says, and what to do about them.

use std::error::Error;

use aws_sdk_efs::config::http::HttpResponse;
use aws_sdk_efs::error::{ProvideErrorMetadata, SdkError};
use zonestack_aws::error::driver_error;
use zonestack_core::driver::{DriverError, ErrorClass};

/// The error of a call that reads.
pub(super) fn of_reading<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> DriverError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    driver_error(call, error, false)
}

/// The error of a call that changes something.
pub(super) fn of_writing<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> DriverError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let words = error.message().unwrap_or_default().to_owned();
    let mut failed = driver_error(call, error, true);
    if let Some(class) = meant(call, &code, &words) {
        failed.class = class;
    }
    if let Some(advice) = advice(&code, &failed.class) {
        failed.message = format!("{}; {advice}", failed.message);
    }
    failed
}

/// Whether a failed call says that the thing is not there.
pub(super) fn is_not_found(error: &DriverError) -> bool {
    error.class == ErrorClass::NotFound
}

fn meant(call: &str, code: &str, words: &str) -> Option<ErrorClass> {
    match (call, code) {
        // Not too many calls: too early for this change. Waiting a day is no retry (domain.md 3.2). And: not the mount
        // target is missing, but what it shall belong to.
        ("UpdateFileSystem", "TooManyRequests") | ("CreateMountTarget", "FileSystemNotFound") => {
            Some(ErrorClass::Invalid)
        }
        // One code for "this zone has one" and for "all of them must be in one VPC".
        (_, "MountTargetConflict") if words.contains("VPC") => Some(ErrorClass::Invalid),
        _ => None,
    }
}

fn advice(code: &str, class: &ErrorClass) -> Option<&'static str> {
    Some(match code {
        "TooManyRequests" if *class == ErrorClass::Invalid => {
            "EFS takes a new throughput mode, or less provisioned throughput, once in 24 hours: run zonestack again later"
        }
        "MountTargetConflict" if *class == ErrorClass::Invalid => {
            "the file system has mount targets in another VPC: delete them, or use another file system"
        }
        "UnsupportedAvailabilityZone" => {
            "list the zones to use under `zones` in the stack file, without this one"
        }
        "AvailabilityZonesMismatch" => {
            "this is a One Zone file system: name its zone under `oneZone`"
        }
        "NoFreeAddressesInSubnet" => {
            "free an address, or name another subnet of the zone under `network` in the stack file"
        }
        "FileSystemLimitExceeded"
        | "NetworkInterfaceLimitExceeded"
        | "SecurityGroupLimitExceeded"
        | "ThroughputLimitExceeded" => "ask for more in the console of Service Quotas",
        _ => return None,
    })
}
