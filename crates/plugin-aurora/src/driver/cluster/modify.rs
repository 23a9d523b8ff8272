//! ModifyDBCluster: every difference in one call, and nothing else (domain.md 4.6).

use aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDBClusterFluentBuilder;
use aws_sdk_rds::types::CloudwatchLogsExportConfiguration;
use serde_json::Value as Json;
use zonestack_aws::postgres::version::EngineVersion;
use zonestack_aws::spec::{Spec, changed_keys};
use zonestack_core::driver::{CallContext, Difference, DriverError, ErrorClass, Target};

use super::super::failure::changing;
use super::super::{AuroraDriver, Seen, name_of};
use super::create::capacity;

impl AuroraDriver {
    pub(in super::super) async fn modify_cluster(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let keys = changed_keys(differences);
        if keys.contains("master_password") {
            return self.set_password(cx, name, spec).await;
        }
        if keys.contains("tags") {
            return self.untag_restored(target).await;
        }
        let seen = self.seen(name);
        let mut call = self
            .client
            .modify_db_cluster()
            .db_cluster_identifier(name)
            .apply_immediately(Spec(spec).str("apply") == Some("now"));
        for key in keys {
            call = set(call, key, Spec(spec), &seen, differences).ok_or_else(|| {
                let message = format!("{key} of {name} cannot be changed in place");
                DriverError::new(ErrorClass::Unsupported, message)
            })?;
        }
        call.send().await.map_err(|error| changing("ModifyDBCluster", error))?;
        Ok(())
    }

    /// Alone, because it is set at once whatever else waits for the window.
    async fn set_password(
        &self,
        cx: CallContext<'_>,
        name: &str,
        spec: &Json,
    ) -> Result<(), DriverError> {
        let password = self.password(cx, spec).await?;
        self.client
            .modify_db_cluster()
            .db_cluster_identifier(name)
            .apply_immediately(true)
            .master_user_password(password.expose())
            .send()
            .await
            .map_err(|error| changing("ModifyDBCluster", error))?;
        self.memory().passwords_set.insert(name.to_owned());
        Ok(())
    }
}

/// Adds one field that differs; `None` for fields that RDS cannot change.
fn set(
    call: ModifyDBClusterFluentBuilder,
    key: &str,
    spec: Spec<'_>,
    seen: &Seen,
    differences: &[Difference],
) -> Option<ModifyDBClusterFluentBuilder> {
    Some(match key {
        "engine_version" => {
            let upgrade = is_major_upgrade(spec, differences);
            call.set_engine_version(spec.text(key))
                .set_allow_major_version_upgrade(upgrade.then_some(true))
        }
        "storage_type" => call.set_storage_type(spec.text(key)),
        "serverless" => call.set_serverless_v2_scaling_configuration(capacity(spec)),
        "port" => call.set_port(spec.int(key)),
        "security_groups" => call.set_vpc_security_group_ids(spec.texts(key)),
        "cluster_parameter_group" => call.set_db_cluster_parameter_group_name(spec.text(key)),
        "backup_retention_days" => call.set_backup_retention_period(spec.int(key)),
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

fn is_major_upgrade(spec: Spec<'_>, differences: &[Difference]) -> bool {
    let wanted = spec.str("engine_version").and_then(EngineVersion::answered);
    let change = differences.iter().find(|difference| difference.path == "/engine_version");
    let actual = change.and_then(|c| c.from.as_ref()?.as_str()).and_then(EngineVersion::answered);
    wanted.zip(actual).is_some_and(|(wanted, actual)| wanted.major > actual.major)
}

#[cfg(test)]
mod tests;
