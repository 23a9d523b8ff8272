//! Surveys become the context: the VPC, the zones, one subnet for each, the nodes' security groups. The one place where zones
//! and subnets are chosen (domain.md, 6.4 and 6.7). Pure; every problem is reported, not the first.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::{ClusterFacts, Context, Vpc, ZoneFacts, partition_of};
use crate::diagnostic::Finding;
use crate::discover::{ClusterSurvey, NetworkSurvey, NodeFacts, SubnetFacts, VpcDns};
use crate::name::{StackName, Zone};

/// What the stack file asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The stack's name.
    pub stack: &'a StackName,
    /// The namespace.
    pub namespace: &'a str,
    /// The region.
    pub region: &'a str,
    /// The cluster's name.
    pub cluster: &'a str,
    /// The zones, when the file names them.
    pub zones: Option<&'a [Zone]>,
    /// The zones that the stack has something in already. Unless the file names zones, they stay: a zone that lost its nodes
    /// must not look like one that nobody wants.
    pub kept_zones: &'a BTreeSet<Zone>,
    /// The VPC, when the file names it.
    pub vpc: Option<&'a str>,
    /// The subnets, when the file names them; else empty.
    pub subnets: &'a [String],
    /// The nodes' security groups, when the file names them; else empty.
    pub security_groups: &'a [String],
}

/// The architecture that the images of our applications are built for (domain.md, 1.1).
const ARCHITECTURE: &str = "amd64";
/// Fewer free addresses than this leave no room for network interfaces (the AWS Load Balancer Controller's number).
const FREE_ADDRESSES: u32 = 8;
/// The oldest Kubernetes minor version that zonestack is tried with (domain.md, 6.7).
const OLDEST_MINOR: u32 = 29;

/// The context, with advisories; or every reason why the stack cannot run there.
pub fn choose(
    wish: Wish<'_>,
    cluster: &ClusterSurvey,
    network: &NetworkSurvey,
) -> Result<(Context, Vec<Finding>), Vec<Finding>> {
    let mut problems = Vec::new();
    let workers: Vec<&NodeFacts> =
        cluster.nodes.iter().filter(|node| !node.control_plane).collect();
    if workers.is_empty() {
        problems.push(
            Finding::error("no-nodes", "", "the cluster has no worker nodes")
                .hint("add nodes, or look whether the right cluster is meant: --context"),
        );
    }
    let vpc = vpc(wish, network, &mut problems);
    let security_groups = security_groups(wish, network, &mut problems);
    let mut zones = Vec::new();
    for zone in zone_names(wish, &workers, &mut problems) {
        let facts = vpc
            .as_ref()
            .and_then(|vpc| zone_facts(wish, &zone, &vpc.id, &workers, network, &mut problems));
        zones.extend(facts);
    }
    if cluster.pod_security.as_deref() == Some("restricted") {
        problems.push(
            Finding::error(
                "pod-security",
                "",
                format!("the namespace {} enforces the Pod Security level restricted; the application's image starts as root", wish.namespace),
            )
            .hint("choose another namespace, or label it pod-security.kubernetes.io/enforce=baseline"),
        );
    }
    match (vpc, problems.is_empty()) {
        (Some(vpc), true) => {
            let context = Context {
                is_nominal: false,
                stack: wish.stack.clone(),
                namespace: wish.namespace.to_owned(),
                region: wish.region.to_owned(),
                partition: partition_of(wish.region).to_owned(),
                account: network.account.clone(),
                vpc,
                zones,
                node_security_groups: security_groups,
                cluster: ClusterFacts {
                    name: wish.cluster.to_owned(),
                    version: cluster.version.clone(),
                    load_balancer_controller: cluster.load_balancer_controller,
                    efs_csi_driver: cluster.efs_csi_driver,
                    os_images: workers
                        .iter()
                        .map(|node| node.os_image.clone())
                        .collect::<BTreeSet<_>>()
                        .into_iter()
                        .collect(),
                },
            };
            let advisories = advisories(cluster, &context);
            Ok((context, advisories))
        }
        _ => Err(problems),
    }
}

/// What is wrong with how names resolve in the VPC: asked before something is made (domain.md, 3.4).
pub fn dns_findings(vpc: &str, dns: VpcDns) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (on, attribute) in
        [(dns.support, "enableDnsSupport"), (dns.hostnames, "enableDnsHostnames")]
    {
        if !on {
            findings.push(
                Finding::error(
                    "vpc-dns",
                    "",
                    format!("{vpc} has {attribute} switched off: nodes could not resolve the file system's and the database's names"),
                )
                .hint(format!("switch it on where the VPC is managed: {attribute}=true")),
            );
        }
    }
    if dns.amazon_provided == Some(false) {
        findings.push(
            Finding::advisory(
                "custom-dns",
                "",
                format!("{vpc} uses DNS servers of its own; they must forward to the VPC's resolver, or mounts and connections fail"),
            )
            .hint("forward amazonaws.com to the VPC's base address plus two"),
        );
    }
    findings
}

