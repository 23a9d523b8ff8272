//! Parameter groups. Made empty and filled afterwards, because the API has it so: twenty parameters in a call at most.

use aws_sdk_elasticache::types::{CacheParameterGroup, Parameter, ParameterNameValue};
use futures::future::join_all;
use serde_json::{Map, Value as Json, json};
use zonestack_aws::tags;
use zonestack_core::driver::{
    CallContext, Created, Difference, DriverError, ErrorClass, Observation, Query, Status, Target,
};
use zonestack_core::projection::project;

use super::failure::{changing, code, reading};
use super::spec::Spec;
use super::tagging::to_service;
use super::{ElastiCacheDriver, Observed, name_of};

/// Parameters that ModifyCacheParameterGroup and ResetCacheParameterGroup take in one call.
const AT_ONCE: usize = 20;

impl ElastiCacheDriver {
    pub(super) async fn observe_parameter_groups(
        &self,
        cx: CallContext<'_>,
        queries: Vec<(usize, &Query)>,
    ) -> Observed {
        let observe = async |(index, query): (usize, &Query)| {
            (index, self.observe_parameter_group(cx, query).await)
        };
        join_all(queries.into_iter().map(observe)).await
    }

    async fn observe_parameter_group(
        &self,
        cx: CallContext<'_>,
        query: &Query,
    ) -> Result<Observation, DriverError> {
        let name = name_of(&query.target)?;
        let call = self.client.describe_cache_parameter_groups().cache_parameter_group_name(name);
        let group = match call.send().await {
            Ok(answer) => answer.cache_parameter_groups.unwrap_or_default().into_iter().next(),
            Err(error) if code(&error).as_deref() == Some("CacheParameterGroupNotFound") => None,
            Err(error) => return Err(reading("DescribeCacheParameterGroups", error)),
        };
        let Some(group) = group else { return Ok(Observation::absent()) };
        let arn = group.arn().unwrap_or_default().to_owned();
        let (parameters, tags) = futures::join!(self.parameters_of(name), self.tags_of(&arn));
        let (parameters, tags) = (parameters?, tags?);
        let attributes = query
            .spec
            .as_ref()
            .map_or(Json::Null, |spec| attributes(spec, &group, parameters, &tags::to_json(&tags)));
        Ok(Observation {
            status: Status::Ready,
            remote_id: Some(arn.clone()),
            ownership: tags::ownership(&tags, cx.owner, &query.target.id),
            attributes,
            outputs: [("name".to_owned(), json!(name)), ("arn".to_owned(), json!(arn))].into(),
        })
    }

    /// The parameters that somebody set, with their values.
    async fn parameters_of(&self, group: &str) -> Result<Map<String, Json>, DriverError> {
        let listed: Result<Vec<Parameter>, _> = self
            .client
            .describe_cache_parameters()
            .cache_parameter_group_name(group)
            .source("user")
            .into_paginator()
            .items()
            .send()
            .collect()
            .await;
        let listed = listed.map_err(|error| reading("DescribeCacheParameters", error))?;
        // Emulators answer every parameter, whatever source was asked for.
        let set = listed.iter().filter(|parameter| parameter.source() != Some("engine-default"));
        let set = set.filter(|parameter| parameter.source() != Some("system"));
        Ok(set
            .filter_map(|p| Some((p.parameter_name()?.to_owned(), json!(p.parameter_value()?))))
            .collect())
    }

    pub(super) async fn create_parameter_group(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let answer = self
            .client
            .create_cache_parameter_group()
            .cache_parameter_group_name(name_of(target)?)
            .set_cache_parameter_group_family(Spec(spec).text("family"))
            .set_description(Spec(spec).text("description"))
            .set_tags(Some(to_service(tags::at_creation(spec, cx.owner, &target.id))))
            .send()
            .await
            .map_err(|error| changing("CreateCacheParameterGroup", error))?;
        let arn = answer.cache_parameter_group().and_then(|group| group.arn());
        Ok(Created { remote_id: arn.map(str::to_owned) })
    }

    /// Sets twenty parameters that differ, or, when none does, resets twenty that the specification does not have any more.
    pub(super) async fn modify_parameter_group(
        &self,
        target: &Target,
        spec: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let (set, reset) = changes(spec, differences);
        if !set.is_empty() {
            let call = self.client.modify_cache_parameter_group().cache_parameter_group_name(name);
            let modified = call.set_parameter_name_values(Some(set)).send().await;
            modified.map_err(|error| changing("ModifyCacheParameterGroup", error))?;
        } else if !reset.is_empty() {
            let call = self.client.reset_cache_parameter_group().cache_parameter_group_name(name);
            let call = call.reset_all_parameters(false).set_parameter_name_values(Some(reset));
            call.send().await.map_err(|error| changing("ResetCacheParameterGroup", error))?;
        } else {
            let message = format!("family and description of {name} cannot be changed in place");
            return Err(DriverError::new(ErrorClass::Unsupported, message));
        }
        Ok(())
    }

    pub(super) async fn delete_parameter_group(&self, target: &Target) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let call = self.client.delete_cache_parameter_group().cache_parameter_group_name(name);
        let Err(error) = call.send().await else { return Ok(()) };
        match code(&error).as_deref() {
            Some("CacheParameterGroupNotFound") => Ok(()),
            // A replication group still has it, perhaps until its next maintenance window.
            Some("InvalidCacheParameterGroupState") => Err(DriverError {
                class: ErrorClass::Dependency,
                ..changing("DeleteCacheParameterGroup", error)
            }),
            _ => Err(changing("DeleteCacheParameterGroup", error)),
        }
    }
}

fn attributes(
    spec: &Json,
    group: &CacheParameterGroup,
    parameters: Map<String, Json>,
    tags: &Json,
) -> Json {
    let actual = json!({
        "family": group.cache_parameter_group_family(),
        "description": group.description(),
        "tags": tags,
    });
    let mut attributes = project(spec, &actual);
    if let Some(attributes) = attributes.as_object_mut() {
        // All of them: a parameter that the specification does not have was in it once, and has to go.
        attributes.insert("parameters".to_owned(), Json::Object(parameters));
    }
    attributes
}

/// The parameters to set and to reset, twenty of each at most.
fn changes(
    spec: &Json,
    differences: &[Difference],
) -> (Vec<ParameterNameValue>, Vec<ParameterNameValue>) {
    let named = differences.iter().filter_map(|d| d.path.strip_prefix("/parameters/"));
    let (set, reset): (Vec<_>, Vec<_>) =
        named.partition(|name| spec["parameters"].get(name).is_some());
    let parameter = |name: &&str| {
        let value = spec["parameters"].get(name).and_then(Json::as_str).map(str::to_owned);
        ParameterNameValue::builder().parameter_name(*name).set_parameter_value(value).build()
    };
    (
        set.iter().take(AT_ONCE).map(parameter).collect(),
        reset.iter().take(AT_ONCE).map(parameter).collect(),
    )
}

#[cfg(test)]
mod tests;
