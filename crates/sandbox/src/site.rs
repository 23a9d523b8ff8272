//! What was there before the first command: an account's region with zones, a network and a cluster like kOps makes them
//! (domain.md, 6.3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::hex;
use crate::options::{Options, Topology};

/// The region, the network and the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The AWS account.
    pub account: String,
    /// The AWS region.
    pub region: String,
    /// The cluster's name.
    pub cluster: String,
    /// The API server's version.
    pub version: String,
    /// The VPC's id.
    pub vpc: String,
    /// The VPC's IPv4 range.
    pub vpc_cidr: String,
    /// The security groups that every worker node carries.
    pub node_security_groups: Vec<String>,
    /// The security group of the control plane.
    pub control_plane_security_group: String,
    /// The nodes' `kubernetes.io/arch`.
    pub arch: String,
    /// The nodes' operating system.
    pub os_image: String,
    /// What each worker node offers, in thousandths of a core.
    pub cpu_millis: u64,
    /// What each worker node offers, in bytes of memory.
    pub memory: u64,
    /// Whether the AWS Load Balancer Controller is installed.
    pub load_balancer_controller: bool,
    /// Whether the EFS CSI driver is installed.
    pub efs_csi_driver: bool,
    /// The zones, in order of name.
    pub zones: Vec<Zone>,
}

/// One zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// Its id, the same in every account.
    pub zone_id: String,
    /// When it was lost, in the world's milliseconds; `None` while it is in service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_since: Option<u64>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// Its nodes.
    pub nodes: Vec<Node>,
}

/// One subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// Its IPv4 range.
    pub cidr: String,
    /// Free addresses in it.
    pub free_addresses: u32,
    /// Whether it has a route to the internet.
    pub public: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name in the cluster.
    pub name: String,
    /// The EC2 instance behind it.
    pub instance: String,
    /// Its subnet.
    pub subnet: String,
    /// Whether it is a control-plane node.
    pub control_plane: bool,
    /// Whether it runs. A node of a lost zone does not answer, whatever this says.
    pub up: bool,
}

impl Subnet {
    /// Whether it is for load balancers, not for nodes (domain.md, 6.3).
    pub fn is_utility(&self) -> bool {
        self.tags.get("SubnetType").is_some_and(|sort| sort == "Utility")
    }
}

impl Site {
    /// The site that the options describe.
    pub fn new(options: &Options) -> Self {
        let id = |prefix: &str, parts: &[&str]| {
            let parts =
                [&[options.region.as_str(), options.cluster.as_str(), prefix], parts].concat();
            format!("{prefix}-{}", hex(options.seed, &parts, 17))
        };
        let names = options.zones.names(&options.region);
        let zones = names.iter().enumerate().map(|(index, name)| {
            let subnets = options.network.subnets.iter().skip(index).step_by(names.len());
            zone(options, index, name, &subnets.cloned().collect::<Vec<_>>(), &id)
        });
        let given = &options.network.security_groups;
        let nodes = if given.is_empty() { vec![id("sg", &["nodes"])] } else { given.clone() };
        Self {
            account: options.account.clone(),
            region: options.region.clone(),
            cluster: options.cluster.clone(),
            version: "v1.36.2".to_owned(),
            vpc: options.network.vpc.clone().unwrap_or_else(|| id("vpc", &[])),
            vpc_cidr: "172.20.0.0/16".to_owned(),
            node_security_groups: nodes,
            control_plane_security_group: id("sg", &["masters"]),
            arch: options.arch.clone(),
            os_image: "Ubuntu 24.04.3 LTS".to_owned(),
            cpu_millis: 7_910,
            memory: 30 << 30,
            load_balancer_controller: options.load_balancer_controller,
            efs_csi_driver: options.efs_csi_driver,
            zones: zones.collect(),
        }
    }

    /// The zone of that name.
    pub fn zone(&self, name: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == name)
    }

    /// The zone that a subnet is in.
    pub fn zone_of_subnet(&self, subnet: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.subnets.iter().any(|found| found.id == subnet))
    }

    /// Whether something of the network has this id.
    pub fn has_network_id(&self, id: &str) -> bool {
        self.vpc == id || self.has_security_group(id) || self.zone_of_subnet(id).is_some()
    }

    /// Whether it is a security group of nodes or of the control plane.
    pub fn has_security_group(&self, id: &str) -> bool {
        self.control_plane_security_group == id
            || self.node_security_groups.iter().any(|group| group == id)
    }

    /// When the zone was lost, when it is.
    pub fn lost_since(&self, zone: &str) -> Option<u64> {
        self.zone(zone)?.lost_since
    }
}

