//! The driver: one list for all groups, one call for each step.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup, Tag, TagSpecification};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::BoxFuture;
use serde_json::{Map, Value as Json};
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, Driver, DriverError, ErrorClass, Observation,
    Owned, Owner, Ownership, Query, Status, Target,
};
use zonestack_core::kind::KindDeclaration;
use zonestack_core::projection::project;

use super::rule::{Rule, RuleChanges, in_words_of, rules_of};
use super::{KIND, declaration};
use crate::error::driver_error;
use crate::interfaces::{FILTER_VALUES, PAGE, filter};
use crate::tags;

/// Drives [`KIND`].
///
/// # Calls
/// `observe` lists all groups by name in one call (a second one for queries without a name), across VPCs: a group that was
/// made in another VPC than the one that is wanted now must be found, or it would be left behind.
#[derive(Debug, Clone)]
pub struct SecurityGroupDriver {
    client: Client,
}

impl SecurityGroupDriver {
    /// A driver that calls EC2 as configured.
    pub fn new(config: &SdkConfig) -> Self {
        Self::with_client(Client::new(config))
    }

    /// A driver on a client of its own, for tests.
    pub fn with_client(client: Client) -> Self {
        Self { client }
    }

    async fn list(&self, by: &str, values: &[&str]) -> Result<Vec<SecurityGroup>, DriverError> {
        let mut found = Vec::new();
        for values in values.chunks(FILTER_VALUES) {
            let mut pages = self
                .client
                .describe_security_groups()
                .filters(filter(by, values.iter().copied()))
                .into_paginator()
                .page_size(PAGE)
                .send();
            while let Some(page) = pages.next().await {
                let page =
                    page.map_err(|error| driver_error("DescribeSecurityGroups", error, false))?;
                found.extend(page.security_groups.unwrap_or_default());
            }
        }
        Ok(found)
    }

    /// Every group that any of the queries may mean.
    async fn candidates(&self, queries: &[Query]) -> Result<Vec<SecurityGroup>, DriverError> {
        let targets = || queries.iter().map(|query| &query.target);
        let names: Vec<&str> = targets().filter_map(|target| target.name.as_deref()).collect();
        let ids: Vec<&str> = targets()
            .filter(|target| target.name.is_none())
            .filter_map(|target| target.remote_id.as_deref())
            .collect();
        let mut found = self.list("group-name", &names).await?;
        found.extend(self.list("group-id", &ids).await?);
        Ok(found)
    }

