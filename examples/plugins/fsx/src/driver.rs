//! The driver of file systems: one FSx call for each create, update and delete, and as few as possible to observe.
//!
//! No call waits: the engine looks again. Every call may be made twice, because a run may die between any two instructions. And
//! every error has its class, because the engine acts on it: what is `Busy` is tried again, what is `Ambiguous` is looked after.

use std::collections::BTreeSet;
use std::error::Error;

use aws_sdk_fsx::Client;
use aws_sdk_fsx::config::http::HttpResponse;
use aws_sdk_fsx::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_fsx::types::{
    Backup, BackupLifecycle, CreateFileSystemOpenZfsConfiguration,
    DeleteFileSystemOpenZfsConfiguration, FileSystem, FileSystemType, Filter, FilterName,
    OpenZfsClientConfiguration, OpenZfsCreateRootVolumeConfiguration, OpenZfsDataCompressionType,
    OpenZfsDeploymentType, OpenZfsNfsExport, StorageType, UpdateFileSystemOpenZfsConfiguration,
};
use zonestack_sdk::aws::SdkConfig;
use zonestack_sdk::aws::error::driver_error;
use zonestack_sdk::aws::spec::Spec;
use zonestack_sdk::aws::tags;
use zonestack_sdk::prelude::*;

use crate::kind::{KIND, declaration};
use crate::shown::{
    SECURITY_GROUPS, attributes, is_going, route_tables, status, tag_list, tags_of,
};

/// The tag with the name of a final backup: FSx chooses the ids of backups.
const FINAL_COPY: &str = "example:final-copy";
/// Who may mount is the security group's business; root in a pod is root.
const EXPORT_OPTIONS: [&str; 4] = ["rw", "crossmnt", "sync", "no_root_squash"];

/// The driver.
pub struct FileSystems {
    fsx: Client,
}

impl FileSystems {
    /// For the region and with the credentials of the configuration. Calls nothing.
    pub fn new(config: &SdkConfig) -> Self {
        Self { fsx: Client::new(config) }
    }

