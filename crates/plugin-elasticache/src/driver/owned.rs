//! Everything that carries the marks of a stack. Only names are listed with everything: those that begin as the stack's names
//! do are asked for their tags, one by one.

use aws_sdk_elasticache::types::CacheParameterGroup;
use futures::stream::{self, StreamExt, TryStreamExt};
use zonestack_aws::tags;
use zonestack_core::driver::{DriverError, ErrorClass, Owned, Owner};

use super::failure::reading;
use super::{ElastiCacheDriver, PARAMETER_GROUP, REPLICATION_GROUP, SUBNET_GROUP, mark};

/// Calls for tags that are under way at the same time.
const AT_ONCE: usize = 8;

/// A group: its name and its ARN.
type Group = (String, String);

impl ElastiCacheDriver {
    pub(super) async fn all_owned(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let (groups, subnet_groups, parameter_groups) = futures::try_join!(
            self.owned_replication_groups(owner),
            self.owned_groups(SUBNET_GROUP, owner, self.subnet_groups()),
            self.owned_groups(PARAMETER_GROUP, owner, self.parameter_groups()),
        )?;
        Ok(groups.into_iter().chain(subnet_groups).chain(parameter_groups).collect())
    }

    /// By their tags; by their descriptions while ElastiCache does not tell tags.
    async fn owned_replication_groups(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let prefix = prefix(owner);
        let listed = self.list_replication_groups().await?.into_iter();
        let there = listed.filter(|group| group.status() != Some("deleting"));
        let named = there
            .filter(|group| group.replication_group_id().is_some_and(|n| n.starts_with(&prefix)));
        let looks = named.map(|group| async move {
            let tags = match self.tags_if_told(&group).await {
                Err(error) if matches!(error.class, ErrorClass::Denied(_)) => None,
                tags => tags?,
            };
            let tags = tags.unwrap_or_else(|| mark::of(group.description().unwrap_or_default()));
            Ok::<_, DriverError>(tags::owned(REPLICATION_GROUP, &tags, owner).map(|marked| Owned {
                name: group.replication_group_id,
                remote_id: group.arn,
                ..marked
            }))
        });
        let found: Vec<Option<Owned>> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn subnet_groups(&self) -> Result<Vec<Group>, DriverError> {
        let groups = self.list_subnet_groups().await?.into_values();
        Ok(groups.filter_map(|g| Some((g.cache_subnet_group_name?, g.arn?))).collect())
    }

    async fn parameter_groups(&self) -> Result<Vec<Group>, DriverError> {
        let call = self.client.describe_cache_parameter_groups();
        let listed: Result<Vec<CacheParameterGroup>, _> =
            call.into_paginator().items().send().collect().await;
        let listed = listed.map_err(|error| reading("DescribeCacheParameterGroups", error))?;
        let named = |g: CacheParameterGroup| Some((g.cache_parameter_group_name?, g.arn?));
        Ok(listed.into_iter().filter_map(named).collect())
    }

    /// Those of the groups whose names begin as the stack's do and whose tags say that they are the stack's. What is deleted
    /// between the two calls is not there; what may not be read neither, so that the replication groups are seen all the same.
    async fn owned_groups(
        &self,
        kind: &str,
        owner: &Owner,
        listed: impl Future<Output = Result<Vec<Group>, DriverError>>,
    ) -> Result<Vec<Owned>, DriverError> {
        let prefix = prefix(owner);
        let listed = match listed.await {
            Err(error) if matches!(error.class, ErrorClass::Denied(_)) => Vec::new(),
            listed => listed?,
        };
        let named = listed.into_iter().filter(|(name, _)| name.starts_with(&prefix));
        let looks = named.map(|(name, arn)| async move {
            match self.tags_of(&arn).await {
                Ok(tags) => Ok(tags::owned(kind, &tags, owner).map(|marked| Owned {
                    name: Some(name),
                    remote_id: Some(arn),
                    ..marked
                })),
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

/// How the names of a stack begin.
fn prefix(owner: &Owner) -> String {
    format!("{}-", owner.stack)
}

#[cfg(test)]
mod tests;
