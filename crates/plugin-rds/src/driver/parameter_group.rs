//! Parameter groups. Made empty and filled afterwards, because the API has it so: twenty parameters in a call at most.

use aws_sdk_rds::types::{ApplyMethod, DbParameterGroup, Parameter};
use futures::future::join_all;
use serde_json::{Map, Value as Json, json};
use zonestack_aws::postgres::parameter::is_read_at_start;
use zonestack_aws::spec::Spec;
use zonestack_aws::tags;
use zonestack_core::driver::{
    CallContext, Created, Difference, DriverError, ErrorClass, Observation, Query, Status, Target,
};
use zonestack_core::projection::project;

use super::failure::{changing, code, reading};
use super::tagging::to_service;
use super::{Observed, RdsDriver, name_of};

/// Parameters that ModifyDBParameterGroup and ResetDBParameterGroup take in one call.
const AT_ONCE: usize = 20;

impl RdsDriver {
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
        let described =
            self.client.describe_db_parameter_groups().db_parameter_group_name(name).send().await;
        let group = match described {
            Ok(answer) => answer.db_parameter_groups.unwrap_or_default().into_iter().next(),
            Err(error) if code(&error).as_deref() == Some("DBParameterGroupNotFound") => None,
            Err(error) => return Err(reading("DescribeDBParameterGroups", error)),
        };
        let Some(group) = group else { return Ok(Observation::absent()) };
        let arn = group.db_parameter_group_arn().unwrap_or_default().to_owned();
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
            .describe_db_parameters()
            .db_parameter_group_name(group)
            .source("user")
            .into_paginator()
            .items()
            .send()
            .collect()
            .await;
        let listed = listed.map_err(|error| reading("DescribeDBParameters", error))?;
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
            .create_db_parameter_group()
            .db_parameter_group_name(name_of(target)?)
            .set_db_parameter_group_family(Spec(spec).text("family"))
            .set_description(Spec(spec).text("description"))
            .set_tags(Some(to_service(tags::at_creation(spec, cx.owner, &target.id))))
            .send()
            .await
            .map_err(|error| changing("CreateDBParameterGroup", error))?;
        let arn = answer.db_parameter_group().and_then(|group| group.db_parameter_group_arn());
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
            let call = self.client.modify_db_parameter_group().db_parameter_group_name(name);
            let modified = call.set_parameters(Some(set)).send().await;
            modified.map_err(|error| changing("ModifyDBParameterGroup", error))?;
        } else if !reset.is_empty() {
            let call = self.client.reset_db_parameter_group().db_parameter_group_name(name);
            let call = call.reset_all_parameters(false).set_parameters(Some(reset));
            call.send().await.map_err(|error| changing("ResetDBParameterGroup", error))?;
        } else {
            let message = format!("family and description of {name} cannot be changed in place");
            return Err(DriverError::new(ErrorClass::Unsupported, message));
        }
        Ok(())
    }

    pub(super) async fn delete_parameter_group(&self, target: &Target) -> Result<(), DriverError> {
        let call =
            self.client.delete_db_parameter_group().db_parameter_group_name(name_of(target)?);
        let Err(error) = call.send().await else { return Ok(()) };
        match code(&error).as_deref() {
            Some("DBParameterGroupNotFound") => Ok(()),
            // An instance still has it, perhaps until its next maintenance window.
            Some("InvalidDBParameterGroupState") => Err(DriverError {
                class: ErrorClass::Dependency,
                ..changing("DeleteDBParameterGroup", error)
            }),
            _ => Err(changing("DeleteDBParameterGroup", error)),
        }
    }
}

fn attributes(
    spec: &Json,
    group: &DbParameterGroup,
    parameters: Map<String, Json>,
    tags: &Json,
) -> Json {
    let actual = json!({
        "family": group.db_parameter_group_family(),
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
fn changes(spec: &Json, differences: &[Difference]) -> (Vec<Parameter>, Vec<Parameter>) {
    let named = differences
        .iter()
        .filter_map(|difference| Some((difference.path.strip_prefix("/parameters/")?, difference)));
    let (set, reset): (Vec<_>, Vec<_>) =
        named.map(|(name, _)| name).partition(|name| spec["parameters"].get(name).is_some());
    let parameter = |name: &&str| {
        let method = if is_read_at_start(name) {
            ApplyMethod::PendingReboot
        } else {
            ApplyMethod::Immediate
        };
        let value = spec["parameters"].get(name).and_then(Json::as_str).map(str::to_owned);
        Parameter::builder()
            .parameter_name(*name)
            .set_parameter_value(value)
            .apply_method(method)
            .build()
    };
    (
        set.iter().take(AT_ONCE).map(parameter).collect(),
        reset.iter().take(AT_ONCE).map(parameter).collect(),
    )
}

#[cfg(test)]
mod tests;
