//! The kind: what the engine must know of file systems to be safe with them. Its promises are kept in [`crate::driver`].

use std::time::Duration;

use zonestack_sdk::prelude::*;

/// The kind. Kinds belong to one plugin: the first word is ours.
pub const KIND: &str = "example.fsx.file-system";

const MINUTE: Duration = Duration::from_secs(60);

/// Its declaration.
pub fn declaration() -> KindDeclaration {
    let rule = FieldRule::new;
    KindDeclaration {
        kind: Kind::new(KIND),
        // FSx answers a token that it knows with the same file system, but shows it to nobody: they are found by their tags.
        identity: Identity::Token,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Data,
        // What is in no rule changes in place.
        fields: vec![
            rule("/subnets", Effect::Replace),
            rule("/preferred_subnet", Effect::Replace),
            rule("/security_groups", Effect::Replace),
            rule("/storage_gib", Effect::InPlace).up_only(),
            rule("/throughput_mbps", Effect::Outage),
        ],
        protection: None,
        final_copy: true,
        restores_from: None,
        replaces_dependents: true,
        ready_within: 120 * MINUTE,
        // The final backup comes first.
        delete_within: 120 * MINUTE,
        read_after_write: MINUTE,
        outputs: vec!["id", "dns_name", "arn"],
        iam_actions: vec![
            "fsx:CreateFileSystem",
            "fsx:DeleteFileSystem",
            "fsx:DescribeBackups",
            "fsx:DescribeFileSystems",
            "fsx:TagResource",
            "fsx:UpdateFileSystem",
            "ec2:CreateNetworkInterface",
            "ec2:CreateTags",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            "iam:CreateServiceLinkedRole",
        ],
        // How the sandbox plays it.
        model: Model {
            id: "fs-{hex17}",
            outputs: vec![
                ("id", "{id}"),
                ("dns_name", "{id}.fsx.{region}.amazonaws.com"),
                ("arn", "arn:aws:fsx:{region}:{account}:file-system/{id}"),
            ],
            creating: vec!["CREATING"],
            create: 25 * MINUTE,
            update: 5 * MINUTE,
            delete: 10 * MINUTE,
        },
    }
}
