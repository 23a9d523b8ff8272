//! What an `elasticache` component makes: a security group, a subnet group over all zones, a parameter group, a password when
//! one is asked for, one replication group. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use zonestack_aws::security_group;
use zonestack_aws::window::{DailyWindow, WeeklyWindow};
use zonestack_core::component::{RenderContext, Rendered};
use zonestack_core::context::Context;
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::{Export, Redis, ready};
use zonestack_core::name::Zone;
use zonestack_core::resource::{DataClass, Placement, Resource, Until};
use zonestack_core::secret::{Generator, SecretKey, SecretRef};
use zonestack_core::value::{Ref, Value, generate, secret};

use crate::config::SHORTEST_WINDOW;
use crate::config::{Settings, Tls};
use crate::driver::{PARAMETER_GROUP, REPLICATION_GROUP, SUBNET_GROUP};

/// How long a replica takes to become the primary, the change of its name's address included: well under this by
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html>.
const FAILOVER: Duration = Duration::from_mins(1);
/// Letters and digits of a generated password.
const TOKEN_LENGTH: u16 = 32;
/// The key of the password in its Secret.
const TOKEN_KEY: &str = "token";
/// The longest name of a replication group (domain.md 7.11).
const NAME: usize = 40;
/// A primary and its replicas, at most.
const NODES: usize = 6;

/// Resources, export and findings.
pub(crate) fn render(settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
    let name = cx.physical_name();
    let context = cx.context;
    let token = token(settings, cx, &name);
    let guard = security_group::from_nodes(
        cx.id("security-group"),
        &name,
        context,
        settings.port,
        "Redis protocol",
    );
    let subnets = subnet_group(cx, &name);
    let parameters = parameter_group(settings, cx, &name);
    let zones = zones(settings, context);

    let mut spec = group_spec(settings, &name, &zones);
    spec.insert("security_groups".to_owned(), json!([Ref::new(&guard.id, "id")]));
    spec.insert("parameter_group".to_owned(), json!(parameters.name));
    let mut group = Resource::new(cx.id("replication-group"), REPLICATION_GROUP, Json::Null)
        .named(&name)
        // Sessions and queued jobs: nobody can make them again.
        .holding(DataClass::Data)
        .placed(Placement::Replicated {
            zones: zones.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
            failover: FAILOVER,
        })
        .after(&guard.id, Until::Exists)
        .after(&subnets.id, Until::Exists)
        // Ready, not only there: nothing may be evicted from the first moment on.
        .after(&parameters.id, Until::Ready);
    if let Some((at, made)) = &token {
        spec.insert("auth_token".to_owned(), secret(&SecretRef::Secret(at.clone())));
        if let Some(made) = made {
            group = group.after(&made.id, Until::Exists);
        }
    }
    group.spec = Value::from(Json::Object(spec));

    let version = settings.version();
    let export = Redis {
        engine: settings.engine.as_str().to_owned(),
        host: Ref::new(&group.id, "address").into(),
        port: settings.port,
        version: (version.major, version.minor),
        tls: settings.tls == Tls::Required,
        auth: token.as_ref().map(|(at, _)| at.clone()),
        // The security group lets in the worker nodes, whatever pods they run.
        client_labels: BTreeMap::new(),
        needs: vec![ready(&group.id)],
    };
    let mut outputs = vec![("endpoint".to_owned(), export.host.clone())];
    outputs.extend(export.auth.as_ref().map(|at| {
        let place = format!("Secret {}/{}, key {}", context.namespace, at.name, at.key);
        ("password".to_owned(), place.into())
    }));
    let made = token.and_then(|(_, made)| made);
    let resources = [Some(guard), Some(subnets), Some(parameters), made, Some(group)];
    Rendered {
        resources: resources.into_iter().flatten().collect(),
        exports: vec![Export::Redis(export)],
        findings: findings(context, &name),
        outputs,
    }
}

/// What only names and zones can tell.
fn findings(context: &Context, name: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if name.len() > NAME {
        let message = format!(
            "the replication group would be called {name}, which has {} characters: ElastiCache takes {NAME}",
            name.len()
        );
        let hint = "shorten the name of the stack or of the component";
        findings.push(Finding::error("name-length", "", message).hint(hint));
    }
    if let [only] = context.zones.as_slice() {
        let message = format!(
            "a failover to another zone needs at least two zones; this stack has one: {}",
            only.zone
        );
        let hint = "if the stack file lists `zones`, add one that has worker nodes; if it does not, the cluster has worker nodes \
                    in this zone only: add some in another (an instance group or a node group there)";
        findings.push(Finding::error("zones", "", message).hint(hint));
    }
    findings
}

