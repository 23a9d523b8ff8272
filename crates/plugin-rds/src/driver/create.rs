//! CreateDBInstance: everything in one call, nothing left to the API's defaults (domain.md 4.3).

use aws_sdk_rds::types::Tag;
use serde_json::Value as Json;
use zonestack_aws::spec::Spec;
use zonestack_aws::tags;
use zonestack_core::driver::{CallContext, Created, DriverError, ErrorClass, Target};
use zonestack_core::secret::Sensitive;
use zonestack_core::value::as_secret;

use super::failure::changing;
use super::tagging::to_service;
use super::{RdsDriver, name_of};

/// What RDS takes as the length of a password.
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

impl RdsDriver {
    /// Makes the instance.
    ///
    /// A specification with a major version only is sent as it is: RDS takes `17` and chooses its default minor version
    /// (domain.md 4.1), which saves asking for it first. That the instance is there already comes back as
    /// [`ErrorClass::AlreadyExists`].
    pub(super) async fn create_instance(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let name = name_of(target)?;
        let password = self.password(cx, spec).await?;
        let tags: Vec<Tag> = to_service(tags::at_creation(spec, cx.owner, &target.id));
        let spec = Spec(spec);
        let answer = self
            .client
            .create_db_instance()
            .db_instance_identifier(name)
            .set_engine(spec.text("engine"))
            .set_engine_version(spec.text("engine_version"))
            .set_db_instance_class(spec.text("class"))
            .set_allocated_storage(spec.int("allocated_storage"))
            .set_max_allocated_storage(spec.int("max_allocated_storage").filter(|gib| *gib > 0))
            .set_storage_type(spec.text("storage_type"))
            .set_iops(spec.int("iops"))
            .set_storage_throughput(spec.int("storage_throughput"))
            .set_storage_encrypted(spec.flag("storage_encrypted"))
            .set_kms_key_id(spec.text("kms_key_id"))
            .set_multi_az(spec.flag("multi_az"))
            .set_availability_zone(spec.text("availability_zone"))
            .set_db_name(spec.text("database"))
            .set_master_username(spec.text("master_username"))
            .master_user_password(password.expose())
            .set_port(spec.int("port"))
            .set_db_subnet_group_name(spec.text("subnet_group"))
            .set_db_parameter_group_name(spec.text("parameter_group"))
            .set_vpc_security_group_ids(spec.texts("security_groups"))
            .set_publicly_accessible(spec.flag("publicly_accessible"))
            .set_backup_retention_period(spec.int("backup_retention_days"))
            .set_preferred_backup_window(spec.text("backup_window"))
            .set_preferred_maintenance_window(spec.text("maintenance_window"))
            .set_copy_tags_to_snapshot(spec.flag("copy_tags_to_snapshot"))
            .set_auto_minor_version_upgrade(spec.flag("auto_minor_version_upgrade"))
            .set_deletion_protection(spec.flag("deletion_protection"))
            .set_engine_lifecycle_support(spec.text("engine_lifecycle_support"))
            .set_enable_cloudwatch_logs_exports(
                spec.texts("log_exports").filter(|logs| !logs.is_empty()),
            )
            .set_enable_performance_insights(spec.flag("performance_insights"))
            .set_ca_certificate_identifier(spec.text("ca_certificate"))
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(|error| changing("CreateDBInstance", error))?;
        let arn = answer.db_instance().and_then(|db| db.db_instance_arn());
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
                "RDS does not take the password in {reference}: it must be 8 to 128 printable ASCII characters, without \
                 blanks and / \" @"
            )))
        }
    }
}

#[cfg(test)]
mod tests;
