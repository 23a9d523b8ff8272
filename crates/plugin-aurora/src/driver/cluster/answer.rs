//! A cluster as RDS describes it, in the words of its specification.
//!
//! What the answer leaves out never counts as a difference: AWS leaves out what does not apply, emulators leave out what
//! they do not model, and a difference that no call can mend would come back for ever.

use aws_sdk_rds::types::{ClusterPendingModifiedValues, DbCluster};
use serde_json::{Map, Value as Json, json};
use zonestack_aws::postgres::version::EngineVersion;
use zonestack_aws::spec::{Spec, in_the_order_of};
use zonestack_aws::tags;
use zonestack_core::projection::project;

use super::super::tagging::{RESTORED, from_service};

/// The sort of storage that a cluster has when nothing is said.
pub(super) const STANDARD: &str = "aurora";
/// The other one.
const OPTIMIZED: &str = "aurora-iopt1";

/// The attributes of an observation (see [`zonestack_core::driver::Observation::attributes`]). `password_set`: this run has
/// given the cluster its password.
pub(super) fn attributes(spec: &Json, name: &str, cluster: &DbCluster, password_set: bool) -> Json {
    let Some(wanted) = spec.as_object() else { return Json::Null };
    let reading = Reading { spec: Spec(spec), cluster, pending: accepted(spec, cluster) };
    let actual: Map<String, Json> = wanted
        .iter()
        .map(|(key, wanted)| {
            (key.clone(), reading.value(key, wanted).unwrap_or_else(|| wanted.clone()))
        })
        .collect();
    let mut attributes = project(spec, &Json::Object(actual));
    if let Some(snapshot) = restored_from(cluster)
        && let Some(attributes) = attributes.as_object_mut()
    {
        if !password_set && wanted.contains_key("master_password") {
            let words = format!("that of the snapshot {name} was restored from");
            attributes.insert("master_password".to_owned(), json!(words));
        } else if let Some(tags) = attributes.get_mut("tags").and_then(Json::as_object_mut) {
            // Nothing but the password was missing: the mark has to go.
            tags.insert(RESTORED.to_owned(), json!(snapshot));
        }
    }
    attributes
}

/// The snapshot that a cluster was restored from whose password is not ours yet, as its mark says.
fn restored_from(cluster: &DbCluster) -> Option<String> {
    from_service(cluster.tag_list()).remove(RESTORED)
}

/// Changes that RDS has accepted and not carried out yet count as carried out: otherwise the same change would be proposed
/// until the maintenance window (domain.md 4.6). With `apply: now` they do not as long as the cluster could take them, so that
/// switching to `now` flushes what waits.
fn accepted<'a>(spec: &Json, cluster: &'a DbCluster) -> Option<&'a ClusterPendingModifiedValues> {
    let now = Spec(spec).str("apply") == Some("now");
    let idle = cluster.status() == Some("available");
    cluster.pending_modified_values().filter(|_| !(now && idle))
}

/// What will be, where RDS has accepted it, else what is.
fn settled<T>(pending: Option<T>, current: Option<T>) -> Option<T> {
    pending.or(current)
}

struct Reading<'a> {
    spec: Spec<'a>,
    cluster: &'a DbCluster,
    pending: Option<&'a ClusterPendingModifiedValues>,
}