    async fn list(&self) -> Result<Vec<FileSystem>, DriverError> {
        let mut pages = self.fsx.describe_file_systems().into_paginator().send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| driver_error("DescribeFileSystems", error, false))?;
            listed.extend(page.file_systems.unwrap_or_default());
        }
        listed.retain(|found| found.file_system_type() == Some(&FileSystemType::Openzfs));
        Ok(listed)
    }

    /// One by its id; `None` when it is gone.
    async fn by_id(&self, id: &str) -> Result<Option<FileSystem>, DriverError> {
        let described = self.fsx.describe_file_systems().file_system_ids(id).send().await;
        match described.map_err(|error| driver_error("DescribeFileSystems", error, false)) {
            Ok(described) => Ok(described.file_systems.unwrap_or_default().pop()),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_one(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        json: &Json,
    ) -> Result<Created, DriverError> {
        // Without a token of ours the SDK would send a random one, and a repeated call would make a second file system.
        let token = known(target, "token", target.token.as_deref())?;
        let spec = Spec(json);
        let groups = spec.texts("security_groups");
        let mut marks = tags::at_creation(json, cx.owner, &target.id);
        marks.extend(groups.iter().map(|ids| (SECURITY_GROUPS.to_owned(), ids.join(" "))));
        let everybody = OpenZfsClientConfiguration::builder().clients("*");
        let everybody =
            EXPORT_OPTIONS.iter().fold(everybody, |everybody, option| everybody.options(*option));
        let exports = OpenZfsNfsExport::builder().client_configurations(everybody.build()).build();
        let root = OpenZfsCreateRootVolumeConfiguration::builder()
            .data_compression_type(OpenZfsDataCompressionType::Lz4)
            .nfs_exports(exports);
        let configuration = CreateFileSystemOpenZfsConfiguration::builder()
            .deployment_type(OpenZfsDeploymentType::MultiAz1)
            .set_throughput_capacity(spec.int("throughput_mbps"))
            .set_preferred_subnet_id(spec.text("preferred_subnet"))
            .set_route_table_ids(spec.texts("route_tables"))
            .set_automatic_backup_retention_days(spec.int("backup_days"))
            .copy_tags_to_backups(true)
            .root_volume_configuration(root.build());
        let call = self.fsx.create_file_system().file_system_type(FileSystemType::Openzfs);
        let made = call
            .client_request_token(token)
            .storage_type(StorageType::Ssd)
            .set_storage_capacity(spec.int("storage_gib"))
            .set_subnet_ids(spec.texts("subnets"))
            .set_security_group_ids(groups)
            .set_tags(Some(tag_list(marks)))
            .open_zfs_configuration(configuration.build())
            .send()
            .await
            .map_err(|error| of_writing("CreateFileSystem", error))?;
        Ok(Created { remote_id: made.file_system.and_then(|made| made.file_system_id) })
    }

    /// One call, for the first difference: the engine looks, and comes again for the next.
    async fn update_one(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        json: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let id = known(target, "id", target.remote_id.as_deref())?;
        let Some(first) = differences.first() else { return Ok(()) };
        let (spec, call) = (Spec(json), self.fsx.update_file_system().file_system_id(id));
        let change = UpdateFileSystemOpenZfsConfiguration::builder();
        let call = match first.path.split('/').nth(1).unwrap_or_default() {
            "storage_gib" => call.set_storage_capacity(spec.int("storage_gib")),
            "throughput_mbps" => {
                let change = change.set_throughput_capacity(spec.int("throughput_mbps"));
                call.open_zfs_configuration(change.build())
            }
            "backup_days" => {
                let change = change.set_automatic_backup_retention_days(spec.int("backup_days"));
                call.open_zfs_configuration(change.build())
            }
            "route_tables" => {
                let there = self.current(target, id).await?;
                let there: BTreeSet<String> = route_tables(&there).into_iter().collect();
                let wanted = spec.texts("route_tables").unwrap_or_default();
                let wanted: BTreeSet<String> = wanted.into_iter().collect();
                let some = |tables: Vec<String>| (!tables.is_empty()).then_some(tables);
                let change = change
                    .set_add_route_table_ids(some(wanted.difference(&there).cloned().collect()))
                    .set_remove_route_table_ids(some(there.difference(&wanted).cloned().collect()));
                call.open_zfs_configuration(change.build())
            }
            "tags" => {
                let there = self.current(target, id).await?;
                let arn = known(target, "ARN", there.resource_arn())?;
                // All of them, so that marks that were taken off come back, too.
                let wanted = tag_list(tags::at_creation(json, cx.owner, &target.id));
                let call = self.fsx.tag_resource().resource_arn(arn).set_tags(Some(wanted));
                return call
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| of_writing("TagResource", error));
            }
            _ => {
                let message = format!("{}: {} cannot be changed", target.id, first.path);
                return Err(DriverError::new(ErrorClass::Unsupported, message));
            }
        };
        call.send().await.map(drop).map_err(|error| of_writing("UpdateFileSystem", error))
    }

    async fn current(&self, target: &Target, id: &str) -> Result<FileSystem, DriverError> {
        self.by_id(id).await?.ok_or_else(|| {
            DriverError::new(ErrorClass::NotFound, format!("{}: {id} is gone", target.id))
        })
    }

    /// With a final backup, and never with volumes that others made in it: without being told to delete them, FSx refuses.
    async fn delete_one(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        deletion: &Deletion,
    ) -> Result<(), DriverError> {
        let id = known(target, "id", target.remote_id.as_deref())?;
        let copy = known(target, "name of a final backup", deletion.final_copy.as_deref())?;
        let marks = [("Name", copy), (FINAL_COPY, copy), (tags::STACK, &cx.owner.stack)];
        let marks = marks.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let configuration = DeleteFileSystemOpenZfsConfiguration::builder()
            .skip_final_backup(false)
            .set_final_backup_tags(Some(tag_list(marks.into())))
            .build();
        let call = self.fsx.delete_file_system().file_system_id(id);
        let done = call.open_zfs_configuration(configuration).send().await;
        match done.map_err(|error| of_writing("DeleteFileSystem", error)) {
            Ok(_) => Ok(()),
            Err(error) if error.class == ErrorClass::NotFound => Ok(()),
            // What is already being deleted may be refused to be deleted.
            Err(error) if error.class == ErrorClass::Invalid => match self.by_id(id).await {
                Ok(found) if found.as_ref().is_none_or(is_going) => Ok(()),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Where the backup of this name stands, of this file system and of no other.
    async fn copy_of(&self, target: &Target, name: &str) -> Result<Status, DriverError> {
        let id = known(target, "id", target.remote_id.as_deref())?;
        let filter = Filter::builder().name(FilterName::FileSystemId).values(id).build();
        let mut pages = self.fsx.describe_backups().filters(filter).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| driver_error("DescribeBackups", error, false))?;
            let named = |backup: &&Backup| {
                tags_of(backup.tags()).get(FINAL_COPY).is_some_and(|tagged| tagged == name)
            };
            let Some(backup) = page.backups().iter().find(named) else { continue };
            return Ok(match backup.lifecycle() {
                Some(BackupLifecycle::Available) => Status::Ready,
                Some(BackupLifecycle::Deleted) => Status::Absent,
                Some(BackupLifecycle::Failed) => Status::Failed("FAILED".to_owned()),
                other => {
                    Status::Pending(other.map_or("unknown", |state| state.as_str()).to_owned())
                }
            });
        }
        Ok(Status::Absent)
    }
}

impl Driver for FileSystems {
    fn kinds(&self) -> Vec<KindDeclaration> {
        vec![declaration()]
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        Box::pin(async move {
            // One list for all queries.
            match self.list().await {
                Ok(listed) => queries
                    .iter()
                    .map(|query| {
                        let found = find(cx, &query.target, &listed)?;
                        Ok(found.map_or_else(Observation::absent, |it| observation(cx, query, it)))
                    })
                    .collect(),
                Err(error) => queries.iter().map(|_| Err(error.clone())).collect(),
            }
        })
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        Box::pin(self.create_one(cx, target, spec))
    }

    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(self.update_one(cx, target, spec, differences))
    }

    fn delete<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(self.delete_one(cx, target, deletion))
    }

    fn final_copy<'a>(
        &'a self,
        _cx: CallContext<'a>,
        target: &'a Target,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        Box::pin(self.copy_of(target, name))
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        Box::pin(async move {
            let listed = self.list().await?.into_iter().filter(|found| !is_going(found));
            let marked = listed.filter_map(|found| {
                let marked = tags::owned(KIND, &tags_of(found.tags()), cx.owner)?;
                Some(Owned { remote_id: found.file_system_id, ..marked })
            });
            Ok(marked.collect())
        })
    }
}

