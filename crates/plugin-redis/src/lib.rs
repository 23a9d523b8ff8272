//! The `redis` component: one Valkey or Redis in the cluster. Provides `redis/v1`.
//!
//! ```yaml
//! apiVersion: zonestack/v1
//! name: git
//! cluster: k8s.myzone.net
//! region: eu-west-1
//! components:
//!   cache:
//!     use: redis
//!     with:
//!       memory: 1Gi
//!     acknowledge: [single-redis]
//! ```
//!
//! # What is made
//! A Deployment with one pod, a Service by the component's name, and a network policy that lets in only pods that carry the
//! label which the component exports. No password and no TLS: the GitLab image speaks neither (domain.md, 1.9), which
//! is why the network policy is always there. It works only where the cluster's network plugin enforces policies.
//!
//! # When a zone is lost
//! Without `storage` the pod starts again in another zone, empty, after the five minutes that Kubernetes waits for a lost
//! node: sessions end, queued jobs are gone. With `storage` the pod stays in one zone, because an EBS volume does; it waits
//! until that zone is back. Amazon ElastiCache is the way to keep both; the interface is the same.

mod config;
#[cfg(feature = "export")]
mod export; // the same crate as a shared library
mod render;

use zonestack_core::component::{ComponentType, RenderContext, Rendered, TypedComponent};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::Redis as RedisExport;

pub use config::{Engine, Memory, Settings, Storage};

/// The `redis` component type.
#[derive(Debug, Clone, Copy, Default)]
pub struct Redis;

impl TypedComponent for Redis {
    type Settings = Settings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "redis",
            summary: "One Valkey or Redis in the cluster, for cache, sessions and queues",
            provides: vec![RedisExport::NAME],
            requires: Vec::new(),
            advisories: config::ADVISORIES.to_vec(),
            schema: serde_json::Value::Null,
        }
    }

    fn check(&self, settings: &Settings) -> Vec<Finding> {
        settings.check()
    }

    fn render(&self, settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
        render::render(settings, cx)
    }
}

#[cfg(test)]
mod tests;