    async fn observe_all(
        &self,
        owner: &Owner,
        queries: &[Query],
    ) -> Vec<Result<Observation, DriverError>> {
        match self.candidates(queries).await {
            Ok(found) => queries.iter().map(|query| Ok(observed(owner, query, &found))).collect(),
            Err(error) => queries.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn all_owned(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        let by = format!("tag:{}", tags::STACK);
        let found = self.list(&by, &[&owner.stack]).await?;
        let marked = found.into_iter().filter_map(|group| {
            let marked = tags::owned(KIND, &tags_of(&group), owner)?;
            Some(Owned { name: group.group_name, remote_id: group.group_id, ..marked })
        });
        Ok(marked.collect())
    }

    async fn make(
        &self,
        owner: &Owner,
        target: &Target,
        spec: &Json,
    ) -> Result<Created, DriverError> {
        let text = |key: &str| spec.get(key).and_then(Json::as_str);
        let marked = TagSpecification::builder()
            .resource_type(ResourceType::SecurityGroup)
            .set_tags(Some(as_ec2(&tags::at_creation(spec, owner, &target.id))))
            .build();
        let made = self
            .client
            .create_security_group()
            .set_group_name(target.name.clone())
            .set_description(text("description").map(str::to_owned))
            .set_vpc_id(text("vpc_id").map(str::to_owned))
            .tag_specifications(marked)
            .send()
            .await
            .map_err(|error| driver_error("CreateSecurityGroup", error, true))?;
        Ok(Created { remote_id: made.group_id })
    }

    /// The next call: what lets clients in first, what shuts strangers out next, tags last.
    async fn step(
        &self,
        owner: &Owner,
        target: &Target,
        spec: &Json,
        differences: &[Difference],
    ) -> Result<(), DriverError> {
        let id = known_id(target, "change")?;
        let before = before(spec, differences);
        let changes = |list: &str| RuleChanges::between(spec.get(list), before.get(list));
        let (ingress, egress) = (changes("ingress"), changes("egress"));
        let permissions = |rules: &[Rule]| Some(rules.iter().map(Rule::to_permission).collect());
        if !ingress.missing.is_empty() {
            let call = self.client.authorize_security_group_ingress().group_id(id);
            let sent = call.set_ip_permissions(permissions(&ingress.missing)).send().await;
            let sent =
                sent.map_err(|error| driver_error("AuthorizeSecurityGroupIngress", error, true));
            return settled(id, sent.map(drop));
        }
        if !egress.extra.is_empty() {
            let call = self.client.revoke_security_group_egress().group_id(id);
            let sent = call.set_ip_permissions(permissions(&egress.extra)).send().await;
            let sent = sent.map_err(|error| driver_error("RevokeSecurityGroupEgress", error, true));
            return settled(id, sent.map(drop));
        }
        if !egress.missing.is_empty() {
            let call = self.client.authorize_security_group_egress().group_id(id);
            let sent = call.set_ip_permissions(permissions(&egress.missing)).send().await;
            let sent =
                sent.map_err(|error| driver_error("AuthorizeSecurityGroupEgress", error, true));
            return settled(id, sent.map(drop));
        }
        if !ingress.extra.is_empty() {
            let call = self.client.revoke_security_group_ingress().group_id(id);
            let sent = call.set_ip_permissions(permissions(&ingress.extra)).send().await;
            let sent =
                sent.map_err(|error| driver_error("RevokeSecurityGroupIngress", error, true));
            return settled(id, sent.map(drop));
        }
        if differences.iter().any(|difference| difference.path.starts_with("/tags")) {
            let call = self.client.create_tags().resources(id);
            // The marks too: what was adopted, or made under another name, carries them from now on.
            let tags = tags::at_creation(spec, owner, &target.id);
            let sent = call.set_tags(Some(as_ec2(&tags))).send().await;
            let sent = sent.map_err(|error| driver_error("CreateTags", error, true));
            return settled(id, sent.map(drop));
        }
        let paths: Vec<_> = differences.iter().map(|d| d.path.as_str()).collect();
        Err(DriverError::new(
            ErrorClass::Unsupported,
            format!("EC2 cannot change {} of security group {id}", paths.join(", ")),
        ))
    }

    async fn end(&self, target: &Target) -> Result<(), DriverError> {
        let id = known_id(target, "delete")?;
        let sent = self.client.delete_security_group().group_id(id).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error) => Ok(()),
            Err(error) => Err(driver_error("DeleteSecurityGroup", error, true)),
        }
    }
}

impl Driver for SecurityGroupDriver {
    fn kinds(&self) -> Vec<KindDeclaration> {
        vec![declaration()]
    }

    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>> {
        Box::pin(self.observe_all(cx.owner, queries))
    }

    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>> {
        Box::pin(self.make(cx.owner, target, spec))
    }

    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(self.step(cx.owner, target, spec, differences))
    }

    fn delete<'a>(
        &'a self,
        _cx: CallContext<'a>,
        target: &'a Target,
        _deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>> {
        Box::pin(self.end(target))
    }

    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>> {
        Box::pin(self.all_owned(cx.owner))
    }
}

/// What of the groups found is the one that the query means, in the words of its specification.
fn observed(owner: &Owner, query: &Query, found: &[SecurityGroup]) -> Observation {
    let Some(group) = meant(owner, query, found) else {
        return Observation::absent();
    };
    let attributes = query.spec.as_ref().map_or(Json::Null, |spec| attributes(spec, group));
    let id = group.group_id.clone();
    Observation {
        status: Status::Ready,
        outputs: id.iter().map(|id| ("id".to_owned(), Json::from(id.as_str()))).collect(),
        remote_id: id,
        ownership: tags::ownership(&tags_of(group), owner, &query.target.id),
        attributes,
    }
}

