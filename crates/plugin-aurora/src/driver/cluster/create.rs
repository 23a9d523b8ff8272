//! CreateDBCluster and RestoreDBClusterFromSnapshot: everything in one call, nothing left to the API's defaults (domain.md 4.8).

use aws_sdk_rds::types::{ServerlessV2ScalingConfiguration, Tag};
use serde_json::Value as Json;
use zonestack_aws::spec::Spec;
use zonestack_aws::tags;
use zonestack_core::driver::{CallContext, Created, DriverError, ErrorClass, Target};
use zonestack_core::secret::Sensitive;
use zonestack_core::value::as_secret;

use super::super::failure::changing;
use super::super::tagging::{RESTORED, to_service};
use super::super::{AuroraDriver, name_of};
use super::answer::STANDARD;

/// What Aurora takes as the length of a password (domain.md 4.8).
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=41;

impl AuroraDriver {
    /// Makes the cluster, empty or from the snapshot that the specification names.
    ///
    /// A specification with a major version only is sent as it is: RDS takes `17` and chooses its default minor version
    /// (domain.md 4.1), which saves asking for it first. That the cluster is there already comes back as
    /// [`ErrorClass::AlreadyExists`].
    pub(in super::super) async fn make_cluster(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        // Resolved for a restored one too: a password that cannot be used is told before anything is made.
        let password = self.password(cx, spec).await?;
        let tags = to_service(tags::at_creation(spec, cx.owner, &target.id));
        let made = match Spec(spec).str("snapshot") {
            Some(snapshot) => self.restore_cluster(target, Spec(spec), snapshot, tags).await,
            None => self.create_cluster(target, Spec(spec), &password, tags).await,
        }?;
        // What an earlier cluster of this name was given says nothing of this one.
        self.memory().passwords_set.remove(name_of(target)?);
        Ok(made)
    }

    async fn create_cluster(
        &self,
        target: &Target,
        spec: Spec<'_>,
        password: &Sensitive<String>,
        tags: Vec<Tag>,
    ) -> Result<Created, DriverError> {
        let answer = self
            .client
            .create_db_cluster()
            .db_cluster_identifier(name_of(target)?)
            .set_engine(spec.text("engine"))
            .set_engine_version(spec.text("engine_version"))
            .set_storage_type(storage_type(spec))
            .set_serverless_v2_scaling_configuration(capacity(spec))
            .set_database_name(spec.text("database"))
            .set_master_username(spec.text("master_username"))
            .master_user_password(password.expose())
            .set_port(spec.int("port"))
            .set_db_subnet_group_name(spec.text("subnet_group"))
            .set_db_cluster_parameter_group_name(spec.text("cluster_parameter_group"))
            .set_vpc_security_group_ids(spec.texts("security_groups"))
            .set_storage_encrypted(spec.flag("storage_encrypted"))
            .set_kms_key_id(spec.text("kms_key_id"))
            .set_backup_retention_period(spec.int("backup_retention_days"))
            .set_preferred_backup_window(spec.text("backup_window"))
            .set_preferred_maintenance_window(spec.text("maintenance_window"))
            .set_copy_tags_to_snapshot(spec.flag("copy_tags_to_snapshot"))
            .set_auto_minor_version_upgrade(spec.flag("auto_minor_version_upgrade"))
            .set_deletion_protection(spec.flag("deletion_protection"))
            .set_engine_lifecycle_support(spec.text("engine_lifecycle_support"))
            .set_enable_cloudwatch_logs_exports(logs(spec))
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(|error| changing("CreateDBCluster", error))?;
        let arn = answer.db_cluster().and_then(|cluster| cluster.db_cluster_arn());
        Ok(Created { remote_id: arn.map(str::to_owned) })
    }

    /// Fills a new cluster from a snapshot. The call takes neither password nor maintenance window: those are differences
    /// afterwards. The password cannot be read, so a mark says that it is still the snapshot's, until it has been set.
    async fn restore_cluster(
        &self,
        target: &Target,
        spec: Spec<'_>,
        snapshot: &str,
        mut tags: Vec<Tag>,
    ) -> Result<Created, DriverError> {
        tags.push(Tag::builder().key(RESTORED).value(snapshot).build());
        let answer = self
            .client
            .restore_db_cluster_from_snapshot()
            .db_cluster_identifier(name_of(target)?)
            .snapshot_identifier(snapshot)
            .set_engine(spec.text("engine"))
            .set_engine_version(spec.text("engine_version"))
            .set_storage_type(storage_type(spec))
            .set_serverless_v2_scaling_configuration(capacity(spec))
            .set_port(spec.int("port"))
            .set_db_subnet_group_name(spec.text("subnet_group"))
            .set_db_cluster_parameter_group_name(spec.text("cluster_parameter_group"))
            .set_vpc_security_group_ids(spec.texts("security_groups"))
            .set_kms_key_id(spec.text("kms_key_id"))
            .set_backup_retention_period(spec.int("backup_retention_days"))
            .set_preferred_backup_window(spec.text("backup_window"))
            .set_copy_tags_to_snapshot(spec.flag("copy_tags_to_snapshot"))
            .set_deletion_protection(spec.flag("deletion_protection"))
            .set_engine_lifecycle_support(spec.text("engine_lifecycle_support"))
            .set_enable_cloudwatch_logs_exports(logs(spec))
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(|error| changing("RestoreDBClusterFromSnapshot", error))?;
        let arn = answer.db_cluster().and_then(|cluster| cluster.db_cluster_arn());
        Ok(Created { remote_id: arn.map(str::to_owned) })
    }

    /// The password, for the one call that sends it.
    pub(super) async fn password(
        &self,
        cx: CallContext<'_>,
        spec: &Json,
    ) -> Result<Sensitive<String>, DriverError> {
        let invalid = |message: String| DriverError::new(ErrorClass::Invalid, message);
        let reference = spec.get("master_password").and_then(as_secret).ok_or_else(|| {
            DriverError::new(ErrorClass::Bug, "the specification has no reference to the password")
        })?;
        let password = cx
            .secrets
            .resolve(&reference)
            .await
            .map_err(|error| invalid(format!("the password of the database: {error}")))?;
        let allowed = |c: char| c.is_ascii_graphic() && !"/\"@".contains(c);
        let value = password.expose();
        if PASSWORD_LENGTH.contains(&value.len()) && value.chars().all(allowed) {
            Ok(password)
        } else {
            Err(invalid(format!(
                "Aurora does not take the password in {reference}: it must be 8 to 41 printable ASCII characters, without \
                 blanks and / \" @"
            )))
        }
    }
}

/// Between which capacities the serverless instances scale.
pub(super) fn capacity(spec: Spec<'_>) -> Option<ServerlessV2ScalingConfiguration> {
    let units = spec.0.get("serverless")?;
    Some(
        ServerlessV2ScalingConfiguration::builder()
            .set_min_capacity(units.get("min").and_then(Json::as_f64))
            .set_max_capacity(units.get("max").and_then(Json::as_f64))
            .build(),
    )
}

/// Only what is not the default: AWS does not tell the standard sort either, and emulators do not know its name.
fn storage_type(spec: Spec<'_>) -> Option<String> {
    spec.text("storage_type").filter(|sort| sort != STANDARD)
}

fn logs(spec: Spec<'_>) -> Option<Vec<String>> {
    spec.texts("log_exports").filter(|logs| !logs.is_empty())
}

#[cfg(test)]
mod tests;
