//! A replication group as ElastiCache describes it, in the words of its specification.
//!
//! What the answer leaves out never counts as a difference: AWS leaves out what is not known yet, emulators leave out what
//! they do not model, and a difference that no call can mend would come back for ever. Versions, windows, groups and what
//! waits for the maintenance window are told of the nodes only.

use std::collections::BTreeMap;

use aws_sdk_elasticache::types::{
    AutomaticFailoverStatus, CacheCluster, MultiAzStatus, NodeGroup, PendingModifiedValues,
    ReplicationGroup, ReplicationGroupPendingModifiedValues as PendingInGroup,
};
use serde_json::{Map, Value as Json, json};
use zonestack_aws::tags;
use zonestack_core::projection::project;

use super::spec::{Spec, in_the_order_of, texts};
use super::{Node, mark, state};
use crate::config::version::EngineVersion;

/// A replication group with all that is told of it.
pub(super) struct Found<'a> {
    pub(super) group: &'a ReplicationGroup,
    /// Its nodes, each a cluster of one.
    pub(super) clusters: Vec<&'a CacheCluster>,
    /// Its tags; `None` when they cannot be read now.
    pub(super) tags: Option<BTreeMap<String, String>>,
}

/// The attributes of an observation (see [`zonestack_core::driver::Observation::attributes`]).
pub(super) fn attributes(spec: &Json, found: &Found<'_>) -> Json {
    let Some(wanted) = spec.as_object() else { return Json::Null };
    let reading = Reading { spec: Spec(spec), found };
    let actual: Map<String, Json> = wanted
        .iter()
        .map(|(key, wanted)| {
            (key.clone(), reading.value(key, wanted).unwrap_or_else(|| wanted.clone()))
        })
        .collect();
    project(spec, &Json::Object(actual))
}

/// Its nodes, the primary first; none as long as a zone is not known.
pub(super) fn nodes(group: &ReplicationGroup) -> Vec<Node> {
    let members = group.node_groups().iter().flat_map(NodeGroup::node_group_members);
    let nodes: Option<Vec<Node>> = members
        .map(|member| {
            Some(Node {
                id: member.cache_cluster_id()?.to_owned(),
                zone: member
                    .preferred_availability_zone()
                    .filter(|zone| !zone.is_empty())?
                    .to_owned(),
                is_primary: member.current_role() == Some("primary"),
            })
        })
        .collect();
    let mut nodes = nodes.unwrap_or_default();
    nodes.sort_by(|a, b| b.is_primary.cmp(&a.is_primary).then_with(|| a.id.cmp(&b.id)));
    nodes
}

struct Reading<'a> {
    spec: Spec<'a>,
    found: &'a Found<'a>,
}

