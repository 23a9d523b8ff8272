//! Marks of ownership, as tags: how a service tells us later whose a resource is (reliability.md B.4.2; domain.md 6.5).
//!
//! The core writes [`STACK`], [`COMPONENT`] and [`CLUSTER`] into the `tags` of a specification. A driver adds [`marks`] in the
//! call that creates, and reads them back: [`ownership`] of one resource, [`owned`] of whatever a list shows.

use std::collections::BTreeMap;

use crate::driver::{Owned, Owner, Ownership};
use crate::name::{Kind, ResourceId};

/// The stack's name.
pub const STACK: &str = "zonestack:stack";
/// The stack's unique id: tells two stacks of one name apart.
pub const UID: &str = "zonestack:uid";
/// The resource's id in the stack, such as `data/mount-target@eu-west-1a`.
pub const NODE: &str = "zonestack:node";
/// The component that it belongs to: the core writes it.
pub const COMPONENT: &str = "zonestack:component";
/// The cluster that it was made for: the core writes it.
pub const CLUSTER: &str = "zonestack:cluster";
/// The tool.
pub const MANAGED_BY: &str = "managed-by";
/// What [`MANAGED_BY`] says.
pub const TOOL: &str = "zonestack";

/// The tags that make a resource ours. Without a uid the mark of the uid is missing, and the resource would be nobody's: the
/// engine has one before it creates anything.
pub fn marks(owner: &Owner, id: &ResourceId) -> BTreeMap<String, String> {
    let mut marks = BTreeMap::from([
        (STACK.to_owned(), owner.stack.clone()),
        (NODE.to_owned(), id.to_string()),
        (MANAGED_BY.to_owned(), TOOL.to_owned()),
    ]);
    if let Some(uid) = &owner.uid {
        marks.insert(UID.to_owned(), uid.clone());
    }
    marks
}

/// Whose a resource with these tags is. Ours when stack, uid and node are; a stack without a uid owns nothing yet.
pub fn ownership(tags: &BTreeMap<String, String>, owner: &Owner, id: &ResourceId) -> Ownership {
    let has = |key: &str, value: &str| tags.get(key).is_some_and(|found| found == value);
    match &owner.uid {
        Some(uid) if has(UID, uid) && has(STACK, &owner.stack) && has(NODE, &id.to_string()) => {
            Ownership::Ours
        }
        _ => Ownership::Foreign,
    }
}

/// What of a kind carries these tags, when they are those of a stack of the owner's name, whatever its uid. Name and id are
/// the caller's to add.
pub fn owned(kind: &str, tags: &BTreeMap<String, String>, owner: &Owner) -> Option<Owned> {
    let tag = |key: &str| tags.get(key).cloned();
    (tag(STACK).as_ref() == Some(&owner.stack)).then(|| Owned {
        kind: Kind::new(kind),
        id: tag(NODE).and_then(|node| node.parse().ok()),
        uid: tag(UID),
        cluster: tag(CLUSTER),
        name: None,
        remote_id: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: Option<&str>) -> Owner {
        Owner {
            stack: "git".to_owned(),
            uid: uid.map(str::to_owned),
            namespace: "git".to_owned(),
            region: "eu-west-1".to_owned(),
        }
    }

    fn id() -> ResourceId {
        "data/mount-target@eu-west-1a".parse().unwrap()
    }

    #[test]
    fn the_marks_say_stack_uid_and_node() {
        let marks = marks(&owner(Some("0123abcd")), &id());
        let wanted = [
            ("managed-by", "zonestack"),
            ("zonestack:node", "data/mount-target@eu-west-1a"),
            ("zonestack:stack", "git"),
            ("zonestack:uid", "0123abcd"),
        ];
        assert!(marks.iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(wanted));
    }

    #[test]
    fn ours_is_only_what_carries_all_three() {
        let full = marks(&owner(Some("u1")), &id());
        let check = |change: &[(&str, Option<&str>)], uid: Option<&str>, wanted: Ownership| {
            let mut tags = full.clone();
            for (key, value) in change {
                match value {
                    Some(value) => tags.insert((*key).to_owned(), (*value).to_owned()),
                    None => tags.remove(*key),
                };
            }
            assert_eq!(ownership(&tags, &owner(uid), &id()), wanted, "{change:?} {uid:?}");
        };
        check(&[], Some("u1"), Ownership::Ours);
        check(&[("Name", Some("git-data")), (MANAGED_BY, None)], Some("u1"), Ownership::Ours);
        check(&[], Some("u2"), Ownership::Foreign);
        check(&[], None, Ownership::Foreign);
        check(&[(UID, None)], None, Ownership::Foreign);
        check(&[(STACK, Some("other"))], Some("u1"), Ownership::Foreign);
        check(&[(NODE, Some("data/other"))], Some("u1"), Ownership::Foreign);
        check(&[(UID, None)], Some("u1"), Ownership::Foreign);
    }

    #[test]
    fn tags_say_what_of_which_stack_it_is() {
        let mut tags = marks(&owner(Some("u2")), &id());
        tags.insert(CLUSTER.to_owned(), "k8s.myzone.net".to_owned());
        let wanted = Owned {
            kind: Kind::new("aws.x"),
            id: Some(id()),
            uid: Some("u2".to_owned()),
            cluster: Some("k8s.myzone.net".to_owned()),
            name: None,
            remote_id: None,
        };
        // Whatever the owner's own uid: it may be lost.
        assert_eq!(owned("aws.x", &tags, &owner(None)), Some(wanted.clone()));
        tags.insert(NODE.to_owned(), "no node".to_owned());
        let unnamed = Owned { id: None, ..wanted };
        assert_eq!(owned("aws.x", &tags, &owner(None)), Some(unnamed));
        tags.insert(STACK.to_owned(), "git-lab".to_owned());
        assert_eq!(owned("aws.x", &tags, &owner(None)), None);
        assert_eq!(owned("aws.x", &BTreeMap::new(), &owner(None)), None);
    }
}
