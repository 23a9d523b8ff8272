//! ModifyReplicationGroup: every difference in one call, but those that ElastiCache wants for themselves.

use aws_sdk_elasticache::operation::modify_replication_group::builders::ModifyReplicationGroupFluentBuilder;
use aws_sdk_elasticache::types::TransitEncryptionMode;
use serde_json::Value as Json;
use zonestack_core::driver::{CallContext, Difference, DriverError, ErrorClass, Target};

use super::failure::changing;
use super::spec::{Spec, changed_keys};
use super::{ElastiCacheDriver, mark, name_of};

impl ElastiCacheDriver {
    /// One call: what goes together first; then a step of encryption on the way; then nodes, which take longest.
    pub(super) async fn update_replication_group(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let mut keys = changed_keys(differences);
        let (zones, tls) = (keys.remove("zones"), keys.remove("tls"));
        let name = name_of(target)?;
        let call = self.client.modify_replication_group().replication_group_id(name);
        let call = if !keys.is_empty() {
            let now = Spec(spec).str("apply") == Some("now");
            keys.into_iter().try_fold(call.apply_immediately(now), |call, key| {
                set(call, key, Spec(spec), cx, target).ok_or_else(|| unchangeable(key, name))
            })?
        } else if tls {
            // The mode changes without an interruption, and at once only.
            encrypt(call.apply_immediately(true), Spec(spec), differences)
                .ok_or_else(|| unchangeable("tls", name))?
        } else if zones {
            return self.move_nodes(target, spec).await;
        } else {
            return Err(unchangeable("nothing", name));
        };
        call.send().await.map_err(|error| changing("ModifyReplicationGroup", error))?;
        Ok(())
    }
}

fn unchangeable(key: &str, name: &str) -> DriverError {
    let message = format!("{key} of {name} cannot be changed in place");
    DriverError::new(ErrorClass::Unsupported, message)
}

/// Adds one field that differs; `None` for fields that ElastiCache cannot change.
fn set(
    call: ModifyReplicationGroupFluentBuilder,
    key: &str,
    spec: Spec<'_>,
    cx: CallContext<'_>,
    target: &Target,
) -> Option<ModifyReplicationGroupFluentBuilder> {
    Some(match key {
        "description" => call.replication_group_description(mark::marked(
            spec.str(key).unwrap_or_default(),
            cx.owner,
            &target.id,
        )),
        "class" => call.set_cache_node_type(spec.text(key)),
        "engine_version" => call.set_engine_version(spec.text(key)),
        "parameter_group" => call.set_cache_parameter_group_name(spec.text(key)),
        "security_groups" => call.set_security_group_ids(spec.texts(key)),
        "automatic_failover" => call.set_automatic_failover_enabled(spec.flag(key)),
        "multi_az" => call.set_multi_az_enabled(spec.flag(key)),
        "snapshot_retention_days" => call.set_snapshot_retention_limit(spec.int(key)),
        "snapshot_window" => call.set_snapshot_window(spec.text(key)),
        "maintenance_window" => call.set_preferred_maintenance_window(spec.text(key)),
        "auto_minor_version_upgrade" => call.set_auto_minor_version_upgrade(spec.flag(key)),
        _ => return None,
    })
}

/// One step from a mode towards another: from none to `required` and back, the way leads over `preferred`.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption-enable.html>
fn encrypt(
    call: ModifyReplicationGroupFluentBuilder,
    spec: Spec<'_>,
    differences: &[Difference],
) -> Option<ModifyReplicationGroupFluentBuilder> {
    let change = differences.iter().find(|difference| difference.path == "/tls")?;
    let from = change.from.as_ref().and_then(Json::as_str)?;
    Some(match (from, spec.str("tls")?) {
        ("disabled", _) => call
            .transit_encryption_enabled(true)
            .transit_encryption_mode(TransitEncryptionMode::Preferred),
        ("required", _) => call.transit_encryption_mode(TransitEncryptionMode::Preferred),
        (_, "required") => call.transit_encryption_mode(TransitEncryptionMode::Required),
        (_, "disabled") => call.transit_encryption_enabled(false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
