use serde_json::{Map, Value as Json, json};
use zonestack_core::driver::{
    Created, Deletion, Driver, ErrorClass, Observation, Ownership, Target,
};

use super::super::PARAMETER_GROUP;
use super::super::recorded::{
    Answer, cx, differences, driver, ok, owner, paths, query, refused, spec_of, tagged, target,
};
use super::*;

const ARN: &str = "arn:aws:elasticache:eu-west-1:111122223333:parametergroup:git-cache-valkey8";

fn target_group() -> Target {
    let target = target(PARAMETER_GROUP, "cache/parameter-group-valkey8", "git-cache-valkey8");
    Target { remote_id: Some(ARN.to_owned()), ..target }
}

fn spec() -> Json {
    spec_of(PARAMETER_GROUP, json!({"parameters": {"timeout": 300}}))
}

fn described() -> Answer {
    ok(
        "DescribeCacheParameterGroups",
        &format!(
            "<CacheParameterGroups><CacheParameterGroup><CacheParameterGroupName>git-cache-valkey8</CacheParameterGroupName>\
             <CacheParameterGroupFamily>valkey8</CacheParameterGroupFamily>\
             <Description>Parameters of git-cache for valkey8</Description><IsGlobal>false</IsGlobal>\
             <ARN>{ARN}</ARN></CacheParameterGroup></CacheParameterGroups>"
        ),
    )
}

fn parameters(values: &[(&str, &str, &str)]) -> Answer {
    let values: Vec<_> = values
        .iter()
        .map(|(name, value, source)| {
            format!(
                "<Parameter><ParameterName>{name}</ParameterName><ParameterValue>{value}</ParameterValue>\
                 <Source>{source}</Source></Parameter>"
            )
        })
        .collect();
    let values = values.concat();
    ok("DescribeCacheParameters", &format!("<Parameters>{values}</Parameters>"))
}

fn tags() -> Answer {
    tagged("u1", "cache/parameter-group-valkey8")
}

#[tokio::test]
async fn a_group_is_found_in_three_calls() {
    let set = parameters(&[
        ("maxmemory-policy", "noeviction", "user"),
        ("timeout", "300", "user"),
        // MiniStack tells them all.
        ("databases", "16", "system"),
    ]);
    let (driver, calls) = driver(vec![described(), set, tags()]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(target_group(), spec())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.attributes, spec());
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.remote_id.as_deref(), Some(ARN));
    let expected =
        ["DescribeCacheParameterGroups", "DescribeCacheParameters", "ListTagsForResource"];
    assert_eq!(calls.actions(), expected);
}

#[tokio::test]
async fn a_parameter_that_was_set_once_has_to_go() {
    let set = parameters(&[
        ("maxmemory-policy", "volatile-lru", "user"),
        ("tcp-keepalive", "60", "user"),
    ]);
    let (driver, _) = driver(vec![described(), set, tags()]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(target_group(), spec())]).await;
    let differences = differences(&spec(), &found[0].as_ref().unwrap().attributes);
    let expected =
        ["/parameters/maxmemory-policy", "/parameters/timeout", "/parameters/tcp-keepalive"];
    assert_eq!(paths(&differences), expected);
}

#[tokio::test]
async fn a_group_that_is_not_there_is_absent() {
    let (driver, _) = driver(vec![refused(404, "CacheParameterGroupNotFound", "No.")]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(target_group(), spec())]).await;
    assert_eq!(found, [Ok(Observation::absent())]);
}

#[tokio::test]
async fn it_is_made_empty_then_filled_and_cleaned_a_call_at_a_time() {
    let owner = owner();
    let answer = format!("<CacheParameterGroup><ARN>{ARN}</ARN></CacheParameterGroup>");
    let (creating, calls) = driver(vec![ok("CreateCacheParameterGroup", &answer)]);
    let made = creating.create(cx(&owner), &target_group(), &spec()).await;
    assert_eq!(made, Ok(Created { remote_id: Some(ARN.to_owned()) }));
    assert_eq!(calls.only()["CacheParameterGroupFamily"], "valkey8");

    let actual = |parameters: Json| {
        let mut actual = spec();
        actual["parameters"] = parameters;
        actual
    };
    let missing = differences(&spec(), &actual(json!({"tcp-keepalive": "60"})));
    let (filling, calls) = driver(vec![ok("ModifyCacheParameterGroup", "")]);
    filling.update(cx(&owner), &target_group(), &spec(), &missing).await.unwrap();
    insta::assert_snapshot!(format!("{:#}", json!(calls.only())));

    let left = json!({"maxmemory-policy": "noeviction", "timeout": "300", "tcp-keepalive": "60"});
    let too_many = differences(&spec(), &actual(left));
    let (cleaning, calls) = driver(vec![ok("ResetCacheParameterGroup", "")]);
    cleaning.update(cx(&owner), &target_group(), &spec(), &too_many).await.unwrap();
    let call = calls.only();
    assert_eq!(call["Action"], "ResetCacheParameterGroup");
    assert_eq!(call["ResetAllParameters"], "false");
    let first = "ParameterNameValues.ParameterNameValue.1.ParameterName";
    assert_eq!(call[first], "tcp-keepalive");
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
async fn family_and_description_are_for_good() {
    let owner = owner();
    let (driver, calls) = driver(Vec::new());
    let differences = differences(&json!({"family": "valkey8"}), &json!({"family": "redis7"}));
    let error = driver.update(cx(&owner), &target_group(), &spec(), &differences).await;
    assert_eq!(error.unwrap_err().class, ErrorClass::Unsupported);
    assert_eq!(calls.actions(), Vec::<String>::new());
}

#[tokio::test]
async fn deleting_waits_for_the_nodes_and_takes_absence_for_success() {
    let owner = owner();
    let delete = async |answer: Answer| {
        driver(vec![answer]).0.delete(cx(&owner), &target_group(), &Deletion::default()).await
    };
    assert_eq!(delete(ok("DeleteCacheParameterGroup", "")).await, Ok(()));
    assert_eq!(delete(refused(404, "CacheParameterGroupNotFound", "No.")).await, Ok(()));
    let in_use = refused(400, "InvalidCacheParameterGroupState", "In use.");
    assert_eq!(delete(in_use).await.unwrap_err().class, ErrorClass::Dependency);
}

#[tokio::test]
async fn a_refused_change_has_its_class() {
    let owner = owner();
    let differences = differences(&spec(), &json!({}));
    for (code, class) in [
        ("InvalidCacheParameterGroupState", ErrorClass::Busy),
        ("InvalidParameterValue", ErrorClass::Invalid),
        ("CacheParameterGroupNotFound", ErrorClass::NotFound),
    ] {
        let (driver, _) = driver(vec![refused(400, code, "No.")]);
        let error = driver.update(cx(&owner), &target_group(), &spec(), &[]).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Unsupported, "without differences there is no call");
        let parameters =
            [Difference { path: "/parameters/timeout".to_owned(), ..differences[0].clone() }];
        let error = driver.update(cx(&owner), &target_group(), &spec(), &parameters).await;
        assert_eq!(error.unwrap_err().class, class, "{code}");
    }
}
