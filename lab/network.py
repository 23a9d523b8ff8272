"""The network of a kOps cluster, in an AWS emulator.

It makes what kOps makes and zonestack only ever reads: a VPC, per zone a private, a public and a utility subnet, route
tables, an internet gateway, security groups and instances, with the names and tags of kOps. It can be run again, with
other zones too: what exists is left alone, workers appear in the zones that are named and go from the others.

    python network.py http://127.0.0.1:5000 --workers eu-west-1a,eu-west-1b

The answer on stdout is JSON with every id.
"""

import argparse
import json
import sys

import boto3
from botocore.config import Config

WORKERS_PER_ZONE = 2
WORKER_TYPE = "m7i.2xlarge"
CONTROL_PLANE_TYPE = "m7i.large"
IMAGE = "ami-0a1b2c3d4e5f60718"
# By zone, in the sizes that kOps cuts: /19 for the nodes, /22 for the load balancers.
RANGES = {
    "private": ["172.20.32.0/19", "172.20.64.0/19", "172.20.96.0/19"],
    "public": ["172.20.128.0/22", "172.20.132.0/22", "172.20.136.0/22"],
    "utility": ["172.20.0.0/22", "172.20.4.0/22", "172.20.8.0/22"],
}
LOAD_BALANCER_ROLE = {
    "private": "kubernetes.io/role/internal-elb",
    "public": "kubernetes.io/role/elb",
    "utility": "kubernetes.io/role/elb",
}


