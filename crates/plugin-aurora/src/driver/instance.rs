//! The instances of a cluster: observed by one paged list, made, changed and ended by a call each. The data, its backups and
//! its protection are the cluster's.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbInstance, Filter, PendingModifiedValues};
use serde_json::{Map, Value as Json, json};
use zonestack_aws::postgres::state;
use zonestack_aws::spec::{Spec, changed_keys};
use zonestack_aws::tags;
use zonestack_core::driver::{
    CallContext, Created, Difference, DriverError, ErrorClass, Observation, Query, Target,
};
use zonestack_core::projection::project;

use super::failure::{changing, code, reading};
use super::tagging::{from_service, to_service};
use super::{AuroraDriver, Observed, name_of};

impl AuroraDriver {
    pub(super) async fn observe_instances(
        &self,
        cx: CallContext<'_>,
        queries: Vec<(usize, &Query)>,
    ) -> Observed {
        let names: Vec<_> = queries.iter().filter_map(|(_, q)| q.target.name.clone()).collect();
        let listed = self.list_instances(names).await;
        let observe = |query: &Query| {
            let name = name_of(&query.target)?;
            match listed.as_ref().map_err(Clone::clone)?.get(name) {
                Some(instance) => Ok(observation(cx, query, instance)),
                None => Ok(Observation::absent()),
            }
        };
        queries.into_iter().map(|(index, query)| (index, observe(query))).collect()
    }

    /// The instances of these names, by name. The filter answers only those that exist, in pages of a hundred, however many
    /// others the account has.
    async fn list_instances(
        &self,
        names: Vec<String>,
    ) -> Result<BTreeMap<String, DbInstance>, DriverError> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let filter = Filter::builder().name("db-instance-id").set_values(Some(names)).build();
        let listed: Result<Vec<DbInstance>, _> = self
            .client
            .describe_db_instances()
            .filters(filter)
            .into_paginator()
            .items()
            .send()
            .collect()
            .await;
        let by_name =
            |instance: DbInstance| Some((instance.db_instance_identifier()?.to_owned(), instance));
        listed
            .map(|instances| instances.into_iter().filter_map(by_name).collect())
            .map_err(|error| reading("DescribeDBInstances", error))
    }

    /// Adds an instance to its cluster. The first one writes.
    pub(super) async fn create_instance(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let tags = to_service(tags::at_creation(spec, cx.owner, &target.id));
        let spec = Spec(spec);
        let answer = self
            .client
            .create_db_instance()
            .db_instance_identifier(name_of(target)?)
            .set_db_cluster_identifier(spec.text("cluster"))
            .set_engine(spec.text("engine"))
            .set_db_instance_class(spec.text("class"))
            .set_availability_zone(spec.text("availability_zone"))
            .set_publicly_accessible(spec.flag("publicly_accessible"))
            .set_auto_minor_version_upgrade(spec.flag("auto_minor_version_upgrade"))
            .set_enable_performance_insights(spec.flag("performance_insights"))
            .set_preferred_maintenance_window(spec.text("maintenance_window"))
            .set_ca_certificate_identifier(spec.text("ca_certificate"))
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(|error| changing("CreateDBInstance", error))?;
        let arn = answer.db_instance().and_then(|db| db.db_instance_arn());
        Ok(Created { remote_id: arn.map(str::to_owned) })
    }

    pub(super) async fn modify_instance(
        &self,
        target: &Target,
        spec: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let spec = Spec(spec);
        let mut call = self
            .client
            .modify_db_instance()
            .db_instance_identifier(name)
            .apply_immediately(spec.str("apply") == Some("now"));
        for key in changed_keys(differences) {
            call = match key {
                "class" => call.set_db_instance_class(spec.text(key)),
                "publicly_accessible" => call.set_publicly_accessible(spec.flag(key)),
                "auto_minor_version_upgrade" => call.set_auto_minor_version_upgrade(spec.flag(key)),
                "performance_insights" => call.set_enable_performance_insights(spec.flag(key)),
                "maintenance_window" => call.set_preferred_maintenance_window(spec.text(key)),
                "ca_certificate" => call.set_ca_certificate_identifier(spec.text(key)),
                _ => {
                    let message = format!("{key} of {name} cannot be changed in place");
                    return Err(DriverError::new(ErrorClass::Unsupported, message));
                }
            };
        }
        call.send().await.map_err(|error| changing("ModifyDBInstance", error))?;
        Ok(())
    }

    /// Starts the end of an instance. RDS makes no snapshot of one, and takes the last one of a protected cluster too: the
    /// data stays with the cluster.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DeleteInstance.html>
    pub(super) async fn delete_instance(&self, target: &Target) -> Result<(), DriverError> {
        let call = self
            .client
            .delete_db_instance()
            .db_instance_identifier(name_of(target)?)
            .skip_final_snapshot(true);
        let Err(error) = call.send().await else { return Ok(()) };
        let code = code(&error);
        let failed = changing("DeleteDBInstance", error);
        match code.as_deref() {
            Some("DBInstanceNotFound" | "DBInstanceNotFoundFault") => Ok(()),
            Some("InvalidDBInstanceState") if failed.message.contains("already being deleted") => {
                Ok(())
            }
            _ => Err(failed),
        }
    }
}

