//! Subnet groups: one paged list for all, and the tags of those that are asked for.
//!
//! A subnet more than asked for is no difference, and none is ever taken out: ElastiCache refuses that while a node is in it,
//! and nodes are where they were asked for, whatever other subnets there are. So a zone that the stack gives up leaves its
//! subnet in the group, unused.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticache::types::CacheSubnetGroup;
use futures::future::join_all;
use serde_json::{Value as Json, json};
use zonestack_aws::tags;
use zonestack_core::driver::{
    CallContext, Created, DriverError, ErrorClass, Observation, Query, Status, Target,
};
use zonestack_core::projection::project;

use super::failure::{changing, code, reading};
use super::spec::{Spec, in_the_order_of, texts};
use super::tagging::to_service;
use super::{ElastiCacheDriver, Observed, name_of};

impl ElastiCacheDriver {
    pub(super) async fn observe_subnet_groups(
        &self,
        cx: CallContext<'_>,
        queries: Vec<(usize, &Query)>,
    ) -> Observed {
        if queries.is_empty() {
            return Vec::new();
        }
        let listed = self.list_subnet_groups().await;
        let observe = async |(index, query): (usize, &Query)| {
            let observed = match (&listed, name_of(&query.target)) {
                (Err(error), _) => Err(error.clone()),
                (_, Err(error)) => Err(error),
                (Ok(groups), Ok(name)) => match groups.get(name) {
                    Some(group) => self.observe_subnet_group(cx, query, group).await,
                    None => Ok(Observation::absent()),
                },
            };
            (index, observed)
        };
        join_all(queries.into_iter().map(observe)).await
    }

    /// Every subnet group of the region by name: ElastiCache offers no filter here.
    pub(super) async fn list_subnet_groups(
        &self,
    ) -> Result<BTreeMap<String, CacheSubnetGroup>, DriverError> {
        let call = self.client.describe_cache_subnet_groups();
        let listed: Result<Vec<CacheSubnetGroup>, _> =
            call.into_paginator().items().send().collect().await;
        let named =
            |group: CacheSubnetGroup| Some((group.cache_subnet_group_name()?.to_owned(), group));
        listed
            .map(|groups| groups.into_iter().filter_map(named).collect())
            .map_err(|error| reading("DescribeCacheSubnetGroups", error))
    }

    async fn observe_subnet_group(
        &self,
        cx: CallContext<'_>,
        query: &Query,
        group: &CacheSubnetGroup,
    ) -> Result<Observation, DriverError> {
        let name = name_of(&query.target)?;
        let arn = group.arn().unwrap_or_default();
        let tags = self.tags_of(arn).await?;
        let subnets = group.subnets().iter();
        let subnets: Vec<String> =
            subnets.filter_map(|subnet| subnet.subnet_identifier().map(str::to_owned)).collect();
        let attributes = query.spec.as_ref().map_or(Json::Null, |spec| {
            let actual = json!({
                "subnet_ids": settled(spec.get("subnet_ids").unwrap_or(&Json::Null), &subnets),
                "description": group.cache_subnet_group_description(),
                "tags": tags::to_json(&tags),
            });
            project(spec, &actual)
        });
        self.remember(|seen| {
            seen.subnets.insert(name.to_owned(), subnets);
        });
        Ok(Observation {
            status: Status::Ready,
            remote_id: Some(arn.to_owned()),
            ownership: tags::ownership(&tags, cx.owner, &query.target.id),
            attributes,
            outputs: [("name".to_owned(), json!(name)), ("arn".to_owned(), json!(arn))].into(),
        })
    }

    pub(super) async fn create_subnet_group(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let answer = self
            .client
            .create_cache_subnet_group()
            .cache_subnet_group_name(name_of(target)?)
            .set_cache_subnet_group_description(Spec(spec).text("description"))
            .set_subnet_ids(Spec(spec).texts("subnet_ids"))
            .set_tags(Some(to_service(tags::at_creation(spec, cx.owner, &target.id))))
            .send()
            .await
            .map_err(|error| changing("CreateCacheSubnetGroup", error))?;
        let arn = answer.cache_subnet_group().and_then(|group| group.arn());
        Ok(Created { remote_id: arn.map(str::to_owned) })
    }

    /// Writes description and subnets, whichever differs: the subnets that are there stay.
    pub(super) async fn modify_subnet_group(
        &self,
        target: &Target,
        spec: &Json,
    ) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let mut subnets: BTreeSet<String> = self.seen_subnets(name).into_iter().collect();
        subnets.extend(Spec(spec).texts("subnet_ids").unwrap_or_default());
        self.client
            .modify_cache_subnet_group()
            .cache_subnet_group_name(name)
            .set_cache_subnet_group_description(Spec(spec).text("description"))
            .set_subnet_ids(Some(subnets.into_iter().collect()))
            .send()
            .await
            .map_err(|error| changing("ModifyCacheSubnetGroup", error))?;
        Ok(())
    }

    pub(super) async fn delete_subnet_group(&self, target: &Target) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let call = self.client.delete_cache_subnet_group().cache_subnet_group_name(name);
        let Err(error) = call.send().await else { return Ok(()) };
        match code(&error).as_deref() {
            Some("CacheSubnetGroupNotFoundFault") => Ok(()),
            // A node still lives in it.
            Some("CacheSubnetGroupInUse") => Err(DriverError {
                class: ErrorClass::Dependency,
                ..changing("DeleteCacheSubnetGroup", error)
            }),
            _ => Err(changing("DeleteCacheSubnetGroup", error)),
        }
    }
}

/// As asked for, when all that is asked for is there.
fn settled(wanted: &Json, actual: &[String]) -> Json {
    let asked = wanted.as_array().map(|list| texts(list)).unwrap_or_default();
    if !asked.is_empty() && asked.iter().all(|subnet| actual.contains(subnet)) {
        return wanted.clone();
    }
    in_the_order_of(wanted, actual.to_vec())
}

#[cfg(test)]
mod tests;
