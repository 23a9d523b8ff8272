//! What the engine must know of the kinds. What a change does: domain.md 4.6 and 4.8.

use std::time::Duration;

use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

use super::{CLUSTER, INSTANCE, PARAMETER_GROUP};

/// Reads of RDS may lag a little behind writes. Nothing can be made twice meanwhile: names are unique.
const READ_AFTER_WRITE: Duration = Duration::from_secs(10);

/// `aws.rds.cluster`
///
/// Effects are those of `apply: window`; with `apply: now` what waits for the window happens at once.
pub(super) fn cluster() -> KindDeclaration {
    let rule = FieldRule::new;
    KindDeclaration {
        kind: Kind::new(CLUSTER),
        identity: Identity::Name,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Data,
        fields: vec![
            rule("/engine_version", Effect::OutageInWindow).up_only(),
            rule("/storage_type", Effect::InWindow),
            // Restarts at once, whatever `apply` says.
            rule("/port", Effect::Outage),
            rule("/engine", Effect::Replace),
            rule("/database", Effect::Replace),
            rule("/master_username", Effect::Replace),
            rule("/storage_encrypted", Effect::Replace),
            rule("/kms_key_id", Effect::Replace),
            rule("/subnet_group", Effect::Replace),
        ],
        protection: Some("/deletion_protection"),
        final_copy: true,
        restores_from: Some("/snapshot"),
        replaces_dependents: false,
        // An RDS snapshot is copied into Aurora's storage, which takes longer than to make an empty cluster.
        ready_within: Duration::from_hours(2),
        // Its instances go first.
        delete_within: Duration::from_hours(1),
        read_after_write: READ_AFTER_WRITE,
        outputs: vec!["address", "reader_address", "port", "arn", "resource_id", "engine_version"],
        iam_actions: vec![
            "rds:AddTagsToResource",
            "rds:CreateDBCluster",
            "rds:CreateDBClusterSnapshot",
            "rds:DeleteDBCluster",
            "rds:DescribeDBClusterSnapshots",
            "rds:DescribeDBClusters",
            "rds:ModifyDBCluster",
            "rds:RemoveTagsFromResource",
            "rds:RestoreDBClusterFromSnapshot",
            // The first database of an account.
            "iam:CreateServiceLinkedRole",
        ],
        model: Model {
            id: "arn:aws:rds:{region}:{account}:cluster:{name}",
            outputs: vec![
                ("address", "{name}.cluster-{hex8}.{region}.rds.amazonaws.com"),
                ("reader_address", "{name}.cluster-ro-{hex8}.{region}.rds.amazonaws.com"),
                ("port", "{spec/port}"),
                ("arn", "{id}"),
                ("resource_id", "cluster-{hex17}"),
                ("engine_version", "{spec/engine_version}"),
            ],
            creating: vec!["creating"],
            create: Duration::from_mins(2),
            update: Duration::from_mins(2),
            delete: Duration::from_mins(3),
        },
    }
}

/// `aws.rds.cluster-instance`
///
/// It holds nothing: the data is the cluster's.
pub(super) fn instance() -> KindDeclaration {
    let rule = FieldRule::new;
    KindDeclaration {
        kind: Kind::new(INSTANCE),
        identity: Identity::Name,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Stateless,
        fields: vec![
            rule("/class", Effect::OutageInWindow),
            rule("/ca_certificate", Effect::InWindow),
            rule("/engine", Effect::Replace),
            rule("/cluster", Effect::Replace),
            rule("/availability_zone", Effect::Replace),
        ],
        protection: None,
        final_copy: false,
        restores_from: None,
        replaces_dependents: false,
        ready_within: Duration::from_mins(40),
        delete_within: Duration::from_hours(1),
        read_after_write: READ_AFTER_WRITE,
        outputs: vec!["address", "arn", "resource_id"],
        iam_actions: vec![
            "rds:AddTagsToResource",
            "rds:CreateDBInstance",
            "rds:DeleteDBInstance",
            "rds:DescribeDBInstances",
            "rds:ModifyDBInstance",
        ],
        model: Model {
            id: "arn:aws:rds:{region}:{account}:db:{name}",
            outputs: vec![
                ("address", "{name}.{hex8}.{region}.rds.amazonaws.com"),
                ("arn", "{id}"),
                ("resource_id", "db-{hex17}"),
            ],
            creating: vec!["creating", "configuring-log-exports"],
            create: Duration::from_mins(7),
            update: Duration::from_mins(5),
            delete: Duration::from_mins(5),
        },
    }
}

/// `aws.rds.cluster-parameter-group`: a name and an ARN, there at once.
pub(super) fn parameter_group() -> KindDeclaration {
    KindDeclaration {
        kind: Kind::new(PARAMETER_GROUP),
        identity: Identity::Name,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Stateless,
        fields: vec![
            FieldRule::new("/family", Effect::Replace),
            FieldRule::new("/description", Effect::Replace),
        ],
        protection: None,
        final_copy: false,
        restores_from: None,
        replaces_dependents: false,
        ready_within: Duration::from_mins(5),
        // A cluster that goes away holds it until it is gone.
        delete_within: Duration::from_mins(15),
        read_after_write: READ_AFTER_WRITE,
        outputs: vec!["name", "arn"],
        iam_actions: vec![
            "rds:AddTagsToResource",
            "rds:CreateDBClusterParameterGroup",
            "rds:DeleteDBClusterParameterGroup",
            "rds:DescribeDBClusterParameterGroups",
            "rds:DescribeDBClusterParameters",
            "rds:ListTagsForResource",
            "rds:ModifyDBClusterParameterGroup",
            "rds:ResetDBClusterParameterGroup",
        ],
        model: Model {
            id: "arn:aws:rds:{region}:{account}:cluster-pg:{name}",
            outputs: vec![("name", "{name}"), ("arn", "{id}")],
            creating: vec!["creating"],
            create: Duration::from_secs(2),
            update: Duration::from_secs(2),
            delete: Duration::from_secs(2),
        },
    }
}
