//! Marks of ownership, as AWS tags (reliability.md B.4.2; domain.md 6.5).
//!
//! # Convention for every AWS kind
//! A specification has a map `tags` with what the user shall see: the core puts `Name`, `zonestack:stack`,
//! `zonestack:component`, `zonestack:cluster` and the stack file's own tags there. The driver adds [`marks`] when it creates,
//! and compares only the tags that the specification has ([`zonestack_core::projection::project`] does that). A tag that the
//! specification had before and has no more is left where it is: somebody may have come to rely on it.
//!
//! No tag of ours ever names the cluster in the cluster's own words (`KubernetesCluster`, `kubernetes.io/cluster/…`): kOps
//! would take the resource for its own and delete it with the cluster (domain.md 6.5).

use std::collections::BTreeMap;

use serde_json::Value as Json;
use zonestack_core::driver::Owner;
pub use zonestack_core::marks::{
    CLUSTER, MANAGED_BY, NODE, STACK, TOOL, UID, marks, owned, ownership,
};
use zonestack_core::name::ResourceId;

/// The tags of a specification: the texts of its `tags` map.
pub fn of_spec(spec: &Json) -> BTreeMap<String, String> {
    let tags = spec.get("tags").and_then(Json::as_object);
    tags.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Everything that a new resource is tagged with: the specification's tags and the marks. Where both have a key, the mark
/// wins.
pub fn at_creation(spec: &Json, owner: &Owner, id: &ResourceId) -> BTreeMap<String, String> {
    let mut tags = of_spec(spec);
    tags.extend(marks(owner, id));
    tags
}

/// The tags as JSON, for an observation's attributes.
pub fn to_json(tags: &BTreeMap<String, String>) -> Json {
    tags.iter().map(|(key, value)| (key.clone(), Json::from(value.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_users_tag_cannot_replace_a_mark() {
        let spec = json!({ "tags": { "Name": "git-data", "zonestack:uid": "forged" } });
        let owner = Owner {
            stack: "git".to_owned(),
            uid: Some("u1".to_owned()),
            namespace: "git".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let tags = at_creation(&spec, &owner, &"data/file-system".parse().unwrap());
        assert_eq!(tags["zonestack:uid"], "u1");
        assert_eq!(tags["Name"], "git-data");
    }
}
