//! What the engine must know of the kinds. What a change does: domain.md 4.6.

use std::time::Duration;

use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

use super::{INSTANCE, PARAMETER_GROUP, SUBNET_GROUP};

/// Reads of RDS may lag a little behind writes. Nothing can be made twice meanwhile: names are unique.
const READ_AFTER_WRITE: Duration = Duration::from_secs(10);

/// `aws.rds.instance`
///
/// Effects are those of `apply: window`; with `apply: now` what waits for the window happens at once.
pub(super) fn instance() -> KindDeclaration {
    let rule = FieldRule::new;
    KindDeclaration {
        kind: Kind::new(INSTANCE),
        identity: Identity::Name,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Data,
        fields: vec![
            rule("/class", Effect::OutageInWindow),
            rule("/engine_version", Effect::OutageInWindow).up_only(),
            rule("/automated_backups", Effect::OutageInWindow),
            rule("/multi_az", Effect::InWindow),
            rule("/allocated_storage", Effect::InWindow).up_only(),
            rule("/storage_type", Effect::InWindow),
            rule("/iops", Effect::InWindow),
            rule("/storage_throughput", Effect::InWindow),
            rule("/ca_certificate", Effect::InWindow),
            // Restarts at once, whatever `apply` says.
            rule("/port", Effect::Outage),
            rule("/engine", Effect::Replace),
            rule("/availability_zone", Effect::Replace),
            rule("/database", Effect::Replace),
            rule("/master_username", Effect::Replace),
            rule("/storage_encrypted", Effect::Replace),
            rule("/kms_key_id", Effect::Replace),
            // A move to another VPC, which RDS refuses to instances with a standby.
            rule("/subnet_group", Effect::Replace),
        ],
        protection: Some("/deletion_protection"),
        final_copy: true,
        restores_from: None,
        replaces_dependents: false,
        ready_within: Duration::from_mins(40),
        delete_within: Duration::from_hours(1),
        read_after_write: READ_AFTER_WRITE,
        outputs: vec!["address", "port", "arn", "resource_id", "engine_version"],
        iam_actions: vec![
            "rds:AddTagsToResource",
            "rds:CreateDBInstance",
            "rds:CreateDBSnapshot",
            "rds:DeleteDBInstance",
            "rds:DescribeDBInstances",
            "rds:DescribeDBSnapshots",
            "rds:ModifyDBInstance",
            // The first instance of an account.
            "iam:CreateServiceLinkedRole",
        ],
        model: Model {
            id: "arn:aws:rds:{region}:{account}:db:{name}",
            outputs: vec![
                ("address", "{name}.{hex8}.{region}.rds.amazonaws.com"),
                ("port", "{spec/port}"),
                ("arn", "{id}"),
                ("resource_id", "db-{hex17}"),
                ("engine_version", "{spec/engine_version}"),
            ],
            creating: vec!["creating", "backing-up", "modifying"],
            create: Duration::from_mins(12),
            update: Duration::from_mins(5),
            delete: Duration::from_mins(6),
        },
    }
}

/// `aws.rds.subnet-group`
pub(super) fn subnet_group() -> KindDeclaration {
    KindDeclaration {
        iam_actions: vec![
            "rds:AddTagsToResource",
            "rds:CreateDBSubnetGroup",
            "rds:DeleteDBSubnetGroup",
            "rds:DescribeDBSubnetGroups",
            "rds:ListTagsForResource",
            "rds:ModifyDBSubnetGroup",
        ],
        ..group(SUBNET_GROUP, "arn:aws:rds:{region}:{account}:subgrp:{name}")
    }
}

/// `aws.rds.parameter-group`
pub(super) fn parameter_group() -> KindDeclaration {
    KindDeclaration {
        fields: vec![
            FieldRule::new("/family", Effect::Replace),
            FieldRule::new("/description", Effect::Replace),
        ],
        iam_actions: vec![
            "rds:AddTagsToResource",
            "rds:CreateDBParameterGroup",
            "rds:DeleteDBParameterGroup",
            "rds:DescribeDBParameterGroups",
            "rds:DescribeDBParameters",
            "rds:ListTagsForResource",
            "rds:ModifyDBParameterGroup",
            "rds:ResetDBParameterGroup",
        ],
        ..group(PARAMETER_GROUP, "arn:aws:rds:{region}:{account}:pg:{name}")
    }
}

/// What the two kinds of groups have in common: a name and an ARN, there at once.
fn group(kind: &str, arn: &'static str) -> KindDeclaration {
    KindDeclaration {
        kind: Kind::new(kind),
        identity: Identity::Name,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Stateless,
        fields: Vec::new(),
        protection: None,
        final_copy: false,
        restores_from: None,
        replaces_dependents: false,
        ready_within: Duration::from_mins(5),
        // An instance that goes away holds it until it is gone.
        delete_within: Duration::from_mins(15),
        read_after_write: READ_AFTER_WRITE,
        outputs: vec!["name", "arn"],
        iam_actions: Vec::new(),
        model: Model {
            id: arn,
            outputs: vec![("name", "{name}"), ("arn", "{id}")],
            creating: vec!["creating"],
            create: Duration::from_secs(2),
            update: Duration::from_secs(2),
            delete: Duration::from_secs(2),
        },
    }
}
