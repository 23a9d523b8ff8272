//! Failed calls, where FSx means something else than the general table of codes says, and what to do about them.
//!
//! Most of what FSx refuses is a `BadRequest`, told apart by its words alone.

use std::error::Error;

use aws_sdk_fsx::config::http::HttpResponse;
use aws_sdk_fsx::error::{ProvideErrorMetadata, SdkError};
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
    let words = error.message().unwrap_or_default().to_lowercase();
    let mut failed = driver_error(call, error, true);
    if let Some(class) = meant(call, &code, &words) {
        failed.class = class;
    }
    if let Some(advice) = advice(call, &code, &words) {
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
        // One change after the other: storage, throughput and the root volume exclude each other while they change.
        ("UpdateFileSystem" | "UpdateVolume", "BadRequest") if is_under_way(words) => {
            Some(ErrorClass::Busy)
        }
        // A backup of it, or the one that it shall be made from, is still being made.
        ("DeleteFileSystem", "BackupInProgress")
        | ("CreateFileSystemFromBackup", "SourceBackupUnavailable") => Some(ErrorClass::Busy),
        // Only the token of a creation is ours: that of another call says nothing of what is there. And not the file system
        // is missing, but what it shall be made from.
        (
            "UpdateFileSystem" | "UpdateVolume" | "DeleteFileSystem",
            "IncompatibleParameterError",
        )
        | ("CreateFileSystemFromBackup", "BackupNotFound")
        | (
            _,
            "InvalidNetworkSettings"
            | "MissingFileSystemConfiguration"
            | "MissingVolumeConfiguration"
            | "InvalidPerUnitStorageThroughput"
            | "ActiveDirectoryError"
            | "NotServiceResourceError"
            | "ResourceDoesNotSupportTagging",
        ) => Some(ErrorClass::Invalid),
        _ => None,
    }
}

/// Not a change that came too early after the last one: that takes hours, and waiting them out is no retry.
fn is_under_way(words: &str) -> bool {
    words.contains("in progress") && !words.contains("hours")
}

fn advice(call: &str, code: &str, words: &str) -> Option<&'static str> {
    Some(match (call, code) {
        ("UpdateFileSystem", "BadRequest") if words.contains("hours") => {
            "FSx grows storage, and changes throughput, once in six hours: run zonestack again later"
        }
        (_, "InvalidNetworkSettings") => {
            "check `endpointRange` and `routeTables`, and the subnets under `network` in the stack file"
        }
        ("DeleteFileSystem", "BadRequest") => {
            "delete the volumes and snapshots that others made in it first. If FSx can make no final backup of it and nothing in it is needed: aws fsx delete-file-system --file-system-id … --open-zfs-configuration SkipFinalBackup=true"
        }
        (_, "BackupNotFound") => {
            "correct `fromBackup`: aws fsx describe-backups lists those there are"
        }
        (_, "ServiceLimitExceeded") => "ask for more in the console of Service Quotas",
        _ => return None,
    })
}
