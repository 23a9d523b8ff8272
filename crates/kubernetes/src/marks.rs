//! Labels that say whose an object is, and an annotation that says which of the stack's resources.
//!
//! The core writes `zonestack.io/stack` and `zonestack.io/component` into specifications. The driver adds what only the
//! call knows: the stack's uid, the ApplySet that the inventory is the parent of
//! (<https://kubernetes.io/docs/reference/labels-annotations-taints/#applyset-kubernetes-io-part-of>), and the resource's id:
//! an annotation, because a label's value can hold neither `/` nor `@`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use zonestack_core::driver::{Owned, Owner, Ownership};
use zonestack_core::name::{ComponentName, Kind, ResourceId};

pub(crate) const STACK: &str = "zonestack.io/stack";
pub(crate) const UID: &str = "zonestack.io/uid";
/// The annotation with the resource's id, such as `gitlab/deployment@eu-west-1a`.
pub(crate) const NODE: &str = "zonestack.io/node";
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// What [`MANAGED_BY`] says.
pub(crate) const TOOL: &str = "zonestack";
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
        (MANAGED_BY, TOOL.to_owned()),
        (PART_OF_SET, set_id(&owner.stack, &owner.namespace)),
    ];
    labels.extend(owner.uid.iter().map(|uid| (UID, uid.clone())));
    labels
}

/// The object with the driver's labels and the annotation. What the specification writes itself wins, but not over uid and
/// id.
pub(crate) fn mark(object: &Json, owner: &Owner, id: &ResourceId) -> Json {
    let mut object = object.clone();
    if let Some(map) = map_of(&mut object, "labels") {
        for (key, value) in labels(owner) {
            if key == UID || !map.contains_key(key) {
                map.insert(key.to_owned(), Json::String(value));
            }
        }
    }
    if let Some(map) = map_of(&mut object, "annotations") {
        map.insert(NODE.to_owned(), id.to_string().into());
    }
    object
}

fn map_of<'a>(object: &'a mut Json, name: &str) -> Option<&'a mut Map<String, Json>> {
    let metadata = object.as_object_mut()?.entry("metadata").or_insert_with(|| json!({}));
    let map = metadata.as_object_mut()?.entry(name).or_insert_with(|| json!({}));
    if map.is_null() {
        *map = json!({});
    }
    map.as_object_mut()
}

/// The id of the stack's own namespace.
pub(crate) fn namespace_id() -> ResourceId {
    ResourceId::new(&ComponentName::stack(), "namespace")
}

/// What an object is that carries the label of a stack of the owner's name: `None` for the parent of its ApplySet, which is
/// the inventory, and for what has no namespace and belongs to a stack of the same name in another one.
pub(crate) fn owned(kind: Kind, name: String, object: &Json, owner: &Owner) -> Option<Owned> {
    let metadata = &object["metadata"];
    let label = |key: &str| metadata["labels"][key].as_str();
    let is_parent = label(SET_ID).is_some();
    let is_namespaced = metadata["namespace"].is_string();
    let set = label(PART_OF_SET).filter(|_| !is_namespaced);
    if label(STACK) != Some(&owner.stack)
        || is_parent
        || set.is_some_and(|set| set != set_id(&owner.stack, &owner.namespace))
    {
        return None;
    }
    Some(Owned {
        kind,
        id: metadata["annotations"][NODE].as_str().and_then(|id| id.parse().ok()),
        uid: label(UID).map(ToOwned::to_owned),
        cluster: None,
        name: Some(name),
        remote_id: metadata["uid"].as_str().map(ToOwned::to_owned),
    })
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
            MANAGED_BY: TOOL,
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

    fn id() -> ResourceId {
        "web/thing@eu-west-1a".parse().unwrap()
    }

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
        let made = mark(&json!({ "metadata": { "name": "a" } }), &owner(Some("u1")), &id());
        assert_eq!(ownership(&made, &owner(Some("u1"))), Ownership::Ours);
        assert_eq!(ownership(&made, &owner(Some("u2"))), Ownership::Foreign);
        assert_eq!(ownership(&made, &owner(None)), Ownership::Foreign);
        let unmarked = json!({ "metadata": { "labels": { STACK: "git" } } });
        assert_eq!(ownership(&unmarked, &owner(None)), Ownership::Foreign);
    }

    #[test]
    fn uid_and_id_cannot_be_written_by_a_specification() {
        let spec = json!({ "metadata": {
            "labels": { UID: "forged", MANAGED_BY: "helm" },
            "annotations": { NODE: "forged/thing", "theirs": "1" },
        } });
        let made = mark(&spec, &owner(Some("u1")), &id());
        assert_eq!(made["metadata"]["labels"][UID], "u1");
        assert_eq!(made["metadata"]["labels"][MANAGED_BY], "helm");
        let annotations = json!({ NODE: "web/thing@eu-west-1a", "theirs": "1" });
        assert_eq!(made["metadata"]["annotations"], annotations);
        let empty = json!({ "metadata": { "labels": null, "annotations": null } });
        let made = mark(&empty, &owner(Some("u1")), &id());
        assert_eq!(made["metadata"]["annotations"], json!({ NODE: "web/thing@eu-west-1a" }));
    }

    #[test]
    fn marks_say_which_resource_of_which_stack_it_is() {
        let spec = json!({ "metadata": { "name": "a" } });
        let mut volume = mark(&spec, &owner(Some("u1")), &id());
        volume["metadata"]["uid"] = json!("uid-a");
        let read = |object: &Json, owner: &Owner| {
            owned(Kind::new("k8s.v1.PersistentVolume"), "a".to_owned(), object, owner)
        };
        let found = read(&volume, &owner(None)).unwrap();
        assert_eq!(found.id, Some(id()));
        assert_eq!(found.uid.as_deref(), Some("u1"));
        assert_eq!(found.remote_id.as_deref(), Some("uid-a"));
        assert_eq!(found.cluster, None);
        // A stack of the same name in another namespace has volumes of its own.
        let elsewhere = Owner { namespace: "prod".to_owned(), ..owner(None) };
        assert_eq!(read(&volume, &elsewhere), None);
        assert_eq!(read(&spec, &owner(None)), None);
        assert_eq!(
            read(&json!({ "metadata": set_parent("git", "dev", "u1") }), &owner(None)),
            None
        );
    }

    #[test]
    fn the_set_id_fits_a_label_and_depends_on_its_parent() {
        let id = set_id("git", "dev");
        assert!(id.len() <= 63 && id.starts_with("applyset-") && id.ends_with("-v1"), "{id}");
        assert_ne!(id, set_id("git", "prod"));
    }
}
