//! The built-in plugins: the only list that knows which there are.

use std::sync::Arc;

use aws_config::SdkConfig;
use zonestack_aws::security_group::{self, SecurityGroupDriver};
use zonestack_core::component::Component;
use zonestack_core::driver::Driver;
use zonestack_core::kind::KindDeclaration;
use zonestack_core::registry::{NameClash, Registry};
use zonestack_kubernetes::driver::KubernetesDriver;
use zonestack_plugin_aurora::{Aurora, AuroraDriver};
use zonestack_plugin_efs::{Efs, EfsDriver};
use zonestack_plugin_elasticache::{ElastiCache, ElastiCacheDriver};
use zonestack_plugin_fsx::{FsxDriver, FsxOpenZfs};
use zonestack_plugin_gitlab::Gitlab;
use zonestack_plugin_rds::{Rds, RdsDriver};
use zonestack_plugin_redis::Redis;

/// What is built in, and not left out.
#[derive(Clone)]
pub(crate) struct Builtins {
    plugins: Vec<Builtin>,
}

/// Makes a driver on real clients.
type MakeDriver = fn(&SdkConfig) -> Arc<dyn Driver>;

/// A component type, and who drives what it is made of.
#[derive(Clone)]
struct Builtin {
    component: Arc<dyn Component>,
    kinds: fn() -> Vec<KindDeclaration>,
    driver: Option<MakeDriver>,
}

impl Builtins {
    /// All of them.
    pub(crate) fn all() -> Self {
        let plugins = vec![
            Builtin::driven(Efs, EfsDriver::declarations, |aws| Arc::new(EfsDriver::new(aws))),
            Builtin::driven(FsxOpenZfs, FsxDriver::declarations, |aws| {
                Arc::new(FsxDriver::new(aws))
            }),
            Builtin::driven(Rds, RdsDriver::declarations, |aws| Arc::new(RdsDriver::new(aws))),
            Builtin::driven(Aurora, AuroraDriver::declarations, |aws| {
                Arc::new(AuroraDriver::new(aws))
            }),
            Builtin::in_cluster(Redis),
            Builtin::driven(ElastiCache, ElastiCacheDriver::declarations, |aws| {
                Arc::new(ElastiCacheDriver::new(aws))
            }),
            Builtin::in_cluster(Gitlab),
        ];
        Self { plugins }
    }

    /// The rest, when these component types are left out.
    pub(crate) fn without(names: &[String]) -> Self {
        let mut all = Self::all();
        all.plugins.retain(|plugin| !names.iter().any(|name| name == plugin.name()));
        all
    }

    /// The names of the component types.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.plugins.iter().map(Builtin::name).collect()
    }

    /// Whether there is a component type of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.plugins.iter().any(|plugin| plugin.name() == name)
    }

    /// Every component type, by name.
    pub(crate) fn registry(&self) -> Result<Registry, NameClash> {
        Registry::new(self.components())
    }

    /// Every driver, on real clients. The plugins' own come after those that all share.
    pub(crate) fn drivers(&self, aws: &SdkConfig, cluster: kube::Client) -> Vec<Arc<dyn Driver>> {
        let mut drivers: Vec<Arc<dyn Driver>> =
            vec![Arc::new(KubernetesDriver::new(cluster)), Arc::new(SecurityGroupDriver::new(aws))];
        drivers.extend(self.plugins.iter().filter_map(|plugin| Some(plugin.driver?(aws))));
        drivers
    }

    /// Every kind, without a client: what the sandbox plays, and what rendering checks.
    pub(crate) fn kinds(&self) -> Vec<KindDeclaration> {
        let mut kinds = KubernetesDriver::declarations();
        kinds.push(security_group::declaration());
        kinds.extend(self.plugins.iter().flat_map(|plugin| (plugin.kinds)()));
        kinds
    }

    /// What the conformance kit tries plugins beside.
    pub(crate) fn for_laws(&self) -> zonestack_conformance::Builtins {
        zonestack_conformance::Builtins { components: self.components(), kinds: self.kinds() }
    }

    fn components(&self) -> Vec<Arc<dyn Component>> {
        self.plugins.iter().map(|plugin| Arc::clone(&plugin.component)).collect()
    }
}

impl Builtin {
    fn driven(
        component: impl Component + 'static,
        kinds: fn() -> Vec<KindDeclaration>,
        driver: MakeDriver,
    ) -> Self {
        Self { component: Arc::new(component), kinds, driver: Some(driver) }
    }

    /// One whose resources are Kubernetes objects only.
    fn in_cluster(component: impl Component + 'static) -> Self {
        Self { component: Arc::new(component), kinds: Vec::new, driver: None }
    }

    fn name(&self) -> &'static str {
        self.component.describe().name
    }
}
