//! FSx's answers in the words of a specification.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_fsx::types::{
    AdministrativeAction, AdministrativeActionType, DiskIopsConfiguration, FileSystem,
    FileSystemFailureDetails, FileSystemLifecycle, OpenZfsDeploymentType,
    OpenZfsFileSystemConfiguration, OpenZfsNfsExport, OpenZfsVolumeConfiguration,
    Status as ActionStatus, Tag, Volume,
};
use serde_json::{Value as Json, json};
use zonestack_aws::tags;
use zonestack_core::driver::Status;
use zonestack_core::projection::project;

/// The tag with the backup that a file system was filled from, which FSx does not tell.
pub(super) const RESTORED_FROM: &str = "zonestack:restored-from";

/// The tag with the security groups that a file system was made with, which FSx does not tell either.
pub(super) const SECURITY_GROUPS: &str = "zonestack:security-groups";

pub(super) fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    let tag = |tag: &Tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()));
    tags.iter().filter_map(tag).collect()
}

/// Where a file system stands (domain.md 5.1).
pub(super) fn status(found: &FileSystem, root: Option<&Volume>) -> Status {
    let Some(lifecycle) = found.lifecycle() else {
        // An emulator: AWS always tells.
        return Status::Ready;
    };
    let failed = || {
        let why = found.failure_details().and_then(FileSystemFailureDetails::message);
        Status::Failed(match why {
            Some(why) => format!("{}: {why}", lifecycle.as_str()),
            None => format!("FSx reports the state {}", lifecycle.as_str()),
        })
    };
    match lifecycle {
        FileSystemLifecycle::Available => {
            let root = root.map(Volume::administrative_actions).unwrap_or_default();
            let mut actions = found.administrative_actions().iter().chain(root);
            if actions.any(is_under_way) {
                Status::Busy(FileSystemLifecycle::Updating.as_str().to_owned())
            } else {
                Status::Ready
            }
        }
        FileSystemLifecycle::Updating => Status::Busy(lifecycle.as_str().to_owned()),
        FileSystemLifecycle::Deleting => Status::Deleting,
        FileSystemLifecycle::Failed
        | FileSystemLifecycle::Misconfigured
        | FileSystemLifecycle::MisconfiguredUnavailable => failed(),
        other => Status::Pending(other.as_str().to_owned()),
    }
}

/// A change that was accepted and has not taken effect. What is optimised afterwards takes hours and hinders nobody.
fn is_under_way(action: &AdministrativeAction) -> bool {
    let changes = matches!(
        action.administrative_action_type(),
        Some(AdministrativeActionType::FileSystemUpdate | AdministrativeActionType::VolumeUpdate)
    );
    changes && matches!(action.status(), Some(ActionStatus::Pending | ActionStatus::InProgress))
}

/// What shall be, where a change is under way, and otherwise what is.
struct Shown<'a> {
    found: &'a FileSystem,
    coming: Vec<&'a FileSystem>,
}

impl<'a> Shown<'a> {
    fn new(found: &'a FileSystem) -> Self {
        let under_way = found.administrative_actions().iter().filter(|a| is_under_way(a));
        Self {
            found,
            coming: under_way.filter_map(AdministrativeAction::target_file_system_values).collect(),
        }
    }