/// What the engine gives to a call that needs it.
fn known<'a>(target: &Target, what: &str, given: Option<&'a str>) -> Result<&'a str, DriverError> {
    given.ok_or_else(|| {
        DriverError::new(ErrorClass::Bug, format!("{}: its {what} is not known", target.id))
    })
}

/// By the remembered id, then by the marks.
fn find<'a>(
    cx: CallContext<'_>,
    target: &Target,
    listed: &'a [FileSystem],
) -> Result<Option<&'a FileSystem>, DriverError> {
    let id = target.remote_id.as_deref();
    if let Some(found) = listed.iter().find(|found| id.is_some() && found.file_system_id() == id) {
        return Ok(Some(found));
    }
    let ours =
        |found: &&FileSystem| !is_going(found) && whose(cx, target, found) == Ownership::Ours;
    let mut marked = listed.iter().filter(ours);
    match (marked.next(), marked.next()) {
        (Some(first), Some(second)) => {
            let ids = [first, second].map(|found| found.file_system_id().unwrap_or_default());
            let message = format!(
                "{}: {} both carry its marks; remove the tag `{}` from the one that the stack shall not use",
                target.id,
                ids.join(" and "),
                tags::NODE
            );
            Err(DriverError::new(ErrorClass::Invalid, message))
        }
        (found, _) => Ok(found),
    }
}

fn whose(cx: CallContext<'_>, target: &Target, found: &FileSystem) -> Ownership {
    tags::ownership(&tags_of(found.tags()), cx.owner, &target.id)
}

fn observation(cx: CallContext<'_>, query: &Query, found: &FileSystem) -> Observation {
    let outputs = [
        ("id", found.file_system_id()),
        ("dns_name", found.dns_name()),
        ("arn", found.resource_arn()),
    ];
    let outputs =
        outputs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
    Observation {
        status: status(found),
        remote_id: found.file_system_id.clone(),
        ownership: whose(cx, &query.target, found),
        attributes: query.spec.as_ref().map_or(Json::Null, |spec| attributes(spec, found)),
        outputs: outputs.collect(),
    }
}

/// The error of a call that changes something. Most of what FSx refuses is a `BadRequest`, told apart by its words alone.
fn of_writing<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> DriverError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let words = error.message().unwrap_or_default().to_lowercase();
    let mut failed = driver_error(call, error, true);
    match code.as_str() {
        // One change after the other. Not one that came too early after the last: that takes hours.
        "BadRequest" if words.contains("in progress") && !words.contains("hours") => {
            failed.class = ErrorClass::Busy;
        }
        "BackupInProgress" => failed.class = ErrorClass::Busy,
        // Only the token of a creation is ours: that of another call says nothing of what is there.
        "IncompatibleParameterError" if call != "CreateFileSystem" => {
            failed.class = ErrorClass::Invalid;
        }
        "InvalidNetworkSettings" => {
            failed.class = ErrorClass::Invalid;
            failed.message.push_str("; check `routeTables`");
        }
        _ => {}
    }
    failed
}
