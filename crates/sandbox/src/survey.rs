//! The sandbox as a cluster and a network to read.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use zonestack_core::discover::{
    ClusterReader, ClusterSurvey, InstanceFacts, NetworkReader, NetworkRequest, NetworkSurvey,
    NodeFacts, SubnetFacts, SurveyError, VpcDns, VpcFacts,
};
use zonestack_core::driver::{DriverError, ErrorClass};

use crate::gate::{Purpose, Sandbox};
use crate::log::Operation;
use crate::site::{Node, Site, Zone};
use crate::world::World;

/// The sandbox's cluster.
#[derive(Clone)]
pub struct SandboxCluster {
    sandbox: Sandbox,
    name: String,
}

impl SandboxCluster {
    pub(crate) fn new(sandbox: Sandbox, name: &str) -> Self {
        Self { sandbox, name: name.to_owned() }
    }
}

/// The sandbox's network, seen in one region.
#[derive(Clone)]
pub struct SandboxNetwork {
    sandbox: Sandbox,
    region: String,
}

impl SandboxNetwork {
    pub(crate) fn new(sandbox: Sandbox, region: &str) -> Self {
        Self { sandbox, region: region.to_owned() }
    }
}

fn failed(error: DriverError) -> SurveyError {
    // A file that cannot be used says itself what to do.
    let passes = matches!(
        error.class,
        ErrorClass::Throttled | ErrorClass::Transient | ErrorClass::Ambiguous
    );
    let hint = if passes { "run it again" } else { "" };
    survey_error(error.message, hint)
}

/// What helps when a sandbox is not the one that a stack file means.
const ANOTHER: &str = "use another sandbox file, or delete this one to start anew";

fn survey_error(message: String, hint: &str) -> SurveyError {
    SurveyError { message, hint: hint.to_owned() }
}

impl ClusterReader for SandboxCluster {
    fn survey<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<ClusterSurvey, SurveyError>> {
        let read = |world: &World| {
            let site = &world.site;
            if site.cluster != self.name {
                let message =
                    format!("the sandbox has the cluster {}, not {}", site.cluster, self.name);
                return Err(survey_error(message, ANOTHER));
            }
            let found = world.namespace(namespace);
            let level = found.and_then(|found| {
                let labels = found.spec.pointer("/metadata/labels")?;
                labels.get("pod-security.kubernetes.io/enforce").and_then(Json::as_str)
            });
            Ok(ClusterSurvey {
                version: site.version.clone(),
                nodes: nodes(site),
                load_balancer_controller: site.load_balancer_controller,
                efs_csi_driver: site.efs_csi_driver,
                namespace_exists: found.is_some(),
                pod_security: level.map(str::to_owned),
            })
        };
        let purpose = Purpose::read(Operation::ReadCluster);
        self.sandbox.call(purpose, failed, move |turn| read(turn.world)).boxed()
    }
}

fn nodes(site: &Site) -> Vec<NodeFacts> {
    let facts = |zone: &Zone, node: &Node| NodeFacts {
        name: node.name.clone(),
        zone: Some(zone.name.clone()),
        instance: Some(node.instance.clone()),
        arch: site.arch.clone(),
        control_plane: node.control_plane,
        schedulable: node.up && !node.control_plane && zone.lost_since.is_none(),
        os_image: site.os_image.clone(),
        cpu_millis: site.cpu_millis,
        memory: site.memory,
    };
    let mut nodes: Vec<NodeFacts> = site
        .zones
        .iter()
        .flat_map(|zone| zone.nodes.iter().map(move |node| facts(zone, node)))
        .collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    nodes
}

impl NetworkReader for SandboxNetwork {
    fn survey<'a>(
        &'a self,
        request: &'a NetworkRequest,
    ) -> BoxFuture<'a, Result<NetworkSurvey, SurveyError>> {
        let purpose = Purpose::read(Operation::ReadNetwork);
        self.sandbox
            .call(purpose, failed, move |turn| network(&turn.world.site, &self.region, request))
            .boxed()
    }

    fn account(&self) -> BoxFuture<'_, Result<String, SurveyError>> {
        let purpose = Purpose::read(Operation::ReadNetwork);
        self.sandbox.call(purpose, failed, |turn| Ok(turn.world.site.account.clone())).boxed()
    }

    fn dns<'a>(&'a self, vpc: &'a str) -> BoxFuture<'a, Result<VpcDns, SurveyError>> {
        let purpose = Purpose::read(Operation::ReadNetwork);
        self.sandbox
            .call(purpose, failed, move |turn| {
                if turn.world.site.vpc != vpc {
                    let message = format!("InvalidVpcID.NotFound: {vpc} in {}", self.region);
                    return Err(survey_error(message, "check network.vpc in the stack file"));
                }
                Ok(VpcDns { support: true, hostnames: true, amazon_provided: Some(true) })
            })
            .boxed()
    }
}