fn advisories(cluster: &ClusterSurvey, context: &Context) -> Vec<Finding> {
    let mut advisories = Vec::new();
    for facts in context.zones.iter().filter(|facts| facts.nodes == 0) {
        let zone = &facts.zone;
        let others: Vec<&str> = context
            .zones
            .iter()
            .filter(|facts| facts.nodes > 0)
            .map(|facts| facts.zone.as_str())
            .collect();
        advisories.push(
            Finding::advisory(
                "zone-lost",
                "",
                format!("{zone} has no worker nodes now; what the stack has there is kept"),
            )
            .hint(format!(
                "bring its nodes back; to give {zone} up, write zones: [{}]",
                others.join(", ")
            )),
        );
    }
    let mut parts = cluster.version.trim_start_matches('v').split('.');
    let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
    if let (Some(1), Some(minor)) = (number(), number())
        && minor < OLDEST_MINOR
    {
        let message = format!("Kubernetes {} is older than 1.{OLDEST_MINOR}", cluster.version);
        advisories.push(Finding::advisory("old-kubernetes", "", message));
    }
    advisories
}

fn vpc(wish: Wish<'_>, network: &NetworkSurvey, problems: &mut Vec<Finding>) -> Option<Vpc> {
    let found = match wish.vpc {
        Some(id) => network.vpcs.iter().find(|vpc| vpc.id == id),
        None => network.vpcs.first(),
    };
    match (found, wish.vpc, network.vpcs.len()) {
        (Some(vpc), Some(_), _) | (Some(vpc), None, 1) => {
            return Some(Vpc { id: vpc.id.clone(), cidrs: vpc.cidrs.clone() });
        }
        (None, Some(id), _) => problems.push(
            Finding::error("vpc", "", format!("there is no VPC {id} in {}", wish.region))
                .hint("look at `network.vpc`, the region and the account"),
        ),
        (_, None, 0) => problems.push(
            Finding::error(
                "vpc",
                "",
                format!("no VPC found for the cluster {}: neither its nodes' instances nor its tags lead to one in {}", wish.cluster, wish.region),
            )
            .hint("name it: network: {vpc: vpc-…}; or look at the region, the account and the cluster's name"),
        ),
        _ => {
            let ids: Vec<&str> = network.vpcs.iter().map(|vpc| vpc.id.as_str()).collect();
            problems.push(
                Finding::error("vpc", "", format!("the cluster's nodes are in several VPCs: {}", ids.join(", ")))
                    .hint("name one: network: {vpc: vpc-…}"),
            );
        }
    }
    None
}

/// The groups that every worker carries; all of their groups when they share none.
fn security_groups(
    wish: Wish<'_>,
    network: &NetworkSurvey,
    problems: &mut Vec<Finding>,
) -> Vec<String> {
    if !wish.security_groups.is_empty() {
        let groups: BTreeSet<String> = wish.security_groups.iter().cloned().collect();
        return groups.into_iter().collect();
    }
    let of = |groups: &[String]| groups.iter().cloned().collect::<BTreeSet<String>>();
    let mut shared: Option<BTreeSet<String>> = None;
    let mut all = BTreeSet::new();
    for instance in &network.instances {
        let groups = of(&instance.security_groups);
        all.extend(groups.clone());
        shared = Some(
            shared.map_or_else(|| groups.clone(), |s| s.intersection(&groups).cloned().collect()),
        );
    }
    let groups = match shared {
        Some(shared) if !shared.is_empty() => shared,
        Some(_) => all,
        None => of(&network.tagged_security_groups),
    };
    if groups.is_empty() {
        problems.push(
            Finding::error("node-security-groups", "", "no security group of the worker nodes was found: neither on their instances nor by the cluster's tags")
                .hint("name it: network: {securityGroups: [sg-…]}"),
        );
    }
    groups.into_iter().collect()
}

/// The file's zones, each of which must have workers; or every zone with workers.
fn zone_names(wish: Wish<'_>, workers: &[&NodeFacts], problems: &mut Vec<Finding>) -> Vec<Zone> {
    let mut with_nodes: BTreeMap<Zone, Vec<&NodeFacts>> = BTreeMap::new();
    for node in workers {
        let zone = node.zone.as_deref().and_then(|zone| zone.parse::<Zone>().ok());
        if let Some(zone) = zone.filter(|zone| is_ordinary(zone, wish.region)) {
            with_nodes.entry(zone).or_default().push(node);
        }
    }
    if with_nodes.is_empty() && !workers.is_empty() {
        problems.push(
            Finding::error(
                "zones",
                "",
                format!("no worker node says that it is in a zone of {}", wish.region),
            )
            .hint("nodes need the label topology.kubernetes.io/zone; look at the region too"),
        );
    }
    let names: Vec<Zone> = match wish.zones {
        Some(zones) => zones.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
        None => with_nodes
            .keys()
            .chain(wish.kept_zones)
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    };
    for zone in &names {
        match with_nodes.get(zone) {
            None if !workers.is_empty() && !is_kept(wish, zone) => {
                let others: Vec<&str> = with_nodes.keys().map(Zone::as_str).collect();
                problems.push(
                    Finding::error(
                        "zone-without-nodes",
                        "",
                        format!("{zone} has no worker nodes: pods for it would wait for ever"),
                    )
                    .hint(format!(
                        "add nodes there, or list only zones with nodes: {}",
                        others.join(", ")
                    )),
                );
            }
            Some(nodes) if nodes.iter().all(|node| node.arch != ARCHITECTURE) => {
                problems.push(
                    Finding::error("architecture", "", format!("{zone} has only {} nodes; the application's image is built for {ARCHITECTURE}", nodes[0].arch))
                        .hint(format!("add {ARCHITECTURE} nodes there, or leave the zone out: zones: […]")),
                );
            }
            _ => {}
        }
    }
    names
}

