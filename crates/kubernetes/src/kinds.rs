//! The kinds that the driver knows: one row each. To drive one more, add a row here and, when it has a state of its own,
//! an arm in [`crate::readiness`].

use std::time::Duration;

use zonestack_core::kind::{Effect, FieldRule, Identity, KindDeclaration, Model, Tagging};
use zonestack_core::name::Kind;
use zonestack_core::resource::DataClass;

/// When an object of a kind is ready, and what it gives to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Ready as soon as it exists.
    Exists,
    /// `status.phase` is `Active`.
    Namespace,
    /// Every wanted pod runs the latest template and is available.
    Deployment,
    /// Every wanted pod runs the latest revision and is ready.
    StatefulSet,
    /// `status.phase` is `Bound`.
    Claim,
    /// `status.phase` is `Available` or `Bound`.
    Volume,
    /// A load balancer has an address, when one is asked for.
    Service,
    /// A load balancer has an address.
    Ingress,
    /// The condition `Complete`.
    Job,
}

/// One kind of object.
#[derive(Debug)]
pub(crate) struct ObjectKind {
    /// API group and version, such as `apps/v1`; the core group is `v1`.
    pub(crate) api_version: &'static str,
    /// The kind, such as `Deployment`.
    pub(crate) kind: &'static str,
    /// The name in the API's paths.
    pub(crate) plural: &'static str,
    /// Whether it lives in a namespace.
    pub(crate) namespaced: bool,
    /// What is lost with it, unless the resource says otherwise.
    pub(crate) data: DataClass,
    /// What makes it ready.
    pub(crate) readiness: Readiness,
    /// Fields whose change is more than in place: what the API server's validation calls immutable, and what restarts pods.
    pub(crate) fields: &'static [(&'static str, Effect)],
    /// Outputs with the sandbox's templates for them.
    pub(crate) outputs: &'static [(&'static str, &'static str)],
    /// How long it may stay in one state, in minutes.
    pub(crate) ready_minutes: u64,
    /// How long a creation takes on a cluster, in seconds: for the sandbox.
    pub(crate) create_seconds: u64,
}

const PLAIN: ObjectKind = ObjectKind {
    api_version: "v1",
    kind: "",
    plural: "",
    namespaced: true,
    data: DataClass::Stateless,
    readiness: Readiness::Exists,
    fields: &[],
    outputs: &[],
    ready_minutes: 5,
    create_seconds: 1,
};

/// A namespace.
pub(crate) const NAMESPACE: ObjectKind = ObjectKind {
    kind: "Namespace",
    plural: "namespaces",
    namespaced: false,
    readiness: Readiness::Namespace,
    ..PLAIN
};

/// A Secret.
pub(crate) const SECRET: ObjectKind = ObjectKind {
    kind: "Secret",
    plural: "secrets",
    fields: &[("/type", Effect::Replace)],
    ..PLAIN
};

/// A ConfigMap.
pub(crate) const CONFIG_MAP: ObjectKind =
    ObjectKind { kind: "ConfigMap", plural: "configmaps", ..PLAIN };

/// A Lease. Not among [`KINDS`]: no stack has one as a resource.
pub(crate) const LEASE: ObjectKind =
    ObjectKind { api_version: "coordination.k8s.io/v1", kind: "Lease", plural: "leases", ..PLAIN };

/// Every kind. Immutable fields are those of Kubernetes 1.36's `pkg/apis/*/validation`.
pub(crate) const KINDS: &[ObjectKind] = &[
    NAMESPACE,
    SECRET,
    CONFIG_MAP,
    ObjectKind { kind: "ServiceAccount", plural: "serviceaccounts", ..PLAIN },
    ObjectKind {
        kind: "Service",
        plural: "services",
        readiness: Readiness::Service,
        fields: &[
            ("/spec/loadBalancerClass", Effect::Replace),
            ("/spec/clusterIP", Effect::Replace),
            ("/spec/type", Effect::Outage),
        ],
        outputs: &[
            ("hostname", "k8s-{hex8}.elb.{region}.amazonaws.com"),
            ("cluster_ip", "100.64.0.10"),
        ],
        // A Network Load Balancer takes two to four minutes, its first targets some more.
        ready_minutes: 15,
        create_seconds: 150,
        ..PLAIN
    },
    // Its source is immutable, and so is the affinity once it is set (domain.md, 7.1).
    ObjectKind {
        kind: "PersistentVolume",
        plural: "persistentvolumes",
        namespaced: false,
        readiness: Readiness::Volume,
        fields: &[
            ("/spec/nfs", Effect::Replace),
            ("/spec/csi", Effect::Replace),
            ("/spec/hostPath", Effect::Replace),
            ("/spec/local", Effect::Replace),
            ("/spec/nodeAffinity", Effect::Replace),
            ("/spec/volumeMode", Effect::Replace),
        ],
        ..PLAIN
    },
    // Nothing but the requested size may change (domain.md, 7.1).
    ObjectKind {
        kind: "PersistentVolumeClaim",
        plural: "persistentvolumeclaims",
        data: DataClass::Data,
        readiness: Readiness::Claim,
        fields: &[
            ("/spec", Effect::Replace),
            ("/spec/resources", Effect::InPlace),
            ("/spec/volumeAttributesClassName", Effect::InPlace),
        ],
        ..PLAIN
    },
    ObjectKind {
        api_version: "apps/v1",
        kind: "Deployment",
        plural: "deployments",
        readiness: Readiness::Deployment,
        fields: &[("/spec/selector", Effect::Replace), ("/spec/template", Effect::Outage)],
        // GitLab's first boot migrates its database: up to an hour, and then its probes (domain.md, 1.6 and 7.3).
        ready_minutes: 75,
        create_seconds: 60,
        ..PLAIN
    },
    ObjectKind {
        api_version: "apps/v1",
        kind: "StatefulSet",
        plural: "statefulsets",
        readiness: Readiness::StatefulSet,
        fields: &[
            ("/spec/selector", Effect::Replace),
            ("/spec/serviceName", Effect::Replace),
            ("/spec/podManagementPolicy", Effect::Replace),
            ("/spec/volumeClaimTemplates", Effect::Replace),
            ("/spec/template", Effect::Outage),
        ],
        ready_minutes: 15,
        create_seconds: 60,
        ..PLAIN
    },
    ObjectKind {
        api_version: "policy/v1",
        kind: "PodDisruptionBudget",
        plural: "poddisruptionbudgets",
        ..PLAIN
    },
    ObjectKind {
        api_version: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        plural: "networkpolicies",
        ..PLAIN
    },
    ObjectKind {
        api_version: "networking.k8s.io/v1",
        kind: "Ingress",
        plural: "ingresses",
        readiness: Readiness::Ingress,
        outputs: &[("hostname", "k8s-{hex8}.elb.{region}.amazonaws.com")],
        ready_minutes: 15,
        create_seconds: 150,
        ..PLAIN
    },
    ObjectKind {
        api_version: "batch/v1",
        kind: "Job",
        plural: "jobs",
        readiness: Readiness::Job,
        fields: &[
            ("/spec/template", Effect::Replace),
            ("/spec/selector", Effect::Replace),
            ("/spec/completions", Effect::Replace),
            ("/spec/completionMode", Effect::Replace),
        ],
        ready_minutes: 30,
        create_seconds: 30,
        ..PLAIN
    },
];

