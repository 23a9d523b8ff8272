use std::fmt::Write as _;

use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use zonestack_core::driver::{
    CallContext, Deletion, Difference, Driver, DriverError, ErrorClass, Owned, Owner, Ownership,
    Query, Status, Target,
};
use zonestack_core::name::Kind;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};

use super::*;
use crate::recorded::{Log, ec2_answering, ec2_error, ec2_ok};

struct NoSecrets;

impl SecretSource for NoSecrets {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        Box::pin(async { Err(SecretError::Missing(reference.clone())) })
    }
}

fn owner() -> Owner {
    Owner {
        stack: "git".to_owned(),
        uid: Some("0123abcd".to_owned()),
        namespace: "git".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

fn id() -> ResourceId {
    "data/security-group".parse().unwrap()
}

fn target(remote_id: Option<&str>) -> Target {
    Target {
        id: id(),
        kind: Kind::new(KIND),
        name: Some("git-data".to_owned()),
        token: None,
        remote_id: remote_id.map(str::to_owned),
        parent: None,
    }
}

fn context(groups: &[&str]) -> Context {
    let zones = ["eu-west-1a".parse().unwrap()];
    let mut context = Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones);
    context.node_security_groups = groups.iter().map(|group| (*group).to_owned()).collect();
    context
}

#[test]
fn several_ports_are_open_to_each_group_of_the_nodes() {
    let ports = [
        Ports { protocol: "tcp", from: 2049, to: 2049 },
        Ports { protocol: "udp", from: 20001, to: 20003 },
    ];
    let resource = from_nodes_on(id(), "git-data", &context(&["sg-b", "sg-a"]), &ports, "NFS");
    let spec = resource.spec.to_json();
    let rules: Vec<String> = spec["ingress"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            let port = ["port", "from_port", "to_port"].map(|key| rule.get(key).cloned());
            let ports: Vec<String> = port.iter().flatten().map(Json::to_string).collect();
            format!("{} {} {}", rule["group"], rule["protocol"], ports.join("-"))
        })
        .collect();
    assert_eq!(
        rules,
        [
            r#""sg-a" "tcp" 2049"#,
            r#""sg-a" "udp" 20001-20003"#,
            r#""sg-b" "tcp" 2049"#,
            r#""sg-b" "udp" 20001-20003"#,
        ]
    );
    // What EC2 is told of it is what the specification says.
    let found = rule::RuleChanges::between(spec.get("ingress"), spec.get("ingress"));
    assert_eq!(found, rule::RuleChanges { missing: Vec::new(), extra: Vec::new() });
}

fn spec() -> Json {
    let resource = from_nodes(id(), "git-data", &context(&["sg-b", "sg-a"]), 2049, "NFS");
    let mut spec = resource.spec.to_json();
    spec["tags"] = json!({ "Name": "git-data", "team/owner": "platform" });
    spec
}

/// A group as EC2 lists it.
struct Listed<'a> {
    id: &'a str,
    vpc: &'a str,
    tags: &'a [(&'a str, &'a str)],
    ingress: &'a str,
    egress: &'a str,
}

const OUR_TAGS: &[(&str, &str)] = &[
    ("Name", "git-data"),
    ("team/owner", "platform"),
    ("managed-by", "zonestack"),
    ("zonestack:stack", "git"),
    ("zonestack:uid", "0123abcd"),
    ("zonestack:node", "data/security-group"),
];
const NODES: &str = "<item><ipProtocol>tcp</ipProtocol><fromPort>2049</fromPort><toPort>2049</toPort><groups>\
    <item><userId>111122223333</userId><groupId>sg-b</groupId><description>typed by hand</description></item>\
    <item><userId>111122223333</userId><groupId>sg-a</groupId></item></groups></item>";
const EVERYWHERE: &str = "<item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>";
const OURS: Listed<'_> =
    Listed { id: "sg-1", vpc: "vpc-nominal", tags: OUR_TAGS, ingress: NODES, egress: "" };

