//! Whose a replication group is while its tags cannot be read.
//!
//! ElastiCache neither tells nor takes tags of a replication group that is not `available`
//! (`InvalidReplicationGroupState`; reliability.md B.1), which is so for ten minutes after its creation: a run that was killed
//! then would not know its own work again. The description is told in every state, so the marks are at its end too.

use std::collections::BTreeMap;

use zonestack_aws::tags;
use zonestack_core::driver::{Owner, Ownership};
use zonestack_core::name::ResourceId;

/// The marks in a description.
const KEYS: [&str; 3] = [tags::STACK, tags::UID, tags::NODE];

/// The description as the service gets it: with the marks.
pub(super) fn marked(description: &str, owner: &Owner, id: &ResourceId) -> String {
    let marks = tags::marks(owner, id);
    let said = |key: &str| Some(format!(" {key}={}", marks.get(key)?));
    let words: String = KEYS.into_iter().filter_map(said).collect();
    format!("{description}{words}")
}

/// The description without its marks.
pub(super) fn plain(description: &str) -> &str {
    let first = KEYS.iter().filter_map(|key| description.find(&format!(" {key}="))).min();
    &description[..first.unwrap_or(description.len())]
}

/// The marks in a description, as tags.
pub(super) fn of(description: &str) -> BTreeMap<String, String> {
    let rest = &description[plain(description).len()..];
    rest.split_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Whose it is by its description. Which resource of the stack it is does not matter: a name is taken once, and a renamed
/// component keeps it. Without marks nothing is known: somebody may have written another description.
pub(super) fn ownership(description: &str, owner: &Owner) -> Ownership {
    let marks = of(description);
    let (stack, uid) = (marks.get(tags::STACK), marks.get(tags::UID));
    if stack.is_none() || uid.is_none() {
        return Ownership::Unknown;
    }
    if stack == Some(&owner.stack) && uid == owner.uid.as_ref() {
        Ownership::Ours
    } else {
        Ownership::Foreign
    }
}

#[cfg(test)]
mod tests {
    use super::super::recorded::owner;
    use super::*;

    #[test]
    fn a_description_carries_the_marks_and_gives_them_back() {
        let (owner, id) = (owner(), "cache/replication-group".parse().unwrap());
        let text = marked("Cache of git-cache", &owner, &id);
        assert_eq!(
            text,
            "Cache of git-cache zonestack:stack=git zonestack:uid=u1 zonestack:node=cache/replication-group"
        );
        assert_eq!(plain(&text), "Cache of git-cache");
        assert_eq!(of(&text).len(), 3);
        assert_eq!(tags::ownership(&of(&text), &owner, &id), Ownership::Ours);
    }

    #[test]
    fn another_stack_is_a_stranger_and_no_marks_say_nothing() {
        let id = "cache/replication-group".parse().unwrap();
        let text = marked("Cache", &owner(), &id);
        let other = Owner { uid: Some("u2".to_owned()), ..owner() };
        assert_eq!(ownership(&text, &owner()), Ownership::Ours);
        assert_eq!(ownership(&text, &other), Ownership::Foreign);
        assert_eq!(ownership("Cache", &owner()), Ownership::Unknown);
        assert_eq!(ownership("", &owner()), Ownership::Unknown);
        assert_eq!(plain("Cache"), "Cache");
    }

    /// ElastiCache takes 255 characters.
    #[test]
    fn the_longest_names_fit() {
        let longest = Owner {
            stack: "a".repeat(20),
            uid: Some("0123456789abcdef0123456789abcdef".to_owned()),
            ..owner()
        };
        let id = format!("{}/replication-group", "b".repeat(20)).parse().unwrap();
        let description = format!("Cache, sessions and queues of {}", "c".repeat(40));
        assert!(marked(&description, &longest, &id).len() <= 255);
    }
}