impl Reading<'_> {
    /// What the cluster has for a key of the specification; `None` when the answer does not say.
    fn value(&self, key: &str, wanted: &Json) -> Option<Json> {
        let db = self.cluster;
        let text = |text: Option<&str>| text.map(Json::from);
        let number = |number: Option<i32>| number.map(Json::from);
        let flag = |flag: Option<bool>| flag.map(Json::from);
        let pending = self.pending;
        match key {
            "engine" => text(db.engine()),
            "engine_version" => self.engine_version(wanted),
            "storage_type" => Some(self.storage_type()),
            "serverless" => Some(self.serverless()),
            "database" => text(db.database_name()),
            "master_username" => text(db.master_username()),
            // The value cannot be read; `project` gives the reference back as it was asked.
            "master_password" => Some(json!("set")),
            "port" => number(db.port().filter(|port| *port > 0)),
            "security_groups" => self.security_groups(wanted),
            "subnet_group" => text(db.db_subnet_group()),
            "cluster_parameter_group" => text(db.db_cluster_parameter_group()),
            "storage_encrypted" => flag(db.storage_encrypted()),
            "kms_key_id" => self.kms_key(wanted),
            "backup_retention_days" => number(settled(
                pending.and_then(ClusterPendingModifiedValues::backup_retention_period),
                db.backup_retention_period(),
            )),
            "backup_window" => text(db.preferred_backup_window()),
            "maintenance_window" => text(db.preferred_maintenance_window()),
            "copy_tags_to_snapshot" => flag(db.copy_tags_to_snapshot()),
            "auto_minor_version_upgrade" => flag(db.auto_minor_version_upgrade()),
            "deletion_protection" => flag(db.deletion_protection()),
            "engine_lifecycle_support" => text(db.engine_lifecycle_support()),
            "log_exports" => log_exports(db).map(|logs| in_the_order_of(wanted, logs)),
            "tags" => db.tag_list.as_deref().map(|list| tags::to_json(&from_service(list))),
            // `apply` says how to change the cluster, `snapshot` what it was to be made from.
            _ => None,
        }
    }

    fn engine_version(&self, wanted: &Json) -> Option<Json> {
        let actual =
            settled(self.pending.and_then(|p| p.engine_version()), self.cluster.engine_version())?;
        let automatic = self.spec.flag("auto_minor_version_upgrade").unwrap_or(false);
        let asked: Option<EngineVersion> = wanted.as_str().and_then(|text| text.parse().ok());
        let met = match (asked, EngineVersion::answered(actual)) {
            (Some(asked), Some(actual)) => asked.is_met_by(actual, automatic),
            _ => false,
        };
        Some(if met { wanted.clone() } else { json!(actual) })
    }

    /// AWS leaves the field out for the standard sort; moto says `gp2`.
    fn storage_type(&self) -> Json {
        let actual =
            settled(self.pending.and_then(|p| p.storage_type()), self.cluster.storage_type());
        json!(if actual == Some(OPTIMIZED) { OPTIMIZED } else { STANDARD })
    }

    fn serverless(&self) -> Json {
        let there = self.cluster.serverless_v2_scaling_configuration();
        // Nothing there is a difference: instances of the class db.serverless need it.
        there.map_or(
            Json::Null,
            |units| json!({"min": units.min_capacity(), "max": units.max_capacity()}),
        )
    }

    fn security_groups(&self, wanted: &Json) -> Option<Json> {
        let groups = self.cluster.vpc_security_groups.as_ref()?;
        let ids = groups.iter().filter(|group| group.status() != Some("removing"));
        let ids =
            ids.filter_map(|group| group.vpc_security_group_id().map(str::to_owned)).collect();
        Some(in_the_order_of(wanted, ids))
    }

    /// RDS answers the key's ARN, however it was named. An alias cannot be compared without asking KMS; a key never changes
    /// anyway.
    fn kms_key(&self, wanted: &Json) -> Option<Json> {
        let actual = self.cluster.kms_key_id()?;
        let asked = wanted.as_str()?;
        let same = actual == asked
            || actual.ends_with(&format!(":key/{asked}"))
            || asked.contains("alias/")
            || !actual.starts_with("arn:");
        Some(if same { wanted.clone() } else { json!(actual) })
    }
}

/// The logs that go to CloudWatch, with what is being switched on and without what is being switched off.
pub(super) fn log_exports(cluster: &DbCluster) -> Option<Vec<String>> {
    let pending = cluster.pending_modified_values();
    let pending = pending.and_then(|p| p.pending_cloudwatch_logs_exports());
    if cluster.enabled_cloudwatch_logs_exports.is_none() && pending.is_none() {
        return None;
    }
    let mut logs = cluster.enabled_cloudwatch_logs_exports.clone().unwrap_or_default();
    if let Some(pending) = pending {
        logs.extend_from_slice(pending.log_types_to_enable());
        logs.retain(|log| !pending.log_types_to_disable().contains(log));
    }
    Some(logs)
}

#[cfg(test)]
mod tests;
