//! Where a stack runs. Facts only: no client, no clock.

use serde::{Deserialize, Serialize};

use crate::name::{StackName, Zone};

/// The region with its zones, the network and the cluster, as discovered or as given in the stack file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Made up, for `validate`: the checks of the surroundings do not apply, because its nodes say nothing and its zones may
    /// be others than the real ones. An error that depends on them waits for the real context.
    pub is_nominal: bool,
    /// The stack's name.
    pub stack: StackName,
    /// The Kubernetes namespace of the stack's objects.
    pub namespace: String,
    /// The AWS region, such as `eu-west-1`.
    pub region: String,
    /// The AWS partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// The AWS account, twelve digits.
    pub account: String,
    /// The VPC.
    pub vpc: Vpc,
    /// The zones that the stack uses, in order of name. Never empty.
    pub zones: Vec<ZoneFacts>,
    /// The security groups that every worker node carries, in order of id.
    pub node_security_groups: Vec<String>,
    /// The cluster.
    pub cluster: ClusterFacts,
}

/// A network that zonestack uses and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Its id, `vpc-…`.
    pub id: String,
    /// Its IPv4 ranges, such as `172.20.0.0/16`.
    pub cidrs: Vec<String>,
}

/// One zone of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneFacts {
    /// Its name in this account.
    pub zone: Zone,
    /// Its id, the same in every account, such as `euw1-az1`; unknown to some emulators.
    pub zone_id: Option<String>,
    /// The chosen subnet.
    pub subnet: String,
    /// The chosen subnet's IPv4 range.
    pub subnet_cidr: String,
    /// Number of worker nodes.
    pub nodes: u32,
    /// What all worker nodes of the zone offer together while they are up, in thousandths of a core.
    pub cpu_millis: u64,
    /// What the largest worker node of the zone offers, in bytes of memory.
    pub largest_node_memory: u64,
}

/// What is known of the Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterFacts {
    /// Its name: the stack file's `cluster`.
    pub name: String,
    /// Its version, such as `v1.36.2`.
    pub version: String,
    /// Whether the AWS Load Balancer Controller answers for Services.
    pub load_balancer_controller: bool,
    /// Whether the EFS CSI driver is installed.
    pub efs_csi_driver: bool,
    /// Operating systems of the worker nodes, each once, such as `Ubuntu 24.04.1 LTS`.
    pub os_images: Vec<String>,
}

impl Context {
    /// The domain that this partition's service names end in.
    pub fn dns_suffix(&self) -> &'static str {
        if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    /// The names of the zones, in order.
    pub fn zone_names(&self) -> Vec<Zone> {
        self.zones.iter().map(|facts| facts.zone.clone()).collect()
    }

    /// A made-up context for a region and its zones: what `validate` renders against, and what plugin tests use. Ids are
    /// recognisable as made up, except that the zones' number and names are as given.
    pub fn nominal(stack: StackName, namespace: &str, region: &str, zones: &[Zone]) -> Self {
        let facts = |(index, zone): (usize, &Zone)| ZoneFacts {
            zone: zone.clone(),
            zone_id: None,
            subnet: format!("subnet-nominal-{index}"),
            subnet_cidr: format!("10.0.{index}.0/24"),
            nodes: 2,
            cpu_millis: 16_000,
            largest_node_memory: 32 << 30,
        };
        Self {
            is_nominal: true,
            stack,
            namespace: namespace.to_owned(),
            region: region.to_owned(),
            partition: partition_of(region).to_owned(),
            account: "111122223333".to_owned(),
            vpc: Vpc { id: "vpc-nominal".to_owned(), cidrs: vec!["10.0.0.0/16".to_owned()] },
            zones: zones.iter().enumerate().map(facts).collect(),
            node_security_groups: vec!["sg-nominal-nodes".to_owned()],
            cluster: ClusterFacts { name: "nominal".to_owned(), ..ClusterFacts::default() },
        }
    }
}

/// The partition that a region belongs to.
pub fn partition_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}
