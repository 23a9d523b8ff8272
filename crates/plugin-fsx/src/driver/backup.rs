//! DescribeBackups: whether the backup that a deleted file system was to leave is there.
//!
//! FSx chooses the ids of backups. The name that the engine chose for the final one is a tag that the deletion asks for.

use std::collections::BTreeMap;

use aws_sdk_fsx::types::{
    Backup, BackupFailureDetails, BackupLifecycle, FileSystem, Filter, FilterName,
};
use zonestack_core::driver::{CallContext, DriverError, Status, Target};

use super::FsxDriver;
use super::failure::of_reading;
use super::shown::tags_of;

/// The tag with the name of a final backup.
pub(super) const NAME: &str = "zonestack:final-copy";

/// The tags of a final backup: what it is called, and whose it was. Not the marks of the resource: a backup is none.
pub(super) fn tags(cx: CallContext<'_>, name: &str) -> BTreeMap<String, String> {
    use zonestack_aws::tags::{MANAGED_BY, STACK, TOOL};
    [("Name", name), (NAME, name), (STACK, cx.owner.stack.as_str()), (MANAGED_BY, TOOL)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Where the backup of this name stands. One that was made of another file system is no copy of this one's data.
pub(super) async fn status(
    driver: &FsxDriver,
    target: &Target,
    name: &str,
) -> Result<Status, DriverError> {
    // What is told of a backup outlives its file system, and so does the filter.
    let filter = target
        .remote_id
        .as_ref()
        .map(|id| Filter::builder().name(FilterName::FileSystemId).values(id).build());
    let call = driver.fsx.describe_backups().set_filters(filter.map(|filter| vec![filter]));
    let mut pages = call.into_paginator().send();
    let mut found: Vec<Backup> = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| of_reading("DescribeBackups", error))?;
        found.extend(page.backups.unwrap_or_default());
    }
    let named =
        |backup: &&Backup| tags_of(backup.tags()).get(NAME).is_some_and(|tagged| tagged == name);
    let of_this = |backup: &&Backup| {
        let of = backup.file_system().and_then(FileSystem::file_system_id);
        of.zip(target.remote_id.as_deref()).is_none_or(|(of, wanted)| of == wanted)
    };
    // The state that says most for the data, should there be several.
    let states: Vec<Status> = found.iter().filter(named).filter(of_this).map(state).collect();
    let best = |wanted: fn(&Status) -> bool| states.iter().find(|status| wanted(status)).cloned();
    Ok(best(|status| *status == Status::Ready)
        .or_else(|| best(|status| matches!(status, Status::Pending(_))))
        .or_else(|| best(|status| matches!(status, Status::Failed(_))))
        .unwrap_or(Status::Absent))
}

/// <https://docs.aws.amazon.com/fsx/latest/APIReference/API_Backup.html>
fn state(backup: &Backup) -> Status {
    match backup.lifecycle() {
        Some(BackupLifecycle::Available) => Status::Ready,
        Some(BackupLifecycle::Deleted) => Status::Absent,
        Some(BackupLifecycle::Failed) => {
            let why = backup.failure_details().and_then(BackupFailureDetails::message);
            Status::Failed(format!("FAILED: {}", why.unwrap_or("FSx could not make the backup")))
        }
        Some(other) => Status::Pending(other.as_str().to_owned()),
        None => Status::Pending("unknown".to_owned()),
    }
}
