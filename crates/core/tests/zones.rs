//! Which VPC, zones, subnets and security groups a stack gets, and why it is refused (domain.md, 6.3, 6.4, 6.7).

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use zonestack_core::discover::{
    ClusterSurvey, InstanceFacts, NetworkSurvey, NodeFacts, SubnetFacts, VpcDns, VpcFacts,
};
use zonestack_core::name::{StackName, Zone};
use zonestack_core::zones::{Wish, choose, dns_findings};

const CLUSTER: &str = "k8s.myzone.net";

/// A kOps cluster: in each zone a Private subnet with two workers, a Utility subnet, and one control-plane node.
#[derive(Clone)]
struct Site {
    cluster: ClusterSurvey,
    network: NetworkSurvey,
    zones: Option<Vec<Zone>>,
    kept_zones: BTreeSet<Zone>,
    vpc: Option<String>,
    subnets: Vec<String>,
    security_groups: Vec<String>,
}

fn kops(letters: &[&str]) -> Site {
    let mut site = Site {
        cluster: ClusterSurvey { version: "v1.36.2".to_owned(), ..ClusterSurvey::default() },
        network: NetworkSurvey {
            account: "111122223333".to_owned(),
            vpcs: vec![VpcFacts { id: "vpc-1".to_owned(), cidrs: vec!["10.0.0.0/16".to_owned()] }],
            ..NetworkSurvey::default()
        },
        zones: None,
        kept_zones: BTreeSet::new(),
        vpc: None,
        subnets: Vec::new(),
        security_groups: Vec::new(),
    };
    for letter in letters {
        let zone = format!("eu-west-1{letter}");
        for kind in ["Private", "Utility"] {
            site.network.subnets.push(subnet(
                &format!("subnet-{letter}-{}", kind.to_lowercase()),
                &zone,
                kind,
            ));
        }
        for number in 0..3 {
            let control_plane = number == 2;
            let instance = format!("i-{letter}{number}");
            site.cluster.nodes.push(NodeFacts {
                name: instance.clone(),
                zone: Some(zone.clone()),
                instance: Some(instance.clone()),
                arch: "amd64".to_owned(),
                control_plane,
                schedulable: true,
                os_image: "Ubuntu 24.04.3 LTS".to_owned(),
                cpu_millis: 8_000,
                memory: 32 << 30,
            });
            if !control_plane {
                site.network.instances.push(InstanceFacts {
                    id: instance,
                    vpc: "vpc-1".to_owned(),
                    subnet: format!("subnet-{letter}-private"),
                    zone: zone.clone(),
                    security_groups: vec!["sg-nodes".to_owned()],
                });
            }
        }
    }
    site
}

fn subnet(id: &str, zone: &str, kind: &str) -> SubnetFacts {
    let tags = [("SubnetType", kind), ("KubernetesCluster", CLUSTER)];
    SubnetFacts {
        id: id.to_owned(),
        vpc: "vpc-1".to_owned(),
        zone: zone.to_owned(),
        zone_id: None,
        cidr: "10.0.0.0/24".to_owned(),
        free_addresses: 200,
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        public: None,
    }
}

