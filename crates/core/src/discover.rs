//! Contract: reading the cluster and the network. What is read is chosen from in [`crate::zones`].

use std::collections::BTreeMap;

use futures::future::BoxFuture;

/// What the Kubernetes API says about the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterSurvey {
    /// The API server's version, such as `v1.36.2`.
    pub version: String,
    /// Every node, control plane included, in order of name.
    pub nodes: Vec<NodeFacts>,
    /// Whether the AWS Load Balancer Controller is installed.
    pub load_balancer_controller: bool,
    /// Whether the EFS CSI driver is installed.
    pub efs_csi_driver: bool,
    /// Whether the stack's namespace exists.
    pub namespace_exists: bool,
    /// The Pod Security level that the stack's namespace enforces, when it is labelled with one.
    pub pod_security: Option<String>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeFacts {
    /// Its name.
    pub name: String,
    /// Its zone, from `topology.kubernetes.io/zone`.
    pub zone: Option<String>,
    /// The EC2 instance behind it, from `spec.providerID`; `None` for Fargate and for what is not on EC2.
    pub instance: Option<String>,
    /// `kubernetes.io/arch`, such as `amd64`.
    pub arch: String,
    /// Whether it is a control-plane node.
    pub control_plane: bool,
    /// Whether it is ready and open for scheduling.
    pub schedulable: bool,
    /// Its operating system, such as `Ubuntu 24.04.1 LTS`.
    pub os_image: String,
    /// Allocatable CPU in thousandths of a core.
    pub cpu_millis: u64,
    /// Allocatable memory in bytes.
    pub memory: u64,
}

/// What to read of the network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkRequest {
    /// The cluster's name, for its tags.
    pub cluster: String,
    /// The instances of the worker nodes, in order.
    pub instances: Vec<String>,
    /// Ids from the stack file. They win over everything that is found.
    pub vpc: Option<String>,
    /// Subnet ids from the stack file; empty when not given.
    pub subnets: Vec<String>,
    /// Security group ids of the nodes, from the stack file; empty when not given.
    pub security_groups: Vec<String>,
}

/// What EC2 says about the network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkSurvey {
    /// The caller's account.
    pub account: String,
    /// The VPCs that instances, tags or explicit ids lead to. More than one is a finding.
    pub vpcs: Vec<VpcFacts>,
    /// Every subnet of those VPCs, in order of id.
    pub subnets: Vec<SubnetFacts>,
    /// The instances behind the worker nodes, in order of id.
    pub instances: Vec<InstanceFacts>,
    /// Security groups that look like the nodes' by the cluster's tags and names; read only when instances do not tell.
    pub tagged_security_groups: Vec<String>,
}

/// One VPC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VpcFacts {
    /// Its id.
    pub id: String,
    /// Its IPv4 ranges.
    pub cidrs: Vec<String>,
}

/// One subnet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubnetFacts {
    /// Its id.
    pub id: String,
    /// Its VPC.
    pub vpc: String,
    /// The name of its zone.
    pub zone: String,
    /// The id of its zone.
    pub zone_id: Option<String>,
    /// Its IPv4 range.
    pub cidr: String,
    /// Free addresses in it.
    pub free_addresses: u32,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether its route table has a route to an internet gateway; read only where the tags do not tell.
    pub public: Option<bool>,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstanceFacts {
    /// Its id.
    pub id: String,
    /// Its VPC.
    pub vpc: String,
    /// Its subnet.
    pub subnet: String,
    /// Its zone.
    pub zone: String,
    /// Its security groups.
    pub security_groups: Vec<String>,
}

/// How names resolve inside a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VpcDns {
    /// `enableDnsSupport`
    pub support: bool,
    /// `enableDnsHostnames`
    pub hostnames: bool,
    /// Whether the DHCP options name the DNS server that Amazon provides; `None` when that could not be read.
    pub amazon_provided: Option<bool>,
}

/// Why the cluster or the network could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SurveyError {
    /// What was tried, where, and the service's own words.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Contract: reads the cluster. Changes nothing.
pub trait ClusterReader: Send + Sync {
    /// Nodes, version, controllers, and the namespace of the stack.
    fn survey<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<ClusterSurvey, SurveyError>>;
}

/// Contract: reads the network. Changes nothing (design.md, invariant 8).
pub trait NetworkReader: Send + Sync {
    /// The network that the request leads to, in as few calls as it takes.
    fn survey<'a>(
        &'a self,
        request: &'a NetworkRequest,
    ) -> BoxFuture<'a, Result<NetworkSurvey, SurveyError>>;

    /// The account that calls are made in.
    fn account(&self) -> BoxFuture<'_, Result<String, SurveyError>>;

    /// How names resolve in a VPC: asked only before something is made.
    fn dns<'a>(&'a self, vpc: &'a str) -> BoxFuture<'a, Result<VpcDns, SurveyError>>;
}
