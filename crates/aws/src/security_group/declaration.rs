//! What the engine must know of the kind.

use std::time::Duration;

use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

use super::KIND;

/// The declaration of `aws.ec2.security-group`.
pub fn declaration() -> KindDeclaration {
    KindDeclaration {
        kind: Kind::new(KIND),
        identity: Identity::Name,
        tagging: Tagging::OnCreate,
        marks_at: Some("/tags"),
        data: DataClass::Stateless,
        fields: vec![
            FieldRule::new("/vpc_id", Effect::Replace),
            FieldRule::new("/description", Effect::Replace),
        ],
        protection: None,
        final_copy: false,
        restores_from: None,
        // A mount target and a database exchange their groups while they run.
        replaces_dependents: false,
        ready_within: Duration::from_mins(2),
        // The interfaces of a deleted service hold the group for minutes (reliability.md B.4.7).
        delete_within: Duration::from_mins(15),
        read_after_write: Duration::from_mins(1),
        outputs: vec!["id"],
        iam_actions: vec![
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateSecurityGroup",
            "ec2:CreateTags",
            "ec2:DeleteSecurityGroup",
            "ec2:DescribeSecurityGroups",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
        ],
        model: Model {
            id: "sg-{hex17}",
            outputs: vec![("id", "{id}")],
            creating: vec!["creating"],
            create: Duration::from_secs(2),
            update: Duration::from_secs(1),
            delete: Duration::from_secs(2),
        },
    }
}
