//! The sandbox as a cluster and a network to read.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use zonestack_core::discover::{
    ClusterReader, ClusterSurvey, InstanceFacts, NetworkReader, NetworkRequest, NetworkSurvey,
    NodeFacts, SubnetFacts, SurveyError, VpcDns, VpcFacts,
};
use zonestack_core::driver::DriverError;

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
    SurveyError { message: error.message, hint: "run it again".to_owned() }
}

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
                let hint = "use another sandbox file, or delete this one to start anew";
                return Err(survey_error(message, hint));
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
    let subnets: Vec<SubnetFacts> = subnets(site);
    let instances: Vec<InstanceFacts> = instances(site);
    let here = site.region == region;
    let missing = |what: &str, id: &String, hint: &str| {
        survey_error(format!("{what}.NotFound: {id} is not in {region}"), hint)
    };
    let check = |ids: &[String], there: &dyn Fn(&str) -> bool, what: &str, hint: &str| match ids
        .iter()
        .find(|id| !(here && there(id.as_str())))
    {
        Some(id) => Err(missing(what, id, hint)),
        None => Ok(()),
    };
    let file = "check network: in the stack file";
    let has_instance = |id: &str| instances.iter().any(|found| found.id == id);
    let has_group = |id: &str| {
        [&site.node_security_group, &site.control_plane_security_group].contains(&&id.to_owned())
    };
    let vpcs: Vec<String> = request.vpc.iter().cloned().collect();
    check(&vpcs, &|id| id == site.vpc, "InvalidVpcID", file)?;
    check(&request.subnets, &|id| site.zone_of_subnet(id).is_some(), "InvalidSubnetID", file)?;
    check(&request.security_groups, &has_group, "InvalidGroup", file)?;
    let hint = "check region: in the stack file, the sandbox's is the one it was made with";
    check(&request.instances, &has_instance, "InvalidInstanceID", hint)?;
    if !here {
        return Ok(NetworkSurvey { account: site.account.clone(), ..NetworkSurvey::default() });
    }
    let by_tags = request.instances.is_empty() && site.cluster == request.cluster;
    let mut asked: Vec<InstanceFacts> =
        instances.into_iter().filter(|found| request.instances.contains(&found.id)).collect();
    asked.sort_by(|a, b| a.id.cmp(&b.id));
    let tagged = by_tags.then(|| site.node_security_group.clone());
    Ok(NetworkSurvey {
        account: site.account.clone(),
        vpcs: vec![VpcFacts { id: site.vpc.clone(), cidrs: vec![site.vpc_cidr.clone()] }],
        subnets,
        instances: asked,
        tagged_security_groups: tagged.into_iter().collect(),
    })
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
        let group = |node: &Node| {
            let control_plane = node.control_plane;
            let (masters, nodes) = (&site.control_plane_security_group, &site.node_security_group);
            if control_plane { masters.clone() } else { nodes.clone() }
        };
        let facts = |node: &Node| InstanceFacts {
            id: node.instance.clone(),
            vpc: site.vpc.clone(),
            subnet: node.subnet.clone(),
            zone: zone.name.clone(),
            security_groups: vec![group(node)],
        };
        zone.nodes.iter().map(facts).collect()
    };
    site.zones.iter().flat_map(of_zone).collect()
}
