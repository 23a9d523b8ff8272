//! Mount targets. Identity is the file system and the zone; there are no tags, so ownership comes from the file system.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_efs::types::{LifeCycleState, MountTargetDescription};
use futures::future;
use serde_json::{Value as Json, json};
use zonestack_aws::groups_of_interfaces;
use zonestack_core::driver::{
    CallContext, Created, Difference, DriverError, ErrorClass, Observation, Ownership, Query,
    Target,
};
use zonestack_core::name::{ComponentName, ResourceId, Zone};
use zonestack_core::projection::project;

use super::failure::{is_not_found, of_reading, of_writing};
use super::{
    Answer, Asked, EfsDriver, cannot_change, dns_name, file_system, remote_id, status_of, text,
};
use crate::render::FILE_SYSTEM;

/// The mount targets of a file system; `None` when there is no such file system.
type Listed = Result<Option<Vec<MountTargetDescription>>, DriverError>;
/// Security groups by mount target. A missing one is not known.
type Groups = BTreeMap<String, Vec<String>>;

pub(super) async fn observe(
    driver: &EfsDriver,
    cx: CallContext<'_>,
    asked: &[Asked<'_>],
) -> Vec<Answer> {
    let parents: BTreeSet<String> =
        asked.iter().filter_map(|(_, query)| parent_of(query)).map(str::to_owned).collect();
    let lists = parents.iter().map(|id| async { (id.clone(), list(driver, id).await) });
    let listed: BTreeMap<String, Listed> = future::join_all(lists).await.into_iter().collect();

    let searches = asked.iter().map(|(_, query)| find(driver, query, &listed));
    let found = future::join_all(searches).await;
    let compared = asked.iter().zip(&found).filter_map(|((_, query), found)| {
        let found = found.as_ref().ok()?.as_ref()?;
        let comparable = query.spec.is_some() && !is_going(found);
        comparable.then_some(found)
    });
    let groups = groups_of(driver, compared.collect()).await;
    let owners = owners(driver, cx, asked, &found).await;

    asked
        .iter()
        .zip(found)
        .map(|((place, query), found)| {
            let answer = found.and_then(|found| match (found, &groups) {
                (None, _) => Ok(Observation::absent()),
                (Some(_), Err(error)) => Err(error.clone()),
                (Some(found), Ok(groups)) => describe(cx, query, &found, groups, &owners),
            });
            (*place, answer)
        })
        .collect()
}

/// The file system among whose mount targets to look: that of the specification; without one, the remembered one.
fn parent_of(query: &Query) -> Option<&str> {
    match &query.spec {
        // A reference that is not resolved is a file system that is not there, and so is its mount target.
        Some(spec) => file_system_id(spec),
        None => query.target.parent.as_deref(),
    }
}

fn file_system_id(spec: &Json) -> Option<&str> {
    spec.get("file_system_id").and_then(Json::as_str)
}

async fn list(driver: &EfsDriver, file_system: &str) -> Listed {
    let call = driver.efs.describe_mount_targets().file_system_id(file_system);
    let listed: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
    match listed.map_err(|error| of_reading("DescribeMountTargets", error)) {
        Ok(listed) => Ok(Some(listed)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// By the remembered id, wherever it is; else the one of the file system in the zone.
async fn find(
    driver: &EfsDriver,
    query: &Query,
    listed: &BTreeMap<String, Listed>,
) -> Result<Option<MountTargetDescription>, DriverError> {
    let target = &query.target;
    if query.spec.as_ref().is_some_and(|spec| file_system_id(spec).is_none()) {
        return Ok(None);
    }
    let mut candidates = Vec::new();
    if let Some(parent) = parent_of(query) {
        match listed.get(parent) {
            Some(Ok(Some(found))) => candidates.extend(found),
            Some(Err(error)) => return Err(error.clone()),
            // One that was there before is being deleted; one that never was is a mistake in the stack file.
            Some(Ok(None)) if query.spec.is_some() && driver.recall(parent).is_none() => {
                return Err(DriverError::new(
                    ErrorClass::Invalid,
                    format!(
                        "{}: there is no file system {parent} in this account and region; correct `existing`",
                        target.id
                    ),
                ));
            }
            Some(Ok(None)) | None => {}
        }
    }
    let in_zone = candidates
        .iter()
        .find(|found| {
            let zone = target.id.zone.as_ref().map(Zone::as_str);
            zone.is_some() && found.availability_zone_name() == zone
        })
        .map(|found| (*found).clone());
    let Some(id) = &target.remote_id else { return Ok(in_zone) };
    if let Some(found) = candidates.iter().find(|found| found.mount_target_id == *id) {
        return Ok(Some((*found).clone()));
    }
    // Not where it should be: it is gone, or the component has moved to another file system and left it behind.
    match by_id(driver, id).await? {
        Some(found) if in_zone.is_none() || !is_going(&found) => Ok(Some(found)),
        _ => Ok(in_zone),
    }
}

async fn by_id(
    driver: &EfsDriver,
    id: &str,
) -> Result<Option<MountTargetDescription>, DriverError> {
    let described = driver.efs.describe_mount_targets().mount_target_id(id).send().await;
    match described.map_err(|error| of_reading("DescribeMountTargets", error)) {
        Ok(described) => Ok(described.mount_targets().first().cloned()),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_going(found: &MountTargetDescription) -> bool {
    matches!(found.life_cycle_state, LifeCycleState::Deleting | LifeCycleState::Deleted)
}

/// The security groups of all mount targets in one call; one call more for each whose interface EC2 does not show.
async fn groups_of(
    driver: &EfsDriver,
    targets: Vec<&MountTargetDescription>,
) -> Result<Groups, DriverError> {
    let interfaces: Vec<String> =
        targets.iter().filter_map(|found| found.network_interface_id.clone()).collect();
    let shown = groups_of_interfaces(&driver.ec2, &interfaces).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "asking EFS for the security groups of each mount target");
        BTreeMap::new()
    });
    let each = targets.into_iter().map(|found| async {
        let id = found.mount_target_id.clone();
        let groups = found.network_interface_id().and_then(|interface| shown.get(interface));
        match groups {
            Some(groups) => Ok::<_, DriverError>(Some((id, groups.clone()))),
            None => Ok(groups_by_efs(driver, &id).await?.map(|groups| (id, groups))),
        }
    });
    Ok(future::try_join_all(each).await?.into_iter().flatten().collect())
}

/// `None` while the mount target cannot tell: it is being made, or gone since it was listed.
async fn groups_by_efs(driver: &EfsDriver, id: &str) -> Result<Option<Vec<String>>, DriverError> {
    let call = driver.efs.describe_mount_target_security_groups().mount_target_id(id);
    let described = call.send().await;
    match described.map_err(|error| of_reading("DescribeMountTargetSecurityGroups", error)) {
        Ok(described) => Ok(Some(described.security_groups().to_vec())),
        Err(error) if matches!(error.class, ErrorClass::NotFound | ErrorClass::Busy) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file system, and the component that asks whether it is its own.
type Parent = (String, ComponentName);

/// Whose the file systems are. Asks only for those that no observation has seen.
///
/// A remembered mount target on a stranger's file system is the stranger's here, too: whether it is remembered as made or as
/// found, only the engine knows.
async fn owners(
    driver: &EfsDriver,
    cx: CallContext<'_>,
    asked: &[Asked<'_>],
    found: &[Result<Option<MountTargetDescription>, DriverError>],
) -> BTreeMap<Parent, Result<Ownership, DriverError>> {
    let parents: BTreeSet<Parent> = asked
        .iter()
        .zip(found)
        .filter_map(|((_, query), found)| {
            let found = found.as_ref().ok()?.as_ref()?;
            Some(parent(query, found))
        })
        .collect();
    let answers = parents.into_iter().map(|(id, component)| async move {
        let owned = match driver.recall(&id) {
            // The file system of another component is a stranger's to this one.
            Some(seen) if seen.component != component => Ok(Ownership::Foreign),
            Some(seen) => Ok(seen.ownership),
            None => {
                let as_ours = ResourceId::new(&component, FILE_SYSTEM);
                file_system::ownership_of(driver, cx, &id, &as_ours).await.map(|owned| {
                    let owned = owned.unwrap_or(Ownership::Unknown);
                    driver.remember(&id, &component, owned);
                    owned
                })
            }
        };
        ((id, component), owned)
    });
    future::join_all(answers).await.into_iter().collect()
}

fn parent(query: &Query, found: &MountTargetDescription) -> Parent {
    (found.file_system_id.clone(), query.target.id.component.clone())
}

fn describe(
    cx: CallContext<'_>,
    query: &Query,
    found: &MountTargetDescription,
    groups: &Groups,
    owners: &BTreeMap<Parent, Result<Ownership, DriverError>>,
) -> Result<Observation, DriverError> {
    let owner = owners.get(&parent(query, found)).cloned();
    let ownership = owner.unwrap_or(Ok(Ownership::Unknown))?;
    let attributes = query.spec.as_ref().map_or(Json::Null, |spec| {
        attributes(&query.target, spec, found, groups.get(&found.mount_target_id))
    });
    let zone = found.availability_zone_name();
    let zone = zone.or_else(|| query.target.id.zone.as_ref().map(Zone::as_str));
    let name = dns_name(&found.file_system_id, &cx.owner.region);
    let outputs = [
        ("id", Some(found.mount_target_id.clone())),
        ("ip", found.ip_address.clone()),
        ("dns_name", zone.map(|zone| format!("{zone}.{name}"))),
        ("network_interface", found.network_interface_id.clone()),
    ];
    let known = |(name, value): (&str, Option<String>)| Some((name.to_owned(), json!(value?)));
    Ok(Observation {
        status: status_of(&found.life_cycle_state),
        remote_id: Some(found.mount_target_id.clone()),
        ownership,
        attributes,
        outputs: outputs.into_iter().filter_map(known).collect(),
    })
}

/// The mount target in the words of the specification. What EFS does not tell (yet) counts as asked.
fn attributes(
    target: &Target,
    spec: &Json,
    found: &MountTargetDescription,
    groups: Option<&Vec<String>>,
) -> Json {
    let asked = |key: &str| spec.get(key).cloned().unwrap_or(Json::Null);
    // One mount target serves its whole zone: in which of the zone's subnets it is makes no difference, and moving it when
    // another subnet is chosen would only cut clients off (domain.md 6.4).
    let zone = target.id.zone.as_ref().map(Zone::as_str);
    let in_zone = zone.is_some() && found.availability_zone_name() == zone;
    let subnet = if in_zone { asked("subnet_id") } else { json!(found.subnet_id) };
    let full = json!({
        "file_system_id": found.file_system_id,
        "subnet_id": subnet,
        "vpc_id": found.vpc_id().map_or_else(|| asked("vpc_id"), |vpc| json!(vpc)),
        "security_groups":
            groups.map_or_else(|| asked("security_groups"), |groups| in_order(&asked("security_groups"), groups)),
    });
    project(spec, &full)
}

/// Security groups have no order: the asked one, when they are the same.
fn in_order(asked: &Json, groups: &[String]) -> Json {
    let found: BTreeSet<&str> = groups.iter().map(String::as_str).collect();
    let wanted = asked.as_array().map(|items| items.iter().filter_map(Json::as_str).collect());
    if wanted.is_some_and(|wanted: BTreeSet<&str>| wanted == found) {
        asked.clone()
    } else {
        json!(found)
    }
}

pub(super) async fn create(
    driver: &EfsDriver,
    target: &Target,
    spec: &Json,
) -> Result<Created, DriverError> {
    let made = driver
        .efs
        .create_mount_target()
        .file_system_id(text(target, spec, "file_system_id")?)
        .subnet_id(text(target, spec, "subnet_id")?)
        .set_security_groups(Some(security_groups(target, spec)?))
        .send()
        .await
        .map_err(|error| of_writing("CreateMountTarget", error))?;
    Ok(Created { remote_id: Some(made.mount_target_id) })
}

pub(super) async fn update(
    driver: &EfsDriver,
    target: &Target,
    spec: &Json,
    differences: &[Difference],
) -> Result<(), DriverError> {
    let id = remote_id(target)?;
    let Some(first) = differences.first() else { return Ok(()) };
    if first.path.split('/').nth(1) != Some("security_groups") {
        return Err(cannot_change(target, first));
    }
    let call = driver.efs.modify_mount_target_security_groups().mount_target_id(id);
    let call = call.set_security_groups(Some(security_groups(target, spec)?));
    call.send().await.map_err(|error| of_writing("ModifyMountTargetSecurityGroups", error))?;
    Ok(())
}

pub(super) async fn delete(driver: &EfsDriver, target: &Target) -> Result<(), DriverError> {
    let id = remote_id(target)?;
    let done = driver.efs.delete_mount_target().mount_target_id(id).send().await;
    match done.map_err(|error| of_writing("DeleteMountTarget", error)) {
        // One that is being deleted already is refused for its state (terraform-provider-aws 12677).
        Err(error) if error.class == ErrorClass::Busy && error.message.contains("deleting") => {
            Ok(())
        }
        Err(error) if !is_not_found(&error) => Err(error),
        _ => Ok(()),
    }
}

/// The groups to send. None would mean the VPC's default group (domain.md 3.3), so there must be one.
fn security_groups(target: &Target, spec: &Json) -> Result<Vec<String>, DriverError> {
    let listed = spec.get("security_groups").and_then(Json::as_array);
    let groups: Option<Vec<String>> =
        listed.and_then(|items| items.iter().map(|item| Some(item.as_str()?.to_owned())).collect());
    groups.filter(|groups| !groups.is_empty()).ok_or_else(|| {
        let message = format!("{}: its security groups are not known yet", target.id);
        DriverError::new(ErrorClass::Bug, message)
    })
}