/// The context in a few words, or every problem with its hint.
#[track_caller]
fn check(site: &Site, expected: &[&str]) {
    let stack: StackName = "git".parse().unwrap();
    let wish = Wish {
        stack: &stack,
        namespace: "git",
        region: "eu-west-1",
        cluster: CLUSTER,
        zones: site.zones.as_deref(),
        kept_zones: &site.kept_zones,
        vpc: site.vpc.as_deref(),
        subnets: &site.subnets,
        security_groups: &site.security_groups,
    };
    let mut text = String::new();
    match choose(wish, &site.cluster, &site.network) {
        Ok((context, advisories)) => {
            let _ = write!(text, "{} {}", context.vpc.id, context.node_security_groups.join("+"));
            for zone in &context.zones {
                let _ = write!(text, " {}={}x{}", zone.zone, zone.subnet, zone.nodes);
            }
            for advisory in advisories {
                let _ = write!(text, "\n{}: {}", advisory.code, advisory.message);
            }
        }
        Err(problems) => {
            let line =
                |f: &zonestack_core::diagnostic::Finding| format!("{}: {}", f.code, f.message);
            text = problems.iter().map(line).collect::<Vec<_>>().join("\n");
        }
    }
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn every_zone_with_workers_gets_its_private_subnet() {
    check(&kops(&["a"]), &["vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2"]);
    check(
        &kops(&["c", "a", "f"]),
        &[
            "vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2 eu-west-1c=subnet-c-privatex2 eu-west-1f=subnet-f-privatex2",
        ],
    );
}

#[test]
fn the_files_zones_win_and_must_have_workers() {
    let mut site = kops(&["a", "b"]);
    site.zones = Some(vec!["eu-west-1b".parse().unwrap()]);
    check(&site, &["vpc-1 sg-nodes eu-west-1b=subnet-b-privatex2"]);
    site.zones = Some(vec!["eu-west-1b".parse().unwrap(), "eu-west-1d".parse().unwrap()]);
    check(
        &site,
        &[
            "zone-without-nodes: eu-west-1d has no worker nodes: pods for it would wait for ever",
            "zone-without-subnet: vpc-1 has no subnet in eu-west-1d that nodes may use (subnets for load balancers only do not count)",
        ],
    );
}

#[test]
fn among_several_subnets_the_clusters_own_then_the_one_that_nodes_use_then_the_lowest_id() {
    let mut site = kops(&["a"]);
    site.network.subnets.push(subnet("subnet-0-private", "eu-west-1a", "Private"));
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2"]);
    for instance in &mut site.network.instances {
        "subnet-elsewhere".clone_into(&mut instance.subnet);
    }
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-0-privatex2"]);
    let lowest = site.network.subnets.last_mut().unwrap();
    lowest.tags.remove("KubernetesCluster");
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2"]);
}

#[test]
fn a_full_subnet_is_passed_over_and_none_left_is_refused() {
    let mut site = kops(&["a"]);
    site.network.subnets[0].free_addresses = 7;
    check(
        &site,
        &["no-free-addresses: eu-west-1a has fewer than 8 free addresses in subnet-a-private"],
    );
    site.network.subnets.push(subnet("subnet-z-public", "eu-west-1a", "Public"));
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-z-publicx2"]);
}

#[test]
fn explicit_ids_win_even_over_what_would_never_be_chosen() {
    let mut site = kops(&["a", "b"]);
    site.subnets = vec!["subnet-a-utility".to_owned(), "subnet-b-private".to_owned()];
    site.security_groups = vec!["sg-z".to_owned(), "sg-a".to_owned()];
    check(&site, &["vpc-1 sg-a+sg-z eu-west-1a=subnet-a-utilityx2 eu-west-1b=subnet-b-privatex2"]);
    site.subnets.pop();
    check(
        &site,
        &["zone-without-subnet: none of the subnets in `network.subnets` is in eu-west-1b"],
    );
}

#[test]
fn several_vpcs_are_refused_until_one_is_named() {
    let mut site = kops(&["a"]);
    site.network.vpcs.push(VpcFacts { id: "vpc-2".to_owned(), cidrs: Vec::new() });
    check(&site, &["vpc: the cluster's nodes are in several VPCs: vpc-1, vpc-2"]);
    site.vpc = Some("vpc-1".to_owned());
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2"]);
    site.vpc = Some("vpc-9".to_owned());
    check(&site, &["vpc: there is no VPC vpc-9 in eu-west-1"]);
}

#[test]
fn the_groups_that_all_workers_share_are_the_nodes_groups() {
    let mut site = kops(&["a"]);
    site.network.instances[0].security_groups.push("sg-extra".to_owned());
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2"]);
    site.network.instances[1].security_groups = vec!["sg-other".to_owned()];
    check(&site, &["vpc-1 sg-extra+sg-nodes+sg-other eu-west-1a=subnet-a-privatex2"]);
    site.network.instances.clear();
    check(
        &site,
        &[
            "node-security-groups: no security group of the worker nodes was found: neither on their instances nor by the cluster's tags",
        ],
    );
    site.network.tagged_security_groups = vec!["sg-by-tag".to_owned()];
    check(&site, &["vpc-1 sg-by-tag eu-west-1a=subnet-a-privatex2"]);
}

#[test]
fn all_reasons_are_told_at_once() {
    let mut site = kops(&["a", "b"]);
    site.cluster.pod_security = Some("restricted".to_owned());
    for node in site.cluster.nodes.iter_mut().filter(|n| n.zone.as_deref() == Some("eu-west-1b")) {
        "arm64".clone_into(&mut node.arch);
    }
    site.network.vpcs.clear();
    check(
        &site,
        &[
            "vpc: no VPC found for the cluster k8s.myzone.net: neither its nodes' instances nor its tags lead to one in eu-west-1",
            "architecture: eu-west-1b has only arm64 nodes; the application's image is built for amd64",
            "pod-security: the namespace git enforces the Pod Security level restricted; the application's image starts as root",
        ],
    );
}

#[test]
fn local_zones_and_control_planes_do_not_count() {
    let mut site = kops(&["a"]);
    let mut local = site.cluster.nodes[0].clone();
    local.zone = Some("eu-west-1-ber-1a".to_owned());
    site.cluster.nodes.push(local);
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2"]);
    site.cluster.nodes.retain(|node| node.control_plane);
    check(&site, &["no-nodes: the cluster has no worker nodes"]);
}

#[test]
fn a_zone_whose_nodes_are_all_down_is_still_a_zone() {
    let mut site = kops(&["a", "b"]);
    for node in &mut site.cluster.nodes {
        node.schedulable = node.zone.as_deref() != Some("eu-west-1b");
    }
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2 eu-west-1b=subnet-b-privatex2"]);
}

#[test]
fn an_old_kubernetes_is_an_advisory() {
    let mut site = kops(&["a"]);
    site.cluster.version = "v1.28.4".to_owned();
    check(
        &site,
        &[
            "vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2",
            "old-kubernetes: Kubernetes v1.28.4 is older than 1.29",
        ],
    );
}

#[test]
fn a_vpc_whose_names_do_not_resolve_is_refused() {
    let codes = |support, hostnames, amazon_provided| {
        let dns = VpcDns { support, hostnames, amazon_provided };
        dns_findings("vpc-1", dns).iter().map(|f| f.message.clone()).collect::<Vec<_>>()
    };
    assert!(codes(true, true, Some(true)).is_empty());
    assert!(codes(true, true, None).is_empty());
    assert_eq!(codes(false, false, Some(false)).len(), 3);
    assert!(codes(true, false, None)[0].contains("enableDnsHostnames"));
}

#[test]
fn a_zone_that_lost_its_nodes_stays_until_the_file_gives_it_up() {
    let mut site = kops(&["a", "b"]);
    let zone = |name: &str| name.parse::<Zone>().unwrap();
    site.kept_zones = [zone("eu-west-1a"), zone("eu-west-1b")].into();
    site.cluster.nodes.retain(|node| node.zone.as_deref() != Some("eu-west-1b"));
    check(
        &site,
        &[
            "vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2 eu-west-1b=subnet-b-privatex0",
            "zone-lost: eu-west-1b has no worker nodes now; what the stack has there is kept",
        ],
    );
    site.zones = Some(vec![zone("eu-west-1a")]);
    check(&site, &["vpc-1 sg-nodes eu-west-1a=subnet-a-privatex2"]);
}