/// The remembered one; else the one that carries our marks, the wanted VPC's first; else a stranger of this name in the
/// wanted VPC. One of this name in another VPC is nobody's business.
fn meant<'a>(
    owner: &Owner,
    query: &Query,
    found: &'a [SecurityGroup],
) -> Option<&'a SecurityGroup> {
    let target = &query.target;
    let remembered =
        found.iter().find(|group| group.group_id.is_some() && group.group_id == target.remote_id);
    if remembered.is_some() {
        return remembered;
    }
    let vpc = query.spec.as_ref().and_then(|spec| spec.get("vpc_id")).and_then(Json::as_str);
    let is_there = |group: &&SecurityGroup| vpc.is_some() && group.vpc_id() == vpc;
    let named = || {
        found.iter().filter(|group| group.group_name.is_some() && group.group_name == target.name)
    };
    let is_ours = |group: &&SecurityGroup| {
        tags::ownership(&tags_of(group), owner, &target.id) == Ownership::Ours
    };
    named()
        .find(|group| is_ours(group) && is_there(group))
        .or_else(|| named().find(is_ours))
        .or_else(|| named().find(is_there))
}

fn attributes(spec: &Json, group: &SecurityGroup) -> Json {
    let mut there = Map::new();
    let mut put = |key: &str, value: Json| {
        if spec.get(key).is_some() {
            there.insert(key.to_owned(), value);
        }
    };
    let text = |text: Option<&str>| text.map_or(Json::Null, Json::from);
    put("vpc_id", text(group.vpc_id()));
    put("description", text(group.description()));
    // Not `project`: it would keep of a stranger's rule only what our own rules have.
    let ingress = rules_of(group.ip_permissions(), group);
    put("ingress", in_words_of(spec.get("ingress"), ingress));
    let egress = rules_of(group.ip_permissions_egress(), group);
    put("egress", in_words_of(spec.get("egress"), egress));
    if let Some(wanted) = spec.get("tags") {
        put("tags", project(wanted, &tags::to_json(&tags_of(group))));
    }
    Json::Object(there)
}

/// What was observed, from what is wanted and what differs: so the driver remembers nothing between calls.
fn before(spec: &Json, differences: &[Difference]) -> Json {
    let mut before = spec.clone();
    for difference in differences {
        let Some((parent, key)) = difference.path.rsplit_once('/') else { continue };
        match (before.pointer_mut(parent), &difference.from) {
            (Some(Json::Object(map)), Some(from)) => {
                map.insert(unescape(key), from.clone());
            }
            (Some(Json::Object(map)), None) => {
                map.remove(&unescape(key));
            }
            (Some(Json::Array(list)), from) => {
                let place = key.parse().ok().and_then(|index: usize| list.get_mut(index));
                if let Some(place) = place {
                    *place = from.clone().unwrap_or(Json::Null);
                }
            }
            _ => {}
        }
    }
    before
}

/// A key of a path, in the manner of RFC 6901.
fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// A change that finds itself made already succeeded. The group itself was there a moment ago: that EC2 does not show it
/// everywhere yet passes; that a rule names a group that does not exist does not.
fn settled(id: &str, sent: Result<(), DriverError>) -> Result<(), DriverError> {
    match sent {
        Err(error) if error.class == ErrorClass::AlreadyExists => Ok(()),
        Err(error) if error.class == ErrorClass::NotFound => {
            if error.message.contains("InvalidPermission.NotFound") {
                return Ok(());
            }
            let class = if error.message.contains(id) {
                ErrorClass::Transient
            } else {
                ErrorClass::Invalid
            };
            Err(DriverError { class, ..error })
        }
        other => other,
    }
}

/// Whether a deletion found nothing to delete. An id that is none belongs to nothing either: an emulator says so of every id
/// that it does not know.
fn is_gone(error: &impl ProvideErrorMetadata) -> bool {
    matches!(error.code(), Some("InvalidGroup.NotFound" | "InvalidGroupId.Malformed"))
}

fn known_id<'a>(target: &'a Target, verb: &str) -> Result<&'a str, DriverError> {
    target.remote_id.as_deref().ok_or_else(|| {
        let message = format!("cannot {verb} {} ({KIND}): its id is not known", target.id);
        DriverError::new(ErrorClass::Bug, message)
    })
}

fn tags_of(group: &SecurityGroup) -> BTreeMap<String, String> {
    let pairs = group.tags().iter();
    pairs
        .filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default())))
        .collect()
}

fn as_ec2(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