class Network:
    """One cluster's network: each method finds its object by the Name tag, or makes it."""

    def __init__(self, endpoint, region, cluster):
        self.cluster = cluster
        self.ec2 = boto3.client(
            "ec2",
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=30,
                user_agent_extra="zonestack-xtask",
            ),
        )

    def tagged(self, kind, name, tags):
        """TagSpecifications with the tags that kOps puts on everything, and these."""
        every = {
            "Name": name,
            "KubernetesCluster": self.cluster,
            f"kubernetes.io/cluster/{self.cluster}": "owned",
            **tags,
        }
        pairs = [{"Key": key, "Value": value} for key, value in every.items()]
        return [{"ResourceType": kind, "Tags": pairs}]

    def named(self, name):
        return [
            {"Name": "tag:Name", "Values": [name]},
            {"Name": "tag:KubernetesCluster", "Values": [self.cluster]},
        ]

    def zones(self):
        found = self.ec2.describe_availability_zones()["AvailabilityZones"]
        return {zone["ZoneName"]: zone["ZoneId"] for zone in found}

    def vpc(self):
        found = self.ec2.describe_vpcs(Filters=self.named(self.cluster))["Vpcs"]
        if found:
            return found[0]["VpcId"]
        vpc = self.ec2.create_vpc(
            CidrBlock="172.20.0.0/16", TagSpecifications=self.tagged("vpc", self.cluster, {})
        )["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        return vpc

    def internet_gateway(self, vpc):
        found = self.ec2.describe_internet_gateways(Filters=self.named(self.cluster))
        if found["InternetGateways"]:
            return found["InternetGateways"][0]["InternetGatewayId"]
        gateway = self.ec2.create_internet_gateway(
            TagSpecifications=self.tagged("internet-gateway", self.cluster, {})
        )["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        return gateway

    def route_table(self, vpc, name, role, gateway=None):
        found = self.ec2.describe_route_tables(Filters=self.named(name))["RouteTables"]
        if found:
            return found[0]["RouteTableId"]
        tags = self.tagged("route-table", name, {"kubernetes.io/kops/role": role})
        created = self.ec2.create_route_table(VpcId=vpc, TagSpecifications=tags)
        table = created["RouteTable"]["RouteTableId"]
        if gateway:
            self.ec2.create_route(
                RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
            )
        return table

    def subnet(self, vpc, zone, kind, cidr, table):
        prefix = "" if kind == "private" else f"{kind}-"
        name = f"{prefix}{zone}.{self.cluster}"
        found = self.ec2.describe_subnets(Filters=self.named(name))["Subnets"]
        if found:
            return found[0]["SubnetId"]
        tags = {"SubnetType": kind.capitalize(), LOAD_BALANCER_ROLE[kind]: "1"}
        subnet = self.ec2.create_subnet(
            VpcId=vpc,
            AvailabilityZone=zone,
            CidrBlock=cidr,
            TagSpecifications=self.tagged("subnet", name, tags),
        )["Subnet"]["SubnetId"]
        if kind != "private":
            self.ec2.modify_subnet_attribute(
                SubnetId=subnet, MapPublicIpOnLaunch={"Value": True}
            )
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return subnet

    def security_group(self, vpc, role):
        name = f"{role}.{self.cluster}"
        filters = [
            {"Name": "group-name", "Values": [name]},
            {"Name": "vpc-id", "Values": [vpc]},
        ]
        found = self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        if found:
            return found[0]["GroupId"]
        return self.ec2.create_security_group(
            GroupName=name,
            Description=f"Security group for {role}",
            VpcId=vpc,
            TagSpecifications=self.tagged("security-group", name, {}),
        )["GroupId"]

    def instances(self):
        filters = [
            {"Name": "tag:KubernetesCluster", "Values": [self.cluster]},
            {"Name": "instance-state-name", "Values": ["pending", "running"]},
        ]
        found = []
        for reservation in self.ec2.describe_instances(Filters=filters)["Reservations"]:
            for instance in reservation["Instances"]:
                tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
                role = "node" if "k8s.io/role/node" in tags else "control-plane"
                pool = tags["kops.k8s.io/instancegroup"]
                found.append(
                    {
                        "id": instance["InstanceId"],
                        # Not from Placement: MiniStack says eu-west-1a of every instance.
                        "zone": pool.removeprefix("nodes-").removeprefix("control-plane-"),
                        "role": role,
                        "instanceGroup": pool,
                        "instanceType": instance["InstanceType"],
                        "privateIp": instance["PrivateIpAddress"],
                    }
                )
        return sorted(found, key=lambda instance: (instance["role"], instance["zone"], instance["id"]))

    def run(self, count, zone, role, subnet, group):
        if role == "node":
            kind, pool = WORKER_TYPE, f"nodes-{zone}"
            tags = {"k8s.io/role/node": "1"}
        else:
            kind, pool = CONTROL_PLANE_TYPE, f"control-plane-{zone}"
            tags = {"k8s.io/role/control-plane": "1"}
        tags["kops.k8s.io/instancegroup"] = pool
        self.ec2.run_instances(
            ImageId=IMAGE,
            InstanceType=kind,
            MinCount=count,
            MaxCount=count,
            SubnetId=subnet,
            SecurityGroupIds=[group],
            Placement={"AvailabilityZone": zone},
            TagSpecifications=self.tagged("instance", f"{pool}.{self.cluster}", tags),
        )

    def converge_instances(self, zones, workers, groups):
        """One control plane instance in every zone; workers only where they are wanted."""
        present = self.instances()
        for zone, facts in zones.items():
            subnet = facts["subnets"]["private"]
            here = [instance for instance in present if instance["zone"] == zone]
            nodes = [instance["id"] for instance in here if instance["role"] == "node"]
            if len(nodes) == len(here):
                self.run(1, zone, "control-plane", subnet, groups["masters"])
            if zone in workers and len(nodes) < WORKERS_PER_ZONE:
                self.run(WORKERS_PER_ZONE - len(nodes), zone, "node", subnet, groups["nodes"])
            if zone not in workers and nodes:
                self.ec2.terminate_instances(InstanceIds=nodes)

    def converge(self, workers):
        ids = self.zones()
        unknown = sorted(set(workers) - set(ids))
        if unknown:
            sys.exit(f"no such zone: {', '.join(unknown)}; the emulator has {', '.join(sorted(ids))}")
        vpc = self.vpc()
        gateway = self.internet_gateway(vpc)
        public = self.route_table(vpc, self.cluster, "public", gateway)
        zones = {}
        for index, zone in enumerate(sorted(ids)):
            role = f"private-{zone}"
            private = self.route_table(vpc, f"{role}.{self.cluster}", role)
            subnets = {
                kind: self.subnet(
                    vpc, zone, kind, ranges[index], private if kind == "private" else public
                )
                for kind, ranges in RANGES.items()
            }
            zones[zone] = {"id": ids[zone], "subnets": subnets, "privateRouteTable": private}
        groups = {role: self.security_group(vpc, role) for role in ("nodes", "masters", "bastion")}
        self.converge_instances(zones, workers, groups)
        return {
            "cluster": self.cluster,
            "vpc": vpc,
            "internetGateway": gateway,
            "publicRouteTable": public,
            "zones": zones,
            "securityGroups": groups,
            "instances": self.instances(),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("endpoint", help="URL of the emulator")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--cluster", default="k8s.myzone.net")
    parser.add_argument("--workers", required=True, help="zones with worker nodes, by comma")
    arguments = parser.parse_args()
    network = Network(arguments.endpoint, arguments.region, arguments.cluster)
    json.dump(network.converge(arguments.workers.split(",")), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
