//! An instance as RDS describes it, in the words of its specification.
//!
//! What the answer leaves out never counts as a difference: AWS leaves out what does not apply, emulators leave out what
//! they do not model (`EngineLifecycleSupport`, `PerformanceInsightsEnabled`), and a difference that no call can mend would
//! come back for ever. The one absence with a meaning is that of `MaxAllocatedStorage`: storage does not grow.

use aws_sdk_rds::types::{DbInstance, Endpoint, PendingModifiedValues};
use serde_json::{Map, Value as Json, json};
use zonestack_aws::postgres::version::EngineVersion;
use zonestack_aws::spec::{Spec, in_the_order_of};
use zonestack_aws::tags;
use zonestack_core::projection::project;

use super::PARAMETER_GROUP_INFIX;
use super::tagging::from_service;

/// The attributes of an observation (see [`zonestack_core::driver::Observation::attributes`]).
pub(super) fn attributes(spec: &Json, name: &str, instance: &DbInstance) -> Json {
    let Some(wanted) = spec.as_object() else { return Json::Null };
    let reading = Reading { spec: Spec(spec), instance, pending: accepted(spec, instance) };
    let actual: Map<String, Json> = wanted
        .iter()
        .map(|(key, wanted)| {
            (key.clone(), reading.value(key, wanted).unwrap_or_else(|| wanted.clone()))
        })
        .collect();
    let mut attributes = project(spec, &Json::Object(actual));
    if let Some(attributes) = attributes.as_object_mut()
        && !wanted.contains_key("parameter_group")
        && let Some(group) = parameter_group(instance)
        && group.strip_prefix(name).is_some_and(|rest| rest.starts_with(PARAMETER_GROUP_INFIX))
    {
        // We attached it, for parameters that the stack file does not have any more.
        attributes.insert("parameter_group".to_owned(), json!(group));
    }
    attributes
}

/// Changes that RDS has accepted and not carried out yet count as carried out: otherwise the same change would be proposed
/// until the maintenance window (domain.md 4.6). With `apply: now` they do not as long as the instance could take them, so
/// that switching to `now` flushes what waits.
fn accepted<'a>(spec: &Json, instance: &'a DbInstance) -> Option<&'a PendingModifiedValues> {
    let now = Spec(spec).str("apply") == Some("now");
    let idle = instance.db_instance_status() == Some("available");
    instance.pending_modified_values().filter(|_| !(now && idle))
}

/// What will be, where RDS has accepted it, else what is.
fn settled<T>(pending: Option<T>, current: Option<T>) -> Option<T> {
    pending.or(current)
}

struct Reading<'a> {
    spec: Spec<'a>,
    instance: &'a DbInstance,
    pending: Option<&'a PendingModifiedValues>,
}

