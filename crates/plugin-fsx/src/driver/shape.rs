//! A specification in FSx's own words.

use std::collections::BTreeMap;

use aws_sdk_fsx::types::{
    CreateFileSystemOpenZfsConfiguration, DiskIopsConfiguration, DiskIopsConfigurationMode,
    OpenZfsClientConfiguration, OpenZfsCreateRootVolumeConfiguration, OpenZfsDataCompressionType,
    OpenZfsDeploymentType, OpenZfsNfsExport, Tag, UpdateFileSystemOpenZfsConfiguration,
    UpdateOpenZfsVolumeConfiguration,
};
use serde_json::Value as Json;
use zonestack_core::driver::{DriverError, ErrorClass, Target};

/// A specification, read field by field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec<'a> {
    target: &'a Target,
    json: &'a Json,
}

impl<'a> Spec<'a> {
    pub(super) fn new(target: &'a Target, json: &'a Json) -> Self {
        Self { target, json }
    }

    /// A text that every specification has.
    fn required(&self, key: &str) -> Result<&'a str, DriverError> {
        self.text(key).ok_or_else(|| self.unknown(key))
    }

    fn unknown(&self, key: &str) -> DriverError {
        let message =
            format!("{}: `{key}` is not known yet, but the call needs it", self.target.id);
        DriverError::new(ErrorClass::Bug, message)
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.json.get(key).and_then(Json::as_str)
    }

    fn optional(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    pub(super) fn number(&self, key: &str) -> Option<i32> {
        self.json.get(key).and_then(Json::as_i64).and_then(|number| number.try_into().ok())
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.json.get(key).and_then(Json::as_bool)
    }

    /// A list of texts, each of which is known.
    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<String>>, DriverError> {
        let Some(list) = self.json.get(key).and_then(Json::as_array) else { return Ok(None) };
        let text = |item: &Json| item.as_str().map(str::to_owned).ok_or_else(|| self.unknown(key));
        list.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// The subnets, in order.
    pub(super) fn subnets(&self) -> Result<Vec<String>, DriverError> {
        self.texts("subnets")?.ok_or_else(|| self.unknown("subnets"))
    }

    /// How a new file system is to be.
    pub(super) fn creation(&self) -> Result<CreateFileSystemOpenZfsConfiguration, DriverError> {
        let deployment = OpenZfsDeploymentType::from(self.required("deployment")?);
        // Asked for where there is a choice.
        let preferred = (deployment == OpenZfsDeploymentType::MultiAz1)
            .then(|| self.optional("preferred_subnet"))
            .flatten();
        Ok(CreateFileSystemOpenZfsConfiguration::builder()
            .deployment_type(deployment)
            .set_throughput_capacity(self.number("throughput_mbps"))
            .set_disk_iops_configuration(self.iops())
            .set_preferred_subnet_id(preferred)
            .set_endpoint_ip_address_range(self.optional("endpoint_range"))
            .set_route_table_ids(self.texts("route_tables")?)
            .root_volume_configuration(self.root_volume())
            .set_automatic_backup_retention_days(self.number("backup_days"))
            .set_daily_automatic_backup_start_time(self.optional("backup_start"))
            .set_copy_tags_to_backups(self.flag("backup_tags"))
            .set_weekly_maintenance_start_time(self.optional("maintenance"))
            .build())
    }

    /// Operations per second, or that FSx chooses them.
    pub(super) fn iops(&self) -> Option<DiskIopsConfiguration> {
        let mode = DiskIopsConfigurationMode::from(self.text("iops_mode")?);
        let iops = self.json.get("iops").and_then(Json::as_i64);
        Some(DiskIopsConfiguration::builder().mode(mode).set_iops(iops).build())
    }

    /// Backups and maintenance, all that the specification has of them.
    pub(super) fn schedule(&self) -> UpdateFileSystemOpenZfsConfiguration {
        UpdateFileSystemOpenZfsConfiguration::builder()
            .set_automatic_backup_retention_days(self.number("backup_days"))
            .set_daily_automatic_backup_start_time(self.optional("backup_start"))
            .set_copy_tags_to_backups(self.flag("backup_tags"))
            .set_weekly_maintenance_start_time(self.optional("maintenance"))
            .build()
    }

    fn root_volume(&self) -> OpenZfsCreateRootVolumeConfiguration {
        OpenZfsCreateRootVolumeConfiguration::builder()
            .set_record_size_kib(self.root().number("record_size_kib"))
            .set_data_compression_type(self.compression())
            .nfs_exports(self.exports())
            .build()
    }

    /// The root volume as it shall become.
    pub(super) fn root_volume_change(&self) -> UpdateOpenZfsVolumeConfiguration {
        UpdateOpenZfsVolumeConfiguration::builder()
            .set_record_size_kib(self.root().number("record_size_kib"))
            .set_data_compression_type(self.compression())
            .nfs_exports(self.exports())
            .build()
    }

    fn root(&self) -> Self {
        Self { json: self.json.get("root_volume").unwrap_or(&Json::Null), ..*self }
    }

    fn compression(&self) -> Option<OpenZfsDataCompressionType> {
        self.root().text("compression").map(OpenZfsDataCompressionType::from)
    }

    fn exports(&self) -> OpenZfsNfsExport {
        let listed = self.root().json.get("exports").and_then(Json::as_array);
        let clients = listed.into_iter().flatten().map(|export| {
            let options = export.get("options").and_then(Json::as_array).into_iter().flatten();
            let options = options.filter_map(Json::as_str).map(str::to_owned).collect();
            OpenZfsClientConfiguration::builder()
                .set_clients(export.get("clients").and_then(Json::as_str).map(str::to_owned))
                .set_options(Some(options))
                .build()
        });
        OpenZfsNfsExport::builder().set_client_configurations(Some(clients.collect())).build()
    }
}

pub(super) fn tag_list(tags: BTreeMap<String, String>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
