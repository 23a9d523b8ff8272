//! Subnet groups: one paged list for all, and the tags of those that are asked for.

use std::collections::BTreeMap;

use aws_sdk_rds::types::DbSubnetGroup;
use futures::future::join_all;
use serde_json::{Map, Value as Json, json};
use zonestack_aws::spec::{Spec, in_the_order_of};
use zonestack_aws::tags;
use zonestack_core::driver::{
    CallContext, Created, Difference, DriverError, ErrorClass, Observation, Query, Status, Target,
};
use zonestack_core::projection::project;

use super::failure::{changing, code, reading};
use super::tagging::to_service;
use super::{Observed, RdsDriver, name_of};

impl RdsDriver {
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

    /// Every subnet group of the region by name: RDS offers no filter here.
    pub(super) async fn list_subnet_groups(
        &self,
    ) -> Result<BTreeMap<String, DbSubnetGroup>, DriverError> {
        let listed: Result<Vec<DbSubnetGroup>, _> =
            self.client.describe_db_subnet_groups().into_paginator().items().send().collect().await;
        let named = |group: DbSubnetGroup| Some((group.db_subnet_group_name()?.to_owned(), group));
        listed
            .map(|groups| groups.into_iter().filter_map(named).collect())
            .map_err(|error| reading("DescribeDBSubnetGroups", error))
    }

    async fn observe_subnet_group(
        &self,
        cx: CallContext<'_>,
        query: &Query,
        group: &DbSubnetGroup,
    ) -> Result<Observation, DriverError> {
        let arn = group.db_subnet_group_arn().unwrap_or_default();
        let tags = self.tags_of(arn).await?;
        let subnets = group.subnets().iter();
        let subnets = subnets.filter_map(|s| s.subnet_identifier().map(str::to_owned)).collect();
        let attributes = query.spec.as_ref().map_or(Json::Null, |spec| {
            let mut actual = Map::new();
            let wanted = spec.get("subnet_ids").unwrap_or(&Json::Null);
            actual.insert("subnet_ids".to_owned(), in_the_order_of(wanted, subnets));
            actual.insert("description".to_owned(), json!(group.db_subnet_group_description()));
            actual.insert("tags".to_owned(), tags::to_json(&tags));
            project(spec, &Json::Object(actual))
        });
        let outputs = [("name", group.db_subnet_group_name()), ("arn", Some(arn))];
        Ok(Observation {
            status: match group.subnet_group_status() {
                Some("Complete") | None => Status::Ready,
                Some(word) => Status::Pending(word.to_owned()),
            },
            remote_id: Some(arn.to_owned()),
            ownership: tags::ownership(&tags, cx.owner, &query.target.id),
            attributes,
            outputs: outputs
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
                .collect(),
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
            .create_db_subnet_group()
            .db_subnet_group_name(name_of(target)?)
            .set_db_subnet_group_description(Spec(spec).text("description"))
            .set_subnet_ids(Spec(spec).texts("subnet_ids"))
            .set_tags(Some(to_service(tags::at_creation(spec, cx.owner, &target.id))))
            .send()
            .await
            .map_err(|error| changing("CreateDBSubnetGroup", error))?;
        let arn = answer.db_subnet_group().and_then(|group| group.db_subnet_group_arn());
        Ok(Created { remote_id: arn.map(str::to_owned) })
    }

    /// Writes description and subnets, whichever differs: the call wants the subnets always.
    pub(super) async fn modify_subnet_group(
        &self,
        target: &Target,
        spec: &Json,
        _differences: &[Difference],
    ) -> Result<(), DriverError> {
        self.client
            .modify_db_subnet_group()
            .db_subnet_group_name(name_of(target)?)
            .set_db_subnet_group_description(Spec(spec).text("description"))
            .set_subnet_ids(Spec(spec).texts("subnet_ids"))
            .send()
            .await
            .map_err(|error| {
                let in_use = code(&error).as_deref() == Some("SubnetAlreadyInUse");
                let mut failed = changing("ModifyDBSubnetGroup", error);
                if in_use {
                    failed.class = ErrorClass::Invalid;
                    failed
                        .message
                        .push_str("; the database lives in a subnet that would go: keep its zone");
                }
                failed
            })?;
        Ok(())
    }

    pub(super) async fn delete_subnet_group(&self, target: &Target) -> Result<(), DriverError> {
        let call = self.client.delete_db_subnet_group().db_subnet_group_name(name_of(target)?);
        let Err(error) = call.send().await else { return Ok(()) };
        match code(&error).as_deref() {
            Some("DBSubnetGroupNotFoundFault") => Ok(()),
            // An instance still lives in it.
            Some("InvalidDBSubnetGroupStateFault") => Err(DriverError {
                class: ErrorClass::Dependency,
                ..changing("DeleteDBSubnetGroup", error)
            }),
            _ => Err(changing("DeleteDBSubnetGroup", error)),
        }
    }
}

#[cfg(test)]
mod tests;