fn network(
    site: &Site,
    region: &str,
    request: &NetworkRequest,
) -> Result<NetworkSurvey, SurveyError> {
    if site.region != region {
        let message = format!("the sandbox is in the region {}, not {region}", site.region);
        return Err(survey_error(message, ANOTHER));
    }
    check_ids(site, request)?;
    let instances = instances(site);
    if let Some(id) =
        request.instances.iter().find(|id| !instances.iter().any(|found| found.id == **id))
    {
        let message = format!("InvalidInstanceID.NotFound: {id} is not in {region}");
        return Err(survey_error(message, "look at the region in the stack file"));
    }
    let by_tags = request.instances.is_empty() && site.cluster == request.cluster;
    let mut asked: Vec<InstanceFacts> =
        instances.into_iter().filter(|found| request.instances.contains(&found.id)).collect();
    asked.sort_by(|a, b| a.id.cmp(&b.id));
    let tagged = if by_tags { site.node_security_groups.clone() } else { Vec::new() };
    Ok(NetworkSurvey {
        account: site.account.clone(),
        vpcs: vec![VpcFacts { id: site.vpc.clone(), cidrs: vec![site.vpc_cidr.clone()] }],
        subnets: subnets(site),
        instances: asked,
        tagged_security_groups: tagged,
    })
}

/// Refuses ids of the stack file that this sandbox does not have: with the network's own words AWS would leave a person
/// wondering where a model has its ids from.
fn check_ids(site: &Site, request: &NetworkRequest) -> Result<(), SurveyError> {
    let subnets = || site.zones.iter().flat_map(|zone| &zone.subnets).filter(|s| !s.is_utility());
    let unknown = |what: &str, id: &str, field: &str, own: Vec<&str>| {
        let message = format!(
            "network.{field} in the stack file names {id}, but this sandbox was made with {what} {}",
            own.join(", ")
        );
        Err(survey_error(message, ANOTHER))
    };
    if let Some(id) = request.vpc.as_ref().filter(|id| **id != site.vpc) {
        return unknown("the VPC", id, "vpc", vec![&site.vpc]);
    }
    if let Some(id) = request.subnets.iter().find(|id| site.zone_of_subnet(id).is_none()) {
        let own = subnets().map(|subnet| subnet.id.as_str()).collect();
        return unknown("the subnets", id, "subnets", own);
    }
    if let Some(id) = request.security_groups.iter().find(|id| !site.has_security_group(id)) {
        let own = site.node_security_groups.iter().map(String::as_str).collect();
        return unknown("the nodes' security groups", id, "securityGroups", own);
    }
    Ok(())
}

fn subnets(site: &Site) -> Vec<SubnetFacts> {
    let of_zone = |zone: &Zone| -> Vec<SubnetFacts> {
        let facts = |subnet: &crate::site::Subnet| SubnetFacts {
            id: subnet.id.clone(),
            vpc: site.vpc.clone(),
            zone: zone.name.clone(),
            zone_id: Some(zone.zone_id.clone()),
            cidr: subnet.cidr.clone(),
            free_addresses: subnet.free_addresses,
            tags: subnet.tags.clone(),
            public: Some(subnet.public),
        };
        zone.subnets.iter().map(facts).collect()
    };
    let mut subnets: Vec<SubnetFacts> = site.zones.iter().flat_map(of_zone).collect();
    subnets.sort_by(|a, b| a.id.cmp(&b.id));
    subnets
}

fn instances(site: &Site) -> Vec<InstanceFacts> {
    let of_zone = |zone: &Zone| -> Vec<InstanceFacts> {
        let groups = |node: &Node| {
            if node.control_plane {
                vec![site.control_plane_security_group.clone()]
            } else {
                site.node_security_groups.clone()
            }
        };
        let facts = |node: &Node| InstanceFacts {
            id: node.instance.clone(),
            vpc: site.vpc.clone(),
            subnet: node.subnet.clone(),
            zone: zone.name.clone(),
            security_groups: groups(node),
        };
        zone.nodes.iter().map(facts).collect()
    };
    site.zones.iter().flat_map(of_zone).collect()
}
