//! File systems. Identity is the creation token, which `DescribeFileSystems` shows; marks are tags from the creation on.

use std::collections::BTreeMap;

use aws_sdk_efs::error::BuildError;
use aws_sdk_efs::types::{
    BackupPolicy, FileSystemDescription, LifeCycleState, LifecyclePolicy, PerformanceMode,
    Status as BackupStatus, Tag, ThroughputMode, TransitionToArchiveRules, TransitionToIaRules,
    TransitionToPrimaryStorageClassRules,
};
use futures::future;
use serde_json::{Map, Value as Json, json};
use zonestack_aws::tags;
use zonestack_core::driver::{
    CallContext, Created, Difference, DriverError, ErrorClass, Observation, Owned, Ownership,
    Query, Status, Target,
};
use zonestack_core::projection::project;

use super::failure::{is_not_found, of_reading, of_writing};
use super::{Answer, Asked, EfsDriver, cannot_change, dns_name, remote_id, status_of, text};
use crate::render::FILE_SYSTEM_KIND;

/// The most that a page holds.
const PAGE: i32 = 100;

/// What is read for each file system of ours.
struct Details {
    lifecycle: Json,
    backup: bool,
}

pub(super) async fn observe(
    driver: &EfsDriver,
    cx: CallContext<'_>,
    asked: &[Asked<'_>],
) -> Vec<Answer> {
    if asked.is_empty() {
        return Vec::new();
    }
    let listed = match list(driver).await {
        Ok(listed) => listed,
        Err(error) => return asked.iter().map(|(place, _)| (*place, Err(error.clone()))).collect(),
    };
    let answers = asked.iter().map(|(place, query)| {
        let listed = &listed;
        async move { (*place, observe_one(driver, cx, query, listed).await) }
    });
    future::join_all(answers).await
}

async fn list(driver: &EfsDriver) -> Result<Vec<FileSystemDescription>, DriverError> {
    let pages = driver.efs.describe_file_systems().into_paginator().page_size(PAGE);
    let listed: Result<Vec<_>, _> = pages.items().send().collect().await;
    listed.map_err(|error| of_reading("DescribeFileSystems", error))
}

/// The file systems that carry the marks of a stack of the owner's name.
pub(super) async fn owned(
    driver: &EfsDriver,
    cx: CallContext<'_>,
) -> Result<Vec<Owned>, DriverError> {
    let listed = list(driver).await?;
    let marked = listed.into_iter().filter(|found| !is_going(found)).filter_map(|found| {
        let marked = tags::owned(FILE_SYSTEM_KIND, &tags_of(&found), cx.owner)?;
        Some(Owned { remote_id: Some(found.file_system_id), ..marked })
    });
    Ok(marked.collect())
}

fn is_going(found: &FileSystemDescription) -> bool {
    matches!(found.life_cycle_state, LifeCycleState::Deleting | LifeCycleState::Deleted)
}

async fn observe_one(
    driver: &EfsDriver,
    cx: CallContext<'_>,
    query: &Query,
    listed: &[FileSystemDescription],
) -> Result<Observation, DriverError> {
    let target = &query.target;
    let Some(found) = find(cx, target, listed)? else { return Ok(Observation::absent()) };
    let ownership = ownership(cx, target, found);
    driver.remember(&found.file_system_id, &target.id.component, ownership);

    let status = status_of(&found.life_cycle_state);
    let readable = matches!(status, Status::Ready | Status::Busy(_));
    let attributes = match &query.spec {
        None => Json::Null,
        Some(spec) if readable && ownership == Ownership::Ours => {
            attributes(spec, found, Some(&details(driver, found).await?))
        }
        Some(spec) => attributes(spec, found, None),
    };
    let arn = found.file_system_arn().map(|arn| ("arn".to_owned(), json!(arn)));
    let outputs = BTreeMap::from([
        ("id".to_owned(), json!(found.file_system_id)),
        ("dns_name".to_owned(), json!(dns_name(&found.file_system_id, &cx.owner.region))),
    ]);
    Ok(Observation {
        status,
        remote_id: Some(found.file_system_id.clone()),
        ownership,
        attributes,
        outputs: outputs.into_iter().chain(arn).collect(),
    })
}

/// By the remembered id, else by token, else by marks. Marks may be on a file system whose id and token are forgotten (a
/// lost inventory); two of them are one too many to choose from.
fn find<'a>(
    cx: CallContext<'_>,
    target: &Target,
    listed: &'a [FileSystemDescription],
) -> Result<Option<&'a FileSystemDescription>, DriverError> {
    let by = |wanted: Option<&str>, of: fn(&FileSystemDescription) -> &str| {
        let wanted = wanted?;
        listed.iter().find(|found| of(found) == wanted)
    };
    let known = by(target.remote_id.as_deref(), |found| &found.file_system_id)
        .or_else(|| by(target.token.as_deref(), |found| &found.creation_token));
    if known.is_some() {
        return Ok(known);
    }
    let marked: Vec<_> = listed
        .iter()
        .filter(|found| {
            !is_going(found)
                && tags::ownership(&tags_of(found), cx.owner, &target.id) == Ownership::Ours
        })
        .collect();
    if let [first, second, ..] = marked[..] {
        let message = format!(
            "{}: {} and {} both carry its marks; remove the tag `{}` from the one that the stack shall not use",
            target.id,
            first.file_system_id,
            second.file_system_id,
            tags::NODE
        );
        return Err(DriverError::new(ErrorClass::Invalid, message));
    }
    Ok(marked.first().copied())
}