fn is_kept(wish: Wish<'_>, zone: &Zone) -> bool {
    wish.zones.is_none() && wish.kept_zones.contains(zone)
}

/// Ordinary availability zones are the region and one letter; Local Zones and Wavelength Zones are more.
fn is_ordinary(zone: &Zone, region: &str) -> bool {
    zone.as_str()
        .strip_prefix(region)
        .is_some_and(|rest| rest.len() == 1 && rest.chars().all(|c| c.is_ascii_lowercase()))
}

fn zone_facts(
    wish: Wish<'_>,
    zone: &Zone,
    vpc: &str,
    workers: &[&NodeFacts],
    network: &NetworkSurvey,
    problems: &mut Vec<Finding>,
) -> Option<ZoneFacts> {
    let subnet = subnet(wish, zone, vpc, network, problems)?;
    let nodes: Vec<&&NodeFacts> = workers
        .iter()
        .filter(|node| node.zone.as_deref() == Some(zone.as_str()) && node.arch == ARCHITECTURE)
        .collect();
    Some(ZoneFacts {
        zone: zone.clone(),
        zone_id: subnet.zone_id.clone(),
        subnet: subnet.id.clone(),
        subnet_cidr: subnet.cidr.clone(),
        nodes: u32::try_from(nodes.len()).unwrap_or(u32::MAX),
        // Nodes that are down count: a plan during an outage must not refuse what was there before it.
        cpu_millis: nodes.iter().map(|node| node.cpu_millis).sum(),
        largest_node_memory: nodes.iter().map(|node| node.memory).max().unwrap_or(0),
    })
}

/// One subnet for a zone, by the order of domain.md 6.4.
fn subnet<'a>(
    wish: Wish<'_>,
    zone: &Zone,
    vpc: &str,
    network: &'a NetworkSurvey,
    problems: &mut Vec<Finding>,
) -> Option<&'a SubnetFacts> {
    let explicit = !wish.subnets.is_empty();
    let here: Vec<&SubnetFacts> = network
        .subnets
        .iter()
        .filter(|subnet| subnet.vpc == vpc && subnet.zone == zone.as_str())
        .filter(|subnet| !explicit || wish.subnets.contains(&subnet.id))
        .filter(|subnet| explicit || !is_utility(subnet))
        .collect();
    if here.is_empty() {
        let message = if explicit {
            format!("none of the subnets in `network.subnets` is in {zone}")
        } else {
            format!(
                "{vpc} has no subnet in {zone} that nodes may use (subnets for load balancers only do not count)"
            )
        };
        problems.push(
            Finding::error("zone-without-subnet", "", message)
                .hint("name one subnet for each zone: network: {subnets: [subnet-…]}"),
        );
        return None;
    }
    let roomy: Vec<&&SubnetFacts> =
        here.iter().filter(|s| explicit || s.free_addresses >= FREE_ADDRESSES).collect();
    if roomy.is_empty() {
        let ids: Vec<&str> = here.iter().map(|subnet| subnet.id.as_str()).collect();
        problems.push(
            Finding::error(
                "no-free-addresses",
                "",
                format!(
                    "{zone} has fewer than {FREE_ADDRESSES} free addresses in {}",
                    ids.join(", ")
                ),
            )
            .hint("free some, or name another subnet: network: {subnets: [subnet-…]}"),
        );
        return None;
    }
    let used = |subnet: &SubnetFacts| network.instances.iter().any(|i| i.subnet == subnet.id);
    roomy.into_iter().min_by_key(|s| rank(s, wish.cluster, used(s))).copied()
}

fn is_utility(subnet: &SubnetFacts) -> bool {
    subnet.tags.get("SubnetType").is_some_and(|kind| kind == "Utility")
}

/// Lower is better; the id decides last, so that the choice never depends on an order of answers.
fn rank<'a>(
    subnet: &'a SubnetFacts,
    cluster: &str,
    used: bool,
) -> (bool, u8, bool, bool, bool, &'a str) {
    let tagged = subnet.tags.contains_key(&format!("kubernetes.io/cluster/{cluster}"))
        || subnet.tags.get("KubernetesCluster").is_some_and(|name| name == cluster);
    let by_kops = match subnet.tags.get("SubnetType").map(String::as_str) {
        Some("Private") => 0,
        None => 1,
        Some(_) => 2,
    };
    let internal = subnet.tags.contains_key("kubernetes.io/role/internal-elb");
    (!tagged, by_kops, !used, !internal, subnet.public == Some(true), &subnet.id)
}
