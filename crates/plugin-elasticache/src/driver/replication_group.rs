//! Observing replication groups: a list of them, a list of their nodes, and the tags of those that are asked for.

use std::collections::BTreeMap;

use aws_sdk_elasticache::types::{CacheCluster, Endpoint, ReplicationGroup};
use futures::future::join_all;
use serde_json::{Value as Json, json};
use zonestack_aws::tags;
use zonestack_core::driver::{CallContext, DriverError, ErrorClass, Observation, Query};

use super::answer::{self, Found};
use super::failure::reading;
use super::{ElastiCacheDriver, Observed, mark, name_of, state};

impl ElastiCacheDriver {
    pub(super) async fn observe_replication_groups(
        &self,
        cx: CallContext<'_>,
        queries: Vec<(usize, &Query)>,
    ) -> Observed {
        if queries.is_empty() {
            return Vec::new();
        }
        let listed = self.list(&queries).await;
        let observe = async |(index, query): (usize, &Query)| {
            let observed = match (&listed, name_of(&query.target)) {
                (Err(error), _) => Err(error.clone()),
                (_, Err(error)) => Err(error),
                (Ok((groups, clusters)), Ok(name)) => match groups.get(name) {
                    Some(group) => self.observe_group(cx, query, name, group, clusters).await,
                    None => Ok(Observation::absent()),
                },
            };
            (index, observed)
        };
        join_all(queries.into_iter().map(observe)).await
    }

    /// The replication groups of the region by name, and, when one of them is asked for, all nodes: ElastiCache offers no
    /// filter for either.
    async fn list(
        &self,
        queries: &[(usize, &Query)],
    ) -> Result<(BTreeMap<String, ReplicationGroup>, Vec<CacheCluster>), DriverError> {
        let listed = self.list_replication_groups().await?;
        let named =
            |group: ReplicationGroup| Some((group.replication_group_id()?.to_owned(), group));
        let groups: BTreeMap<_, _> = listed.into_iter().filter_map(named).collect();
        let is_there = |(_, query): &(usize, &Query)| {
            query.target.name.as_ref().is_some_and(|name| groups.contains_key(name))
        };
        let clusters =
            if queries.iter().any(is_there) { self.list_clusters().await? } else { Vec::new() };
        Ok((groups, clusters))
    }

    pub(super) async fn list_replication_groups(
        &self,
    ) -> Result<Vec<ReplicationGroup>, DriverError> {
        let call = self.client.describe_replication_groups();
        let listed: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
        listed.map_err(|error| reading("DescribeReplicationGroups", error))
    }

    async fn list_clusters(&self) -> Result<Vec<CacheCluster>, DriverError> {
        let call = self.client.describe_cache_clusters();
        let listed: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
        listed.map_err(|error| reading("DescribeCacheClusters", error))
    }

    async fn observe_group(
        &self,
        cx: CallContext<'_>,
        query: &Query,
        name: &str,
        group: &ReplicationGroup,
        clusters: &[CacheCluster],
    ) -> Result<Observation, DriverError> {
        let own = clusters.iter().filter(|cluster| cluster.replication_group_id() == Some(name));
        let found = Found { group, clusters: own.collect(), tags: self.tags_if_told(group).await? };
        let nodes = answer::nodes(group);
        self.remember(|seen| {
            seen.nodes.insert(name.to_owned(), nodes);
        });
        let description = group.description().unwrap_or_default();
        let states = found.clusters.iter().filter_map(|cluster| cluster.cache_cluster_status());
        Ok(Observation {
            status: state::status(group.status().unwrap_or("unknown"), states),
            remote_id: group.arn().map(str::to_owned),
            ownership: match &found.tags {
                Some(tags) => tags::ownership(tags, cx.owner, &query.target.id),
                None => mark::ownership(description, cx.owner),
            },
            outputs: outputs(&found),
            attributes: query
                .spec
                .as_ref()
                .map_or(Json::Null, |spec| answer::attributes(spec, &found)),
        })
    }

    /// Its tags. ElastiCache tells them only while it is available (reliability.md B.1), which may end between two calls.
    pub(super) async fn tags_if_told(
        &self,
        group: &ReplicationGroup,
    ) -> Result<Option<BTreeMap<String, String>>, DriverError> {
        let Some(arn) = group.arn().filter(|_| group.status() == Some(state::AVAILABLE)) else {
            return Ok(None);
        };
        match self.tags_of(arn).await {
            Ok(tags) => Ok(Some(tags)),
            Err(error) if matches!(error.class, ErrorClass::Busy | ErrorClass::NotFound) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Those that are known: there is no endpoint before the end of the creation.
fn outputs(found: &Found<'_>) -> BTreeMap<String, Json> {
    let shard = found.group.node_groups().first();
    let endpoint = shard.and_then(|shard| shard.primary_endpoint());
    let version = found.clusters.first().and_then(|cluster| cluster.engine_version());
    let outputs = [
        ("address", endpoint.and_then(|endpoint| endpoint.address()).map(str::to_owned)),
        ("port", endpoint.and_then(Endpoint::port).map(|port| port.to_string())),
        ("arn", found.group.arn().map(str::to_owned)),
        ("engine_version", version.map(str::to_owned)),
    ];
    outputs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect()
}

#[cfg(test)]
mod tests;