    fn of<T>(&self, value: impl Fn(&'a FileSystem) -> Option<T>) -> Option<T> {
        self.coming.iter().find_map(|coming| value(coming)).or_else(|| value(self.found))
    }

    fn configured<T>(
        &self,
        value: impl Fn(&'a OpenZfsFileSystemConfiguration) -> Option<T>,
    ) -> Option<T> {
        self.of(|found| found.open_zfs_configuration().and_then(&value))
    }
}

/// The file system in the words of the specification. What FSx does not tell (yet) counts as asked: a difference there would
/// be one of knowledge, not of the file system.
pub(super) fn attributes(
    spec: &Json,
    found: &FileSystem,
    root: Option<&Volume>,
    groups: &BTreeMap<String, Vec<String>>,
) -> Json {
    let shown = Shown::new(found);
    let asked = |key: &str| spec.get(key).cloned().unwrap_or(Json::Null);
    let or_asked = |key: &str, value: Option<Json>| value.unwrap_or_else(|| asked(key));
    let deployment = shown.configured(OpenZfsFileSystemConfiguration::deployment_type);
    let iops = shown.configured(OpenZfsFileSystemConfiguration::disk_iops_configuration);
    let found_tags = tags_of(found.tags());
    let mut full = json!({
        "deployment": or_asked("deployment", deployment.map(|found| json!(found.as_str()))),
        "multi_az": or_asked(
            "multi_az",
            deployment.map(|found| json!(*found == OpenZfsDeploymentType::MultiAz1)),
        ),
        "subnets": or_asked("subnets", sorted(found.subnet_ids())),
        "preferred_subnet": or_asked(
            "preferred_subnet",
            shown.configured(OpenZfsFileSystemConfiguration::preferred_subnet_id).map(Json::from),
        ),
        "security_groups": security_groups(
            &asked("security_groups"), found, groups, &found_tags,
        ),
        "kms_key_id": kms_key(&asked("kms_key_id"), found.kms_key_id()),
        "endpoint_range": or_asked(
            "endpoint_range",
            shown
                .configured(OpenZfsFileSystemConfiguration::endpoint_ip_address_range)
                .map(Json::from),
        ),
        "route_tables": or_asked("route_tables", shown.configured(|found| sorted(found.route_table_ids()))),
        "storage_gib": or_asked("storage_gib", shown.of(FileSystem::storage_capacity).map(Json::from)),
        "throughput_mbps": or_asked(
            "throughput_mbps",
            shown.configured(OpenZfsFileSystemConfiguration::throughput_capacity).map(Json::from),
        ),
        "iops_mode": or_asked(
            "iops_mode",
            iops.and_then(DiskIopsConfiguration::mode).map(|mode| json!(mode.as_str())),
        ),
        "iops": or_asked("iops", iops.and_then(DiskIopsConfiguration::iops).map(Json::from)),
        "backup_days": or_asked(
            "backup_days",
            shown
                .configured(OpenZfsFileSystemConfiguration::automatic_backup_retention_days)
                .map(Json::from),
        ),
        "backup_start": or_asked(
            "backup_start",
            shown
                .configured(OpenZfsFileSystemConfiguration::daily_automatic_backup_start_time)
                .map(Json::from),
        ),
        "backup_tags": or_asked(
            "backup_tags",
            shown.configured(OpenZfsFileSystemConfiguration::copy_tags_to_backups).map(Json::from),
        ),
        "maintenance": or_asked(
            "maintenance",
            shown
                .configured(OpenZfsFileSystemConfiguration::weekly_maintenance_start_time)
                .map(Json::from),
        ),
        "root_volume": or_asked("root_volume", root.map(|root| root_volume(&asked("root_volume"), root))),
        "tags": tags::to_json(&found_tags),
    });
    if let Some(backup) = found_tags.get(RESTORED_FROM) {
        full["backup"] = json!(backup);
    }
    project(spec, &full)
}

/// A list without an order of its own; `None` when FSx does not tell.
fn sorted(items: &[String]) -> Option<Json> {
    let items: BTreeSet<&String> = items.iter().collect();
    (!items.is_empty()).then(|| json!(items))
}

/// Those of the first network interface that has others than asked; an interface that EC2 does not show says nothing. Where
/// none is shown and what is asked is not known yet, those that it was made with.
fn security_groups(
    asked: &Json,
    found: &FileSystem,
    groups: &BTreeMap<String, Vec<String>>,
    tags: &BTreeMap<String, String>,
) -> Json {
    let known = found.network_interface_ids().iter().filter_map(|id| groups.get(id));
    if let Some(others) = known.map(|groups| json!(groups)).find(|groups| groups != asked) {
        return others;
    }
    let is_known = asked.as_array().is_some_and(|asked| asked.iter().all(Json::is_string));
    match tags.get(SECURITY_GROUPS).filter(|_| !is_known) {
        Some(made_with) => json!(made_with.split(' ').collect::<Vec<_>>()),
        None => asked.clone(),
    }
}

/// FSx answers with the key's ARN, whatever it was asked with. An alias cannot be compared without asking KMS, and the key
/// of a file system never changes: it counts as asked.
fn kms_key(asked: &Json, found: Option<&str>) -> Json {
    let (Some(name), Some(found)) = (asked.as_str(), found) else { return asked.clone() };
    let alias = name.starts_with("alias/") || name.contains(":alias/");
    if alias || found.rsplit('/').next() == Some(name) { asked.clone() } else { json!(found) }
}

fn root_volume(asked: &Json, root: &Volume) -> Json {
    let under_way = root.administrative_actions().iter().filter(|action| is_under_way(action));
    let coming: Vec<&Volume> =
        under_way.filter_map(AdministrativeAction::target_volume_values).collect();
    let states = || {
        let volumes = coming.iter().copied().chain([root]);
        volumes.filter_map(Volume::open_zfs_configuration)
    };
    let record_size = states().find_map(OpenZfsVolumeConfiguration::record_size_kib);
    let compression = states().find_map(OpenZfsVolumeConfiguration::data_compression_type);
    let told = |state: &OpenZfsVolumeConfiguration| state.nfs_exports.is_some();
    let or_asked = |key: &str, value: Option<Json>| {
        value.unwrap_or_else(|| asked.get(key).cloned().unwrap_or(Json::Null))
    };
    json!({
        "record_size_kib": or_asked("record_size_kib", record_size.map(Json::from)),
        "compression": or_asked("compression", compression.map(|found| json!(found.as_str()))),
        "exports": or_asked(
            "exports",
            states().find(|state| told(state)).map(|state| exports(&asked["exports"], state)),
        ),
    })
}

/// Who may mount, in order; the words of each in the order in which they were asked for.
fn exports(asked: &Json, state: &OpenZfsVolumeConfiguration) -> Json {
    let clients = state.nfs_exports().iter().flat_map(OpenZfsNfsExport::client_configurations);
    let mut listed: Vec<(&str, &[String])> =
        clients.map(|found| (found.clients().unwrap_or_default(), found.options())).collect();
    listed.sort_unstable();
    listed
        .into_iter()
        .map(|(clients, options)| {
            let there: BTreeSet<&str> = options.iter().map(String::as_str).collect();
            let same = |export: &&Json| {
                let words = export["options"].as_array().into_iter().flatten();
                export["clients"] == clients
                    && words.filter_map(Json::as_str).collect::<BTreeSet<_>>() == there
            };
            let asked = asked.as_array().into_iter().flatten().find(same).cloned();
            asked.unwrap_or_else(|| json!({ "clients": clients, "options": options }))
        })
        .collect()
}
