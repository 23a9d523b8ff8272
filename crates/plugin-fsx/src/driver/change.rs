//! UpdateFileSystem, UpdateVolume, TagResource: one call for the first difference.

use std::collections::BTreeSet;

use aws_sdk_fsx::types::{
    FileSystem, OpenZfsFileSystemConfiguration, UpdateFileSystemOpenZfsConfiguration,
};
use serde_json::Value as Json;
use zonestack_aws::error::driver_error;
use zonestack_aws::{groups_of_interfaces, tags};
use zonestack_core::driver::{CallContext, Difference, DriverError, ErrorClass, Status, Target};

use super::failure::of_writing;
use super::file_system::by_id;
use super::shape::{Spec, tag_list};
use super::{FsxDriver, remote_id, shown};

/// Where the size stands.
const STORAGE: &str = "/storage_gib";

/// What of a specification one call changes.
enum Part {
    /// Storage and operations per second: FSx takes both at once, and more storage may need more of the other.
    Storage,
    Throughput,
    /// Backups and maintenance.
    Schedule,
    RouteTables,
    RootVolume,
    SecurityGroups,
    Tags,
}

impl Part {
    fn of(path: &str) -> Option<Self> {
        Some(match path.split('/').nth(1).unwrap_or_default() {
            "storage_gib" | "iops_mode" | "iops" => Self::Storage,
            "throughput_mbps" => Self::Throughput,
            "backup_days" | "backup_start" | "backup_tags" | "maintenance" => Self::Schedule,
            "route_tables" => Self::RouteTables,
            "root_volume" => Self::RootVolume,
            "security_groups" => Self::SecurityGroups,
            "tags" => Self::Tags,
            _ => return None,
        })
    }
}

pub(super) async fn update(
    driver: &FsxDriver,
    cx: CallContext<'_>,
    target: &Target,
    json: &Json,
    differences: &[Difference],
) -> Result<(), DriverError> {
    let id = remote_id(target)?;
    let Some(first) = differences.first() else { return Ok(()) };
    if let Some(grows) = differences.iter().find(|difference| difference.path == STORAGE) {
        enough(target, grows)?;
    }
    let Err(error) = attempt(driver, cx, target, json, id, first, differences).await else {
        return Ok(());
    };
    // FSx refuses one change during another in the same words as what it will never do.
    if error.class == ErrorClass::Invalid
        && let Ok(Some(found)) = by_id(driver, id).await
        && matches!(shown::status(&found, None), Status::Busy(_))
    {
        return Err(DriverError::new(ErrorClass::Busy, error.message));
    }
    Err(error)
}

async fn attempt(
    driver: &FsxDriver,
    cx: CallContext<'_>,
    target: &Target,
    json: &Json,
    id: &str,
    first: &Difference,
    differences: &[Difference],
) -> Result<(), DriverError> {
    let spec = Spec::new(target, json);
    let configuration = UpdateFileSystemOpenZfsConfiguration::builder;
    match Part::of(&first.path) {
        Some(Part::Storage) => storage(driver, id, spec, differences).await,
        Some(Part::Throughput) => {
            let throughput = spec.number("throughput_mbps");
            let change = configuration().set_throughput_capacity(throughput).build();
            configure(driver, id, change).await
        }
        Some(Part::Schedule) => configure(driver, id, spec.schedule()).await,
        Some(Part::RouteTables) => {
            let found = current(driver, target, id).await?;
            let wanted: BTreeSet<String> =
                spec.texts("route_tables")?.into_iter().flatten().collect();
            let there =
                found.open_zfs_configuration().map(OpenZfsFileSystemConfiguration::route_table_ids);
            let there: BTreeSet<String> = there.unwrap_or_default().iter().cloned().collect();
            let some = |tables: Vec<String>| (!tables.is_empty()).then_some(tables);
            let change = configuration()
                .set_add_route_table_ids(some(wanted.difference(&there).cloned().collect()))
                .set_remove_route_table_ids(some(there.difference(&wanted).cloned().collect()))
                .build();
            configure(driver, id, change).await
        }
        Some(Part::RootVolume) => {
            let found = current(driver, target, id).await?;
            let root = found
                .open_zfs_configuration()
                .and_then(OpenZfsFileSystemConfiguration::root_volume_id);
            let root = root.ok_or_else(|| untold(target, "its root volume"))?;
            let call = driver.fsx.update_volume().volume_id(root);
            let done = call.open_zfs_configuration(spec.root_volume_change()).send().await;
            done.map(drop).map_err(|error| of_writing("UpdateVolume", error))
        }
        Some(Part::SecurityGroups) => {
            let found = current(driver, target, id).await?;
            let wanted = spec.texts("security_groups")?.unwrap_or_default();
            security_groups(driver, &found, wanted).await
        }
        Some(Part::Tags) => {
            let found = current(driver, target, id).await?;
            let arn = found.resource_arn().ok_or_else(|| untold(target, "its ARN"))?;
            // All of them, so that marks that were taken off come back, too.
            let wanted = tag_list(tags::at_creation(json, cx.owner, &target.id));
            let call = driver.fsx.tag_resource().resource_arn(arn).set_tags(Some(wanted));
            call.send().await.map(drop).map_err(|error| of_writing("TagResource", error))
        }
        None => Err(cannot_change(target, first)),
    }
}

