//! The built-in plugins: the only list that knows which there are. One line for a component type, one for its driver, one for
//! its kinds.

use std::sync::Arc;

use zonestack_core::component::Component;
use zonestack_core::driver::Driver;
use zonestack_core::kind::KindDeclaration;
use zonestack_core::registry::{NameClash, Registry};

/// Every component type.
fn components() -> Vec<Arc<dyn Component>> {
    vec![
        Arc::new(zonestack_plugin_efs::Efs),
        Arc::new(zonestack_plugin_fsx::FsxOpenZfs),
        Arc::new(zonestack_plugin_rds::Rds),
        Arc::new(zonestack_plugin_aurora::Aurora),
        Arc::new(zonestack_plugin_redis::Redis),
        Arc::new(zonestack_plugin_elasticache::ElastiCache),
        Arc::new(zonestack_plugin_gitlab::Gitlab),
    ]
}

/// Every component type, by name.
pub(crate) fn registry() -> Result<Registry, NameClash> {
    Registry::new(components())
}

/// What the conformance kit tries plugins beside.
pub(crate) fn for_laws() -> zonestack_conformance::Builtins {
    zonestack_conformance::Builtins { components: components(), kinds: kinds() }
}

/// Every driver, on real clients.
pub(crate) fn drivers(aws: &aws_config::SdkConfig, cluster: kube::Client) -> Vec<Arc<dyn Driver>> {
    vec![
        Arc::new(zonestack_kubernetes::driver::KubernetesDriver::new(cluster)),
        Arc::new(zonestack_aws::security_group::SecurityGroupDriver::new(aws)),
        Arc::new(zonestack_plugin_efs::EfsDriver::new(aws)),
        Arc::new(zonestack_plugin_fsx::FsxDriver::new(aws)),
        Arc::new(zonestack_plugin_rds::RdsDriver::new(aws)),
        Arc::new(zonestack_plugin_aurora::AuroraDriver::new(aws)),
        Arc::new(zonestack_plugin_elasticache::ElastiCacheDriver::new(aws)),
    ]
}

/// Every kind, without a client: what the sandbox plays, and what rendering checks.
pub(crate) fn kinds() -> Vec<KindDeclaration> {
    let mut kinds = zonestack_kubernetes::driver::KubernetesDriver::declarations();
    kinds.push(zonestack_aws::security_group::declaration());
    kinds.extend(zonestack_plugin_efs::EfsDriver::declarations());
    kinds.extend(zonestack_plugin_fsx::FsxDriver::declarations());
    kinds.extend(zonestack_plugin_rds::RdsDriver::declarations());
    kinds.extend(zonestack_plugin_aurora::AuroraDriver::declarations());
    kinds.extend(zonestack_plugin_elasticache::ElastiCacheDriver::declarations());
    kinds
}
