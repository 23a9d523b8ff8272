use std::fmt::Write as _;

use aws_sdk_ec2::types::{Route, RouteTable, RouteTableAssociation};

use super::*;
use crate::recorded::{Log, ec2, ec2_error, ec2_ok, query_service, sts};

const CLUSTER: &str = "k8s.myzone.net";

/// A network as EC2 tells it.
#[derive(Clone, Default)]
struct World {
    instances: Vec<(&'static str, &'static str)>,
    subnets: Vec<Subnet>,
    vpcs: Vec<&'static str>,
    groups: Vec<(&'static str, &'static str, &'static str)>,
    /// Calls that fail, with status, code and message.
    failing: Vec<(&'static str, u16, &'static str, &'static str)>,
}

#[derive(Clone)]
struct Subnet {
    id: &'static str,
    vpc: &'static str,
    zone: &'static str,
    tags: Vec<(String, &'static str)>,
}

fn subnet(id: &'static str, zone: &'static str, tags: &[(&str, &'static str)]) -> Subnet {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    Subnet { id, vpc: "vpc-1", zone, tags }
}

/// A cluster of kOps in two zones.
fn kops() -> World {
    World {
        instances: vec![("i-1", "subnet-a"), ("i-2", "subnet-b")],
        subnets: vec![
            subnet(
                "subnet-a",
                "eu-west-1a",
                &[("SubnetType", "Private"), ("KubernetesCluster", CLUSTER)],
            ),
            subnet(
                "subnet-b",
                "eu-west-1b",
                &[("SubnetType", "Private"), ("KubernetesCluster", CLUSTER)],
            ),
            subnet(
                "subnet-u",
                "eu-west-1a",
                &[("SubnetType", "Utility"), ("KubernetesCluster", CLUSTER)],
            ),
        ],
        vpcs: vec!["vpc-1"],
        groups: vec![
            ("sg-masters", "masters.k8s.myzone.net", ""),
            ("sg-nodes", "nodes.k8s.myzone.net", ""),
        ],
        failing: Vec::new(),
    }
}

impl World {
    fn answer(&self, call: &str, request: &str) -> (u16, String) {
        if let Some((_, status, code, message)) = self.failing.iter().find(|f| f.0 == call) {
            return ec2_error(*status, code, message);
        }
        // `true` when the request's filters take the value; a list of ids has no other filter.
        let asked = |value: &str| request.lines().any(|line| line.ends_with(&format!("={value}")));
        let tagged = |tags: &[(String, &str)]| {
            let has = |name: &str| tags.iter().any(|(key, _)| key == name);
            (request.contains("=tag-key") && has(&format!("kubernetes.io/cluster/{CLUSTER}")))
                || (request.contains("=tag:KubernetesCluster") && has("KubernetesCluster"))
        };
        let mut items = String::new();
        let tag_items = |tags: &[(String, &str)]| {
            tags.iter().fold(String::new(), |mut text, (key, value)| {
                write!(text, "<item><key>{key}</key><value>{value}</value></item>").unwrap();
                text
            })
        };
        let list = match call {
            "DescribeInstances" => {
                for (id, subnet) in self.instances.iter().filter(|(id, _)| asked(id)) {
                    let found = self.subnets.iter().find(|s| s.id == *subnet).unwrap();
                    write!(
                        items,
                        "<item><instancesSet><item><instanceId>{id}</instanceId><vpcId>{}</vpcId><subnetId>{}</subnetId>\
                         <placement><availabilityZone>{}</availabilityZone></placement><groupSet><item><groupId>sg-nodes\
                         </groupId></item></groupSet></item></instancesSet></item>",
                        found.vpc, found.id, found.zone
                    )
                    .unwrap();
                }
                "reservationSet"
            }
            "DescribeSubnets" => {
                let taken = |s: &&Subnet| asked(s.vpc) || asked(s.id) || tagged(&s.tags);
                for subnet in self.subnets.iter().filter(taken) {
                    write!(
                        items,
                        "<item><subnetId>{}</subnetId><vpcId>{}</vpcId><availabilityZone>{}</availabilityZone>\
                         <availabilityZoneId>euw1-az1</availabilityZoneId><cidrBlock>10.0.0.0/19</cidrBlock>\
                         <availableIpAddressCount>8187</availableIpAddressCount><tagSet>{}</tagSet></item>",
                        subnet.id, subnet.vpc, subnet.zone, tag_items(&subnet.tags)
                    )
                    .unwrap();
                }
                "subnetSet"
            }
            "DescribeVpcs" => {
                for id in self.vpcs.iter().filter(|id| asked(id)) {
                    write!(
                        items,
                        "<item><vpcId>{id}</vpcId><cidrBlock>10.0.0.0/16</cidrBlock><dhcpOptionsId>dopt-1</dhcpOptionsId>\
                         <cidrBlockAssociationSet><item><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockState><state>associated\
                         </state></cidrBlockState></item><item><cidrBlock>10.9.0.0/16</cidrBlock><cidrBlockState><state>\
                         disassociated</state></cidrBlockState></item><item><cidrBlock>10.1.0.0/16</cidrBlock>\
                         <cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet></item>"
                    )
                    .unwrap();
                }
                "vpcSet"
            }
            "DescribeSecurityGroups" => {
                for (id, name, tag) in &self.groups {
                    let tags: Vec<_> =
                        tag.split_once('=').map(|(k, v)| (k.to_owned(), v)).into_iter().collect();
                    write!(
                        items,
                        "<item><groupId>{id}</groupId><groupName>{name}</groupName><tagSet>{}</tagSet></item>",
                        tag_items(&tags)
                    )
                    .unwrap();
                }
                "securityGroupInfo"
            }
            "DescribeRouteTables" => "routeTableSet",
            other => panic!("{other} is not expected"),
        };
        ec2_ok(call, &format!("<{list}>{items}</{list}>"))
    }
}

fn network(world: World) -> (Ec2Network, Log, Log) {
    let failing = world.failing.clone();
    let (http, ec2_log) = query_service(move |call, request| world.answer(call, request));
    let (sts_http, sts_log) = query_service(move |call, _| {
        if let Some((_, status, code, message)) = failing.iter().find(|f| f.0 == call) {
            let error =
                format!("<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>");
            return (*status, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"));
        }
        let account = "<Account>111122223333</Account>";
        let result = format!("<GetCallerIdentityResult>{account}</GetCallerIdentityResult>");
        (200, format!("<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"))
    });
    (Ec2Network::with_clients(ec2(http), sts(sts_http), "eu-west-1"), ec2_log, sts_log)
}

fn request(instances: &[&str]) -> NetworkRequest {
    NetworkRequest {
        cluster: CLUSTER.to_owned(),
        instances: instances.iter().map(|id| (*id).to_owned()).collect(),
        ..NetworkRequest::default()
    }
}

/// Surveys, and gives the names of the calls.
async fn survey(
    world: World,
    request: &NetworkRequest,
) -> (Result<NetworkSurvey, SurveyError>, Vec<String>) {
    let (network, ec2_log, sts_log) = network(world);
    let found = network.survey(request).await;
    let mut calls = ec2_log.calls();
    calls.extend(sts_log.calls());
    (found, calls)
}

fn ids(subnets: &[SubnetFacts]) -> Vec<&str> {
    subnets.iter().map(|subnet| subnet.id.as_str()).collect()
}

#[tokio::test]
async fn nodes_lead_to_their_network_in_four_calls() {
    let (found, calls) = survey(kops(), &request(&["i-1", "i-2"])).await;
    assert_eq!(
        calls,
        ["DescribeInstances", "DescribeSubnets", "DescribeVpcs", "GetCallerIdentity"]
    );
    insta::assert_debug_snapshot!(found.unwrap());
}

#[tokio::test]
async fn the_account_is_one_call() {
    let (reader, ec2_log, sts_log) = network(kops());
    assert_eq!(NetworkReader::account(&reader).await.unwrap(), "111122223333");
    assert_eq!((ec2_log.calls().len(), sts_log.calls()), (0, vec!["GetCallerIdentity".to_owned()]));
    let denied = ("GetCallerIdentity", 403, "ExpiredToken", "The security token is expired");
    let (reader, ..) = network(World { failing: vec![denied], ..kops() });
    let error = NetworkReader::account(&reader).await.unwrap_err();
    assert!(error.message.contains("GetCallerIdentity"), "{error}");
    assert!(error.hint.contains("Sign in again"), "{}", error.hint);
}

#[tokio::test]
async fn an_instance_that_is_gone_does_not_matter() {
    let (found, calls) = survey(kops(), &request(&["i-1", "i-gone"])).await;
    let found = found.unwrap();
    assert_eq!(found.instances.len(), 1);
    assert_eq!(ids(&found.subnets), ["subnet-a", "subnet-b", "subnet-u"]);
    assert_eq!(calls.len(), 4);
}

#[tokio::test]
async fn hundreds_of_nodes_take_one_call_for_each_two_hundred() {
    let names: Vec<String> = (0..450).map(|n| format!("i-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (_, calls) = survey(kops(), &request(&names)).await;
    assert_eq!(calls.iter().filter(|call| *call == "DescribeInstances").count(), 3);
}

#[tokio::test]
async fn explicit_ids_win_and_leave_nothing_to_ask_the_instances() {
    let given = NetworkRequest {
        vpc: Some("vpc-1".to_owned()),
        subnets: vec!["subnet-a".to_owned()],
        security_groups: vec!["sg-x".to_owned()],
        ..request(&["i-1"])
    };
    let (found, calls) = survey(kops(), &given).await;
    assert_eq!(calls, ["DescribeSubnets", "DescribeVpcs", "GetCallerIdentity"]);
    assert_eq!(found.unwrap().vpcs[0].cidrs, ["10.0.0.0/16", "10.1.0.0/16"]);
}

#[tokio::test]
async fn a_given_subnet_leads_to_its_vpc() {
    let given = NetworkRequest { subnets: vec!["subnet-b".to_owned()], ..request(&[]) };
    let (found, _) = survey(kops(), &given).await;
    assert_eq!(found.unwrap().vpcs[0].id, "vpc-1");
    // In another VPC than the nodes: both are told, so that the core can refuse.
    let mut world = kops();
    world.vpcs.push("vpc-2");
    world.subnets.push(Subnet { vpc: "vpc-2", ..subnet("subnet-z", "eu-west-1a", &[]) });
    let given = NetworkRequest { subnets: vec!["subnet-z".to_owned()], ..request(&["i-1"]) };
    let (found, _) = survey(world, &given).await;
    let found = found.unwrap();
    assert_eq!(
        found.vpcs.iter().map(|vpc| vpc.id.as_str()).collect::<Vec<_>>(),
        ["vpc-1", "vpc-2"]
    );
    assert!(ids(&found.subnets).contains(&"subnet-z"));
}

#[tokio::test]
async fn without_instances_tags_lead_to_the_network() {
    let (found, calls) = survey(kops(), &request(&[])).await;
    let found = found.unwrap();
    assert_eq!(found.vpcs[0].id, "vpc-1");
    assert_eq!(found.tagged_security_groups, ["sg-nodes"]);
    // Two ways to look for tags, then subnets of the VPC, the VPC, its groups.
    assert_eq!(calls.iter().filter(|call| *call == "DescribeSubnets").count(), 3);
    assert_eq!(calls.len(), 6, "{calls:?}");
}

#[tokio::test]
async fn the_nodes_groups_are_found_by_name_or_tag() {
    let check = async |groups: &[(&'static str, &'static str, &'static str)], expected: &[&str]| {
        let (found, _) = survey(World { groups: groups.to_vec(), ..kops() }, &request(&[])).await;
        assert_eq!(found.unwrap().tagged_security_groups, expected, "{groups:?}");
    };
    let owned = "kubernetes.io/cluster/k8s.myzone.net=owned";
    let eks = ("sg-eks", "eks-cluster-sg-x", "aws:eks:cluster-name=k8s.myzone.net");
    check(&[("sg-1", "nodes.k8s.myzone.net", owned), eks], &["sg-1"]).await;
    check(&[("sg-1", "x-node", owned), eks], &["sg-eks"]).await;
    check(&[("sg-1", "x-node", owned), ("sg-2", "masters.k8s.myzone.net", owned)], &["sg-1"]).await;
    check(&[("sg-1", "x-node", "kubernetes.io/cluster/k8s.myzone.net=shared")], &[]).await;
}

#[tokio::test]
async fn route_tables_are_read_only_where_nothing_else_tells() {
    let check = async |tags: [&[(&str, &'static str)]; 2], expected: usize| {
        let world = World {
            instances: vec![("i-1", "subnet-1"), ("i-2", "subnet-2")],
            subnets: vec![
                subnet("subnet-1", "eu-west-1a", tags[0]),
                subnet("subnet-2", "eu-west-1a", tags[1]),
            ],
            vpcs: vec!["vpc-1"],
            ..World::default()
        };
        let (found, calls) = survey(world, &request(&["i-1", "i-2"])).await;
        found.unwrap();
        let read = calls.iter().filter(|call| *call == "DescribeRouteTables").count();
        assert_eq!(read, expected, "{tags:?}");
    };
    check([&[], &[]], 1).await;
    check([&[("SubnetType", "Private")], &[("SubnetType", "Public")]], 0).await;
    check([&[("SubnetType", "Private")], &[("SubnetType", "Private")]], 0).await;
    check([&[("kubernetes.io/role/internal-elb", "1")], &[]], 0).await;
    check([&[("kubernetes.io/role/elb", "1")], &[]], 1).await;
    // Of two subnets only one has nodes: that one it is.
    let world = World {
        instances: vec![("i-1", "subnet-1")],
        subnets: vec![subnet("subnet-1", "eu-west-1a", &[]), subnet("subnet-2", "eu-west-1a", &[])],
        vpcs: vec!["vpc-1"],
        ..World::default()
    };
    let (_, calls) = survey(world, &request(&["i-1"])).await;
    assert!(!calls.contains(&"DescribeRouteTables".to_owned()), "{calls:?}");
}

#[test]
fn a_subnet_is_public_by_its_own_table_or_the_main_one() {
    let table = |subnet: Option<&str>, gateway: &str| {
        let association = RouteTableAssociation::builder()
            .set_subnet_id(subnet.map(str::to_owned))
            .main(subnet.is_none())
            .build();
        let route = Route::builder().gateway_id(gateway).build();
        RouteTable::builder().vpc_id("vpc-1").associations(association).routes(route).build()
    };
    let facts = |id: &str| SubnetFacts {
        id: id.to_owned(),
        vpc: "vpc-1".to_owned(),
        ..SubnetFacts::default()
    };
    let mut subnets = [facts("subnet-own"), facts("subnet-main")];
    route::tell(&mut subnets, &[table(None, "igw-1"), table(Some("subnet-own"), "nat-1")]);
    assert_eq!(subnets.map(|subnet| subnet.public), [Some(false), Some(true)]);
}

#[tokio::test]
async fn what_cannot_be_read_says_what_to_do() {
    let failing = |call, status, code, message| World {
        failing: vec![(call, status, code, message)],
        ..kops()
    };
    let nodes = request(&["i-1"]);
    let elsewhere = request(&["i-7", "i-8", "i-9", "i-10"]);
    let empty = World::default();
    let vpc = NetworkRequest { vpc: Some("vpc-9".to_owned()), ..request(&[]) };
    let subnet = NetworkRequest { subnets: vec!["subnet-9".to_owned()], ..request(&["i-1"]) };
    let mut text = String::new();
    for (world, request) in [
        (
            failing(
                "GetCallerIdentity",
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            &nodes,
        ),
        (
            failing(
                "GetCallerIdentity",
                403,
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
            &nodes,
        ),
        (
            failing(
                "DescribeInstances",
                403,
                "UnauthorizedOperation",
                "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: ec2:DescribeInstances because no \
                 identity-based policy allows it. Encoded authorization failure message: abc",
            ),
            &nodes,
        ),
        (failing("DescribeVpcs", 503, "RequestLimitExceeded", "Request limit exceeded."), &nodes),
        (empty.clone(), &elsewhere),
        (empty, &request(&[])),
        (kops(), &vpc),
        (kops(), &subnet),
    ] {
        let (found, _) = survey(world, request).await;
        let error = found.unwrap_err();
        writeln!(text, "{}\n  -> {}", error.message, error.hint).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_named_by_its_call() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let options = crate::client::AwsOptions {
        region: "eu-west-1".to_owned(),
        ..crate::client::AwsOptions::default()
    };
    let config = crate::client::load(options)
        .await
        .unwrap()
        .into_builder()
        .endpoint_url(endpoint)
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            crate::recorded::credentials(),
        ))
        .retry_config(crate::client::without_retries())
        .build();
    let error = Ec2Network::new(&config).survey(&request(&[])).await.unwrap_err();
    assert!(error.message.starts_with("GetCallerIdentity: no connection: "), "{}", error.message);
    assert!(error.hint.contains("AWS_ENDPOINT_URL"), "{}", error.hint);
}

#[tokio::test]
async fn names_resolve_as_the_vpc_says() {
    let check = async |servers: &'static str, denied: bool, amazon_provided: Option<bool>| {
        let world = kops();
        let (http, log) = query_service(move |call, request| match call {
            "DescribeVpcAttribute" if request.contains("enableDnsSupport") => {
                ec2_ok(call, "<enableDnsSupport><value>true</value></enableDnsSupport>")
            }
            "DescribeVpcAttribute" => {
                ec2_ok(call, "<enableDnsHostnames><value>false</value></enableDnsHostnames>")
            }
            "DescribeDhcpOptions" if denied => {
                ec2_error(403, "UnauthorizedOperation", "not authorized")
            }
            "DescribeDhcpOptions" => {
                let value = format!("<item><value>{servers}</value></item>");
                let option = format!(
                    "<item><key>domain-name-servers</key><valueSet>{value}</valueSet></item>"
                );
                let set = format!("<dhcpConfigurationSet>{option}</dhcpConfigurationSet>");
                ec2_ok(call, &format!("<dhcpOptionsSet><item>{set}</item></dhcpOptionsSet>"))
            }
            _ => world.answer(call, request),
        });
        let network = Ec2Network::with_clients(ec2(http.clone()), sts(http), "eu-west-1");
        let dns = network.dns("vpc-1").await.unwrap();
        assert_eq!(dns, VpcDns { support: true, hostnames: false, amazon_provided });
        assert_eq!(log.requests().len(), 4);
    };
    check("AmazonProvidedDNS", false, Some(true)).await;
    check("10.0.0.53", false, Some(false)).await;
    check("", true, None).await;
}
