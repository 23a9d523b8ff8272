use std::fmt::Write as _;

use zonestack_core::driver::{Driver, ErrorClass, Owned, Owner};
use zonestack_core::name::Kind;

use super::super::recorded::{
    Answer, GIT_CACHE, answering, cx, described, ok, owner, refused, tagged,
};
use super::*;

fn arn(what: &str, name: &str) -> String {
    format!("arn:aws:elasticache:eu-west-1:111122223333:{what}:{name}")
}

fn subnet_groups(names: &[&str]) -> Answer {
    let mut groups = String::new();
    for name in names {
        let arn = arn("subnetgroup", name);
        write!(
            groups,
            "<CacheSubnetGroup><CacheSubnetGroupName>{name}</CacheSubnetGroupName><ARN>{arn}</ARN></CacheSubnetGroup>"
        )
        .unwrap();
    }
    ok("DescribeCacheSubnetGroups", &format!("<CacheSubnetGroups>{groups}</CacheSubnetGroups>"))
}

fn parameter_groups(names: &[&str]) -> Answer {
    let mut groups = String::new();
    for name in names {
        let arn = arn("parametergroup", name);
        write!(
            groups,
            "<CacheParameterGroup><CacheParameterGroupName>{name}</CacheParameterGroupName><ARN>{arn}</ARN>\
             </CacheParameterGroup>"
        )
        .unwrap();
    }
    let groups = format!("<CacheParameterGroups>{groups}</CacheParameterGroups>");
    ok("DescribeCacheParameterGroups", &groups)
}

fn owned(kind: &str, node: &str, name: &str, arn: String) -> Owned {
    Owned {
        kind: Kind::new(kind),
        id: Some(node.parse().unwrap()),
        uid: Some("u1".to_owned()),
        cluster: None,
        name: Some(name.to_owned()),
        remote_id: Some(arn),
    }
}

fn git_cache() -> Owned {
    let arn = arn("replicationgroup", "git-cache");
    owned(REPLICATION_GROUP, "cache/replication-group", "git-cache", arn)
}

#[tokio::test]
async fn what_carries_the_stacks_marks_is_listed() {
    let theirs = GIT_CACHE.replace("git-cache", "git-theirs");
    let others = GIT_CACHE.replace("git-cache", "other-cache");
    // Its tags are not told while it is being made.
    let new = GIT_CACHE
        .replace("git-cache", "git-new")
        .replace("cache/replication", "new/replication")
        .replace("available", "creating");
    let going = GIT_CACHE.replace("git-cache", "git-gone").replace("available", "deleting");
    let (driver, calls) = answering(move |call| match call["Action"].as_str() {
        "DescribeReplicationGroups" => {
            described(&format!("{GIT_CACHE}{theirs}{others}{new}{going}"))
        }
        "DescribeCacheSubnetGroups" => subnet_groups(&["default", "git-cache", "git-gone"]),
        "DescribeCacheParameterGroups" => {
            parameter_groups(&["default.valkey8", "gitea-cache-valkey8", "git-cache-valkey8"])
        }
        _ => match call["ResourceName"].split_once("111122223333:").unwrap().1 {
            "replicationgroup:git-cache" => tagged("u1", "cache/replication-group"),
            "subnetgroup:git-cache" => tagged("u1", "cache/subnet-group"),
            "parametergroup:git-cache-valkey8" => tagged("u1", "cache/parameter-group-valkey8"),
            "subnetgroup:git-gone" => {
                refused(400, "CacheSubnetGroupNotFoundFault", "gone since it was listed")
            }
            _ => ok("ListTagsForResource", "<TagList></TagList>"),
        },
    });
    let nobody = Owner { uid: None, ..owner() };
    let found = driver.owned(cx(&nobody)).await.unwrap();
    let new_arn = arn("replicationgroup", "git-new");
    assert_eq!(
        found,
        [
            git_cache(),
            owned(REPLICATION_GROUP, "new/replication-group", "git-new", new_arn),
            owned(SUBNET_GROUP, "cache/subnet-group", "git-cache", arn("subnetgroup", "git-cache")),
            owned(
                PARAMETER_GROUP,
                "cache/parameter-group-valkey8",
                "git-cache-valkey8",
                arn("parametergroup", "git-cache-valkey8")
            ),
        ]
    );
    // Only what is available, and what is called as the stack's things are, is asked for its tags.
    let asked = calls.actions().iter().filter(|action| *action == "ListTagsForResource").count();
    assert_eq!(asked, 5);
}

#[tokio::test]
async fn what_may_not_be_read_hides_no_replication_group() {
    for denied in ["DescribeCacheSubnetGroups", "ListTagsForResource"] {
        let (driver, _) = answering(move |call| match call["Action"].as_str() {
            action if action == denied => refused(403, "AccessDenied", "no"),
            "DescribeReplicationGroups" => described(GIT_CACHE),
            "DescribeCacheSubnetGroups" => subnet_groups(&["git-cache"]),
            "DescribeCacheParameterGroups" => parameter_groups(&[]),
            _ => tagged("u1", "cache/replication-group"),
        });
        let owner = owner();
        assert_eq!(driver.owned(cx(&owner)).await.unwrap(), [git_cache()], "{denied}");
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_an_error() {
    let (driver, _) = answering(|call| match call["Action"].as_str() {
        "DescribeReplicationGroups" => described(""),
        "DescribeCacheSubnetGroups" => refused(400, "Throttling", "Rate exceeded"),
        _ => parameter_groups(&[]),
    });
    let owner = owner();
    let error = driver.owned(cx(&owner)).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Throttled);
}