/// The token is ours alone, and unlike tags it cannot be taken off; but marks of another stack are respected.
fn ownership(cx: CallContext<'_>, target: &Target, found: &FileSystemDescription) -> Ownership {
    let found_tags = tags_of(found);
    let made_by_us = target.token.as_deref() == Some(found.creation_token.as_str());
    if made_by_us && !found_tags.contains_key(tags::UID) {
        return Ownership::Ours;
    }
    tags::ownership(&found_tags, cx.owner, &target.id)
}

/// Whose a file system is that no query of this kind asked for; `None` when there is no such file system.
pub(super) async fn ownership_of(
    driver: &EfsDriver,
    cx: CallContext<'_>,
    id: &str,
    target: &zonestack_core::name::ResourceId,
) -> Result<Option<Ownership>, DriverError> {
    let described = driver.efs.describe_file_systems().file_system_id(id).send().await;
    let found = match described.map_err(|error| of_reading("DescribeFileSystems", error)) {
        Ok(described) => described.file_systems().first().cloned(),
        Err(error) if is_not_found(&error) => None,
        Err(error) => return Err(error),
    };
    Ok(found.map(|found| tags::ownership(&tags_of(&found), cx.owner, target)))
}

async fn details(
    driver: &EfsDriver,
    found: &FileSystemDescription,
) -> Result<Details, DriverError> {
    let id = found.file_system_id.as_str();
    let lifecycle = async {
        let described =
            driver.efs.describe_lifecycle_configuration().file_system_id(id).send().await;
        let described =
            described.map_err(|error| of_reading("DescribeLifecycleConfiguration", error))?;
        Ok(lifecycle_of(described.lifecycle_policies()))
    };
    let backup = async {
        let described = driver.efs.describe_backup_policy().file_system_id(id).send().await;
        match described.map_err(|error| of_reading("DescribeBackupPolicy", error)) {
            Ok(described) => Ok(described.backup_policy().is_some_and(|policy| {
                matches!(policy.status(), BackupStatus::Enabled | BackupStatus::Enabling)
            })),
            // Never enabled.
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    };
    let (lifecycle, backup) = future::try_join(lifecycle, backup).await?;
    Ok(Details { lifecycle, backup })
}

/// The file system in the words of the specification. What EFS does not tell (yet) counts as asked: a difference there
/// would be one of knowledge, not of the file system.
fn attributes(spec: &Json, found: &FileSystemDescription, details: Option<&Details>) -> Json {
    let asked = |key: &str| spec.get(key).cloned().unwrap_or(Json::Null);
    let or_asked = |key: &str, value: Option<Json>| value.unwrap_or_else(|| asked(key));
    let mut full = json!({
        "performance_mode": found.performance_mode.as_str(),
        "throughput_mode":
            or_asked("throughput_mode", found.throughput_mode().map(|mode| json!(mode.as_str()))),
        "encrypted": or_asked("encrypted", found.encrypted.map(Json::from)),
        "kms_key_id": kms_key(&asked("kms_key_id"), found.kms_key_id()),
        "backup": or_asked("backup", details.map(|details| details.backup.into())),
        "lifecycle": or_asked("lifecycle", details.map(|details| details.lifecycle.clone())),
        "tags": tags::to_json(&tags_of(found)),
    });
    if found.throughput_mode() == Some(&ThroughputMode::Provisioned)
        && let Some(mibps) = found.provisioned_throughput_in_mibps
    {
        full["provisioned_throughput_mibps"] = number(mibps);
    }
    let mut shown = project(spec, &full);
    // Rules that the settings do not have any more have to go, and a zone that they do not have any more is a difference.
    shown["lifecycle"] = full["lifecycle"].take();
    if let Some(zone) = found.availability_zone_name() {
        shown["availability_zone"] = json!(zone);
    }
    shown
}

/// EFS answers with the key's ARN, whatever it was asked with. An alias cannot be compared without asking KMS, and the key
/// of a file system never changes: it counts as asked.
fn kms_key(asked: &Json, found: Option<&str>) -> Json {
    let (Some(name), Some(found)) = (asked.as_str(), found) else { return asked.clone() };
    let alias = name.starts_with("alias/") || name.contains(":alias/");
    if alias || found.rsplit('/').next() == Some(name) { asked.clone() } else { json!(found) }
}

/// A whole number as such: specifications have whole MiB/s.
fn number(mibps: f64) -> Json {
    if mibps.fract() == 0.0 {
        format!("{mibps:.0}").parse::<u64>().map_or_else(|_| json!(mibps), Json::from)
    } else {
        json!(mibps)
    }
}

fn tags_of(found: &FileSystemDescription) -> BTreeMap<String, String> {
    found.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn lifecycle_of(policies: &[LifecyclePolicy]) -> Json {
    let mut rules = Map::new();
    for policy in policies {
        let found = [
            ("to_ia", policy.transition_to_ia().map(TransitionToIaRules::as_str)),
            ("to_archive", policy.transition_to_archive().map(TransitionToArchiveRules::as_str)),
            (
                "to_primary",
                policy
                    .transition_to_primary_storage_class()
                    .map(TransitionToPrimaryStorageClassRules::as_str),
            ),
        ];
        for (name, rule) in found {
            rules.extend(rule.map(|rule| (name.to_owned(), json!(rule))));
        }
    }
    rules.into()
}

/// EFS wants each transition in an element of its own.
fn policies(lifecycle: &Json) -> Vec<LifecyclePolicy> {
    let rule = |name: &str| lifecycle.get(name).and_then(Json::as_str);
    let policy = LifecyclePolicy::builder;
    let elements = [
        rule("to_ia").map(|rule| policy().transition_to_ia(rule.into()).build()),
        rule("to_archive").map(|rule| policy().transition_to_archive(rule.into()).build()),
        rule("to_primary")
            .map(|rule| policy().transition_to_primary_storage_class(rule.into()).build()),
    ];
    elements.into_iter().flatten().collect()
}

pub(super) async fn create(
    driver: &EfsDriver,
    cx: CallContext<'_>,
    target: &Target,
    spec: &Json,
) -> Result<Created, DriverError> {
    // Without a token of ours the SDK would send a random one, and a repeated call would make a second file system.
    let token = target.token.as_deref().ok_or_else(|| {
        DriverError::new(ErrorClass::Bug, format!("{}: to be created without a token", target.id))
    })?;
    let flag = |key: &str| spec.get(key).and_then(Json::as_bool);
    let optional = |key: &str| spec.get(key).and_then(Json::as_str).map(str::to_owned);
    let made = driver
        .efs
        .create_file_system()
        .creation_token(token)
        .performance_mode(PerformanceMode::from(text(target, spec, "performance_mode")?))
        .throughput_mode(ThroughputMode::from(text(target, spec, "throughput_mode")?))
        .set_provisioned_throughput_in_mibps(provisioned(spec))
        .set_encrypted(flag("encrypted"))
        .set_kms_key_id(optional("kms_key_id"))
        .set_availability_zone_name(optional("availability_zone"))
        .set_backup(flag("backup"))
        .set_tags(Some(tag_list(&tags::at_creation(spec, cx.owner, &target.id))?))
        .send()
        .await
        .map_err(|error| of_writing("CreateFileSystem", error))?;
    driver.remember(&made.file_system_id, &target.id.component, Ownership::Ours);
    Ok(Created { remote_id: Some(made.file_system_id) })
}

/// One call for the first difference. The life cycle has no place in the creation: it is a difference right after it.
pub(super) async fn update(
    driver: &EfsDriver,
    cx: CallContext<'_>,
    target: &Target,
    spec: &Json,
    differences: &[Difference],
) -> Result<(), DriverError> {
    let id = remote_id(target)?;
    let Some(first) = differences.first() else { return Ok(()) };
    match first.path.split('/').nth(1).unwrap_or_default() {
        "lifecycle" => {
            let wanted = policies(spec.get("lifecycle").unwrap_or(&Json::Null));
            let call = driver.efs.put_lifecycle_configuration().file_system_id(id);
            let done = call.set_lifecycle_policies(Some(wanted)).send().await;
            done.map_err(|error| of_writing("PutLifecycleConfiguration", error))?;
        }
        "backup" => {
            let on = spec.get("backup").and_then(Json::as_bool).unwrap_or(true);
            let status = if on { BackupStatus::Enabled } else { BackupStatus::Disabled };
            let policy = BackupPolicy::builder()
                .status(status)
                .build()
                .map_err(|error| unwritable(&error))?;
            let call = driver.efs.put_backup_policy().file_system_id(id).backup_policy(policy);
            call.send().await.map_err(|error| of_writing("PutBackupPolicy", error))?;
        }
        "throughput_mode" | "provisioned_throughput_mibps" => {
            let mode = ThroughputMode::from(text(target, spec, "throughput_mode")?);
            let call = driver.efs.update_file_system().file_system_id(id).throughput_mode(mode);
            let done = call.set_provisioned_throughput_in_mibps(provisioned(spec)).send().await;
            done.map_err(|error| of_writing("UpdateFileSystem", error))?;
        }
        "tags" => {
            // By id: emulators do not know the ARN here. All of them, so that marks that were taken off come back, too.
            let wanted = tag_list(&tags::at_creation(spec, cx.owner, &target.id))?;
            let call = driver.efs.tag_resource().resource_id(id).set_tags(Some(wanted));
            call.send().await.map_err(|error| of_writing("TagResource", error))?;
        }
        _ => return Err(cannot_change(target, first)),
    }
    Ok(())
}

pub(super) async fn delete(driver: &EfsDriver, target: &Target) -> Result<(), DriverError> {
    let id = remote_id(target)?;
    let done = driver.efs.delete_file_system().file_system_id(id).send().await;
    match done.map_err(|error| of_writing("DeleteFileSystem", error)) {
        Err(error) if !is_not_found(&error) => Err(error),
        _ => Ok(()),
    }
}

fn provisioned(spec: &Json) -> Option<f64> {
    spec.get("provisioned_throughput_mibps").and_then(Json::as_f64)
}

fn tag_list(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, DriverError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| unwritable(&error))
}

fn unwritable(error: &BuildError) -> DriverError {
    DriverError::new(ErrorClass::Bug, format!("the request cannot be written: {error}"))
}
