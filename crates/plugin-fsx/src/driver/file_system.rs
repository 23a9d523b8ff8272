//! File systems, observed, created and deleted. Identity is the token of the creation; they are found by id or by marks,
//! because FSx shows the token to nobody.

use std::collections::BTreeMap;

use aws_sdk_fsx::types::{
    DeleteFileSystemOpenZfsConfiguration, FileSystem, FileSystemLifecycle, FileSystemType,
    OpenZfsFileSystemConfiguration, StorageType, Volume,
};
use futures::future;
use serde_json::{Value as Json, json};
use zonestack_aws::{groups_of_interfaces, tags};
use zonestack_core::driver::{
    CallContext, Created, Deletion, DriverError, ErrorClass, Observation, Owned, Ownership, Query,
    Status, Target,
};

use super::failure::{is_not_found, of_reading, of_writing};
use super::shape::{Spec, tag_list};
use super::shown::{self, RESTORED_FROM, SECURITY_GROUPS, tags_of};
use super::{FsxDriver, backup, known, remote_id, token};
use crate::render::FILE_SYSTEM_KIND;

/// How many file systems are asked for on a page; FSx may answer with fewer.
const PAGE: i32 = 100;
/// The most volumes that one call names (FSx API, `VolumeIds`).
const VOLUMES: usize = 50;

/// What is read of all file systems of ours together.
#[derive(Default)]
struct Details {
    roots: BTreeMap<String, Volume>,
    groups: BTreeMap<String, Vec<String>>,
}

pub(super) async fn observe(
    driver: &FsxDriver,
    cx: CallContext<'_>,
    queries: &[Query],
) -> Vec<Result<Observation, DriverError>> {
    let listed = match list(driver).await {
        Ok(listed) => listed,
        Err(error) => return queries.iter().map(|_| Err(error.clone())).collect(),
    };
    let found: Vec<Result<Option<&FileSystem>, DriverError>> = queries
        .iter()
        .map(|query| {
            known(&query.target)?;
            find(cx, &query.target, &listed)
        })
        .collect();
    let detailed: Vec<&FileSystem> = queries
        .iter()
        .zip(&found)
        .filter(|(query, _)| query.spec.is_some())
        .filter_map(|(query, found)| Some((query, found.as_ref().ok()?.as_ref()?)))
        .filter(|(query, found)| {
            ownership(cx, &query.target, found) == Ownership::Ours
                && matches!(shown::status(found, None), Status::Ready | Status::Busy(_))
        })
        .map(|(_, found)| *found)
        .collect();
    let details = match details(driver, &detailed).await {
        Ok(details) => details,
        Err(error) => return queries.iter().map(|_| Err(error.clone())).collect(),
    };
    let answers = queries.iter().zip(found).map(|(query, found)| {
        Ok(match found? {
            Some(found) => observation(cx, query, found, &details),
            None => Observation::absent(),
        })
    });
    answers.collect()
}

fn observation(
    cx: CallContext<'_>,
    query: &Query,
    found: &FileSystem,
    details: &Details,
) -> Observation {
    let configuration = found.open_zfs_configuration();
    let root_id = configuration.and_then(OpenZfsFileSystemConfiguration::root_volume_id);
    let root = root_id.and_then(|id| details.roots.get(id));
    let outputs = [
        ("id", found.file_system_id()),
        ("dns_name", found.dns_name()),
        ("arn", found.resource_arn()),
        ("root_volume", root_id),
    ];
    let outputs = outputs
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect();
    Observation {
        status: shown::status(found, root),
        remote_id: found.file_system_id.clone(),
        ownership: ownership(cx, &query.target, found),
        attributes: query
            .spec
            .as_ref()
            .map_or(Json::Null, |spec| shown::attributes(spec, found, root, &details.groups)),
        outputs,
    }
}

async fn list(driver: &FsxDriver) -> Result<Vec<FileSystem>, DriverError> {
    let mut pages = driver.fsx.describe_file_systems().into_paginator().page_size(PAGE).send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| of_reading("DescribeFileSystems", error))?;
        let found = page.file_systems.unwrap_or_default().into_iter();
        listed.extend(
            found.filter(|found| found.file_system_type() == Some(&FileSystemType::Openzfs)),
        );
    }
    Ok(listed)
}

