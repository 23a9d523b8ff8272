//! What the engine must know of the kinds. What a change does: domain.md 5.5.

use std::time::Duration;

use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

use super::{PARAMETER_GROUP, REPLICATION_GROUP, SUBNET_GROUP};

/// Reads may lag a little behind writes. Nothing can be made twice meanwhile: names are unique.
const READ_AFTER_WRITE: Duration = Duration::from_secs(10);

/// `aws.elasticache.replication-group`
///
/// Effects are those of `apply: window`; with `apply: now` what waits for the window happens at once.
pub(super) fn replication_group() -> KindDeclaration {
    let rule = FieldRule::new;
    KindDeclaration {
        kind: Kind::new(REPLICATION_GROUP),
        identity: Identity::Name,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Data,
        fields: vec![
            // Replicas change one after the other; at the end the primary moves, which cuts connections.
            rule("/class", Effect::OutageInWindow),
            rule("/engine_version", Effect::OutageInWindow).up_only(),
            rule("/engine", Effect::Replace),
            rule("/cluster_mode", Effect::Replace),
            rule("/port", Effect::Replace),
            rule("/subnet_group", Effect::Replace),
            // A password can be rotated in, but never out again, and clients hold it.
            rule("/auth", Effect::Replace),
            rule("/at_rest_encryption", Effect::Replace),
            rule("/kms_key_id", Effect::Replace),
        ],
        // The service has none.
        protection: None,
        final_copy: true,
        restores_from: Some("/snapshot"),
        replaces_dependents: false,
        // The SDK's own waiter gives up after ten minutes, which is too short (domain.md 5.5).
        ready_within: Duration::from_mins(40),
        delete_within: Duration::from_hours(1),
        read_after_write: READ_AFTER_WRITE,
        outputs: vec!["address", "port", "arn", "engine_version"],
        iam_actions: vec![
            "elasticache:AddTagsToResource",
            "elasticache:CreateReplicationGroup",
            "elasticache:CreateSnapshot",
            "elasticache:DecreaseReplicaCount",
            "elasticache:DeleteReplicationGroup",
            "elasticache:DescribeCacheClusters",
            "elasticache:DescribeReplicationGroups",
            "elasticache:DescribeSnapshots",
            "elasticache:IncreaseReplicaCount",
            "elasticache:ListTagsForResource",
            "elasticache:ModifyReplicationGroup",
            // The first replication group of an account.
            "iam:CreateServiceLinkedRole",
        ],
        model: Model {
            id: "arn:aws:elasticache:{region}:{account}:replicationgroup:{name}",
            outputs: vec![
                ("address", "{name}.{hex8}.ng.0001.{region}.cache.amazonaws.com"),
                ("port", "{spec/port}"),
                ("arn", "{id}"),
                ("engine_version", "{spec/engine_version}"),
            ],
            creating: vec!["creating"],
            create: Duration::from_mins(10),
            update: Duration::from_mins(8),
            delete: Duration::from_mins(6),
        },
    }
}

/// `aws.elasticache.subnet-group`
pub(super) fn subnet_group() -> KindDeclaration {
    KindDeclaration {
        iam_actions: vec![
            "elasticache:AddTagsToResource",
            "elasticache:CreateCacheSubnetGroup",
            "elasticache:DeleteCacheSubnetGroup",
            "elasticache:DescribeCacheSubnetGroups",
            "elasticache:ListTagsForResource",
            "elasticache:ModifyCacheSubnetGroup",
        ],
        ..group(SUBNET_GROUP, "arn:aws:elasticache:{region}:{account}:subnetgroup:{name}")
    }
}

/// `aws.elasticache.parameter-group`
pub(super) fn parameter_group() -> KindDeclaration {
    KindDeclaration {
        fields: vec![
            FieldRule::new("/family", Effect::Replace),
            FieldRule::new("/description", Effect::Replace),
        ],
        iam_actions: vec![
            "elasticache:AddTagsToResource",
            "elasticache:CreateCacheParameterGroup",
            "elasticache:DeleteCacheParameterGroup",
            "elasticache:DescribeCacheParameterGroups",
            "elasticache:DescribeCacheParameters",
            "elasticache:ListTagsForResource",
            "elasticache:ModifyCacheParameterGroup",
            "elasticache:ResetCacheParameterGroup",
        ],
        ..group(PARAMETER_GROUP, "arn:aws:elasticache:{region}:{account}:parametergroup:{name}")
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
        // A replication group that goes away holds it until it is gone.
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
