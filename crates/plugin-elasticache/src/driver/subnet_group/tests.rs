use serde_json::{Value as Json, json};
use zonestack_core::driver::{
    Created, Deletion, Driver, ErrorClass, Observation, Ownership, Status, Target,
};

use super::super::SUBNET_GROUP;
use super::super::recorded::{
    Answer, cx, differences, driver, ok, owner, paths, query, refused, spec_of, tagged, target,
};

const ARN: &str = "arn:aws:elasticache:eu-west-1:111122223333:subnetgroup:git-cache";

fn group() -> Target {
    let target = target(SUBNET_GROUP, "cache/subnet-group", "git-cache");
    Target { remote_id: Some(ARN.to_owned()), ..target }
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
        "DescribeCacheSubnetGroups",
        &format!(
            "<CacheSubnetGroups><CacheSubnetGroup><CacheSubnetGroupName>somebody-elses</CacheSubnetGroupName></CacheSubnetGroup>\
             <CacheSubnetGroup><CacheSubnetGroupName>{name}</CacheSubnetGroupName>\
             <CacheSubnetGroupDescription>Subnets of git-cache, one for each zone</CacheSubnetGroupDescription>\
             <VpcId>vpc-1</VpcId><Subnets>{subnets}</Subnets><ARN>{ARN}</ARN></CacheSubnetGroup></CacheSubnetGroups>"
        ),
    )
}

fn tags(uid: &str) -> Answer {
    tagged(uid, "cache/subnet-group")
}

#[tokio::test]
async fn a_group_is_found_in_two_calls() {
    // In another order than asked for, and one more: neither means anything.
    let subnets = ["subnet-nominal-2", "subnet-nominal-0", "subnet-old", "subnet-nominal-1"];
    let (driver, calls) = driver(vec![listed("git-cache", &subnets), tags("u1")]);
    let owner = owner();
    let found = driver.observe(cx(&owner), &[query(group(), spec())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.status, Status::Ready);
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.attributes, spec());
    assert_eq!(found.remote_id.as_deref(), Some(ARN));
    assert_eq!(found.outputs["name"], "git-cache");
    assert_eq!(calls.actions(), ["DescribeCacheSubnetGroups", "ListTagsForResource"]);
}

#[tokio::test]
async fn absent_foreign_and_changed_groups_are_told_apart() {
    let owner = owner();
    let (absent, calls) = driver(vec![listed("git-other", &[])]);
    let found = absent.observe(cx(&owner), &[query(group(), spec())]).await;
    assert_eq!(found, [Ok(Observation::absent())]);
    assert_eq!(calls.actions(), ["DescribeCacheSubnetGroups"]);

    let (foreign, _) = driver(vec![listed("git-cache", &["subnet-x"]), tags("u2")]);
    let found = foreign.observe(cx(&owner), &[query(group(), spec())]).await;
    let found = found[0].as_ref().unwrap();
    assert_eq!(found.ownership, Ownership::Foreign);
    assert_eq!(paths(&differences(&spec(), &found.attributes)), ["/subnet_ids"]);
}

#[tokio::test]
async fn creating_marks_it() {
    let owner = owner();
    let answer = format!("<CacheSubnetGroup><ARN>{ARN}</ARN></CacheSubnetGroup>");
    let (driver, calls) = driver(vec![ok("CreateCacheSubnetGroup", &answer)]);
    let made = driver.create(cx(&owner), &group(), &spec()).await;
    assert_eq!(made, Ok(Created { remote_id: Some(ARN.to_owned()) }));
    insta::assert_snapshot!(format!("{:#}", json!(calls.only())));
}

/// A node may be in each: ElastiCache would refuse to take one out.
#[tokio::test]
async fn subnets_that_are_there_stay() {
    let owner = owner();
    let old = listed("git-cache", &["subnet-nominal-0", "subnet-old"]);
    let (driver, calls) = driver(vec![old, tags("u1"), ok("ModifyCacheSubnetGroup", "")]);
    let found = driver.observe(cx(&owner), &[query(group(), spec())]).await;
    let differences = differences(&spec(), &found[0].as_ref().unwrap().attributes);
    driver.update(cx(&owner), &group(), &spec(), &differences).await.unwrap();
    let call = calls.last();
    assert_eq!(call["Action"], "ModifyCacheSubnetGroup");
    let subnets = call.iter().filter(|(key, _)| key.starts_with("SubnetIds."));
    assert_eq!(
        subnets.map(|(_, id)| id.as_str()).collect::<Vec<_>>(),
        ["subnet-nominal-0", "subnet-nominal-1", "subnet-nominal-2", "subnet-old"]
    );
}

#[tokio::test]
async fn deleting_waits_for_the_nodes_and_takes_absence_for_success() {
    let owner = owner();
    let delete = async |answer: Answer| {
        driver(vec![answer]).0.delete(cx(&owner), &group(), &Deletion::default()).await
    };
    assert_eq!(delete(ok("DeleteCacheSubnetGroup", "")).await, Ok(()));
    // AWS says 400 here, where others say 404 (domain.md 7.9).
    assert_eq!(delete(refused(400, "CacheSubnetGroupNotFoundFault", "No.")).await, Ok(()));
    let error = delete(refused(400, "CacheSubnetGroupInUse", "In use.")).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Dependency);
}

#[tokio::test]
async fn a_refused_creation_has_its_class() {
    let owner = owner();
    for (code, class) in [
        ("CacheSubnetGroupAlreadyExists", ErrorClass::AlreadyExists),
        ("CacheSubnetGroupQuotaExceeded", ErrorClass::Quota),
        ("CacheSubnetQuotaExceededFault", ErrorClass::Quota),
        ("InvalidSubnet", ErrorClass::Invalid),
        ("SubnetNotAllowedFault", ErrorClass::Invalid),
    ] {
        let (driver, _) = driver(vec![refused(400, code, "No.")]);
        let error = driver.create(cx(&owner), &group(), &spec()).await.unwrap_err();
        assert_eq!(error.class, class, "{code}");
    }
}
