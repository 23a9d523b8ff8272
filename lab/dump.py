"""Everything that an AWS emulator holds and zonestack could touch, as JSON on stdout: for tests that compare.

    python dump.py http://127.0.0.1:5000 [ec2] [efs] [rds] [elasticache]

With a JSON argument that begins with `[`, it makes these calls instead, one after the other, as a person with a console
would: [["ec2", "revoke_security_group_ingress", {"GroupId": "sg-1", …}], …]; the answers come as a list.

With --serve, it answers the name of a stack, a line of stdin, with a line of all that belongs to it; the name of a
service, an operation and arguments, as a JSON list, with what the call answers.
"""

import functools
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


@functools.cache
def client(endpoint, service):
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        # The emulator leaves calls with this out of its record.
        config=Config(retries={"total_max_attempts": 2}, user_agent_extra="zonestack-xtask"),
    )


def ec2(endpoint):
    """What a network is made of, each part with its tags; compared before and after, it shows every change."""
    api = client(endpoint, "ec2")
    instances = [
        instance
        for reservation in api.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    ]
    return {
        "instances": instances,
        "internetGateways": api.describe_internet_gateways()["InternetGateways"],
        "networkAcls": api.describe_network_acls()["NetworkAcls"],
        "networkInterfaces": api.describe_network_interfaces()["NetworkInterfaces"],
        "routeTables": api.describe_route_tables()["RouteTables"],
        "securityGroups": api.describe_security_groups()["SecurityGroups"],
        "subnets": api.describe_subnets()["Subnets"],
        "volumes": api.describe_volumes()["Volumes"],
        "vpcs": api.describe_vpcs()["Vpcs"],
    }


def efs(endpoint):
    api = client(endpoint, "efs")
    systems = []
    for system in api.describe_file_systems()["FileSystems"]:
        name = {"FileSystemId": system["FileSystemId"]}
        try:
            backup = api.describe_backup_policy(**name)["BackupPolicy"]["Status"]
        except ClientError as error:
            backup = error.response["Error"]["Code"]
        targets = api.describe_mount_targets(**name)["MountTargets"]
        for target in targets:
            groups = api.describe_mount_target_security_groups(
                MountTargetId=target["MountTargetId"]
            )
            target["SecurityGroups"] = groups["SecurityGroups"]
        lifecycle = api.describe_lifecycle_configuration(**name)["LifecyclePolicies"]
        systems.append(
            {**system, "Backup": backup, "LifecyclePolicies": lifecycle, "MountTargets": targets}
        )
    return systems


def rds(endpoint):
    api = client(endpoint, "rds")
    return {
        "instances": api.describe_db_instances()["DBInstances"],
        "snapshots": api.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"],
        "subnetGroups": api.describe_db_subnet_groups()["DBSubnetGroups"],
    }


def elasticache(endpoint):
    api = client(endpoint, "elasticache")
    groups = api.describe_replication_groups()["ReplicationGroups"]
    for group in groups:
        group["Tags"] = api.list_tags_for_resource(ResourceName=group["ARN"])["TagList"]
    own = [
        group
        for group in api.describe_cache_parameter_groups()["CacheParameterGroups"]
        if not group["CacheParameterGroupName"].startswith("default.")
    ]
    for group in own:
        name = group["CacheParameterGroupName"]
        listed = api.describe_cache_parameters(CacheParameterGroupName=name)["Parameters"]
        group["Parameters"] = {
            one["ParameterName"]: one["ParameterValue"] for one in listed if one["Source"] == "user"
        }
    return {
        "clusters": api.describe_cache_clusters()["CacheClusters"],
        "parameterGroups": own,
        "replicationGroups": groups,
        "subnetGroups": api.describe_cache_subnet_groups()["CacheSubnetGroups"],
    }


def stack(endpoint, name):
    """What belongs to a stack by its tags, or by its name where the tags are missing: a line for each thing."""
    ec2, efs, rds = (client(endpoint, service) for service in ("ec2", "efs", "rds"))

    def node(tags):
        """Which resource of the stack it is; None when it is not the stack's."""
        tags = {tag["Key"]: tag["Value"] for tag in tags or []}
        own = tags.get("zonestack:stack") == name
        return tags.get("zonestack:node", "untagged") if own else None

    lines = []
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        of = node(group.get("Tags"))
        if of or group["GroupName"].startswith(name + "-"):
            rules = [len(group["IpPermissions"]), len(group["IpPermissionsEgress"])]
            lines.append(f"security group {of} with {rules[0]} and {rules[1]} rules")
    systems = {}
    for page in efs.get_paginator("describe_file_systems").paginate():
        for system in page["FileSystems"]:
            of = node(system["Tags"])
            if of:
                systems[system["FileSystemId"]] = of
                lines.append(f"file system {of} {system['LifeCycleState']}")
    for system, of in systems.items():
        for target in efs.describe_mount_targets(FileSystemId=system)["MountTargets"]:
            lines.append(f"mount target of {of} in {target['AvailabilityZoneName']}")
    for one in rds.describe_db_instances()["DBInstances"]:
        of = node(one.get("TagList"))
        if of or one["DBInstanceIdentifier"].startswith(name + "-"):
            lines.append(f"database {of} {one['DBInstanceStatus']}")
    for group in rds.describe_db_subnet_groups()["DBSubnetGroups"]:
        if group["DBSubnetGroupName"].startswith(name + "-"):
            lines.append(f"subnet group {group['DBSubnetGroupName'].removeprefix(name)}")
    for one in rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]:
        if one["DBInstanceIdentifier"].startswith(name + "-"):
            lines.append(f"snapshot {one['DBSnapshotIdentifier']}")
    return sorted(lines)


def serve(endpoint):
    for line in sys.stdin:
        question = json.loads(line)
        answer = stack(endpoint, question) if isinstance(question, str) else call(endpoint, *question)
        print(json.dumps(answer, default=str), flush=True)


def call(endpoint, service, operation, arguments):
    answer = getattr(client(endpoint, service), operation)(**arguments)
    answer.pop("ResponseMetadata", None)
    return answer


def main():
    endpoint, *wanted = sys.argv[1:]
    if wanted == ["--serve"]:
        serve(endpoint)
        return
    if wanted and wanted[0].startswith("["):
        answer = [call(endpoint, *one) for one in json.loads(wanted[0])]
    else:
        dumps = {"ec2": ec2, "efs": efs, "elasticache": elasticache, "rds": rds}
        answer = {name: dumps[name](endpoint) for name in wanted or ["ec2", "efs", "rds"]}
    json.dump(answer, sys.stdout, indent=1, sort_keys=True, default=str)


if __name__ == "__main__":
    main()