/// A zone; `named` are the ids of the subnets that its nodes use, a made-up one when there is none.
fn zone(
    options: &Options,
    index: usize,
    name: &str,
    named: &[String],
    id: &dyn Fn(&str, &[&str]) -> String,
) -> Zone {
    let subnet = |sort: &str, cidr: String, free_addresses| {
        let public = sort != "Private";
        let mut tags = BTreeMap::from([
            ("KubernetesCluster".to_owned(), options.cluster.clone()),
            (format!("kubernetes.io/cluster/{}", options.cluster), "owned".to_owned()),
            ("Name".to_owned(), format!("{}{name}.{}", prefix(sort), options.cluster)),
            ("SubnetType".to_owned(), sort.to_owned()),
        ]);
        let role = if public { "elb" } else { "internal-elb" };
        tags.insert(format!("kubernetes.io/role/{role}"), "1".to_owned());
        Subnet { id: id("subnet", &[sort, name]), cidr, free_addresses, public, tags }
    };
    let wide = format!("172.20.{}.0/19", 32 * (index % 7 + 1));
    let sort = match options.topology {
        Topology::Private => "Private",
        Topology::Public => "Public",
    };
    let for_nodes = subnet(sort, wide, 8_150);
    let with_id = |id: &String| Subnet { id: id.clone(), ..for_nodes.clone() };
    let mut subnets: Vec<Subnet> = named.iter().map(with_id).collect();
    if subnets.is_empty() {
        subnets.push(for_nodes);
    }
    if options.topology == Topology::Private {
        subnets.push(subnet("Utility", format!("172.20.{}.0/22", 4 * (index % 8)), 1_010));
    }
    let node = |number: u32, control_plane: bool| {
        let sort = if control_plane { "control-plane" } else { "nodes" };
        let number = number.to_string();
        let instance = id("i", &[sort, name, &number]);
        Node {
            name: instance.clone(),
            instance,
            subnet: subnets.first().map(|subnet| subnet.id.clone()).unwrap_or_default(),
            control_plane,
            up: true,
        }
    };
    let control_plane = (index < 3).then(|| node(0, true));
    let workers = (0..options.nodes_per_zone).map(|number| node(number, false));
    let nodes = control_plane.into_iter().chain(workers).collect();
    let zone_id = format!("{}-az{}", short_region(&options.region), index + 1);
    Zone { name: name.to_owned(), zone_id, lost_since: None, subnets, nodes }
}

fn prefix(sort: &str) -> &'static str {
    if sort == "Utility" { "utility-" } else { "" }
}

/// The region as zone ids write it: `euw1` for `eu-west-1`.
fn short_region(region: &str) -> String {
    let short = |(index, word): (usize, &str)| match word {
        "northeast" | "southeast" | "northwest" | "southwest" => {
            format!("{}{}", &word[..1], &word[5..6])
        }
        _ if index > 0 && !word.starts_with(|c: char| c.is_ascii_digit()) => {
            word.chars().take(1).collect()
        }
        _ => word.to_owned(),
    };
    region.split('-').enumerate().map(short).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::NetworkIds;

    #[test]
    fn zone_ids_are_written_like_those_of_aws() {
        for (region, short) in [
            ("eu-west-1", "euw1"),
            ("us-east-1", "use1"),
            ("ap-southeast-2", "apse2"),
            ("us-gov-west-1", "usgw1"),
        ] {
            assert_eq!(short_region(region), short);
        }
    }

    #[test]
    fn every_id_of_a_site_is_another() {
        let site = Site::new(&Options::new("eu-west-1", "k8s.myzone.net"));
        let mut ids = [site.node_security_groups, vec![site.control_plane_security_group]].concat();
        for zone in &site.zones {
            ids.extend(zone.subnets.iter().map(|subnet| subnet.id.clone()));
            ids.extend(zone.nodes.iter().map(|node| node.instance.clone()));
        }
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((count, ids.len()), (2 + 3 * (2 + 3), count));
    }

    #[test]
    fn a_named_network_has_its_ids_in_the_order_of_the_zones() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut options = Options::new("eu-west-1", "k8s.myzone.net");
        options.network = NetworkIds {
            vpc: Some("vpc-1".to_owned()),
            subnets: names(&["subnet-a", "subnet-b", "subnet-c", "subnet-a2"]),
            security_groups: names(&["sg-1", "sg-2"]),
        };
        let site = Site::new(&options);
        assert_eq!(site.vpc, "vpc-1");
        assert_eq!(site.node_security_groups, ["sg-1", "sg-2"]);
        for (subnet, zone) in [
            ("subnet-a", "eu-west-1a"),
            ("subnet-b", "eu-west-1b"),
            ("subnet-c", "eu-west-1c"),
            ("subnet-a2", "eu-west-1a"),
        ] {
            assert_eq!(site.zone_of_subnet(subnet).map(|zone| zone.name.as_str()), Some(zone));
        }
        assert!(site.zones.iter().all(|zone| zone.nodes.iter().all(|n| n.subnet.len() == 8)));
        options.network.subnets.truncate(1);
        let site = Site::new(&options);
        assert_eq!(site.zones[0].subnets[0].id, "subnet-a");
        assert_eq!(site.zones[1].subnets[0].id.len(), "subnet-".len() + 17);
    }
}