impl Reading<'_> {
    /// What the replication group has for a key of the specification; `None` when the answer does not say.
    fn value(&self, key: &str, wanted: &Json) -> Option<Json> {
        let group = self.found.group;
        let text = |text: Option<&str>| text.map(Json::from);
        let flag = |flag: Option<bool>| flag.map(Json::from);
        match key {
            "description" => text(group.description().map(mark::plain)),
            "engine" => text(group.engine()).or_else(|| self.common(wanted, |c| text(c.engine()))),
            "engine_version" => self.common(wanted, |c| self.engine_version(c, wanted)),
            "class" => self.class(wanted),
            "zones" => self.zones(wanted),
            "automatic_failover" => {
                switch(group.automatic_failover().map(AutomaticFailoverStatus::as_str))
            }
            "multi_az" => switch(group.multi_az().map(MultiAzStatus::as_str)),
            "cluster_mode" => flag(group.cluster_enabled()),
            "port" => self.port(),
            "subnet_group" => self.common(wanted, |c| text(c.cache_subnet_group_name())),
            "parameter_group" => self.common(wanted, |c| self.parameter_group(c, wanted)),
            "security_groups" => self.common(wanted, |c| security_groups(c, wanted)),
            "tls" => self.tls(),
            "auth" => flag(group.auth_token_enabled()),
            // The value cannot be read; `project` gives the reference back as it was asked.
            "auth_token" => Some(json!("set")),
            "at_rest_encryption" => flag(group.at_rest_encryption_enabled()),
            "kms_key_id" => self.kms_key(wanted),
            "snapshot_retention_days" => group.snapshot_retention_limit().map(Json::from),
            "snapshot_window" => text(group.snapshot_window()),
            "maintenance_window" => self.common(wanted, |c| text(c.preferred_maintenance_window())),
            "auto_minor_version_upgrade" => flag(group.auto_minor_version_upgrade()),
            "tags" => self.found.tags.as_ref().map(tags::to_json),
            // `apply` says how to change it, `snapshot` what it was made from; it has neither.
            _ => None,
        }
    }

    /// What all nodes have; where they differ, what is not wanted, so that it is mended.
    fn common(&self, wanted: &Json, of: impl Fn(&CacheCluster) -> Option<Json>) -> Option<Json> {
        let mut values: Vec<Json> = self.found.clusters.iter().filter_map(|c| of(c)).collect();
        let other = values.iter().position(|value| value != wanted).unwrap_or(0);
        (!values.is_empty()).then(|| values.swap_remove(other))
    }

    /// Changes that ElastiCache has accepted and not carried out yet count as carried out: otherwise the same change would be
    /// proposed until the maintenance window. With `apply: now` they do not as long as the replication group could take
    /// them, so that switching to `now` flushes what waits.
    fn accepted<'a>(&self, cluster: &'a CacheCluster) -> Option<&'a PendingModifiedValues> {
        let now = self.spec.str("apply") == Some("now");
        let idle = self.found.group.status() == Some(state::AVAILABLE);
        cluster.pending_modified_values().filter(|_| !(now && idle))
    }

    fn engine_version(&self, cluster: &CacheCluster, wanted: &Json) -> Option<Json> {
        let pending = self.accepted(cluster).and_then(|pending| pending.engine_version());
        let actual = pending.or_else(|| cluster.engine_version())?;
        let automatic = self.spec.flag("auto_minor_version_upgrade").unwrap_or(false);
        let asked: Option<EngineVersion> = wanted.as_str().and_then(|text| text.parse().ok());
        let met = match (asked, EngineVersion::answered(actual)) {
            (Some(asked), Some(actual)) => asked.is_met_by(actual, automatic),
            _ => false,
        };
        Some(if met { wanted.clone() } else { json!(actual) })
    }

    /// The replication group's own, unless its nodes say what it is going to be.
    fn class(&self, wanted: &Json) -> Option<Json> {
        let pending = |cluster: &CacheCluster| {
            self.accepted(cluster).and_then(|pending| pending.cache_node_type()).map(Json::from)
        };
        self.common(wanted, pending).or_else(|| self.found.group.cache_node_type().map(Json::from))
    }

    /// A parameter group of another family comes with the version that waits.
    fn parameter_group(&self, cluster: &CacheCluster, wanted: &Json) -> Option<Json> {
        if self.accepted(cluster).is_some_and(|pending| pending.engine_version().is_some()) {
            return Some(wanted.clone());
        }
        let name = cluster.cache_parameter_group()?.cache_parameter_group_name()?;
        Some(json!(name))
    }

    /// In which zones it has nodes. Which of them is the primary changes with every failover, so the order means nothing.
    fn zones(&self, wanted: &Json) -> Option<Json> {
        let mut actual: Vec<String> =
            nodes(self.found.group).into_iter().map(|node| node.zone).collect();
        if actual.is_empty() {
            return None;
        }
        actual.sort_unstable();
        let mut asked = wanted.as_array().map(|list| texts(list)).unwrap_or_default();
        asked.sort_unstable();
        Some(if asked == actual { wanted.clone() } else { json!(actual) })
    }

    /// An endpoint that is not ElastiCache's own is an emulator's, whose port is the one it happened to get.
    fn port(&self) -> Option<Json> {
        let endpoint = self.found.group.node_groups().first()?.primary_endpoint()?;
        endpoint.address().filter(|address| address.contains(".cache.amazonaws."))?;
        endpoint.port().map(Json::from)
    }

    fn tls(&self) -> Option<Json> {
        let group = self.found.group;
        let pending = group.pending_modified_values();
        let mode = pending
            .and_then(|pending| pending.transit_encryption_mode())
            .or_else(|| group.transit_encryption_mode())
            .map_or("required", |mode| mode.as_str());
        let on = pending
            .and_then(PendingInGroup::transit_encryption_enabled)
            .or_else(|| group.transit_encryption_enabled())?;
        Some(json!(if on { mode } else { "disabled" }))
    }

    /// ElastiCache answers the key's ARN, however it was named. An alias cannot be compared without asking KMS; a key never
    /// changes anyway.
    fn kms_key(&self, wanted: &Json) -> Option<Json> {
        let actual = self.found.group.kms_key_id()?;
        let asked = wanted.as_str()?;
        let same = actual == asked
            || actual.ends_with(&format!(":key/{asked}"))
            || asked.contains("alias/")
            || !actual.starts_with("arn:");
        Some(if same { wanted.clone() } else { json!(actual) })
    }
}

/// What is being switched on counts as on.
fn switch(word: Option<&str>) -> Option<Json> {
    match word? {
        "enabled" | "enabling" => Some(json!(true)),
        "disabled" | "disabling" => Some(json!(false)),
        _ => None,
    }
}

fn security_groups(cluster: &CacheCluster, wanted: &Json) -> Option<Json> {
    let groups = cluster.security_groups.as_ref()?.iter();
    let ids = groups.filter(|group| group.status() != Some("removing"));
    let ids = ids.filter_map(|group| group.security_group_id().map(str::to_owned)).collect();
    Some(in_the_order_of(wanted, ids))
}

#[cfg(test)]
mod tests;
