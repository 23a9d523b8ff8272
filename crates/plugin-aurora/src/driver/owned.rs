//! Everything that carries the marks of a stack: clusters and instances show their tags in their lists, parameter groups are
//! asked one by one, those whose name begins as the stack's names do. The subnet group is the `rds` driver's to tell.

use aws_sdk_rds::types::{DbCluster, DbClusterParameterGroup, DbInstance};
use futures::stream::{self, StreamExt, TryStreamExt};
use zonestack_aws::postgres::state;
use zonestack_aws::tags;
use zonestack_core::driver::{DriverError, ErrorClass, Owned, Owner, Status};

use super::failure::reading;
use super::tagging::from_service;
use super::{AuroraDriver, CLUSTER, INSTANCE, PARAMETER_GROUP, cluster};

/// Calls for tags that are under way at the same time.
const AT_ONCE: usize = 8;

impl AuroraDriver {
    pub(super) async fn all_owned(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let (clusters, parameter_groups) =
            futures::try_join!(self.owned_clusters(owner), self.owned_parameter_groups(owner),)?;
        Ok(clusters.into_iter().chain(parameter_groups).collect())
    }

    /// Clusters, and the instances of clusters. Every stack is looked for here, also one without Aurora: so who may not list
    /// clusters is taken to have made none, and where there is no cluster, there is no instance of one.
    async fn owned_clusters(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let listed: Result<Vec<DbCluster>, _> =
            self.client.describe_db_clusters().into_paginator().items().send().collect().await;
        let listed = match listed.map_err(|error| reading("DescribeDBClusters", error)) {
            Err(error) if matches!(error.class, ErrorClass::Denied(_)) => Vec::new(),
            listed => listed?,
        };
        if listed.is_empty() {
            return Ok(Vec::new());
        }
        let is_there =
            |found: &DbCluster| cluster::state::status(found.status().unwrap_or("unknown"));
        let there = listed.into_iter().filter(|found| is_there(found) != Status::Deleting);
        let marked = there.filter_map(|found| {
            let marked = tags::owned(CLUSTER, &from_service(found.tag_list()), owner)?;
            Some(Owned {
                name: found.db_cluster_identifier,
                remote_id: found.db_cluster_arn,
                ..marked
            })
        });
        Ok(marked.chain(self.owned_instances(owner).await?).collect())
    }

    /// Members of clusters only: every other instance is the `rds` driver's.
    async fn owned_instances(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let listed: Result<Vec<DbInstance>, _> =
            self.client.describe_db_instances().into_paginator().items().send().collect().await;
        let listed = listed.map_err(|error| reading("DescribeDBInstances", error))?;
        let is_there =
            |found: &DbInstance| state::status(found.db_instance_status().unwrap_or("unknown"));
        let there = listed.into_iter().filter(|found| {
            found.db_cluster_identifier().is_some() && is_there(found) != Status::Deleting
        });
        let marked = there.filter_map(|found| {
            let marked = tags::owned(INSTANCE, &from_service(found.tag_list()), owner)?;
            Some(Owned {
                name: found.db_instance_identifier,
                remote_id: found.db_instance_arn,
                ..marked
            })
        });
        Ok(marked.collect())
    }

    /// Those whose names begin as the stack's do and whose tags say that they are the stack's. What is deleted between the two
    /// calls is not there; what may not be read neither, so that the clusters are seen all the same.
    async fn owned_parameter_groups(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let call = self.client.describe_db_cluster_parameter_groups();
        let listed: Result<Vec<DbClusterParameterGroup>, _> =
            call.into_paginator().items().send().collect().await;
        let listed = listed.map_err(|error| reading("DescribeDBClusterParameterGroups", error));
        let listed = match listed {
            Err(error) if matches!(error.class, ErrorClass::Denied(_)) => Vec::new(),
            listed => listed?,
        };
        let prefix = format!("{}-", owner.stack);
        let named = listed.into_iter().filter_map(|group| {
            let name = group.db_cluster_parameter_group_name?;
            let arn = group.db_cluster_parameter_group_arn?;
            name.starts_with(&prefix).then_some((name, arn))
        });
        let looks =
            named.map(|(name, arn)| async move {
                match self.tags_of(&arn).await {
                    Ok(tags) => Ok(tags::owned(PARAMETER_GROUP, &tags, owner)
                        .map(|marked| Owned { name: Some(name), remote_id: Some(arn), ..marked })),
                    Err(error) => match error.class {
                        ErrorClass::NotFound | ErrorClass::Denied(_) => Ok(None),
                        _ => Err(error),
                    },
                }
            });
        let found: Vec<Option<Owned>> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests;
