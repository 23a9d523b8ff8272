//! Which subnets are public, by their routes: asked only where tags and nodes do not tell (domain.md 6.4).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{RouteState, RouteTable};

use super::{InstanceFacts, SubnetFacts};

/// Tags that say what a subnet is for.
const TELLING: &[&str] =
    &["SubnetType", "kubernetes.io/role/elb", "kubernetes.io/role/internal-elb"];

fn is_told(subnet: &SubnetFacts) -> bool {
    TELLING.iter().any(|key| subnet.tags.contains_key(*key))
}

/// Whether the choice of a subnet hangs on the routes: in some zone the best candidates are several, by everything that the
/// core looks at before the routes, and one of them has no tag that tells.
pub(super) fn is_needed(
    subnets: &[SubnetFacts],
    instances: &[InstanceFacts],
    cluster: &str,
) -> bool {
    let used: BTreeSet<&str> = instances.iter().map(|found| found.subnet.as_str()).collect();
    let zones: BTreeSet<&str> = instances.iter().map(|found| found.zone.as_str()).collect();
    let mut of_zones: BTreeMap<(&str, &str), Vec<&SubnetFacts>> = BTreeMap::new();
    for subnet in subnets {
        let kind = subnet.tags.get("SubnetType").map(String::as_str);
        let has_nodes = zones.is_empty() || zones.contains(subnet.zone.as_str());
        if has_nodes && kind != Some("Utility") {
            of_zones.entry((&subnet.vpc, &subnet.zone)).or_default().push(subnet);
        }
    }
    of_zones.values().any(|of_zone| {
        let rank = |subnet: &SubnetFacts| rank(subnet, cluster, used.contains(subnet.id.as_str()));
        let first = of_zone.iter().map(|subnet| rank(subnet)).min();
        let best: Vec<_> = of_zone.iter().filter(|subnet| Some(rank(subnet)) == first).collect();
        best.len() > 1 && !best.iter().all(|subnet| is_told(subnet))
    })
}

/// The order of domain.md 6.4 up to the routes, lower is better: of the cluster; kOps's private ones; with nodes; for
/// internal load balancers.
fn rank(subnet: &SubnetFacts, cluster: &str, is_used: bool) -> (bool, u8, bool, bool) {
    let tag = |key: &str| subnet.tags.get(key).map(String::as_str);
    let is_tagged = tag(&format!("kubernetes.io/cluster/{cluster}")).is_some()
        || tag("KubernetesCluster") == Some(cluster);
    let by_kops = match tag("SubnetType") {
        Some("Private") => 0,
        None => 1,
        Some(_) => 2,
    };
    (!is_tagged, by_kops, !is_used, tag("kubernetes.io/role/internal-elb").is_none())
}

/// Says of every subnet whether it is public: whether its route table, or the VPC's main one when it has none of its own,
/// has a live route to an internet gateway.
pub(super) fn tell(subnets: &mut [SubnetFacts], tables: &[RouteTable]) {
    for subnet in subnets.iter_mut() {
        let own = tables.iter().find(|table| {
            let mut associations = table.associations().iter();
            associations.any(|association| association.subnet_id() == Some(subnet.id.as_str()))
        });
        let main = || {
            tables.iter().find(|table| {
                let mut associations = table.associations().iter();
                table.vpc_id() == Some(subnet.vpc.as_str())
                    && associations.any(|association| association.main() == Some(true))
            })
        };
        subnet.public = own.or_else(main).map(leads_to_the_internet);
    }
}

fn leads_to_the_internet(table: &RouteTable) -> bool {
    table.routes().iter().any(|route| {
        route.gateway_id().is_some_and(|gateway| gateway.starts_with("igw-"))
            && route.state() != Some(&RouteState::Blackhole)
    })
}