impl Reading<'_> {
    /// What the instance has for a key of the specification; `None` when the answer does not say.
    fn value(&self, key: &str, wanted: &Json) -> Option<Json> {
        let db = self.instance;
        let text = |text: Option<&str>| text.map(Json::from);
        let number = |number: Option<i32>| number.map(Json::from);
        let flag = |flag: Option<bool>| flag.map(Json::from);
        let pending = self.pending;
        match key {
            "engine" => text(db.engine()),
            "engine_version" => self.engine_version(wanted),
            "class" => {
                text(settled(pending.and_then(|p| p.db_instance_class()), db.db_instance_class()))
            }
            "allocated_storage" => self.allocated_storage(wanted),
            "max_allocated_storage" => Some(self.ceiling()),
            "storage_type" => {
                text(settled(pending.and_then(|p| p.storage_type()), db.storage_type()))
            }
            "iops" => number(settled(pending.and_then(PendingModifiedValues::iops), db.iops())),
            "storage_throughput" => number(settled(
                pending.and_then(PendingModifiedValues::storage_throughput),
                db.storage_throughput(),
            )),
            "multi_az" => {
                flag(settled(pending.and_then(PendingModifiedValues::multi_az), db.multi_az()))
            }
            "availability_zone" => text(db.availability_zone()),
            "database" => text(db.db_name()),
            "master_username" => text(db.master_username()),
            // The value cannot be read; `project` gives the reference back as it was asked.
            "master_password" => Some(json!("set")),
            "port" => number(self.port()),
            "security_groups" => self.security_groups(wanted),
            "subnet_group" => {
                text(db.db_subnet_group().and_then(|group| group.db_subnet_group_name()))
            }
            "parameter_group" => text(parameter_group(db)),
            "publicly_accessible" => flag(db.publicly_accessible()),
            "storage_encrypted" => flag(db.storage_encrypted()),
            "kms_key_id" => self.kms_key(wanted),
            "automated_backups" => self.backup_days().map(|days| json!(days > 0)),
            "backup_retention_days" => number(self.backup_days()),
            "backup_window" => text(db.preferred_backup_window()),
            "maintenance_window" => text(db.preferred_maintenance_window()),
            "copy_tags_to_snapshot" => flag(db.copy_tags_to_snapshot()),
            "auto_minor_version_upgrade" => flag(db.auto_minor_version_upgrade()),
            "deletion_protection" => flag(db.deletion_protection()),
            "engine_lifecycle_support" => text(db.engine_lifecycle_support()),
            "log_exports" => log_exports(db).map(|logs| in_the_order_of(wanted, logs)),
            "performance_insights" => flag(db.performance_insights_enabled()),
            "ca_certificate" => {
                let pending = pending.and_then(|p| p.ca_certificate_identifier());
                text(settled(pending, db.ca_certificate_identifier()))
            }
            "tags" => db.tag_list.as_deref().map(|list| tags::to_json(&from_service(list))),
            // `apply` says how to change the instance and is nothing that it has.
            _ => None,
        }
    }

    fn engine_version(&self, wanted: &Json) -> Option<Json> {
        let actual =
            settled(self.pending.and_then(|p| p.engine_version()), self.instance.engine_version())?;
        let automatic = self.spec.flag("auto_minor_version_upgrade").unwrap_or(false);
        let asked: Option<EngineVersion> = wanted.as_str().and_then(|text| text.parse().ok());
        let met = match (asked, EngineVersion::answered(actual)) {
            (Some(asked), Some(actual)) => asked.is_met_by(actual, automatic),
            _ => false,
        };
        Some(if met { wanted.clone() } else { json!(actual) })
    }

    /// Storage that has grown by itself is no difference: what is asked for is where it starts.
    fn allocated_storage(&self, wanted: &Json) -> Option<Json> {
        let pending = self.pending.and_then(PendingModifiedValues::allocated_storage);
        let actual = settled(pending, self.instance.allocated_storage())?;
        let grows = self.spec.int("max_allocated_storage").is_some_and(|ceiling| ceiling > 0);
        let enough =
            grows && self.spec.int("allocated_storage").is_some_and(|asked| actual >= asked);
        Some(if enough { wanted.clone() } else { json!(actual) })
    }

    /// How far storage grows by itself, 0 when it does not. RDS leaves the field out then; while it is being switched off, the
    /// ceiling is no higher than the storage.
    fn ceiling(&self) -> Json {
        let allocated = self.instance.allocated_storage().unwrap_or(0);
        let ceiling = self.instance.max_allocated_storage().filter(|ceiling| *ceiling > allocated);
        json!(ceiling.unwrap_or(0))
    }

    /// AWS says it in the endpoint and has 0 in `DbInstancePort`. An endpoint that is not RDS's own is an emulator's, whose
    /// port is the one it happened to get.
    fn port(&self) -> Option<i32> {
        let pending = self.pending.and_then(PendingModifiedValues::port);
        let endpoint = self
            .instance
            .endpoint()
            .filter(|endpoint| endpoint.address().is_some_and(|address| address.contains(".rds.")));
        let own = self.instance.db_instance_port().filter(|port| *port > 0);
        settled(pending, settled(endpoint.and_then(Endpoint::port), own))
    }

    fn security_groups(&self, wanted: &Json) -> Option<Json> {
        let groups = self.instance.vpc_security_groups.as_ref()?;
        let ids = groups.iter().filter(|group| group.status() != Some("removing"));
        let ids =
            ids.filter_map(|group| group.vpc_security_group_id().map(str::to_owned)).collect();
        Some(in_the_order_of(wanted, ids))
    }

    /// RDS answers the key's ARN, however it was named. An alias cannot be compared without asking KMS; a key never changes
    /// anyway.
    fn kms_key(&self, wanted: &Json) -> Option<Json> {
        let actual = self.instance.kms_key_id()?;
        let asked = wanted.as_str()?;
        let same = actual == asked
            || actual.ends_with(&format!(":key/{asked}"))
            || asked.contains("alias/")
            || !actual.starts_with("arn:");
        Some(if same { wanted.clone() } else { json!(actual) })
    }

    fn backup_days(&self) -> Option<i32> {
        let pending = self.pending.and_then(PendingModifiedValues::backup_retention_period);
        settled(pending, self.instance.backup_retention_period())
    }
}

/// The parameter group that is attached.
fn parameter_group(instance: &DbInstance) -> Option<&str> {
    instance.db_parameter_groups().first()?.db_parameter_group_name()
}

/// The logs that go to CloudWatch, with what is being switched on and without what is being switched off.
pub(super) fn log_exports(instance: &DbInstance) -> Option<Vec<String>> {
    let mut logs = instance.enabled_cloudwatch_logs_exports.clone()?;
    let pending = instance.pending_modified_values();
    if let Some(pending) = pending.and_then(|p| p.pending_cloudwatch_logs_exports()) {
        logs.extend_from_slice(pending.log_types_to_enable());
        logs.retain(|log| !pending.log_types_to_disable().contains(log));
    }
    Some(logs)
}

#[cfg(test)]
mod tests;