fn observation(cx: CallContext<'_>, query: &Query, instance: &DbInstance) -> Observation {
    let tags = from_service(instance.tag_list());
    let outputs = [
        ("address", instance.endpoint().and_then(|endpoint| endpoint.address())),
        ("arn", instance.db_instance_arn()),
        ("resource_id", instance.dbi_resource_id()),
    ];
    Observation {
        status: state::status(instance.db_instance_status().unwrap_or("unknown")),
        remote_id: instance.db_instance_arn().map(str::to_owned),
        ownership: tags::ownership(&tags, cx.owner, &query.target.id),
        attributes: query.spec.as_ref().map_or(Json::Null, |spec| attributes(spec, instance)),
        outputs: outputs
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
            .collect(),
    }
}

/// An instance in the words of its specification. What the answer leaves out never counts as a difference, but for the
/// cluster: an instance of this name that is in none is another thing.
fn attributes(spec: &Json, instance: &DbInstance) -> Json {
    let Some(wanted) = spec.as_object() else { return Json::Null };
    let pending = accepted(spec, instance);
    let actual: Map<String, Json> = wanted
        .iter()
        .map(|(key, wanted)| {
            (key.clone(), value(instance, pending, key).unwrap_or_else(|| wanted.clone()))
        })
        .collect();
    project(spec, &Json::Object(actual))
}

/// Changes that RDS has accepted and not carried out yet count as carried out, as for a cluster.
fn accepted<'a>(spec: &Json, instance: &'a DbInstance) -> Option<&'a PendingModifiedValues> {
    let now = Spec(spec).str("apply") == Some("now");
    let idle = instance.db_instance_status() == Some("available");
    instance.pending_modified_values().filter(|_| !(now && idle))
}

fn value(db: &DbInstance, pending: Option<&PendingModifiedValues>, key: &str) -> Option<Json> {
    let text = |text: Option<&str>| text.map(Json::from);
    match key {
        "engine" => text(db.engine()),
        "cluster" => Some(json!(db.db_cluster_identifier())),
        "class" => {
            text(pending.and_then(|p| p.db_instance_class()).or_else(|| db.db_instance_class()))
        }
        "availability_zone" => text(db.availability_zone()),
        "publicly_accessible" => db.publicly_accessible().map(Json::from),
        "auto_minor_version_upgrade" => db.auto_minor_version_upgrade().map(Json::from),
        "performance_insights" => db.performance_insights_enabled().map(Json::from),
        "maintenance_window" => text(db.preferred_maintenance_window()),
        "ca_certificate" => {
            let pending = pending.and_then(|p| p.ca_certificate_identifier());
            text(pending.or_else(|| db.ca_certificate_identifier()))
        }
        "tags" => db.tag_list.as_deref().map(|list| tags::to_json(&from_service(list))),
        // `apply` says how to change the instance and is nothing that it has.
        _ => None,
    }
}

#[cfg(test)]
mod tests;
