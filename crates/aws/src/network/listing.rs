//! The lists of EC2, one method for each, as facts. Filters, not lists of ids, so that one id that is gone fails nothing.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    DhcpConfiguration, DhcpOptions, Filter, Instance, Reservation, RouteTable, SecurityGroup,
    Subnet, Tag, Vpc, VpcAttributeName, VpcCidrBlockStateCode,
};

use super::{Ec2Network, InstanceFacts, SubnetFacts, SurveyError, VpcFacts};
use crate::interfaces::{FILTER_VALUES, PAGE, filter};

/// The id that a VPC has in the place of its DHCP options when it has none: then they say nothing.
const NO_DHCP_OPTIONS: &str = "default";
/// The name of the VPC's own resolver in DHCP options.
const AMAZON_DNS: &str = "AmazonProvidedDNS";

impl Ec2Network {
    /// The caller's account.
    pub(super) async fn caller_account(&self) -> Result<String, SurveyError> {
        let identity = self.sts.get_caller_identity().send().await;
        let identity = identity.map_err(|error| self.failed("GetCallerIdentity", error))?;
        Ok(identity.account.unwrap_or_default())
    }

    /// In order of id; what has no network any more (terminated) is left out.
    pub(super) async fn instances(
        &self,
        ids: &[String],
    ) -> Result<Vec<InstanceFacts>, SurveyError> {
        let mut found = Vec::new();
        for ids in ids.chunks(FILTER_VALUES) {
            let mut pages = self
                .ec2
                .describe_instances()
                .filters(filter("instance-id", ids.iter().map(String::as_str)))
                .into_paginator()
                .page_size(PAGE)
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| self.failed("DescribeInstances", error))?;
                let instances = page.reservations().iter().flat_map(Reservation::instances);
                found.extend(instances.filter_map(instance_facts));
            }
        }
        // MiniStack ignores this filter: what nobody asked for must lead nowhere.
        found.retain(|instance: &InstanceFacts| ids.contains(&instance.id));
        found.sort_by(|a, b| a.id.cmp(&b.id));
        if found.len() < ids.len() {
            tracing::debug!(asked = ids.len(), found = found.len(), "some instances are gone");
        }
        Ok(found)
    }

    /// In order of id.
    pub(super) async fn subnets(
        &self,
        by: &str,
        values: &[&str],
    ) -> Result<Vec<SubnetFacts>, SurveyError> {
        let found = self.filtered_subnets(filter(by, values.iter().copied())).await?;
        Ok(found.iter().filter_map(subnet_facts).collect())
    }

    async fn filtered_subnets(&self, by: Filter) -> Result<Vec<Subnet>, SurveyError> {
        let mut found = Vec::new();
        let mut pages =
            self.ec2.describe_subnets().filters(by).into_paginator().page_size(PAGE).send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("DescribeSubnets", error))?;
            found.extend(page.subnets.unwrap_or_default());
        }
        found.sort_by(|a, b| a.subnet_id.cmp(&b.subnet_id));
        Ok(found)
    }

    /// In order of id.
    pub(super) async fn vpcs(&self, ids: &[&str]) -> Result<Vec<VpcFacts>, SurveyError> {
        let mut found: Vec<VpcFacts> =
            self.full_vpcs(ids).await?.iter().filter_map(vpc_facts).collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    async fn full_vpcs(&self, ids: &[&str]) -> Result<Vec<Vpc>, SurveyError> {
        let mut found = Vec::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let mut pages = self
            .ec2
            .describe_vpcs()
            .filters(filter("vpc-id", ids.iter().copied()))
            .into_paginator()
            .page_size(PAGE)
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("DescribeVpcs", error))?;
            found.extend(page.vpcs.unwrap_or_default());
        }
        Ok(found)
    }

    /// The VPCs of the subnets that carry the cluster's tags. Subnets, because a VPC that a cluster shares is not tagged
    /// (domain.md 6.3).
    pub(super) async fn tagged_vpcs(&self, cluster: &str) -> Result<BTreeSet<String>, SurveyError> {
        let key = format!("kubernetes.io/cluster/{cluster}");
        let mut found = self.filtered_subnets(filter("tag-key", [key.as_str()])).await?;
        if found.is_empty() {
            found = self.filtered_subnets(filter("tag:KubernetesCluster", [cluster])).await?;
        }
        Ok(found.into_iter().filter_map(|subnet| subnet.vpc_id).collect())
    }

    /// The security groups that look like the nodes', in order of id: kOps's by its name, else EKS's by the tag that EKS puts
    /// on the cluster's group, else what the cluster owns and does not call its control plane's (domain.md 6.2, 6.3).
    pub(super) async fn node_groups(
        &self,
        vpcs: &[&str],
        cluster: &str,
    ) -> Result<Vec<String>, SurveyError> {
        let mut found = Vec::new();
        let mut pages = self
            .ec2
            .describe_security_groups()
            .filters(filter("vpc-id", vpcs.iter().copied()))
            .into_paginator()
            .page_size(PAGE)
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("DescribeSecurityGroups", error))?;
            found.extend(page.security_groups.unwrap_or_default());
        }
        Ok(likely_node_groups(&found, cluster))
    }

    pub(super) async fn route_tables(&self, vpcs: &[&str]) -> Result<Vec<RouteTable>, SurveyError> {
        let mut found = Vec::new();
        let mut pages = self
            .ec2
            .describe_route_tables()
            .filters(filter("vpc-id", vpcs.iter().copied()))
            .into_paginator()
            .page_size(100) // the most that this list allows
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("DescribeRouteTables", error))?;
            found.extend(page.route_tables.unwrap_or_default());
        }
        Ok(found)
    }

    pub(super) async fn dns_support(&self, vpc: &str) -> Result<bool, SurveyError> {
        let attribute = VpcAttributeName::EnableDnsSupport;
        let read = self.ec2.describe_vpc_attribute().vpc_id(vpc).attribute(attribute).send().await;
        let read = read.map_err(|error| self.failed("DescribeVpcAttribute", error))?;
        Ok(read.enable_dns_support.and_then(|value| value.value).unwrap_or_default())
    }

    pub(super) async fn dns_hostnames(&self, vpc: &str) -> Result<bool, SurveyError> {
        let attribute = VpcAttributeName::EnableDnsHostnames;
        let read = self.ec2.describe_vpc_attribute().vpc_id(vpc).attribute(attribute).send().await;
        let read = read.map_err(|error| self.failed("DescribeVpcAttribute", error))?;
        Ok(read.enable_dns_hostnames.and_then(|value| value.value).unwrap_or_default())
    }

    /// Whether instances are told to ask the VPC's own resolver; `None` when that may not be read, or is not there.
    pub(super) async fn amazon_provided_dns(&self, vpc: &str) -> Result<Option<bool>, SurveyError> {
        let vpcs = self.full_vpcs(&[vpc]).await?;
        let id = vpcs.into_iter().find_map(|vpc| vpc.dhcp_options_id);
        let Some(id) = id.filter(|id| id != NO_DHCP_OPTIONS) else {
            return Ok(None);
        };
        let by = filter("dhcp-options-id", [id.as_str()]);
        match self.ec2.describe_dhcp_options().filters(by).send().await {
            Ok(read) => Ok(read.dhcp_options().first().map(names_amazon_dns)),
            Err(error) => {
                // An advisory hangs on it, no refusal: a caller who may not read it can go on.
                let error = self.failed("DescribeDhcpOptions", error);
                tracing::warn!(%error, "the VPC's DHCP options cannot be read");
                Ok(None)
            }
        }
    }
}

