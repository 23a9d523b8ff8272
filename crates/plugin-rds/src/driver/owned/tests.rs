use std::fmt::Write as _;

use zonestack_core::driver::{Driver, ErrorClass, Owned, Owner};
use zonestack_core::name::Kind;

use super::super::recorded::{Answer, GIT_DB, answering, cx, described, ok, owner, refused};
use super::*;

fn arn(what: &str, name: &str) -> String {
    format!("arn:aws:rds:eu-west-1:111122223333:{what}:{name}")
}

fn subnet_groups(names: &[&str]) -> Answer {
    let mut groups = String::new();
    for name in names {
        let arn = arn("subgrp", name);
        write!(
            groups,
            "<DBSubnetGroup><DBSubnetGroupName>{name}</DBSubnetGroupName><DBSubnetGroupArn>{arn}</DBSubnetGroupArn></DBSubnetGroup>"
        )
        .unwrap();
    }
    ok("DescribeDBSubnetGroups", &format!("<DBSubnetGroups>{groups}</DBSubnetGroups>"))
}

fn parameter_groups(names: &[&str]) -> Answer {
    let mut groups = String::new();
    for name in names {
        let arn = arn("pg", name);
        write!(
            groups,
            "<DBParameterGroup><DBParameterGroupName>{name}</DBParameterGroupName>\
             <DBParameterGroupArn>{arn}</DBParameterGroupArn></DBParameterGroup>"
        )
        .unwrap();
    }
    ok("DescribeDBParameterGroups", &format!("<DBParameterGroups>{groups}</DBParameterGroups>"))
}

fn tags(stack: &str, node: &str) -> Answer {
    let pairs = [
        ("zonestack:stack", stack),
        ("zonestack:uid", "u1"),
        ("zonestack:cluster", "k8s.myzone.net"),
        ("zonestack:node", node),
    ];
    let mut list = String::new();
    for (key, value) in pairs {
        write!(list, "<Tag><Key>{key}</Key><Value>{value}</Value></Tag>").unwrap();
    }
    ok("ListTagsForResource", &format!("<TagList>{list}</TagList>"))
}

fn owned(kind: &str, node: &str, name: &str, arn: String) -> Owned {
    Owned {
        kind: Kind::new(kind),
        id: Some(node.parse().unwrap()),
        uid: Some("u1".to_owned()),
        cluster: (kind != INSTANCE).then(|| "k8s.myzone.net".to_owned()),
        name: Some(name.to_owned()),
        remote_id: Some(arn),
    }
}

#[tokio::test]
async fn what_carries_the_stacks_marks_is_listed() {
    let strangers = GIT_DB.replace("zonestack:", "other:").replace("git-db", "git-theirs");
    let other_stack = GIT_DB.replace("<Value>git</Value>", "<Value>git-lab</Value>");
    let going = GIT_DB.replace("available", "deleting").replace("git-db", "git-gone");
    let member = GIT_DB
        .replace("git-db", "git-main-eu-west-1a")
        .replace("<Engine>", "<DBClusterIdentifier>git-main</DBClusterIdentifier><Engine>");
    let (driver, calls) = answering(move |call| match call["Action"].as_str() {
        "DescribeDBInstances" => {
            described(&format!("{GIT_DB}{member}{strangers}{other_stack}{going}"))
        }
        "DescribeDBSubnetGroups" => subnet_groups(&["default", "git-db", "git-lab-db", "git-gone"]),
        "DescribeDBParameterGroups" => {
            parameter_groups(&["default.postgres17", "gitea-db-postgres17", "git-db-postgres17"])
        }
        _ => match call["ResourceName"].rsplit(':').next().unwrap() {
            "git-db" => tags("git", "db/subnet-group"),
            "git-db-postgres17" => tags("git", "db/parameter-group-17"),
            "git-lab-db" => tags("git-lab", "db/subnet-group"),
            _ => refused(404, "DBSubnetGroupNotFoundFault", "gone since it was listed"),
        },
    });
    let nobody = Owner { uid: None, ..owner() };
    let found = driver.owned(cx(&nobody)).await.unwrap();
    assert_eq!(
        found,
        [
            owned(INSTANCE, "db/instance", "git-db", arn("db", "git-db")),
            owned(SUBNET_GROUP, "db/subnet-group", "git-db", arn("subgrp", "git-db")),
            owned(
                PARAMETER_GROUP,
                "db/parameter-group-17",
                "git-db-postgres17",
                arn("pg", "git-db-postgres17")
            ),
        ]
    );
    // Only groups whose names begin as the stack's do are asked for their tags.
    let asked = calls.actions().iter().filter(|action| *action == "ListTagsForResource").count();
    assert_eq!(asked, 4);
}

#[tokio::test]
async fn groups_that_may_not_be_listed_hide_no_instance() {
    for denied in ["DescribeDBSubnetGroups", "ListTagsForResource"] {
        let (driver, _) = answering(move |call| match call["Action"].as_str() {
            action if action == denied => refused(403, "AccessDenied", "no"),
            "DescribeDBInstances" => described(GIT_DB),
            "DescribeDBSubnetGroups" => subnet_groups(&["git-db"]),
            _ => parameter_groups(&[]),
        });
        let owner = owner();
        let found = driver.owned(cx(&owner)).await.unwrap();
        assert_eq!(found, [owned(INSTANCE, "db/instance", "git-db", arn("db", "git-db"))]);
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_an_error() {
    let (driver, _) = answering(|call| match call["Action"].as_str() {
        "DescribeDBInstances" => described(""),
        "DescribeDBSubnetGroups" => refused(400, "Throttling", "Rate exceeded"),
        _ => parameter_groups(&[]),
    });
    let owner = owner();
    let error = driver.owned(cx(&owner)).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Throttled);
}
