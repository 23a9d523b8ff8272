use serde_json::{Map, Value as Json, json};
use zonestack_core::driver::{
    Created, Deletion, Driver, ErrorClass, Observation, Ownership, Target,
};

use super::super::PARAMETER_GROUP;
use super::super::recorded::{
    Answer, cx, differences, driver, ok, owner, paths, query, refused, spec_of, target,
};
use super::*;

const ARN: &str = "arn:aws:rds:eu-west-1:111122223333:cluster-pg:git-db-aurora-postgresql17";

fn target_group() -> Target {
    let target =
        target(PARAMETER_GROUP, "db/cluster-parameter-group-17", "git-db-aurora-postgresql17");
    Target { remote_id: Some(ARN.to_owned()), ..target }
}

fn spec() -> Json {
    spec_of(PARAMETER_GROUP, json!({"parameters": {"max_connections": 500, "work_mem": 8192}}))
}

fn described() -> Answer {
    ok(
        "DescribeDBClusterParameterGroups",
        &format!(
            "<DBClusterParameterGroups><DBClusterParameterGroup><DBClusterParameterGroupName>git-db-aurora-postgresql17</DBClusterParameterGroupName>\
             <DBParameterGroupFamily>aurora-postgresql17</DBParameterGroupFamily>\
             <Description>Parameters of git-db for PostgreSQL 17</Description>\
             <DBClusterParameterGroupArn>{ARN}</DBClusterParameterGroupArn></DBClusterParameterGroup></DBClusterParameterGroups>"
        ),
    )
}

fn parameters(values: &[(&str, &str)]) -> Answer {
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| {
            format!(
                "<Parameter><ParameterName>{name}</ParameterName><ParameterValue>{value}</ParameterValue>\
                 <Source>user</Source></Parameter>"
            )
        })
        .collect();
    let values = values.concat();
    ok("DescribeDBClusterParameters", &format!("<Parameters>{values}</Parameters>"))
}

fn tags() -> Answer {
    ok(
        "ListTagsForResource",
        "<TagList><Tag><Key>Name</Key><Value>git-db</Value></Tag>\
         <Tag><Key>zonestack:stack</Key><Value>git</Value></Tag><Tag><Key>zonestack:uid</Key><Value>u1</Value></Tag>\
         <Tag><Key>zonestack:node</Key><Value>db/cluster-parameter-group-17</Value></Tag></TagList>",
    )
}

#[tokio::test]
async fn a_group_is_found_in_three_calls() {
    let set =
        parameters(&[("max_connections", "500"), ("rds.force_ssl", "1"), ("work_mem", "8192")]);
    let (driver, calls) = driver(vec![described(), set, tags()]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(target_group(), spec())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.attributes, spec());
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.remote_id.as_deref(), Some(ARN));
    let expected =
        ["DescribeDBClusterParameterGroups", "DescribeDBClusterParameters", "ListTagsForResource"];
    assert_eq!(calls.actions(), expected);
}

#[tokio::test]
async fn a_parameter_that_was_set_once_has_to_go() {
    let set =
        parameters(&[("max_connections", "400"), ("rds.force_ssl", "1"), ("log_statement", "all")]);
    let (driver, _) = driver(vec![described(), set, tags()]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(target_group(), spec())]).await;
    let differences = differences(&spec(), &found[0].as_ref().unwrap().attributes);
    let expected =
        ["/parameters/max_connections", "/parameters/work_mem", "/parameters/log_statement"];
    assert_eq!(paths(&differences), expected);
}

#[tokio::test]
async fn a_group_that_is_not_there_is_absent() {
    let (driver, _) = driver(vec![refused(404, "DBParameterGroupNotFound", "No.")]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(target_group(), spec())]).await;
    assert_eq!(found, [Ok(Observation::absent())]);
}

#[tokio::test]
async fn it_is_made_empty_then_filled_and_cleaned_a_call_at_a_time() {
    let owner = owner();
    let answer = format!(
        "<DBClusterParameterGroup><DBClusterParameterGroupArn>{ARN}</DBClusterParameterGroupArn></DBClusterParameterGroup>"
    );
    let (creating, calls) = driver(vec![ok("CreateDBClusterParameterGroup", &answer)]);
    let made = creating.create(cx(&owner), &target_group(), &spec()).await;
    assert_eq!(made, Ok(Created { remote_id: Some(ARN.to_owned()) }));
    assert_eq!(calls.only()["DBParameterGroupFamily"], "aurora-postgresql17");

    let actual = |parameters: Json| {
        let mut actual = spec();
        actual["parameters"] = parameters;
        actual
    };
    let missing = differences(&spec(), &actual(json!({"log_statement": "all"})));
    let (filling, calls) = driver(vec![ok("ModifyDBClusterParameterGroup", "")]);
    filling.update(cx(&owner), &target_group(), &spec(), &missing).await.unwrap();
    insta::assert_snapshot!(format!("{:#}", json!(calls.only())));

    let left = json!({
        "max_connections": "500", "rds.force_ssl": "1", "work_mem": "8192", "log_statement": "all",
    });
    let too_many = differences(&spec(), &actual(left));
    let (cleaning, calls) = driver(vec![ok("ResetDBClusterParameterGroup", "")]);
    cleaning.update(cx(&owner), &target_group(), &spec(), &too_many).await.unwrap();
    let call = calls.only();
    assert_eq!(call["Action"], "ResetDBClusterParameterGroup");
    assert_eq!(call["ResetAllParameters"], "false");
    assert_eq!(call["Parameters.Parameter.1.ParameterName"], "log_statement");
}

#[test]
fn a_call_takes_twenty_parameters() {
    let many: Map<_, _> = (0..45).map(|n| (format!("p{n:02}"), json!("1"))).collect();
    let spec = json!({"parameters": many});
    let none = json!({"parameters": {}});
    let (set, reset) = changes(&spec, &differences(&spec, &none));
    assert_eq!((set.len(), reset.len()), (20, 0));
    let (set, reset) = changes(&none, &differences(&none, &spec));
    assert_eq!((set.len(), reset.len()), (0, 20));
}

#[tokio::test]
async fn deleting_waits_for_the_cluster_and_takes_absence_for_success() {
    let owner = owner();
    let delete = async |answer: Answer| {
        driver(vec![answer]).0.delete(cx(&owner), &target_group(), &Deletion::default()).await
    };
    assert_eq!(delete(ok("DeleteDBClusterParameterGroup", "")).await, Ok(()));
    assert_eq!(delete(refused(404, "DBParameterGroupNotFound", "No.")).await, Ok(()));
    let error = delete(refused(400, "InvalidDBParameterGroupState", "In use.")).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Dependency);
}
