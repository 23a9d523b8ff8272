//! ModifyDBInstance: every difference in one call, and nothing else (domain.md 4.6).

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::types::CloudwatchLogsExportConfiguration;
use serde_json::Value as Json;
use zonestack_aws::postgres::version::EngineVersion;
use zonestack_aws::spec::{Spec, changed_keys};
use zonestack_core::driver::{CallContext, Difference, DriverError, ErrorClass, Target};

use super::failure::changing;
use super::{RdsDriver, Seen, name_of};

impl RdsDriver {
    pub(super) async fn modify_instance(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let seen = self.seen(name).unwrap_or_default();
        let mut call = self
            .client
            .modify_db_instance()
            .db_instance_identifier(name)
            .apply_immediately(Spec(spec).str("apply") == Some("now"));
        for key in changed_keys(differences) {
            call = if key == "master_password" {
                call.master_user_password(self.password(cx, spec).await?.expose())
            } else {
                set(call, key, Spec(spec), &seen, differences).ok_or_else(|| {
                    let message = format!("{key} of {name} cannot be changed in place");
                    DriverError::new(ErrorClass::Unsupported, message)
                })?
            };
        }
        call.send().await.map_err(|error| changing("ModifyDBInstance", error))?;
        Ok(())
    }
}

/// Adds one field that differs; `None` for fields that RDS cannot change.
fn set(
    call: ModifyDBInstanceFluentBuilder,
    key: &str,
    spec: Spec<'_>,
    seen: &Seen,
    differences: &[Difference],
) -> Option<ModifyDBInstanceFluentBuilder> {
    Some(match key {
        "class" => call.set_db_instance_class(spec.text(key)),
        "engine_version" => {
            let upgrade = is_major_upgrade(spec, differences);
            call.set_engine_version(spec.text(key))
                .set_allow_major_version_upgrade(upgrade.then_some(true))
        }
        // RDS wants size, IOPS and throughput together where the three can be set, and takes the size that is there.
        "allocated_storage" | "storage_type" | "iops" | "storage_throughput" => {
            let allocated = spec.int("allocated_storage").max(seen.allocated_storage);
            let call = call
                .set_allocated_storage(allocated)
                .set_iops(spec.int("iops"))
                .set_storage_throughput(spec.int("storage_throughput"));
            if key == "storage_type" { call.set_storage_type(spec.text(key)) } else { call }
        }
        // A ceiling as high as the storage itself switches growing off.
        "max_allocated_storage" => {
            let allocated = spec.int("allocated_storage").max(seen.allocated_storage);
            let ceiling = spec.int(key).filter(|gib| *gib > 0);
            call.set_max_allocated_storage(ceiling.or(allocated))
        }
        "multi_az" => call.set_multi_az(spec.flag(key)),
        "port" => call.set_db_port_number(spec.int(key)),
        "security_groups" => call.set_vpc_security_group_ids(spec.texts(key)),
        "parameter_group" => {
            let group = spec.text(key).or_else(|| default_parameter_group(spec));
            call.set_db_parameter_group_name(group)
        }
        "publicly_accessible" => call.set_publicly_accessible(spec.flag(key)),
        "automated_backups" | "backup_retention_days" => {
            call.set_backup_retention_period(spec.int("backup_retention_days"))
        }
        "backup_window" => call.set_preferred_backup_window(spec.text(key)),
        "maintenance_window" => call.set_preferred_maintenance_window(spec.text(key)),
        "copy_tags_to_snapshot" => call.set_copy_tags_to_snapshot(spec.flag(key)),
        "auto_minor_version_upgrade" => call.set_auto_minor_version_upgrade(spec.flag(key)),
        "deletion_protection" => call.set_deletion_protection(spec.flag(key)),
        "engine_lifecycle_support" => call.set_engine_lifecycle_support(spec.text(key)),
        "log_exports" => {
            let wanted = spec.texts(key).unwrap_or_default();
            call.cloudwatch_logs_export_configuration(log_exports(&wanted, &seen.log_exports))
        }
        "performance_insights" => call.set_enable_performance_insights(spec.flag(key)),
        "ca_certificate" => call.set_ca_certificate_identifier(spec.text(key)),
        _ => return None,
    })
}

/// What to switch on and off. Neither may name what is so already.
fn log_exports(wanted: &[String], actual: &[String]) -> CloudwatchLogsExportConfiguration {
    let without = |list: &[String], other: &[String]| {
        let left: Vec<_> = list.iter().filter(|log| !other.contains(log)).cloned().collect();
        (!left.is_empty()).then_some(left)
    };
    CloudwatchLogsExportConfiguration::builder()
        .set_enable_log_types(without(wanted, actual))
        .set_disable_log_types(without(actual, wanted))
        .build()
}

fn default_parameter_group(spec: Spec<'_>) -> Option<String> {
    let version: EngineVersion = spec.str("engine_version")?.parse().ok()?;
    Some(format!("default.postgres{}", version.major))
}

fn is_major_upgrade(spec: Spec<'_>, differences: &[Difference]) -> bool {
    let wanted = spec.str("engine_version").and_then(EngineVersion::answered);
    let change = differences.iter().find(|difference| difference.path == "/engine_version");
    let actual = change.and_then(|c| c.from.as_ref()?.as_str()).and_then(EngineVersion::answered);
    wanted.zip(actual).is_some_and(|(wanted, actual)| wanted.major > actual.major)
}

#[cfg(test)]
mod tests;