/// How many nodes there are, the primary included.
fn nodes(settings: &Settings, context: &Context) -> usize {
    let further = context.zones.len().saturating_sub(1).max(1);
    let replicas = settings.replicas.and_then(|replicas| usize::try_from(replicas).ok());
    (1 + replicas.unwrap_or(further)).min(NODES)
}

/// The zone of each node, the primary's first: over the stack's zones in turn.
fn zones(settings: &Settings, context: &Context) -> Vec<Zone> {
    context.zone_names().into_iter().cycle().take(nodes(settings, context)).collect()
}

fn subnet_group(cx: &RenderContext<'_>, name: &str) -> Resource {
    let mut subnets: Vec<_> = cx.context.zones.iter().map(|facts| facts.subnet.as_str()).collect();
    subnets.sort_unstable();
    let spec = json!({
        "description": format!("Subnets of {name}, one for each zone"),
        "subnet_ids": subnets,
        "tags": {},
    });
    Resource::new(cx.id("subnet-group"), SUBNET_GROUP, spec).named(name)
}

/// The parameter group. It belongs to one family of versions for good, so another major version gets another one, beside the
/// old one until the replication group has moved over.
fn parameter_group(settings: &Settings, cx: &RenderContext<'_>, name: &str) -> Resource {
    let family = settings.family();
    // No dots in names.
    let (short, _) = family.split_once('.').unwrap_or((&family, ""));
    let spec = json!({
        "family": family,
        "description": format!("Parameters of {name} for {family}"),
        "parameters": settings.parameters(),
        "tags": {},
    });
    let id = cx.id(&format!("parameter-group-{short}"));
    Resource::new(id, PARAMETER_GROUP, spec).named(format!("{name}-{short}"))
}

/// Where the password is, when there is one, and the Secret that holds it when it is ours to make.
fn token(
    settings: &Settings,
    cx: &RenderContext<'_>,
    name: &str,
) -> Option<(SecretKey, Option<Resource>)> {
    if !settings.auth {
        return None;
    }
    let value = match &settings.auth_token {
        Some(SecretRef::Secret(at)) => return Some((at.clone(), None)),
        Some(reference) => secret(reference),
        None => generate(&Generator::Alphanumeric(TOKEN_LENGTH)),
    };
    let at = SecretKey { name: name.to_owned(), key: TOKEN_KEY.to_owned() };
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": cx.context.namespace },
        "type": "Opaque",
        "stringData": { TOKEN_KEY: value },
    });
    let made = Resource::manifest(cx.id("auth-token"), manifest).holding(DataClass::Key);
    Some((at, Some(made)))
}

/// Everything of the replication group's specification that does not refer to other resources.
fn group_spec(settings: &Settings, name: &str, zones: &[Zone]) -> Map<String, Json> {
    let zones: Vec<&str> = zones.iter().map(Zone::as_str).collect();
    let spec = json!({
        "description": format!("Cache, sessions and queues of {name}"),
        "engine": settings.engine.as_str(),
        "engine_version": settings.version().to_string(),
        "class": settings.class,
        "zones": zones,
        "automatic_failover": true,
        "multi_az": true,
        "cluster_mode": false,
        "port": settings.port,
        "subnet_group": name,
        "tls": settings.tls.as_str(),
        "auth": settings.auth,
        "at_rest_encryption": settings.encrypted,
        "snapshot_retention_days": settings.backup.days,
        "auto_minor_version_upgrade": settings.auto_minor_upgrade,
        "apply": settings.apply.as_str(),
        "tags": {},
    });
    let daily = |text: &Option<String>| {
        text.as_ref().and_then(|text| text.parse::<DailyWindow<SHORTEST_WINDOW>>().ok())
    };
    let weekly = |text: &Option<String>| {
        text.as_ref().and_then(|text| text.parse::<WeeklyWindow<SHORTEST_WINDOW>>().ok())
    };
    let optional = [
        ("kms_key_id", settings.kms_key_id.clone().map(Json::from)),
        ("snapshot_window", daily(&settings.backup.window).map(|w| json!(w.to_string()))),
        ("maintenance_window", weekly(&settings.maintenance_window).map(|w| json!(w.to_string()))),
        ("snapshot", settings.from_snapshot.clone().map(Json::from)),
    ];
    let Json::Object(mut spec) = spec else { return Map::new() };
    spec.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    spec
}

#[cfg(test)]
mod tests;
