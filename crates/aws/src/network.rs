//! Contract `NetworkReader`: what the cluster's network is (domain.md section 6). Reads only; what is used of it is chosen in
//! the core.
//!
//! # Calls
//! In the ordinary case four: the account, the instances, then their VPC and its subnets, two at a time. An id in the stack
//! file that says the VPC lets all four run at once. More only where those do not tell: by tags when there are no instances,
//! route tables when nothing else says which of several subnets of a zone is public.

mod complaint;
mod listing;
mod route;

use std::collections::BTreeSet;

use aws_config::SdkConfig;
use futures::future::{BoxFuture, try_join, try_join3, try_join4};
use zonestack_core::discover::{
    InstanceFacts, NetworkReader, NetworkRequest, NetworkSurvey, SubnetFacts, SurveyError, VpcDns,
    VpcFacts,
};

/// What the caller must be allowed to do so that the network can be read (domain.md 7.10).
pub const IAM_ACTIONS: &[&str] = &[
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeInstances",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcs",
    "sts:GetCallerIdentity",
];

/// Reads the network from EC2.
#[derive(Debug, Clone)]
pub struct Ec2Network {
    ec2: aws_sdk_ec2::Client,
    sts: aws_sdk_sts::Client,
    region: String,
}

impl Ec2Network {
    /// A reader that calls EC2 and STS as configured.
    pub fn new(config: &SdkConfig) -> Self {
        let region = config.region().map_or_else(String::new, ToString::to_string);
        Self {
            ec2: aws_sdk_ec2::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            region,
        }
    }

    /// A reader on clients of its own, for tests.
    pub fn with_clients(ec2: aws_sdk_ec2::Client, sts: aws_sdk_sts::Client, region: &str) -> Self {
        Self { ec2, sts, region: region.to_owned() }
    }

    async fn read(&self, request: &NetworkRequest) -> Result<NetworkSurvey, SurveyError> {
        let mut survey = match &request.vpc {
            Some(vpc) => self.around(vpc, request).await?,
            None => self.search(request).await?,
        };
        if request.security_groups.is_empty()
            && survey.instances.iter().all(|instance| instance.security_groups.is_empty())
        {
            let vpcs: Vec<&str> = survey.vpcs.iter().map(|vpc| vpc.id.as_str()).collect();
            survey.tagged_security_groups = self.node_groups(&vpcs, &request.cluster).await?;
        }
        if request.subnets.is_empty()
            && route::is_needed(&survey.subnets, &survey.instances, &request.cluster)
        {
            let vpcs: Vec<&str> = survey.vpcs.iter().map(|vpc| vpc.id.as_str()).collect();
            let tables = self.route_tables(&vpcs).await?;
            route::tell(&mut survey.subnets, &tables);
        }
        Ok(survey)
    }

    /// The network when the stack file names the VPC.
    async fn around(
        &self,
        vpc: &str,
        request: &NetworkRequest,
    ) -> Result<NetworkSurvey, SurveyError> {
        // With everything given, the instances have nothing left to tell.
        let all_given = !request.subnets.is_empty() && !request.security_groups.is_empty();
        let wanted: &[String] = if all_given { &[] } else { &request.instances };
        let (account, instances, subnets, vpcs) = try_join4(
            self.caller_account(),
            self.instances(wanted),
            self.subnets("vpc-id", &[vpc]),
            self.vpcs(&[vpc]),
        )
        .await?;
        if vpcs.is_empty() {
            return Err(self.nowhere(&account, vpc, "network.vpc"));
        }
        self.complete(request, NetworkSurvey { account, vpcs, subnets, instances, ..empty() }).await
    }

    /// The network that the instances lead to; without them the given subnets; without those the cluster's tags.
    async fn search(&self, request: &NetworkRequest) -> Result<NetworkSurvey, SurveyError> {
        let (account, instances) =
            try_join(self.caller_account(), self.instances(&request.instances)).await?;
        let mut ids: BTreeSet<String> = instances.iter().map(|found| found.vpc.clone()).collect();
        if ids.is_empty() {
            ids = if request.subnets.is_empty() {
                self.tagged_vpcs(&request.cluster).await?
            } else {
                let given: Vec<&str> = request.subnets.iter().map(String::as_str).collect();
                let found = self.subnets("subnet-id", &given).await?;
                found.into_iter().map(|subnet| subnet.vpc).collect()
            };
        }
        if ids.is_empty() {
            return Err(match request.subnets.first() {
                Some(subnet) => self.nowhere(&account, subnet, "network.subnets"),
                None => self.no_network(&account, request),
            });
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (subnets, vpcs) = try_join(self.subnets("vpc-id", &ids), self.vpcs(&ids)).await?;
        self.complete(request, NetworkSurvey { account, vpcs, subnets, instances, ..empty() }).await
    }

    /// Adds given subnets that lie in another VPC than the rest, so that the core can say so.
    async fn complete(
        &self,
        request: &NetworkRequest,
        mut survey: NetworkSurvey,
    ) -> Result<NetworkSurvey, SurveyError> {
        let is_known =
            |survey: &NetworkSurvey, id: &str| survey.subnets.iter().any(|subnet| subnet.id == id);
        let missing: Vec<&str> = request
            .subnets
            .iter()
            .map(String::as_str)
            .filter(|id| !is_known(&survey, id))
            .collect();
        if missing.is_empty() {
            return Ok(survey);
        }
        survey.subnets.extend(self.subnets("subnet-id", &missing).await?);
        survey.subnets.sort_by(|a, b| a.id.cmp(&b.id));
        if let Some(unknown) = missing.into_iter().find(|id| !is_known(&survey, id)) {
            return Err(self.nowhere(&survey.account, unknown, "network.subnets"));
        }
        let known: BTreeSet<&str> = survey.vpcs.iter().map(|vpc| vpc.id.as_str()).collect();
        let others: BTreeSet<&str> = survey
            .subnets
            .iter()
            .map(|subnet| subnet.vpc.as_str())
            .filter(|vpc| !known.contains(vpc))
            .collect();
        let others: Vec<&str> = others.into_iter().collect();
        survey.vpcs.extend(self.vpcs(&others).await?);
        survey.vpcs.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(survey)
    }

    async fn read_dns(&self, vpc: &str) -> Result<VpcDns, SurveyError> {
        let (support, hostnames, amazon_provided) = try_join3(
            self.dns_support(vpc),
            self.dns_hostnames(vpc),
            self.amazon_provided_dns(vpc),
        )
        .await?;
        Ok(VpcDns { support, hostnames, amazon_provided })
    }
}

impl NetworkReader for Ec2Network {
    fn survey<'a>(
        &'a self,
        request: &'a NetworkRequest,
    ) -> BoxFuture<'a, Result<NetworkSurvey, SurveyError>> {
        Box::pin(self.read(request))
    }

    fn account(&self) -> BoxFuture<'_, Result<String, SurveyError>> {
        Box::pin(self.caller_account())
    }

    fn dns<'a>(&'a self, vpc: &'a str) -> BoxFuture<'a, Result<VpcDns, SurveyError>> {
        Box::pin(self.read_dns(vpc))
    }
}

fn empty() -> NetworkSurvey {
    NetworkSurvey::default()
}

#[cfg(test)]
mod tests;
