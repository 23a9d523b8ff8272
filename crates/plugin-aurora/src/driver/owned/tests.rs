use std::fmt::Write as _;

use zonestack_core::driver::{Driver, ErrorClass, Owned, Owner};
use zonestack_core::name::Kind;

use super::super::recorded::{
    Answer, GIT_DB, GIT_DB_A, answering, cx, described, described_instances, ok, owner, refused,
};
use super::*;

fn arn(what: &str, name: &str) -> String {
    format!("arn:aws:rds:eu-west-1:111122223333:{what}:{name}")
}

fn parameter_groups(names: &[&str]) -> Answer {
    let mut groups = String::new();
    for name in names {
        let arn = arn("cluster-pg", name);
        write!(
            groups,
            "<DBClusterParameterGroup><DBClusterParameterGroupName>{name}</DBClusterParameterGroupName>\
             <DBClusterParameterGroupArn>{arn}</DBClusterParameterGroupArn></DBClusterParameterGroup>"
        )
        .unwrap();
    }
    ok(
        "DescribeDBClusterParameterGroups",
        &format!("<DBClusterParameterGroups>{groups}</DBClusterParameterGroups>"),
    )
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
        cluster: (kind == PARAMETER_GROUP).then(|| "k8s.myzone.net".to_owned()),
        name: Some(name.to_owned()),
        remote_id: Some(arn),
    }
}

fn cluster_and_instance() -> [Owned; 2] {
    let member = "git-db-eu-west-1a";
    [
        owned(CLUSTER, "db/cluster", "git-db", arn("cluster", "git-db")),
        owned(INSTANCE, "db/instance@eu-west-1a", member, arn("db", member)),
    ]
}

#[tokio::test]
async fn what_carries_the_stacks_marks_is_listed() {
    let strangers = GIT_DB.replace("zonestack:", "other:").replace("git-db", "git-theirs");
    let other_stack = GIT_DB.replace("<Value>git</Value>", "<Value>git-lab</Value>");
    let going = GIT_DB.replace("available", "deleting").replace("git-db", "git-gone");
    // Of the rds component: the rds driver tells it.
    let alone = GIT_DB_A
        .replace("git-db-eu-west-1a", "git-main")
        .replace("<DBClusterIdentifier>git-db</DBClusterIdentifier>", "");
    let member_going = GIT_DB_A.replace("available", "deleting").replace("west-1a", "west-1b");
    let (driver, calls) = answering(move |call| match call["Action"].as_str() {
        "DescribeDBClusters" => described(&format!("{GIT_DB}{strangers}{other_stack}{going}")),
        "DescribeDBInstances" => described_instances(&format!("{GIT_DB_A}{alone}{member_going}")),
        "DescribeDBClusterParameterGroups" => parameter_groups(&[
            "default.aurora-postgresql17",
            "gitea-db-aurora-postgresql17",
            "git-db-aurora-postgresql17",
            "git-lab-db-aurora-postgresql17",
            "git-gone-aurora-postgresql17",
        ]),
        _ => match call["ResourceName"].rsplit(':').next().unwrap() {
            "git-db-aurora-postgresql17" => tags("git", "db/cluster-parameter-group-17"),
            "git-lab-db-aurora-postgresql17" => tags("git-lab", "db/cluster-parameter-group-17"),
            _ => refused(404, "DBParameterGroupNotFound", "gone since it was listed"),
        },
    });
    let nobody = Owner { uid: None, ..owner() };
    let found = driver.owned(cx(&nobody)).await.unwrap();
    let group = "git-db-aurora-postgresql17";
    let group =
        owned(PARAMETER_GROUP, "db/cluster-parameter-group-17", group, arn("cluster-pg", group));
    let [cluster, instance] = cluster_and_instance();
    assert_eq!(found, [cluster, instance, group]);
    // Only groups whose names begin as the stack's do are asked for their tags.
    let asked = calls.actions().iter().filter(|action| *action == "ListTagsForResource").count();
    assert_eq!(asked, 3);
}

#[tokio::test]
async fn groups_that_may_not_be_listed_hide_no_cluster() {
    for denied in ["DescribeDBClusterParameterGroups", "ListTagsForResource"] {
        let (driver, _) = answering(move |call| match call["Action"].as_str() {
            action if action == denied => refused(403, "AccessDenied", "no"),
            "DescribeDBClusters" => described(GIT_DB),
            "DescribeDBInstances" => described_instances(GIT_DB_A),
            _ => parameter_groups(&["git-db-aurora-postgresql17"]),
        });
        let owner = owner();
        let found = driver.owned(cx(&owner)).await.unwrap();
        assert_eq!(found, cluster_and_instance());
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_an_error() {
    for failing in ["DescribeDBClusters", "DescribeDBInstances", "DescribeDBClusterParameterGroups"]
    {
        let (driver, _) = answering(move |call| match call["Action"].as_str() {
            action if action == failing => refused(400, "Throttling", "Rate exceeded"),
            "DescribeDBClusters" => described(GIT_DB),
            "DescribeDBInstances" => described_instances(""),
            _ => parameter_groups(&[]),
        });
        let owner = owner();
        let error = driver.owned(cx(&owner)).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Throttled);
    }
}

/// Every stack asks, also one that has nothing to do with Aurora.
#[tokio::test]
async fn an_account_without_clusters_or_without_the_right_to_list_them_costs_no_more_calls() {
    for denied in [false, true] {
        let (driver, calls) = answering(move |call| match call["Action"].as_str() {
            "DescribeDBClusters" if denied => refused(403, "AccessDenied", "no"),
            "DescribeDBClusters" => described(""),
            _ => parameter_groups(&["default.aurora-postgresql17"]),
        });
        let owner = owner();
        assert_eq!(driver.owned(cx(&owner)).await, Ok(Vec::new()));
        assert_eq!(calls.actions().len(), 2, "{:?}", calls.actions());
    }
}
