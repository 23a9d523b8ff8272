//! What the engine must know of file systems (reliability.md B.1, B.4.2; domain.md 5.1).

use std::time::Duration;

use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

use crate::render::FILE_SYSTEM_KIND;

const MINUTE: Duration = Duration::from_mins(1);

pub(super) fn file_system() -> KindDeclaration {
    let rule = FieldRule::new;
    KindDeclaration {
        kind: Kind::new(FILE_SYSTEM_KIND),
        // FSx answers a token that it knows with the same file system, and tells it to nobody: looked up by marks.
        identity: Identity::Token,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Data,
        fields: vec![
            rule("/deployment", Effect::Replace),
            rule("/multi_az", Effect::Replace),
            rule("/subnets", Effect::Replace),
            rule("/preferred_subnet", Effect::Replace),
            rule("/endpoint_range", Effect::Replace),
            rule("/kms_key_id", Effect::Replace),
            rule("/backup", Effect::Replace),
            rule("/storage_gib", Effect::InPlace).up_only(),
            rule("/iops_mode", Effect::InPlace),
            rule("/iops", Effect::InPlace),
            // The file servers change places, and back (FSx for OpenZFS user guide, "Modifying throughput capacity").
            rule("/throughput_mbps", Effect::Outage),
            rule("/root_volume", Effect::InPlace),
            rule("/route_tables", Effect::InPlace),
            rule("/security_groups", Effect::InPlace),
            rule("/backup_days", Effect::InPlace),
            rule("/backup_start", Effect::InPlace),
            rule("/backup_tags", Effect::InPlace),
            rule("/maintenance", Effect::InPlace),
            rule("/tags", Effect::InPlace),
        ],
        protection: None,
        final_copy: true,
        restores_from: Some("/backup"),
        // Volumes name it by its DNS name, which a new one does not have.
        replaces_dependents: true,
        // Half an hour when empty; a backup takes as long as its size.
        ready_within: 120 * MINUTE,
        // The final backup comes first.
        delete_within: 120 * MINUTE,
        read_after_write: MINUTE,
        outputs: vec!["id", "dns_name", "arn", "root_volume"],
        iam_actions: vec![
            "ec2:DescribeNetworkInterfaces",
            "ec2:ModifyNetworkInterfaceAttribute",
            "fsx:CreateFileSystem",
            "fsx:CreateFileSystemFromBackup",
            "fsx:CreateVolume",
            "fsx:DeleteFileSystem",
            "fsx:DescribeBackups",
            "fsx:DescribeFileSystems",
            "fsx:DescribeVolumes",
            "fsx:TagResource",
            "fsx:UpdateFileSystem",
            "fsx:UpdateVolume",
            // FSx acts for the caller when it looks at the network and takes route tables into its care.
            "ec2:CreateNetworkInterface",
            "ec2:CreateTags",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            // The first file system of an account brings the service-linked role; each uses its key.
            "iam:CreateServiceLinkedRole",
            "kms:CreateGrant",
            "kms:DescribeKey",
        ],
        model: Model {
            id: "fs-{hex17}",
            outputs: vec![
                ("id", "{id}"),
                ("dns_name", "{id}.fsx.{region}.amazonaws.com"),
                ("arn", "arn:aws:fsx:{region}:{account}:file-system/{id}"),
                ("root_volume", "fsvol-{hex17}"),
            ],
            creating: vec!["CREATING"],
            create: 25 * MINUTE,
            update: 5 * MINUTE,
            delete: 10 * MINUTE,
        },
    }
}
