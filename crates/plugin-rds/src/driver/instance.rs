//! Observing instances: one paged list of those that are asked for.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbInstance, Endpoint, Filter};
use serde_json::{Value as Json, json};
use zonestack_aws::postgres::state;
use zonestack_aws::tags;
use zonestack_core::driver::{CallContext, DriverError, Observation, Ownership, Query};

use super::failure::reading;
use super::tagging::from_service;
use super::{Observed, RdsDriver, Seen, answer, name_of};

impl RdsDriver {
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
                Some(instance) => {
                    self.remember(name, seen(instance));
                    Ok(observation(cx, query, name, instance))
                }
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
}

fn seen(instance: &DbInstance) -> Seen {
    Seen {
        status: instance.db_instance_status().unwrap_or_default().to_owned(),
        allocated_storage: instance.allocated_storage(),
        log_exports: answer::log_exports(instance).unwrap_or_default(),
    }
}

fn observation(
    cx: CallContext<'_>,
    query: &Query,
    name: &str,
    instance: &DbInstance,
) -> Observation {
    let tags = from_service(instance.tag_list());
    Observation {
        status: state::status(instance.db_instance_status().unwrap_or("unknown")),
        remote_id: instance.db_instance_arn().map(str::to_owned),
        ownership: ownership(cx, query, &tags, instance),
        attributes: query
            .spec
            .as_ref()
            .map_or(Json::Null, |spec| answer::attributes(spec, name, instance)),
        outputs: outputs(instance),
    }
}

/// A member of a cluster is no instance of this kind, whatever marks it carries: its name is taken, and it is not ours.
fn ownership(
    cx: CallContext<'_>,
    query: &Query,
    tags: &BTreeMap<String, String>,
    instance: &DbInstance,
) -> Ownership {
    if instance.db_cluster_identifier().is_some() {
        return Ownership::Foreign;
    }
    tags::ownership(tags, cx.owner, &query.target.id)
}

/// Those that are known: an instance has no endpoint before the end of its creation.
fn outputs(instance: &DbInstance) -> BTreeMap<String, Json> {
    let endpoint = instance.endpoint();
    let outputs = [
        ("address", endpoint.and_then(|endpoint| endpoint.address()).map(str::to_owned)),
        ("port", endpoint.and_then(Endpoint::port).map(|port| port.to_string())),
        ("arn", instance.db_instance_arn().map(str::to_owned)),
        ("resource_id", instance.dbi_resource_id().map(str::to_owned)),
        ("engine_version", instance.engine_version().map(str::to_owned)),
    ];
    outputs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect()
}

#[cfg(test)]
mod tests;
