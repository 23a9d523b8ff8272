//! Labels that say whose an object is.
//!
//! The core writes `zonestack.io/stack` and `zonestack.io/component` into specifications. The driver adds what only the
//! call knows: the stack's uid, and the ApplySet that the inventory is the parent of
//! (<https://kubernetes.io/docs/reference/labels-annotations-taints/#applyset-kubernetes-io-part-of>).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use zonestack_core::driver::{Owner, Ownership};

pub(crate) const STACK: &str = "zonestack.io/stack";
pub(crate) const UID: &str = "zonestack.io/uid";
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub(crate) const PART_OF_SET: &str = "applyset.kubernetes.io/part-of";
const SET_ID: &str = "applyset.kubernetes.io/id";
const SET_TOOLING: &str = "applyset.kubernetes.io/tooling";
const SET_KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";

/// The label selector of a stack's objects.
pub(crate) fn selector(owner: &Owner) -> String {
    format!("{STACK}={}", owner.stack)
}

/// The name of the inventory's ConfigMap.
pub(crate) fn inventory_name(stack: &str) -> String {
    format!("zonestack-{stack}")
}

/// Whether the driver writes a label by itself.
pub(crate) fn is_drivers(label: &str) -> bool {
    [UID, MANAGED_BY, PART_OF_SET].contains(&label)
}

/// The labels that the driver adds.
fn labels(owner: &Owner) -> Vec<(&'static str, String)> {
    let mut labels = vec![
        (STACK, owner.stack.clone()),
        (MANAGED_BY, "zonestack".to_owned()),
        (PART_OF_SET, set_id(&owner.stack, &owner.namespace)),
    ];
    labels.extend(owner.uid.iter().map(|uid| (UID, uid.clone())));
    labels
}

/// The object with the driver's labels. What the specification writes itself wins, but not over the uid.
pub(crate) fn mark(object: &Json, owner: &Owner) -> Json {
    let mut object = object.clone();
    let wanted = labels(owner);
    if let Some(map) = labels_of(&mut object) {
        for (key, value) in wanted {
            if key == UID || !map.contains_key(key) {
                map.insert(key.to_owned(), Json::String(value));
            }
        }
    }
    object
}

fn labels_of(object: &mut Json) -> Option<&mut Map<String, Json>> {
    let metadata = object.as_object_mut()?.entry("metadata").or_insert_with(|| json!({}));
    let labels = metadata.as_object_mut()?.entry("labels").or_insert_with(|| json!({}));
    if labels.is_null() {
        *labels = json!({});
    }
    labels.as_object_mut()
}

/// Whose an object is. Without a uid of our own nothing can be ours: the stack has made nothing yet.
pub(crate) fn ownership(object: &Json, owner: &Owner) -> Ownership {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    let ours = label(STACK) == Some(owner.stack.as_str())
        && owner.uid.is_some()
        && label(UID) == owner.uid.as_deref();
    if ours { Ownership::Ours } else { Ownership::Foreign }
}

/// The id of the ApplySet whose parent is the inventory: a hash of the parent's name, namespace, kind and group (KEP-3659).
fn set_id(stack: &str, namespace: &str) -> String {
    let parent = format!("{}.{namespace}.ConfigMap.", inventory_name(stack));
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(Sha256::digest(parent)))
}

/// The metadata of the ApplySet's parent.
pub(crate) fn set_parent(stack: &str, namespace: &str, uid: &str) -> Json {
    let kinds = crate::kinds::KINDS.iter().map(|row| match row.api_version.split_once('/') {
        Some((group, _)) => format!("{}.{group}", row.kind),
        None => row.kind.to_owned(),
    });
    let mut kinds: Vec<String> = kinds.collect();
    kinds.sort();
    json!({
        "labels": {
            STACK: stack,
            UID: uid,
            MANAGED_BY: "zonestack",
            SET_ID: set_id(stack, namespace),
        },
        "annotations": {
            SET_TOOLING: concat!("zonestack/v", env!("CARGO_PKG_VERSION")),
            SET_KINDS: kinds.join(","),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: Option<&str>) -> Owner {
        Owner {
            stack: "git".to_owned(),
            uid: uid.map(ToOwned::to_owned),
            namespace: "dev".to_owned(),
            region: "eu-west-1".to_owned(),
        }
    }

    #[test]
    fn only_the_same_stack_with_the_same_uid_is_ours() {
        let made = mark(&json!({ "metadata": { "name": "a" } }), &owner(Some("u1")));
        assert_eq!(ownership(&made, &owner(Some("u1"))), Ownership::Ours);
        assert_eq!(ownership(&made, &owner(Some("u2"))), Ownership::Foreign);
        assert_eq!(ownership(&made, &owner(None)), Ownership::Foreign);
        let unmarked = json!({ "metadata": { "labels": { STACK: "git" } } });
        assert_eq!(ownership(&unmarked, &owner(None)), Ownership::Foreign);
    }

    #[test]
    fn the_uid_cannot_be_written_by_a_specification() {
        let spec = json!({ "metadata": { "labels": { UID: "forged", MANAGED_BY: "helm" } } });
        let made = mark(&spec, &owner(Some("u1")));
        assert_eq!(made["metadata"]["labels"][UID], "u1");
        assert_eq!(made["metadata"]["labels"][MANAGED_BY], "helm");
    }

    #[test]
    fn the_set_id_fits_a_label_and_depends_on_its_parent() {
        let id = set_id("git", "dev");
        assert!(id.len() <= 63 && id.starts_with("applyset-") && id.ends_with("-v1"), "{id}");
        assert_ne!(id, set_id("git", "prod"));
    }
}
