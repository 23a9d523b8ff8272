//! The `gitlab` component: GitLab with a pod in each zone. Requires `shared-filesystem/v1`, `postgres/v1` and `redis/v1`.
//!
//! ```yaml
//! apiVersion: zonestack/v1
//! name: git
//! cluster: k8s.myzone.net
//! region: eu-west-1
//! components:
//!   data:  { use: efs }
//!   db:    { use: rds }
//!   cache: { use: redis }
//!   gitlab:
//!     use: gitlab
//!     with:
//!       host: git.example.com
//!       https:
//!         certificate: arn:aws:acm:eu-west-1:111122223333:certificate/0b6f4c1e-5d0e-4a50-8c9d-3d0f6c9a7d11
//!       timezone: Europe/Paris
//!       rootEmail: ops@example.com
//!       smtp:
//!         host: email-smtp.eu-west-1.amazonaws.com
//!         user: AKIAIOSFODNN7EXAMPLE
//!         password: { env: SMTP_PASSWORD }
//!     acknowledge: [git-on-nfs, shared-gitaly]
//! ```
//!
//! # What is made
//! In each zone a volume and a claim on that zone's endpoint of the file system, and a Deployment with one pod bound to the
//! zone. For all zones together a Secret with the keys, a Service of type LoadBalancer, a network policy and a disruption
//! budget. When `up` ends, point `host` at the load balancer that `zonestack outputs` names.
//!
//! # The order
//! On an empty database each GitLab would drop and fill it. So the first zone's GitLab starts alone and the others follow
//! once it is ready. When `version` changes, the others stop, the first migrates the database and becomes ready, and the
//! others start again: an upgrade is an outage. Upgrades that skip x.2, x.5, x.8 or x.11 are refused.
//!
//! # The keys
//! Whoever loses the Secret `<component>-secrets` cannot read CI variables, second factors and tokens any more, even with
//! the database at hand. `down` keeps it as long as it keeps data. GitLab's own backups do not contain it: save it yourself.
//! Each key can be brought along by reference, for a GitLab that moves here.
//!
//! # What GitLab thinks of this
//! Git repositories on NFS are not supported by GitLab, and several GitLabs over one file system even less. zonestack says
//! so in every plan until it is acknowledged. `mode: failover` runs one GitLab at a time, in any zone.
//!
//! # Changing the mode
//! From `active` to `failover` or back the old pods must be gone before new ones start: run `down`, which keeps all data,
//! and `up` again.

mod config;
#[cfg(feature = "export")]
mod export; // the same crate as a shared library
mod environment;
mod findings;
mod render;
mod secrets;
mod service;
mod storage;
mod text;
mod timezone;
mod versions;
mod workload;

use zonestack_core::component::{
    ComponentType, RenderContext, Rendered, Requirement, TypedComponent,
};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::{Postgres, Redis, SharedFilesystem};

pub use config::{
    Authentication, Backup, Controller, Effect, Email, Encryption, Https, Limits, LoadBalancer,
    Mode, Operator, Puma, Requests, Resources, Schedule, Scheme, Secrets, Settings, Sidekiq, Smtp,
    Ssh, Target, Toleration,
};
pub use text::Text;

/// The `gitlab` component type.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gitlab;

impl TypedComponent for Gitlab {
    type Settings = Settings;

    fn describe(&self) -> ComponentType {
        let requirement = |name, interface| Requirement { name, interface };
        ComponentType {
            name: "gitlab",
            summary: "GitLab with a pod in each zone, behind one load balancer",
            provides: Vec::new(),
            requires: vec![
                requirement("storage", SharedFilesystem::NAME),
                requirement("database", Postgres::NAME),
                requirement("cache", Redis::NAME),
            ],
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
