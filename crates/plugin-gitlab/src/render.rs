//! What a `gitlab` component is made of, in order. Pure: the objects themselves are written in the modules beside.

use std::time::Duration;

use serde_json::json;
use zonestack_core::component::{RenderContext, Rendered};
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::{Export, Postgres, Redis, SharedFilesystem};
use zonestack_core::name::{ResourceId, Zone};
use zonestack_core::resource::{Placement, Resource, StopFor, Until, UpgradeRule};
use zonestack_core::value::{Ref, Value};

use crate::config::{Mode, Settings};
use crate::storage::Storage;
use crate::{findings, secrets, service, storage, versions, workload};

/// Where a Deployment says which GitLab it runs.
const IMAGE: &str = "/spec/template/spec/containers/0/image";

/// Until a pod of a lost node is given up and a new one answers: five minutes of Kubernetes' patience, then GitLab's start.
const FAILOVER: Duration = Duration::from_mins(10);

/// A GitLab component with what it is wired to.
#[derive(Clone, Copy)]
pub(crate) struct Wired<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) cx: &'a RenderContext<'a>,
    pub(crate) storage: &'a SharedFilesystem,
    pub(crate) database: &'a Postgres,
    pub(crate) cache: &'a Redis,
}

impl<'a> Wired<'a> {
    fn new(settings: &'a Settings, cx: &'a RenderContext<'a>) -> Option<Self> {
        let Export::SharedFilesystem(storage) = cx.requirements.get("storage")? else {
            return None;
        };
        let Export::Postgres(database) = cx.requirements.get("database")? else { return None };
        let Export::Redis(cache) = cx.requirements.get("cache")? else { return None };
        Some(Self { settings, cx, storage, database, cache })
    }
}

/// One GitLab: in a zone, or in any.
pub(crate) struct Site<'a> {
    pub(crate) zone: Option<&'a Zone>,
    pub(crate) makes_backups: bool,
}

/// The GitLabs of a component, the leader first.
pub(crate) fn sites<'a>(wired: &Wired<'a>) -> Vec<Site<'a>> {
    if wired.settings.mode == Mode::Failover {
        return vec![Site { zone: None, makes_backups: true }];
    }
    let zones = &wired.cx.context.zones;
    let chosen = wired.settings.backup.zone.as_deref();
    let backup = chosen.or_else(|| zones.first().map(|facts| facts.zone.as_str()));
    zones
        .iter()
        .map(|facts| Site {
            zone: Some(&facts.zone),
            makes_backups: Some(facts.zone.as_str()) == backup,
        })
        .collect()
}

pub(crate) fn render(settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
    let Some(wired) = Wired::new(settings, cx) else {
        let message = "storage, database and cache are not wired to components that provide them";
        let findings = vec![Finding::error("not-wired", "", message)];
        return Rendered { findings, ..Rendered::default() };
    };
    let secrets = secrets::render(settings, cx);
    let volumes = storage::render(&wired);
    let load_balancer = Resource::manifest(cx.id("service"), service::service(&wired));
    let outputs = outputs(&wired, &load_balancer.id);
    let deployments = deployments(&wired, &secrets, &volumes);

    let mut resources = secrets;
    resources.extend(volumes.into_iter().flat_map(|volume| volume.resources));
    resources.push(load_balancer);
    resources.push(Resource::manifest(cx.id("network-policy"), service::network_policy(&wired)));
    if settings.mode == Mode::Active {
        let budget = service::disruption_budget(cx);
        resources.push(Resource::manifest(cx.id("disruption-budget"), budget));
    }
    resources.extend(deployments);
    Rendered { resources, exports: Vec::new(), findings: findings::all(&wired), outputs }
}

/// The Deployments in order. On an empty database every GitLab would drop and fill it, so the first is awaited before the
/// others start; and for an upgrade the others stop until the first has migrated the database (domain.md, 1.6 and 7.3).
fn deployments(wired: &Wired<'_>, secrets: &[Resource], volumes: &[Storage]) -> Vec<Resource> {
    let mut leader: Option<ResourceId> = None;
    let mut deployments = Vec::new();
    for site in sites(wired) {
        let Some(volume) = storage::of_site(volumes, &site) else { continue };
        let manifest = workload::deployment(wired, &site, &volume.claim_name);
        let mut deployment = Resource::manifest(workload::id(wired.cx, &site), manifest)
            .after(&volume.claim, Until::Exists);
        for secret in secrets {
            deployment = deployment.after(&secret.id, Until::Exists);
        }
        deployment.needs.extend(storage::needs(wired, &site));
        deployment.needs.extend(wired.database.needs.iter().chain(&wired.cache.needs).cloned());
        deployment.upgrade = Some(UpgradeRule {
            path: IMAGE.to_owned(),
            subject: "GitLab".to_owned(),
            stops: versions::UPGRADE_STOPS.to_vec(),
            source: versions::UPGRADE_SOURCE.to_owned(),
        });
        if site.zone.is_none() {
            let zones = wired.cx.context.zone_names();
            deployment = deployment.placed(Placement::Replicated { zones, failover: FAILOVER });
        }
        match &leader {
            None => leader = Some(deployment.id.clone()),
            Some(leader) => {
                deployment = deployment.after(leader, Until::Ready);
                deployment.stop_for = Some(StopFor {
                    leader: leader.clone(),
                    when: vec![IMAGE.to_owned()],
                    set: vec![("/spec/replicas".to_owned(), json!(0))],
                });
            }
        }
        deployments.push(deployment);
    }
    deployments
}

fn outputs(wired: &Wired<'_>, load_balancer: &ResourceId) -> Vec<(String, Value)> {
    let settings = wired.settings;
    let scheme = if settings.https.is_some() { "https" } else { "http" };
    let password = secrets::root_password_at(settings, wired.cx);
    let mut outputs = vec![
        ("url".to_owned(), Value::from(format!("{scheme}://{}", settings.host))),
        ("load-balancer".to_owned(), Value::from(Ref::new(load_balancer, "hostname"))),
        (
            "root-password".to_owned(),
            Value::from(format!(
                "kubectl -n {} get secret {} -o go-template='{{{{index .data \"{}\" | base64decode}}}}'",
                wired.cx.context.namespace, password.name, password.key
            )),
        ),
    ];
    if settings.ssh.enabled {
        let host = settings.ssh.host.as_deref().unwrap_or(&settings.host);
        let pattern = match settings.ssh.port {
            22 => format!("git@{host}:GROUP/PROJECT.git"),
            port => format!("ssh://git@{host}:{port}/GROUP/PROJECT.git"),
        };
        outputs.insert(1, ("ssh".to_owned(), Value::from(pattern)));
    }
    outputs
}