/// One file system by its id; `None` when it is gone.
pub(super) async fn by_id(driver: &FsxDriver, id: &str) -> Result<Option<FileSystem>, DriverError> {
    let described = driver.fsx.describe_file_systems().file_system_ids(id).send().await;
    match described.map_err(|error| of_reading("DescribeFileSystems", error)) {
        Ok(described) => Ok(described.file_systems().first().cloned()),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The root volumes, and the security groups of the network interfaces.
async fn details(driver: &FsxDriver, of: &[&FileSystem]) -> Result<Details, DriverError> {
    let roots: Vec<String> = of
        .iter()
        .filter_map(|found| found.open_zfs_configuration()?.root_volume_id.clone())
        .collect();
    let interfaces: Vec<String> =
        of.iter().flat_map(|found| found.network_interface_ids().to_vec()).collect();
    let (roots, groups) = future::try_join(
        root_volumes(driver, &roots),
        groups_of_interfaces(&driver.ec2, &interfaces),
    )
    .await?;
    Ok(Details { roots, groups })
}

async fn root_volumes(
    driver: &FsxDriver,
    ids: &[String],
) -> Result<BTreeMap<String, Volume>, DriverError> {
    let mut roots = BTreeMap::new();
    for ids in ids.chunks(VOLUMES) {
        // As many as are named fit on a page.
        let described = driver.fsx.describe_volumes().set_volume_ids(Some(ids.to_vec())).send();
        let found = match described.await.map_err(|error| of_reading("DescribeVolumes", error)) {
            Ok(found) => found.volumes.unwrap_or_default(),
            // One of them went since its file system was listed.
            Err(error) if is_not_found(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        roots.extend(found.into_iter().filter_map(|root| Some((root.volume_id.clone()?, root))));
    }
    Ok(roots)
}

fn is_going(found: &FileSystem) -> bool {
    found.lifecycle() == Some(&FileSystemLifecycle::Deleting)
}

/// By the remembered id, then by the marks.
fn find<'a>(
    cx: CallContext<'_>,
    target: &Target,
    listed: &'a [FileSystem],
) -> Result<Option<&'a FileSystem>, DriverError> {
    let known = target.remote_id.as_deref();
    let by_id = listed.iter().find(|found| known.is_some() && found.file_system_id() == known);
    if by_id.is_some() {
        return Ok(by_id);
    }
    let marked: Vec<&FileSystem> = listed
        .iter()
        .filter(|found| !is_going(found) && ownership(cx, target, found) == Ownership::Ours)
        .collect();
    if let [first, second, ..] = marked[..] {
        let message = format!(
            "{}: {} and {} both carry its marks; remove the tag `{}` from the one that the stack shall not use",
            target.id,
            first.file_system_id().unwrap_or_default(),
            second.file_system_id().unwrap_or_default(),
            tags::NODE
        );
        return Err(DriverError::new(ErrorClass::Invalid, message));
    }
    Ok(marked.first().copied())
}

fn ownership(cx: CallContext<'_>, target: &Target, found: &FileSystem) -> Ownership {
    tags::ownership(&tags_of(found.tags()), cx.owner, &target.id)
}

/// The file systems that carry the marks of a stack of the owner's name.
pub(super) async fn owned(
    driver: &FsxDriver,
    cx: CallContext<'_>,
) -> Result<Vec<Owned>, DriverError> {
    let listed = list(driver).await?;
    let marked = listed.into_iter().filter(|found| !is_going(found)).filter_map(|found| {
        let marked = tags::owned(FILE_SYSTEM_KIND, &tags_of(found.tags()), cx.owner)?;
        Some(Owned { remote_id: found.file_system_id, ..marked })
    });
    Ok(marked.collect())
}

/// From a backup, when the specification names one.
pub(super) async fn create(
    driver: &FsxDriver,
    cx: CallContext<'_>,
    target: &Target,
    json: &Json,
) -> Result<Created, DriverError> {
    let token = token(target)?;
    let spec = Spec::new(target, json);
    let mut marked = tags::at_creation(json, cx.owner, &target.id);
    let groups = spec.texts("security_groups")?;
    marked.extend(groups.iter().map(|ids| (SECURITY_GROUPS.to_owned(), ids.join(" "))));
    let made = if let Some(backup) = spec.text("backup") {
        marked.insert(RESTORED_FROM.to_owned(), backup.to_owned());
        let call = driver.fsx.create_file_system_from_backup().backup_id(backup);
        call.client_request_token(token)
            .storage_type(StorageType::Ssd)
            .set_storage_capacity(spec.number("storage_gib"))
            .set_subnet_ids(Some(spec.subnets()?))
            .set_security_group_ids(groups)
            .set_kms_key_id(spec.text("kms_key_id").map(str::to_owned))
            .set_tags(Some(tag_list(marked)))
            .open_zfs_configuration(spec.creation()?)
            .send()
            .await
            .map_err(|error| of_writing("CreateFileSystemFromBackup", error))?
            .file_system
    } else {
        let call = driver.fsx.create_file_system().file_system_type(FileSystemType::Openzfs);
        call.client_request_token(token)
            .storage_type(StorageType::Ssd)
            .set_storage_capacity(spec.number("storage_gib"))
            .set_subnet_ids(Some(spec.subnets()?))
            .set_security_group_ids(groups)
            .set_kms_key_id(spec.text("kms_key_id").map(str::to_owned))
            .set_tags(Some(tag_list(marked)))
            .open_zfs_configuration(spec.creation()?)
            .send()
            .await
            .map_err(|error| of_writing("CreateFileSystem", error))?
            .file_system
    };
    Ok(Created { remote_id: made.and_then(|made| made.file_system_id) })
}

/// With a final backup, and never with volumes or snapshots that others made in it: without being told to delete them, FSx
/// refuses.
pub(super) async fn delete(
    driver: &FsxDriver,
    cx: CallContext<'_>,
    target: &Target,
    deletion: &Deletion,
) -> Result<(), DriverError> {
    let id = remote_id(target)?;
    let Some(name) = &deletion.final_copy else {
        let message =
            format!("{}: {id} is not deleted: there is no name for its final backup", target.id);
        return Err(DriverError::new(ErrorClass::Bug, message));
    };
    let configuration = DeleteFileSystemOpenZfsConfiguration::builder()
        .skip_final_backup(false)
        .set_final_backup_tags(Some(tag_list(backup::tags(cx, name))))
        .build();
    let call = driver.fsx.delete_file_system().file_system_id(id);
    let done = call.open_zfs_configuration(configuration).send().await;
    match done.map_err(|error| of_writing("DeleteFileSystem", error)) {
        Ok(_) => Ok(()),
        Err(error) if is_not_found(&error) => Ok(()),
        // What is already being deleted may be refused to be deleted.
        Err(error) if error.class == ErrorClass::Invalid => match by_id(driver, id).await {
            Ok(found) if found.as_ref().is_none_or(is_going) => Ok(()),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}
