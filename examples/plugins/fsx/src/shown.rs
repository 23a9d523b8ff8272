//! FSx's answers in the words of a specification.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_fsx::types::{
    AdministrativeAction, AdministrativeActionType, FileSystem, FileSystemFailureDetails,
    FileSystemLifecycle, OpenZfsFileSystemConfiguration, Status as ActionStatus, Tag,
};
use zonestack_sdk::aws::tags;
use zonestack_sdk::prelude::*;

/// The tag with the security groups that a file system was made with, which FSx does not tell.
pub(crate) const SECURITY_GROUPS: &str = "example:security-groups";

pub(crate) fn is_going(found: &FileSystem) -> bool {
    found.lifecycle() == Some(&FileSystemLifecycle::Deleting)
}

pub(crate) fn status(found: &FileSystem) -> Status {
    match found.lifecycle() {
        Some(FileSystemLifecycle::Available) => match coming(found).next() {
            Some(_) => Status::Busy("UPDATING".to_owned()),
            None => Status::Ready,
        },
        Some(FileSystemLifecycle::Updating) => Status::Busy("UPDATING".to_owned()),
        Some(FileSystemLifecycle::Deleting) => Status::Deleting,
        Some(
            state @ (FileSystemLifecycle::Failed
            | FileSystemLifecycle::Misconfigured
            | FileSystemLifecycle::MisconfiguredUnavailable),
        ) => {
            let why = found.failure_details().and_then(FileSystemFailureDetails::message);
            Status::Failed(format!("{}: {}", state.as_str(), why.unwrap_or("FSx does not say why")))
        }
        other => Status::Pending(other.map_or("unknown", |state| state.as_str()).to_owned()),
    }
}

/// What it will be when the changes that FSx has accepted have taken effect.
fn coming(found: &FileSystem) -> impl Iterator<Item = &FileSystem> {
    let under_way = found.administrative_actions().iter().filter(|action| {
        let kind = action.administrative_action_type();
        let waits = Some(&ActionStatus::Pending) == action.status();
        kind == Some(&AdministrativeActionType::FileSystemUpdate)
            && (waits || Some(&ActionStatus::InProgress) == action.status())
    });
    under_way.filter_map(AdministrativeAction::target_file_system_values)
}

/// The file system in the words of the specification: what it will be, then what it is. What FSx does not tell counts as asked: a
/// difference there would be one of knowledge, not of the file system.
pub(crate) fn attributes(spec: &Json, found: &FileSystem) -> Json {
    let states = || coming(found).chain([found]);
    let configured = || states().filter_map(FileSystem::open_zfs_configuration);
    let found_tags = tags_of(found.tags());
    let sorted = |items: &[String]| json!(items.iter().collect::<BTreeSet<_>>());
    let told = [
        ("subnets", Some(sorted(found.subnet_ids()))),
        (
            "preferred_subnet",
            configured()
                .find_map(OpenZfsFileSystemConfiguration::preferred_subnet_id)
                .map(Json::from),
        ),
        (
            "security_groups",
            found_tags
                .get(SECURITY_GROUPS)
                .map(|groups| json!(groups.split(' ').collect::<Vec<_>>())),
        ),
        ("storage_gib", states().find_map(FileSystem::storage_capacity).map(Json::from)),
        (
            "throughput_mbps",
            configured()
                .find_map(OpenZfsFileSystemConfiguration::throughput_capacity)
                .map(Json::from),
        ),
        (
            "backup_days",
            configured()
                .find_map(OpenZfsFileSystemConfiguration::automatic_backup_retention_days)
                .map(Json::from),
        ),
        ("route_tables", Some(sorted(&route_tables(found)))),
        ("tags", Some(tags::to_json(&found_tags))),
    ];
    let mut full = spec.clone();
    for (key, value) in told {
        if let Some(value) = value {
            full[key] = value;
        }
    }
    project(spec, &full)
}

pub(crate) fn route_tables(found: &FileSystem) -> Vec<String> {
    let configuration = found.open_zfs_configuration();
    configuration.map(|it| it.route_table_ids().to_vec()).unwrap_or_default()
}

pub(crate) fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    let tag = |tag: &Tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()));
    tags.iter().filter_map(tag).collect()
}

pub(crate) fn tag_list(tags: BTreeMap<String, String>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
