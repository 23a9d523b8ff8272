//! Observing clusters: one paged list of those that are asked for.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbCluster, Filter};
use serde_json::{Value as Json, json};
use zonestack_aws::tags;
use zonestack_core::driver::{CallContext, DriverError, Observation, Query};

use super::failure::reading;
use super::tagging::from_service;
use super::{AuroraDriver, Observed, Seen, name_of};

mod answer; // a cluster in the words of its specification
mod create; // the calls that make a cluster
mod delete; // the call that ends a cluster
mod modify; // the calls that change a cluster
pub(super) mod state; // the service's words for the states of a cluster

impl AuroraDriver {
    pub(super) async fn observe_clusters(
        &self,
        cx: CallContext<'_>,
        queries: Vec<(usize, &Query)>,
    ) -> Observed {
        let names: Vec<_> = queries.iter().filter_map(|(_, q)| q.target.name.clone()).collect();
        let listed = self.list_clusters(names).await;
        let observe = |query: &Query| {
            let name = name_of(&query.target)?;
            match listed.as_ref().map_err(Clone::clone)?.get(name) {
                Some(cluster) => Ok(self.observation(cx, query, name, cluster)),
                None => Ok(Observation::absent()),
            }
        };
        queries.into_iter().map(|(index, query)| (index, observe(query))).collect()
    }

    /// The clusters of these names, by name. The filter answers only those that exist, in pages of a hundred, however many
    /// others the account has.
    async fn list_clusters(
        &self,
        names: Vec<String>,
    ) -> Result<BTreeMap<String, DbCluster>, DriverError> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let filter = Filter::builder().name("db-cluster-id").set_values(Some(names)).build();
        let listed: Result<Vec<DbCluster>, _> = self
            .client
            .describe_db_clusters()
            .filters(filter)
            .into_paginator()
            .items()
            .send()
            .collect()
            .await;
        let by_name =
            |cluster: DbCluster| Some((cluster.db_cluster_identifier()?.to_owned(), cluster));
        listed
            .map(|clusters| clusters.into_iter().filter_map(by_name).collect())
            .map_err(|error| reading("DescribeDBClusters", error))
    }

    fn observation(
        &self,
        cx: CallContext<'_>,
        query: &Query,
        name: &str,
        cluster: &DbCluster,
    ) -> Observation {
        let password_set = {
            let mut memory = self.memory();
            memory.seen.insert(name.to_owned(), seen(cluster));
            memory.passwords_set.contains(name)
        };
        let tags = from_service(cluster.tag_list());
        Observation {
            status: state::status(cluster.status().unwrap_or("unknown")),
            remote_id: cluster.db_cluster_arn().map(str::to_owned),
            ownership: tags::ownership(&tags, cx.owner, &query.target.id),
            attributes: query
                .spec
                .as_ref()
                .map_or(Json::Null, |spec| answer::attributes(spec, name, cluster, password_set)),
            outputs: outputs(cluster),
        }
    }
}

fn seen(cluster: &DbCluster) -> Seen {
    Seen {
        status: cluster.status().unwrap_or_default().to_owned(),
        log_exports: answer::log_exports(cluster).unwrap_or_default(),
    }
}

fn outputs(cluster: &DbCluster) -> BTreeMap<String, Json> {
    let outputs = [
        ("address", cluster.endpoint().map(str::to_owned)),
        ("reader_address", cluster.reader_endpoint().map(str::to_owned)),
        ("port", cluster.port().map(|port| port.to_string())),
        ("arn", cluster.db_cluster_arn().map(str::to_owned)),
        ("resource_id", cluster.db_cluster_resource_id().map(str::to_owned)),
        ("engine_version", cluster.engine_version().map(str::to_owned)),
    ];
    outputs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect()
}

#[cfg(test)]
mod tests;
