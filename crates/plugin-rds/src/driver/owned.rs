//! Everything that carries the marks of a stack: instances show their tags in their list, groups are asked one by one, those
//! whose name begins as the stack's names do.

use aws_sdk_rds::types::{DbInstance, DbParameterGroup};
use futures::stream::{self, StreamExt, TryStreamExt};
use zonestack_aws::postgres::state;
use zonestack_aws::tags;
use zonestack_core::driver::{DriverError, ErrorClass, Owned, Owner, Status};

use super::failure::reading;
use super::tagging::from_service;
use super::{INSTANCE, PARAMETER_GROUP, RdsDriver, SUBNET_GROUP};

/// Calls for tags that are under way at the same time.
const AT_ONCE: usize = 8;

/// A group: its name and its ARN.
type Group = (String, String);

impl RdsDriver {
    pub(super) async fn all_owned(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let (instances, subnet_groups, parameter_groups) = futures::try_join!(
            self.owned_instances(owner),
            self.owned_groups(SUBNET_GROUP, owner, self.subnet_groups()),
            self.owned_groups(PARAMETER_GROUP, owner, self.parameter_groups()),
        )?;
        Ok(instances.into_iter().chain(subnet_groups).chain(parameter_groups).collect())
    }

    async fn owned_instances(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let listed: Result<Vec<DbInstance>, _> =
            self.client.describe_db_instances().into_paginator().items().send().collect().await;
        let listed = listed.map_err(|error| reading("DescribeDBInstances", error))?;
        let is_there =
            |found: &DbInstance| state::status(found.db_instance_status().unwrap_or("unknown"));
        // A member of a cluster carries the stack's marks too, and is a resource of another kind.
        let there = listed.into_iter().filter(|found| {
            found.db_cluster_identifier().is_none() && is_there(found) != Status::Deleting
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

    async fn subnet_groups(&self) -> Result<Vec<Group>, DriverError> {
        let groups = self.list_subnet_groups().await?.into_values();
        Ok(groups.filter_map(|g| Some((g.db_subnet_group_name?, g.db_subnet_group_arn?))).collect())
    }

    async fn parameter_groups(&self) -> Result<Vec<Group>, DriverError> {
        let call = self.client.describe_db_parameter_groups();
        let listed: Result<Vec<DbParameterGroup>, _> =
            call.into_paginator().items().send().collect().await;
        let listed = listed.map_err(|error| reading("DescribeDBParameterGroups", error))?;
        let named =
            |g: DbParameterGroup| Some((g.db_parameter_group_name?, g.db_parameter_group_arn?));
        Ok(listed.into_iter().filter_map(named).collect())
    }

    /// Those of the groups whose names begin as the stack's do and whose tags say that they are the stack's. What is deleted
    /// between the two calls is not there; what may not be read neither, so that the instances are seen all the same.
    async fn owned_groups(
        &self,
        kind: &str,
        owner: &Owner,
        listed: impl Future<Output = Result<Vec<Group>, DriverError>>,
    ) -> Result<Vec<Owned>, DriverError> {
        let prefix = format!("{}-", owner.stack);
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

#[cfg(test)]
mod tests;
