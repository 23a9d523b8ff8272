use serde_json::{Value as Json, json};
use zonestack_core::driver::{
    Created, Deletion, Driver, ErrorClass, Observation, Ownership, Status, Target,
};

use super::super::SUBNET_GROUP;
use super::super::recorded::{
    Answer, cx, differences, driver, ok, owner, paths, query, refused, spec_of, target,
};

const ARN: &str = "arn:aws:rds:eu-west-1:111122223333:subgrp:git-db";

fn group() -> Target {
    Target { remote_id: Some(ARN.to_owned()), ..target(SUBNET_GROUP, "db/subnet-group", "git-db") }
}

fn spec() -> Json {
    spec_of(SUBNET_GROUP, json!({}))
}

fn listed(name: &str, subnets: &[&str]) -> Answer {
    let subnets: Vec<_> = subnets
        .iter()
        .map(|id| format!("<Subnet><SubnetIdentifier>{id}</SubnetIdentifier></Subnet>"))
        .collect();
    let subnets = subnets.concat();
    ok(
        "DescribeDBSubnetGroups",
        &format!(
            "<DBSubnetGroups><DBSubnetGroup><DBSubnetGroupName>somebody-elses</DBSubnetGroupName></DBSubnetGroup>\
             <DBSubnetGroup><DBSubnetGroupName>{name}</DBSubnetGroupName><SubnetGroupStatus>Complete</SubnetGroupStatus>\
             <DBSubnetGroupDescription>Subnets of git-db, one for each zone</DBSubnetGroupDescription>\
             <DBSubnetGroupArn>{ARN}</DBSubnetGroupArn><Subnets>{subnets}</Subnets></DBSubnetGroup></DBSubnetGroups>"
        ),
    )
}

fn tags(uid: &str) -> Answer {
    ok(
        "ListTagsForResource",
        &format!(
            "<TagList><Tag><Key>Name</Key><Value>git-db</Value></Tag>\
             <Tag><Key>zonestack:stack</Key><Value>git</Value></Tag>\
             <Tag><Key>zonestack:uid</Key><Value>{uid}</Value></Tag>\
             <Tag><Key>zonestack:node</Key><Value>db/subnet-group</Value></Tag></TagList>"
        ),
    )
}

#[tokio::test]
async fn a_group_is_found_in_two_calls() {
    // In another order than asked for, which means nothing.
    let subnets = ["subnet-nominal-2", "subnet-nominal-0", "subnet-nominal-1"];
    let (driver, calls) = driver(vec![listed("git-db", &subnets), tags("u1")]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(group(), spec())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.status, Status::Ready);
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.attributes, spec());
    assert_eq!(found.outputs["name"], "git-db");
    assert_eq!(calls.actions(), ["DescribeDBSubnetGroups", "ListTagsForResource"]);
}

#[tokio::test]
async fn absent_foreign_and_changed_groups_are_told_apart() {
    let owner = owner();
    let (absent, calls) = driver(vec![listed("git-other", &[])]);
    let found = absent.observe(cx(&owner), &[query(group(), spec())]).await;
    assert_eq!(found, [Ok(Observation::absent())]);
    assert_eq!(calls.actions(), ["DescribeDBSubnetGroups"]);

    let (foreign, _) = driver(vec![listed("git-db", &["subnet-x"]), tags("u2")]);
    let found = foreign.observe(cx(&owner), &[query(group(), spec())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.ownership, Ownership::Foreign);
    assert_eq!(paths(&differences(&spec(), &found.attributes)), ["/subnet_ids"]);
}

#[tokio::test]
async fn creating_marks_it_and_updating_is_one_call() {
    let owner = owner();
    let answer =
        format!("<DBSubnetGroup><DBSubnetGroupArn>{ARN}</DBSubnetGroupArn></DBSubnetGroup>");
    let (created, calls) = driver(vec![ok("CreateDBSubnetGroup", &answer)]);
    let made = created.create(cx(&owner), &group(), &spec()).await;
    assert_eq!(made, Ok(Created { remote_id: Some(ARN.to_owned()) }));
    insta::assert_snapshot!(format!("{:#}", json!(calls.only())));

    let (updated, calls) = driver(vec![ok("ModifyDBSubnetGroup", "")]);
    let differences = differences(
        &spec(),
        &json!({"subnet_ids": [], "description": spec()["description"], "tags": spec()["tags"]}),
    );
    updated.update(cx(&owner), &group(), &spec(), &differences).await.unwrap();
    assert_eq!(calls.actions(), ["ModifyDBSubnetGroup"]);
    assert_eq!(calls.only()["SubnetIds.SubnetIdentifier.3"], "subnet-nominal-2");
}

#[tokio::test]
async fn deleting_waits_for_the_instance_and_takes_absence_for_success() {
    let owner = owner();
    let delete = async |answer: Answer| {
        driver(vec![answer]).0.delete(cx(&owner), &group(), &Deletion::default()).await
    };
    assert_eq!(delete(ok("DeleteDBSubnetGroup", "")).await, Ok(()));
    assert_eq!(delete(refused(404, "DBSubnetGroupNotFoundFault", "No.")).await, Ok(()));
    let error =
        delete(refused(400, "InvalidDBSubnetGroupStateFault", "In use.")).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Dependency);
}

#[tokio::test]
async fn a_subnet_that_the_database_lives_in_cannot_go() {
    let owner = owner();
    let (driver, _) = driver(vec![refused(400, "SubnetAlreadyInUse", "Subnet in use.")]);
    let differences = differences(&json!({"subnet_ids": ["a"]}), &json!({"subnet_ids": ["b"]}));
    let error = driver.update(cx(&owner), &group(), &spec(), &differences).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    assert!(error.message.contains("keep its zone"), "{error}");
}