/// The row of a kind.
pub(crate) fn find(kind: &Kind) -> Option<&'static ObjectKind> {
    let (api_version, name) = kind.kubernetes()?;
    KINDS.iter().find(|row| row.api_version == api_version && row.kind == name)
}

/// The row of a kind, by its name alone.
#[cfg(test)]
pub(crate) fn named(name: &str) -> Option<&'static ObjectKind> {
    KINDS.iter().find(|row| row.kind == name)
}

impl ObjectKind {
    /// The API's path to the objects of this kind.
    pub(crate) fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.api_version == "v1" { "/api/v1" } else { "/apis/" };
        let group = if self.api_version == "v1" { "" } else { self.api_version };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}{group}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}{group}/{}", self.plural),
        }
    }

    /// The kind as the engine names it.
    pub(crate) fn name(&self) -> Kind {
        Kind::new(&format!("k8s.{}.{}", self.api_version, self.kind))
    }

    /// What the engine must know of it.
    pub(crate) fn declaration(&self) -> KindDeclaration {
        let volume = matches!(self.readiness, Readiness::Claim | Readiness::Volume);
        KindDeclaration {
            kind: self.name(),
            identity: Identity::Name,
            tagging: Tagging::OnCreate,
            marks_at: Some("/metadata/labels"),
            data: self.data,
            fields: self
                .fields
                .iter()
                .map(|(path, effect)| FieldRule::new(path, *effect))
                .collect(),
            protection: None,
            final_copy: false,
            restores_from: None,
            // A claim stays `Terminating` while a pod uses it, a volume while a claim does (domain.md, 7.1).
            replaces_dependents: volume,
            ready_within: Duration::from_mins(self.ready_minutes),
            delete_within: Duration::from_mins(10),
            // The API server reads what it wrote.
            read_after_write: Duration::ZERO,
            outputs: self.outputs.iter().map(|(name, _)| *name).collect(),
            // The caller's rights here are Kubernetes roles, not IAM actions.
            iam_actions: Vec::new(),
            model: Model {
                id: "{hex8}-0000-4000-8000-{hex8}0000",
                outputs: self.outputs.to_vec(),
                creating: if self.readiness == Readiness::Exists {
                    Vec::new()
                } else {
                    vec!["Pending"]
                },
                create: Duration::from_secs(self.create_seconds),
                update: Duration::from_secs(self.create_seconds / 2),
                delete: Duration::from_secs(2),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_group_and_scope() {
        let path = |kind: &str, namespace| named(kind).unwrap().path(namespace);
        assert_eq!(path("Secret", Some("dev")), "/api/v1/namespaces/dev/secrets");
        assert_eq!(path("Deployment", Some("dev")), "/apis/apps/v1/namespaces/dev/deployments");
        assert_eq!(path("PersistentVolume", None), "/api/v1/persistentvolumes");
        assert_eq!(path("Namespace", Some("dev")), "/api/v1/namespaces");
    }

    #[test]
    fn every_row_is_found_by_its_declared_kind() {
        for row in KINDS {
            let found = find(&row.declaration().kind).unwrap();
            assert_eq!((found.api_version, found.kind), (row.api_version, row.kind));
            assert!(!row.plural.is_empty());
        }
        assert!(find(&Kind::new("aws.efs.file-system")).is_none());
    }

    #[test]
    fn a_claim_may_only_grow() {
        let claim = named("PersistentVolumeClaim").unwrap().declaration();
        assert_eq!(claim.rule("/spec/volumeName").effect, Effect::Replace);
        assert_eq!(claim.rule("/spec/resources/requests/storage").effect, Effect::InPlace);
        assert_eq!(claim.rule("/metadata/labels/app").effect, Effect::InPlace);
    }
}