async fn configure(
    driver: &FsxDriver,
    id: &str,
    change: UpdateFileSystemOpenZfsConfiguration,
) -> Result<(), DriverError> {
    let call = driver.fsx.update_file_system().file_system_id(id).open_zfs_configuration(change);
    call.send().await.map(drop).map_err(|error| of_writing("UpdateFileSystem", error))
}

async fn storage(
    driver: &FsxDriver,
    id: &str,
    spec: Spec<'_>,
    differences: &[Difference],
) -> Result<(), DriverError> {
    let grows = differences.iter().any(|difference| difference.path == STORAGE);
    let iops = differences.iter().any(|d| ["/iops_mode", "/iops"].contains(&d.path.as_str()));
    let configuration = iops.then(|| {
        UpdateFileSystemOpenZfsConfiguration::builder()
            .set_disk_iops_configuration(spec.iops())
            .build()
    });
    let call = driver.fsx.update_file_system().file_system_id(id);
    let call = call.set_storage_capacity(spec.number("storage_gib").filter(|_| grows));
    let done = call.set_open_zfs_configuration(configuration).send().await;
    done.map(drop).map_err(|error| of_writing("UpdateFileSystem", error))
}

/// Storage grows by a tenth at least (FSx API, `UpdateFileSystem`).
fn enough(target: &Target, grows: &Difference) -> Result<(), DriverError> {
    let number = |json: &Option<Json>| json.as_ref().and_then(Json::as_u64);
    let (Some(from), Some(to)) = (number(&grows.from), number(&grows.to)) else { return Ok(()) };
    let least = (from * 11).div_ceil(10);
    if to >= least {
        return Ok(());
    }
    let message = format!(
        "{}: FSx grows storage by 10 % at least: from {from} GiB to {least} or more, not to {to}; set `storage: {least}`",
        target.id
    );
    Err(DriverError::new(ErrorClass::Invalid, message))
}

/// The groups of the first network interface that has others. FSx has no call for them (FSx for OpenZFS user guide,
/// "Managing file system access with Amazon VPC"); the interfaces are the file system's own.
async fn security_groups(
    driver: &FsxDriver,
    found: &FileSystem,
    wanted: Vec<String>,
) -> Result<(), DriverError> {
    let interfaces = found.network_interface_ids();
    let there = groups_of_interfaces(&driver.ec2, interfaces).await?;
    let sorted: BTreeSet<&String> = wanted.iter().collect();
    let differs = |groups: &Vec<String>| groups.iter().collect::<BTreeSet<_>>() != sorted;
    let Some((interface, _)) = there.iter().find(|(_, groups)| differs(groups)) else {
        return Ok(());
    };
    let call = driver.ec2.modify_network_interface_attribute().network_interface_id(interface);
    let done = call.set_groups(Some(wanted)).send().await;
    done.map(drop).map_err(|error| driver_error("ModifyNetworkInterfaceAttribute", error, true))
}

async fn current(driver: &FsxDriver, target: &Target, id: &str) -> Result<FileSystem, DriverError> {
    by_id(driver, id).await?.ok_or_else(|| {
        DriverError::new(ErrorClass::NotFound, format!("{}: {id} is not there", target.id))
    })
}

fn untold(target: &Target, what: &str) -> DriverError {
    let message = format!("{}: FSx does not tell {what}, so it cannot be changed", target.id);
    DriverError::new(ErrorClass::Unsupported, message)
}

/// A difference that no call can remove.
fn cannot_change(target: &Target, difference: &Difference) -> DriverError {
    let message = format!(
        "{}: FSx cannot change `{}` of what is there",
        target.id,
        difference.path.trim_start_matches('/')
    );
    DriverError::new(ErrorClass::Unsupported, message)
}