fn names_amazon_dns(options: &DhcpOptions) -> bool {
    let servers = options
        .dhcp_configurations()
        .iter()
        .filter(|option| option.key() == Some("domain-name-servers"));
    servers.flat_map(DhcpConfiguration::values).any(|server| server.value() == Some(AMAZON_DNS))
}

fn instance_facts(instance: &Instance) -> Option<InstanceFacts> {
    let zone = instance.placement().and_then(|placement| placement.availability_zone());
    let mut groups: Vec<String> =
        instance.security_groups().iter().filter_map(|group| group.group_id.clone()).collect();
    groups.sort();
    Some(InstanceFacts {
        id: instance.instance_id.clone()?,
        vpc: instance.vpc_id.clone()?,
        subnet: instance.subnet_id.clone()?,
        zone: zone.unwrap_or_default().to_owned(),
        security_groups: groups,
    })
}

fn subnet_facts(subnet: &Subnet) -> Option<SubnetFacts> {
    Some(SubnetFacts {
        id: subnet.subnet_id.clone()?,
        vpc: subnet.vpc_id.clone()?,
        zone: subnet.availability_zone.clone().unwrap_or_default(),
        zone_id: subnet.availability_zone_id.clone(),
        cidr: subnet.cidr_block.clone().unwrap_or_default(),
        free_addresses: subnet
            .available_ip_address_count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or_default(),
        tags: tag_map(subnet.tags()),
        public: None,
    })
}

fn vpc_facts(vpc: &Vpc) -> Option<VpcFacts> {
    // The first range is also the first of the associations; emulators have one or the other.
    let mut cidrs: Vec<String> = vpc.cidr_block.iter().cloned().collect();
    for range in vpc.cidr_block_association_set() {
        let state = range.cidr_block_state().and_then(|state| state.state());
        let is_there = state.is_none_or(|state| *state == VpcCidrBlockStateCode::Associated);
        let known = |cidr: &String| cidrs.contains(cidr);
        if let Some(cidr) = range.cidr_block.as_ref().filter(|cidr| is_there && !known(cidr)) {
            cidrs.push(cidr.clone());
        }
    }
    Some(VpcFacts { id: vpc.vpc_id.clone()?, cidrs })
}

fn likely_node_groups(groups: &[SecurityGroup], cluster: &str) -> Vec<String> {
    let kops_name = format!("nodes.{cluster}");
    let owned = format!("kubernetes.io/cluster/{cluster}");
    let tags = |group: &SecurityGroup| tag_map(group.tags());
    let is_control_plane = |group: &SecurityGroup| {
        let name = group.group_name().unwrap_or_default();
        ["masters.", "control-plane.", "api-elb.", "bastion.", "apiserver."]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let ways: [&dyn Fn(&SecurityGroup) -> bool; 3] = [
        &|group| group.group_name() == Some(kops_name.as_str()),
        &|group| tags(group).get("aws:eks:cluster-name").is_some_and(|name| name == cluster),
        &|group| {
            tags(group).get(&owned).is_some_and(|value| value == "owned")
                && !is_control_plane(group)
        },
    ];
    let by = |is_nodes: &dyn Fn(&SecurityGroup) -> bool| {
        let of_nodes = groups.iter().filter(|group| is_nodes(group));
        let ids: BTreeSet<String> = of_nodes.filter_map(|group| group.group_id.clone()).collect();
        ids.into_iter().collect::<Vec<_>>()
    };
    ways.into_iter().map(by).find(|ids| !ids.is_empty()).unwrap_or_default()
}

fn tag_map(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default())))
        .collect()
}
