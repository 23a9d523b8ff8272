//! What the engine must know of file systems and mount targets (reliability.md B.1, B.4.2; domain.md 3).

use std::time::Duration;

use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

use crate::render::{FILE_SYSTEM_KIND, MOUNT_TARGET_KIND};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

pub(super) fn file_system() -> KindDeclaration {
    let replace = |path| FieldRule::new(path, Effect::Replace);
    KindDeclaration {
        kind: Kind::new(FILE_SYSTEM_KIND),
        identity: Identity::Token,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Data,
        fields: vec![
            replace("/performance_mode"),
            replace("/encrypted"),
            replace("/kms_key_id"),
            replace("/availability_zone"),
            FieldRule::new("/throughput_mode", Effect::InPlace),
            FieldRule::new("/provisioned_throughput_mibps", Effect::InPlace),
            FieldRule::new("/lifecycle", Effect::InPlace),
            FieldRule::new("/backup", Effect::InPlace),
            FieldRule::new("/tags", Effect::InPlace),
        ],
        protection: None,
        final_copy: false,
        restores_from: None,
        // Its mount targets have to go before it can.
        replaces_dependents: true,
        ready_within: 15 * MINUTE,
        delete_within: 15 * MINUTE,
        read_after_write: 10 * SECOND,
        outputs: vec!["id", "dns_name", "arn"],
        iam_actions: vec![
            "elasticfilesystem:CreateFileSystem",
            "elasticfilesystem:DeleteFileSystem",
            "elasticfilesystem:DescribeBackupPolicy",
            "elasticfilesystem:DescribeFileSystems",
            "elasticfilesystem:DescribeLifecycleConfiguration",
            "elasticfilesystem:PutBackupPolicy",
            "elasticfilesystem:PutLifecycleConfiguration",
            "elasticfilesystem:TagResource",
            "elasticfilesystem:UpdateFileSystem",
            // The first file system of an account brings the service-linked role; an encrypted one uses its key.
            "iam:CreateServiceLinkedRole",
            "kms:CreateGrant",
            "kms:DescribeKey",
            "kms:GenerateDataKeyWithoutPlaintext",
        ],
        model: Model {
            id: "fs-{hex17}",
            outputs: vec![
                ("id", "{id}"),
                ("dns_name", "{id}.efs.{region}.amazonaws.com"),
                ("arn", "arn:aws:elasticfilesystem:{region}:{account}:file-system/{id}"),
            ],
            creating: vec!["creating"],
            create: 30 * SECOND,
            update: 10 * SECOND,
            delete: 30 * SECOND,
        },
    }
}

pub(super) fn mount_target() -> KindDeclaration {
    let replace = |path| FieldRule::new(path, Effect::Replace);
    KindDeclaration {
        kind: Kind::new(MOUNT_TARGET_KIND),
        identity: Identity::Parent { at: "/file_system_id" },
        tagging: Tagging::None,
        marks_at: None,
        data: DataClass::Stateless,
        fields: vec![
            replace("/file_system_id"),
            replace("/subnet_id"),
            replace("/vpc_id"),
            FieldRule::new("/security_groups", Effect::InPlace),
        ],
        protection: None,
        final_copy: false,
        restores_from: None,
        // A volume names it by its DNS name, which a new one in the zone has, too.
        replaces_dependents: false,
        ready_within: 15 * MINUTE,
        delete_within: 15 * MINUTE,
        read_after_write: 10 * SECOND,
        outputs: vec!["id", "ip", "dns_name", "network_interface"],
        iam_actions: vec![
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaceAttribute",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:ModifyNetworkInterfaceAttribute",
            "elasticfilesystem:CreateMountTarget",
            "elasticfilesystem:DeleteMountTarget",
            "elasticfilesystem:DescribeMountTargets",
            "elasticfilesystem:DescribeMountTargetSecurityGroups",
            "elasticfilesystem:ModifyMountTargetSecurityGroups",
        ],
        model: Model {
            id: "fsmt-{hex17}",
            outputs: vec![
                ("id", "{id}"),
                // An address of the range that is kept for documentation (RFC 5737).
                ("ip", "192.0.2.10"),
                ("dns_name", "{zone}.{spec/file_system_id}.efs.{region}.amazonaws.com"),
                ("network_interface", "eni-{hex8}"),
            ],
            creating: vec!["creating"],
            create: 90 * SECOND,
            update: 5 * SECOND,
            delete: 60 * SECOND,
        },
    }
}
