//! CreateReplicationGroup: everything in one call, nothing left to the API's defaults (domain.md 5.5).

use aws_sdk_elasticache::types::{ClusterMode, Tag, TransitEncryptionMode};
use serde_json::Value as Json;
use zonestack_aws::tags;
use zonestack_core::driver::{CallContext, Created, DriverError, ErrorClass, Target};
use zonestack_core::secret::Sensitive;
use zonestack_core::value::as_secret;

use super::failure::changing;
use super::spec::Spec;
use super::tagging::to_service;
use super::{ElastiCacheDriver, mark, name_of};

/// What ElastiCache takes as the length of a password.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 16..=128;
/// What it takes in a password besides letters and digits.
const TOKEN_SIGNS: &str = "!&#$^<>-";

impl ElastiCacheDriver {
    /// Makes the replication group: a primary in the first of its zones, a replica in each of the others. That it is there
    /// already comes back as [`ErrorClass::AlreadyExists`].
    pub(super) async fn create_replication_group(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let name = name_of(target)?;
        let token = self.token(cx, spec).await?;
        let tags: Vec<Tag> = to_service(tags::at_creation(spec, cx.owner, &target.id));
        let spec = Spec(spec);
        let description =
            mark::marked(spec.str("description").unwrap_or_default(), cx.owner, &target.id);
        let zones = spec.texts("zones").unwrap_or_default();
        let tls = spec.str("tls").filter(|mode| *mode != "disabled");
        let preferred = tls == Some("preferred");
        let answer = self
            .client
            .create_replication_group()
            .replication_group_id(name)
            .replication_group_description(description)
            .set_engine(spec.text("engine"))
            .set_engine_version(spec.text("engine_version"))
            .set_cache_node_type(spec.text("class"))
            .set_num_cache_clusters(i32::try_from(zones.len()).ok())
            .set_preferred_cache_cluster_azs(Some(zones))
            .set_automatic_failover_enabled(spec.flag("automatic_failover"))
            .set_multi_az_enabled(spec.flag("multi_az"))
            .cluster_mode(ClusterMode::Disabled)
            .set_port(spec.int("port"))
            .set_cache_subnet_group_name(spec.text("subnet_group"))
            .set_cache_parameter_group_name(spec.text("parameter_group"))
            .set_security_group_ids(spec.texts("security_groups"))
            .transit_encryption_enabled(tls.is_some())
            // `required` is what encryption means without a mode, which versions before 7 do not know.
            .set_transit_encryption_mode(preferred.then_some(TransitEncryptionMode::Preferred))
            .set_auth_token(token.as_ref().map(|token| token.expose().to_owned()))
            .set_at_rest_encryption_enabled(spec.flag("at_rest_encryption"))
            .set_kms_key_id(spec.text("kms_key_id"))
            .set_snapshot_retention_limit(spec.int("snapshot_retention_days"))
            .set_snapshot_window(spec.text("snapshot_window"))
            .set_preferred_maintenance_window(spec.text("maintenance_window"))
            .set_auto_minor_version_upgrade(spec.flag("auto_minor_version_upgrade"))
            .set_snapshot_name(spec.text("snapshot"))
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(|error| changing("CreateReplicationGroup", error))?;
        let arn = answer.replication_group().and_then(|group| group.arn());
        Ok(Created { remote_id: arn.map(str::to_owned) })
    }

    /// The password, for the one call that sends it; `None` when none is asked for.
    async fn token(
        &self,
        cx: CallContext<'_>,
        spec: &Json,
    ) -> Result<Option<Sensitive<String>>, DriverError> {
        let invalid = |message: String| DriverError::new(ErrorClass::Invalid, message);
        let Some(value) = spec.get("auth_token") else { return Ok(None) };
        let reference = as_secret(value).ok_or_else(|| {
            DriverError::new(ErrorClass::Bug, "the specification has no reference to the password")
        })?;
        let token = cx
            .secrets
            .resolve(&reference)
            .await
            .map_err(|error| invalid(format!("the password of the cache: {error}")))?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || TOKEN_SIGNS.contains(c);
        let value = token.expose();
        if TOKEN_LENGTH.contains(&value.len()) && value.chars().all(allowed) {
            Ok(Some(token))
        } else {
            Err(invalid(format!(
                "ElastiCache does not take the password in {reference}: it must be 16 to 128 letters, digits and \
                 ! & # $ ^ < > -"
            )))
        }
    }
}

#[cfg(test)]
mod tests;
