"""Everything that an AWS emulator holds and zonestack could touch, as JSON on stdout: for tests that compare.

    python dump.py http://127.0.0.1:5000 [ec2] [efs] [rds]

With a JSON argument that begins with `[`, it makes these calls instead, one after the other, as a person with a console
would: [["ec2", "revoke_security_group_ingress", {"GroupId": "sg-1", …}], …]; the answers come as a list.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


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


def call(endpoint, service, operation, arguments):
    answer = getattr(client(endpoint, service), operation)(**arguments)
    answer.pop("ResponseMetadata", None)
    return answer


def main():
    endpoint, *wanted = sys.argv[1:]
    if wanted and wanted[0].startswith("["):
        answer = [call(endpoint, *one) for one in json.loads(wanted[0])]
    else:
        dumps = {"ec2": ec2, "efs": efs, "rds": rds}
        answer = {name: dumps[name](endpoint) for name in wanted or dumps}
    json.dump(answer, sys.stdout, indent=1, sort_keys=True, default=str)


if __name__ == "__main__":
    main()