fn listing(groups: &[Listed<'_>]) -> (u16, String) {
    let mut items = String::new();
    for group in groups {
        let mut tags = String::new();
        for (key, value) in group.tags {
            write!(tags, "<item><key>{key}</key><value>{value}</value></item>").unwrap();
        }
        write!(
            items,
            "<item><ownerId>111122223333</ownerId><groupId>{}</groupId><groupName>git-data</groupName>\
             <groupDescription>NFS of git-data, from the worker nodes only</groupDescription><vpcId>{}</vpcId>\
             <ipPermissions>{}</ipPermissions><ipPermissionsEgress>{}</ipPermissionsEgress><tagSet>{tags}</tagSet></item>",
            group.id, group.vpc, group.ingress, group.egress
        )
        .unwrap();
    }
    ec2_ok("DescribeSecurityGroups", &format!("<securityGroupInfo>{items}</securityGroupInfo>"))
}

fn driver(
    answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
) -> (SecurityGroupDriver, Log) {
    let (client, log) = ec2_answering(answer);
    (SecurityGroupDriver::with_client(client), log)
}

async fn observe(
    driver: &SecurityGroupDriver,
    queries: &[Query],
) -> Vec<Result<zonestack_core::driver::Observation, DriverError>> {
    let owner = owner();
    driver.observe(CallContext::new(&owner, &NoSecrets), queries).await
}

async fn seen(
    groups: &[Listed<'_>],
    remote_id: Option<&str>,
) -> zonestack_core::driver::Observation {
    let answer = listing(groups);
    let (driver, _) = driver(move |_, _| answer.clone());
    let query = Query { target: target(remote_id), spec: Some(spec()) };
    observe(&driver, &[query]).await.remove(0).unwrap()
}

#[test]
fn the_nodes_groups_become_one_rule_each() {
    let resource = from_nodes(id(), "git-data", &context(&["sg-b", "sg-a", "sg-b"]), 2049, "NFS");
    assert_eq!(resource.name.as_deref(), Some("git-data"));
    insta::assert_snapshot!(format!("{:#}", resource.spec.to_json()), @r#"
    {
      "description": "NFS of git-data, from the worker nodes only",
      "egress": [],
      "ingress": [
        {
          "description": "NFS from the worker nodes",
          "group": "sg-a",
          "port": 2049,
          "protocol": "tcp"
        },
        {
          "description": "NFS from the worker nodes",
          "group": "sg-b",
          "port": 2049,
          "protocol": "tcp"
        }
      ],
      "tags": {},
      "vpc_id": "vpc-nominal"
    }
    "#);
}

#[test]
fn a_description_has_only_what_ec2_takes() {
    assert_eq!(
        printable("Postgres – für «db»'s \"clients\"\n(5432)"),
        "Postgres  fr dbs clients(5432)"
    );
    assert_eq!(printable(&"x".repeat(300)).len(), 255);
}

#[tokio::test]
async fn what_is_as_asked_is_given_back_as_asked() {
    let found = seen(&[OURS], None).await;
    assert_eq!(found.attributes, spec());
    assert_eq!(found.status, Status::Ready);
    assert_eq!(found.ownership, Ownership::Ours);
    assert_eq!(found.remote_id.as_deref(), Some("sg-1"));
    assert_eq!(found.outputs["id"], "sg-1");
}

#[tokio::test]
async fn a_strangers_rule_is_drift_in_full() {
    let found = seen(&[Listed { egress: EVERYWHERE, ingress: EVERYWHERE, ..OURS }], None).await;
    assert_eq!(found.attributes["egress"], json!([{ "protocol": "all", "cidr": "0.0.0.0/0" }]));
    assert_eq!(found.attributes["ingress"], json!([{ "protocol": "all", "cidr": "0.0.0.0/0" }]));
}

#[tokio::test]
async fn the_remembered_group_wins_then_ours_then_a_stranger_in_the_vpc() {
    let ours = |id: &'static str, vpc: &'static str| Listed { id, vpc, ..OURS };
    let stranger = |id: &'static str, vpc: &'static str| Listed { id, vpc, tags: &[], ..OURS };
    let check = async |groups: &[Listed<'_>], remote_id: Option<&str>, expected: Option<&str>| {
        assert_eq!(seen(groups, remote_id).await.remote_id.as_deref(), expected);
    };
    let here = "vpc-nominal";
    check(&[ours("sg-1", here), ours("sg-2", "vpc-2")], Some("sg-2"), Some("sg-2")).await;
    check(&[ours("sg-2", "vpc-2"), ours("sg-1", here)], None, Some("sg-1")).await;
    check(&[ours("sg-2", "vpc-2"), stranger("sg-1", here)], None, Some("sg-2")).await;
    check(&[stranger("sg-1", here)], Some("sg-gone"), Some("sg-1")).await;
    check(&[stranger("sg-2", "vpc-2")], None, None).await;
    check(&[], Some("sg-1"), None).await;
    assert_eq!(seen(&[stranger("sg-1", here)], None).await.ownership, Ownership::Foreign);
}

#[tokio::test]
async fn all_groups_are_observed_in_one_call() {
    let (driver, log) = driver(|_, _| listing(&[OURS]));
    let other = Target { name: Some("git-db".to_owned()), ..target(None) };
    let queries = [
        Query { target: target(Some("sg-1")), spec: Some(spec()) },
        Query { target: other, spec: None },
    ];
    let found = observe(&driver, &queries).await;
    assert!(found[0].as_ref().unwrap().is_present());
    assert!(!found[1].as_ref().unwrap().is_present());
    insta::assert_snapshot!(log.requests().join("\n---\n"), @r"
    DescribeSecurityGroups
    MaxResults=1000
    Filter.1.Name=group-name
    Filter.1.Value.1=git-data
    Filter.1.Value.2=git-db
    ");
}

#[tokio::test]
async fn a_failed_list_fails_every_query() {
    let (driver, _) =
        driver(|_, _| ec2_error(503, "RequestLimitExceeded", "Request limit exceeded."));
    let query = || Query { target: target(None), spec: Some(spec()) };
    let found = observe(&driver, &[query(), query()]).await;
    let classes: Vec<_> = found.into_iter().map(|found| found.unwrap_err().class).collect();
    assert_eq!(classes, [ErrorClass::Throttled, ErrorClass::Throttled]);
}

#[tokio::test]
async fn creation_carries_every_tag_and_mark() {
    let (driver, log) =
        driver(|call, _| ec2_ok(call, "<return>true</return><groupId>sg-9</groupId>"));
    let owner = owner();
    let cx = CallContext::new(&owner, &NoSecrets);
    let made = driver.create(cx, &target(None), &spec()).await.unwrap();
    assert_eq!(made.remote_id.as_deref(), Some("sg-9"));
    insta::assert_snapshot!(log.requests().join("\n---\n"), @r"
    CreateSecurityGroup
    GroupDescription=NFS of git-data, from the worker nodes only
    GroupName=git-data
    VpcId=vpc-nominal
    TagSpecification.1.ResourceType=security-group
    TagSpecification.1.Tag.1.Key=Name
    TagSpecification.1.Tag.1.Value=git-data
    TagSpecification.1.Tag.2.Key=managed-by
    TagSpecification.1.Tag.2.Value=zonestack
    TagSpecification.1.Tag.3.Key=team/owner
    TagSpecification.1.Tag.3.Value=platform
    TagSpecification.1.Tag.4.Key=zonestack:node
    TagSpecification.1.Tag.4.Value=data/security-group
    TagSpecification.1.Tag.5.Key=zonestack:stack
    TagSpecification.1.Tag.5.Value=git
    TagSpecification.1.Tag.6.Key=zonestack:uid
    TagSpecification.1.Tag.6.Value=0123abcd
    ");
}

#[tokio::test]
async fn a_name_that_is_taken_already_exists() {
    let (driver, _) = driver(|_, _| {
        ec2_error(400, "InvalidGroup.Duplicate", "The group 'git-data' already exists")
    });
    let owner = owner();
    let cx = CallContext::new(&owner, &NoSecrets);
    let error = driver.create(cx, &target(None), &spec()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::AlreadyExists);
    insta::assert_snapshot!(error.message, @"CreateSecurityGroup: The group 'git-data' already exists (InvalidGroup.Duplicate, request id req-1)");
}

/// One update, given what was observed; the requests that it sent.
async fn update(actual: &Json, answer: (u16, String)) -> (Result<(), DriverError>, Vec<String>) {
    let (driver, log) = driver(move |_, _| answer.clone());
    let owner = owner();
    let cx = CallContext::new(&owner, &NoSecrets);
    let differences = differing("", &spec(), actual);
    let done = driver.update(cx, &target(Some("sg-1")), &spec(), &differences).await;
    (done, log.requests())
}

/// Differences as the core finds them: maps by key, lists of one length by item, other lists whole.
fn differing(path: &str, wanted: &Json, actual: &Json) -> Vec<Difference> {
    match (wanted, actual) {
        (Json::Object(wanted), Json::Object(actual)) => {
            let keys: std::collections::BTreeSet<&String> =
                wanted.keys().chain(actual.keys()).collect();
            let at = |key: &String| {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (wanted.get(key), actual.get(key)) {
                    (Some(wanted), Some(actual)) => differing(&path, wanted, actual),
                    (to, from) => vec![Difference { path, from: from.cloned(), to: to.cloned() }],
                }
            };
            keys.into_iter().flat_map(at).collect()
        }
        (Json::Array(wanted), Json::Array(actual)) if wanted.len() == actual.len() => {
            let pairs = wanted.iter().zip(actual).enumerate();
            pairs.flat_map(|(i, (w, a))| differing(&format!("{path}/{i}"), w, a)).collect()
        }
        (wanted, actual) if wanted == actual => Vec::new(),
        (wanted, actual) => vec![Difference {
            path: path.to_owned(),
            from: Some(actual.clone()),
            to: Some(wanted.clone()),
        }],
    }
}

fn with(changes: &[(&str, Json)]) -> Json {
    let mut actual = spec();
    for (key, value) in changes {
        actual[*key] = value.clone();
    }
    actual
}

fn done(call: &str) -> (u16, String) {
    ec2_ok(call, "<return>true</return>")
}

#[tokio::test]
async fn a_new_group_takes_two_updates() {
    let everywhere = json!([{ "protocol": "all", "cidr": "0.0.0.0/0" }]);
    let actual = with(&[("ingress", json!([])), ("egress", everywhere.clone())]);
    let (result, sent) = update(&actual, done("AuthorizeSecurityGroupIngress")).await;
    result.unwrap();
    insta::assert_snapshot!(sent.join("\n---\n"), @r"
    AuthorizeSecurityGroupIngress
    GroupId=sg-1
    IpPermissions.1.IpProtocol=tcp
    IpPermissions.1.FromPort=2049
    IpPermissions.1.ToPort=2049
    IpPermissions.1.Groups.1.Description=NFS from the worker nodes
    IpPermissions.1.Groups.1.GroupId=sg-a
    IpPermissions.2.IpProtocol=tcp
    IpPermissions.2.FromPort=2049
    IpPermissions.2.ToPort=2049
    IpPermissions.2.Groups.1.Description=NFS from the worker nodes
    IpPermissions.2.Groups.1.GroupId=sg-b
    ");
    let actual = with(&[("egress", everywhere)]);
    let (result, sent) = update(&actual, done("RevokeSecurityGroupEgress")).await;
    result.unwrap();
    insta::assert_snapshot!(sent.join("\n---\n"), @r"
    RevokeSecurityGroupEgress
    GroupId=sg-1
    IpPermissions.1.IpProtocol=-1
    IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0
    ");
}

#[tokio::test]
async fn a_strangers_rule_is_revoked_exactly() {
    let stranger =
        json!({ "protocol": "tcp", "port": 22, "cidr": "0.0.0.0/0", "description": "me, quickly" });
    // In the place of one of ours: first ours comes back, the stranger goes with the next call.
    let mut ingress = spec()["ingress"].clone();
    ingress[0] = stranger.clone();
    let (result, sent) =
        update(&with(&[("ingress", ingress)]), done("AuthorizeSecurityGroupIngress")).await;
    result.unwrap();
    assert!(sent[0].starts_with("AuthorizeSecurityGroupIngress\n"), "{sent:?}");
    assert!(sent[0].contains("GroupId=sg-a") && !sent[0].contains("GroupId=sg-b"), "{sent:?}");
    let mut ingress = spec()["ingress"].clone();
    ingress.as_array_mut().unwrap().push(stranger);
    let (result, sent) =
        update(&with(&[("ingress", ingress)]), done("RevokeSecurityGroupIngress")).await;
    result.unwrap();
    insta::assert_snapshot!(sent.join("\n---\n"), @r"
    RevokeSecurityGroupIngress
    GroupId=sg-1
    IpPermissions.1.IpProtocol=tcp
    IpPermissions.1.FromPort=22
    IpPermissions.1.ToPort=22
    IpPermissions.1.IpRanges.1.Description=me, quickly
    IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0
    ");
}

#[tokio::test]
async fn tags_come_last_and_a_key_may_have_a_slash() {
    let actual = with(&[("tags", json!({ "Name": "git-data" }))]);
    let (result, sent) = update(&actual, done("CreateTags")).await;
    result.unwrap();
    insta::assert_snapshot!(sent.join("\n---\n"), @r"
    CreateTags
    ResourceId.1=sg-1
    Tag.1.Key=Name
    Tag.1.Value=git-data
    Tag.2.Key=managed-by
    Tag.2.Value=zonestack
    Tag.3.Key=team/owner
    Tag.3.Value=platform
    Tag.4.Key=zonestack:node
    Tag.4.Value=data/security-group
    Tag.5.Key=zonestack:stack
    Tag.5.Value=git
    Tag.6.Key=zonestack:uid
    Tag.6.Value=0123abcd
    ");
}

#[tokio::test]
async fn what_was_adopted_or_renamed_is_ours_once_it_is_tagged() {
    let renamed: Vec<(&str, &str)> = OUR_TAGS
        .iter()
        .map(|(key, value)| match *key {
            "zonestack:node" => ("zonestack:node", "files/security-group"),
            "Name" => ("Name", "git-files"),
            key => (key, *value),
        })
        .collect();
    for before in [&[][..], &renamed] {
        let found = seen(&[Listed { tags: before, ..OURS }], Some("sg-1")).await;
        assert_eq!(found.ownership, Ownership::Foreign);
        let (result, sent) = update(&found.attributes, done("CreateTags")).await;
        result.unwrap();
        // What the call wrote, over what was there.
        let field = |line: &'_ str| line.split_once('=').unwrap().1.to_owned();
        let lines: Vec<String> =
            sent[0].lines().filter(|line| line.starts_with("Tag.")).map(field).collect();
        let mut after: Vec<(&str, &str)> =
            lines.chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
        let kept = before.iter().filter(|(key, _)| !lines.iter().any(|line| line == key));
        after.extend(kept.copied());
        let found = seen(&[Listed { tags: &after, ..OURS }], Some("sg-1")).await;
        assert_eq!(found.ownership, Ownership::Ours);
        assert_eq!(found.attributes, spec());
    }
}

#[tokio::test]
async fn what_carries_the_stacks_marks_is_listed_whatever_its_uid() {
    let other_uid: Vec<(&str, &str)> = OUR_TAGS
        .iter()
        .map(|(key, value)| (*key, if *key == "zonestack:uid" { "4567" } else { *value }))
        .chain([("zonestack:cluster", "k8s.myzone.net")])
        .collect();
    // An emulator may ignore the filter.
    let answer = listing(&[
        OURS,
        Listed { id: "sg-2", tags: &other_uid, ..OURS },
        Listed { id: "sg-3", tags: &[("Name", "theirs")], ..OURS },
    ]);
    let (driver, log) = driver(move |_, _| answer.clone());
    let owner = Owner { uid: None, ..owner() };
    let found = driver.owned(CallContext::new(&owner, &NoSecrets)).await.unwrap();
    let ours = Owned {
        kind: Kind::new(KIND),
        id: Some(id()),
        uid: Some("0123abcd".to_owned()),
        cluster: None,
        name: Some("git-data".to_owned()),
        remote_id: Some("sg-1".to_owned()),
    };
    let second = Owned {
        uid: Some("4567".to_owned()),
        cluster: Some("k8s.myzone.net".to_owned()),
        remote_id: Some("sg-2".to_owned()),
        ..ours.clone()
    };
    assert_eq!(found, [ours, second]);
    insta::assert_snapshot!(log.requests().join("\n---\n"), @r"
    DescribeSecurityGroups
    MaxResults=1000
    Filter.1.Name=tag:zonestack:stack
    Filter.1.Value.1=git
    ");
}

#[tokio::test]
async fn a_list_that_may_not_be_read_says_so() {
    let (driver, _) = driver(|_, _| ec2_error(403, "UnauthorizedOperation", "no"));
    let owner = owner();
    let error = driver.owned(CallContext::new(&owner, &NoSecrets)).await.unwrap_err();
    assert!(matches!(error.class, ErrorClass::Denied(_)), "{error}");
}

#[tokio::test]
async fn what_is_done_already_is_done_and_what_is_not_visible_yet_will_be() {
    let missing = with(&[("ingress", json!([]))]);
    let extra = with(&[("egress", json!([{ "protocol": "all", "cidr": "0.0.0.0/0" }]))]);
    let check = async |actual: &Json, code: &str, message: &str, expected: Option<ErrorClass>| {
        let (result, sent) = update(actual, ec2_error(400, code, message)).await;
        assert_eq!(sent.len(), 1);
        assert_eq!(result.err().map(|error| error.class), expected, "{code}: {message}");
    };
    check(&missing, "InvalidPermission.Duplicate", "the rule already exists", None).await;
    check(&extra, "InvalidPermission.NotFound", "the rule does not exist", None).await;
    let ours = "The security group 'sg-1' does not exist";
    check(&missing, "InvalidGroup.NotFound", ours, Some(ErrorClass::Transient)).await;
    let nodes = "The security group 'sg-a' does not exist";
    check(&missing, "InvalidGroup.NotFound", nodes, Some(ErrorClass::Invalid)).await;
}

#[tokio::test]
async fn a_description_cannot_change() {
    let actual = with(&[("description", json!("another"))]);
    let (result, sent) = update(&actual, done("None")).await;
    let error = result.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unsupported);
    assert!(error.message.contains("/description"), "{}", error.message);
    assert!(sent.is_empty());
}

#[tokio::test]
async fn deleting_nothing_succeeds_and_interfaces_hold_a_group() {
    let check = async |answer: (u16, String), expected: Result<(), ErrorClass>| {
        let (driver, log) = driver(move |_, _| answer.clone());
        let owner = owner();
        let cx = CallContext::new(&owner, &NoSecrets);
        let done = driver.delete(cx, &target(Some("sg-1")), &Deletion::default()).await;
        assert_eq!(done.map_err(|error| error.class), expected);
        assert_eq!(log.requests(), ["DeleteSecurityGroup\nGroupId=sg-1"]);
    };
    check(done("DeleteSecurityGroup"), Ok(())).await;
    check(ec2_error(400, "InvalidGroup.NotFound", "gone"), Ok(())).await;
    check(ec2_error(400, "InvalidGroupId.Malformed", "an emulator's word for gone"), Ok(())).await;
    let held = ec2_error(400, "DependencyViolation", "resource sg-1 has a dependent object");
    check(held, Err(ErrorClass::Dependency)).await;
    check(ec2_error(500, "InternalError", "try again"), Err(ErrorClass::Ambiguous)).await;
}
