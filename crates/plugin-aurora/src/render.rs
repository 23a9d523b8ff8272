//! What an `aurora` component makes: a security group, a subnet group over all zones, a parameter group, a password, the
//! cluster, and its instances. Pure.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use zonestack_aws::postgres::{DailyWindow, WeeklyWindow};
use zonestack_aws::security_group;
use zonestack_core::component::{RenderContext, Rendered};
use zonestack_core::context::Context;
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::{Export, Postgres, PostgresService, ready};
use zonestack_core::name::Zone;
use zonestack_core::resource::{DataClass, Placement, Resource, Until};
use zonestack_core::secret::{Generator, SecretKey, SecretRef};
use zonestack_core::value::{Ref, generate, secret};

use crate::config::Settings;
use crate::driver::{CLUSTER, ENGINE, INSTANCE, PARAMETER_GROUP};

/// The subnets that a database may live in: a kind of the `rds` driver, met by its name and its specification only (decision
/// 12).
pub const SUBNET_GROUP: &str = "aws.rds.subnet-group";

/// How long another instance takes to take over: mostly less than 30 seconds, seldom more than 60.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html>
const FAILOVER: Duration = Duration::from_mins(1);
/// Letters and digits of a generated password (domain.md, section 9).
const PASSWORD_LENGTH: u16 = 32;
/// The key of the password in its Secret.
const PASSWORD_KEY: &str = "password";
/// The parameter that refuses connections without TLS. Aurora sets it by itself from PostgreSQL 17 only.
const FORCE_SSL: &str = "rds.force_ssl";

/// Resources, export and findings. The subnets are those of every zone of the stack, the instances are in as many as there
/// are instances.
pub(crate) fn render(settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
    let name = cx.physical_name();
    let context = cx.context;
    let (password_at, password) = password(settings, cx, &name);
    // With the purpose that the `rds` component gives: it is in the description, which cannot change, and a swap keeps the
    // group.
    let guard = security_group::from_nodes(
        cx.id("security-group"),
        &name,
        context,
        settings.port,
        "PostgreSQL",
    );
    let subnets = subnet_group(cx, &name);
    let parameters = parameter_group(settings, cx, &name);
    let seats = seats(settings, context);

    let mut spec = cluster_spec(settings, context, &name);
    spec.insert("cluster_parameter_group".to_owned(), json!(parameters.name));
    spec.insert("master_password".to_owned(), secret(&SecretRef::Secret(password_at.clone())));
    spec.insert("security_groups".to_owned(), json!([Ref::new(&guard.id, "id")]));
    let mut cluster = Resource::new(cx.id("cluster"), CLUSTER, Json::Object(spec))
        .named(&name)
        .holding(DataClass::Data)
        .placed(placement(&seats))
        .after(&guard.id, Until::Exists)
        .after(&subnets.id, Until::Exists)
        // Ready, not only there: parameters that PostgreSQL reads at its start must be set before it starts.
        .after(&parameters.id, Until::Ready);
    if let Some(password) = &password {
        cluster = cluster.after(&password.id, Until::Exists);
    }
    // A cluster takes instances only when it is available, and one from a snapshot has its own password only then.
    let instances: Vec<Resource> = seats
        .iter()
        .map(|seat| instance(settings, cx, &name, seat).after(&cluster.id, Until::Ready))
        .collect();

    let export = Postgres {
        service: PostgresService::Aurora,
        host: Ref::new(&cluster.id, "address").into(),
        port: settings.port,
        database: settings.database(&context.stack),
        user: settings.user(&context.stack),
        password: password_at.clone(),
        major: settings.version.major,
        max_connections: settings.max_connections(),
        size: settings.size(),
        needs: std::iter::once(&cluster).chain(&instances).map(|r| ready(&r.id)).collect(),
    };
    let outputs = vec![
        ("endpoint".to_owned(), export.host.clone()),
        ("reader".to_owned(), Ref::new(&cluster.id, "reader_address").into()),
        ("database".to_owned(), export.database.clone().into()),
        ("user".to_owned(), export.user.clone().into()),
        (
            "password".to_owned(),
            format!("Secret {}/{}, key {}", context.namespace, password_at.name, password_at.key)
                .into(),
        ),
    ];
    let mut resources = vec![guard, subnets, parameters];
    resources.extend(password);
    resources.push(cluster);
    resources.extend(instances);
    Rendered {
        resources,
        exports: vec![Export::Postgres(export)],
        findings: findings(context),
        outputs,
    }
}

/// What only the zones can tell.
fn findings(context: &Context) -> Vec<Finding> {
    let [only] = context.zones.as_slice() else { return Vec::new() };
    let message =
        format!("Aurora needs subnets in at least two zones; this stack has one: {}", only.zone);
    let hint = "if the stack file lists `zones`, add one that has worker nodes; if it does not, the cluster has worker nodes \
                in this zone only: add some in another (an instance group or a node group there)";
    vec![Finding::error("zones", "", message).hint(hint)]
}

/// Where an instance goes: a zone, and how many instances of the cluster are in that zone before it.
struct Seat {
    zone: Zone,
    before: usize,
}

/// One seat for each instance, over the zones in turn. Adding a zone or an instance at the end moves none of the others.
fn seats(settings: &Settings, context: &Context) -> Vec<Seat> {
    let zones = context.zone_names();
    let rounds =
        (0..).flat_map(|before| zones.iter().map(move |zone| Seat { zone: zone.clone(), before }));
    if zones.is_empty() {
        return Vec::new();
    }
    rounds.take(settings.instances as usize).collect()
}

/// A lone instance is gone with its zone, and the database with it, although the data is not.
fn placement(seats: &[Seat]) -> Placement {
    if let [only] = seats {
        return Placement::Zonal(only.zone.clone());
    }
    let zones = seats.iter().filter(|seat| seat.before == 0).map(|seat| seat.zone.clone());
    Placement::Replicated { zones: zones.collect(), failover: FAILOVER }
}

/// As the `rds` component has it, to the letter: a swap keeps the group as it is.
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

/// The cluster's parameter group. It belongs to one major version for good, so another major version gets another one, beside
/// the old one until the cluster has moved over.
fn parameter_group(settings: &Settings, cx: &RenderContext<'_>, name: &str) -> Resource {
    let major = settings.version.major;
    let mut parameters = Map::from_iter([(FORCE_SSL.to_owned(), json!("1"))]);
    parameters.extend(settings.parameters.iter().map(|(key, value)| (key.clone(), json!(value.0))));
    let spec = json!({
        "family": format!("{ENGINE}{major}"),
        "description": format!("Parameters of {name} for PostgreSQL {major}"),
        "parameters": parameters,
        "tags": {},
    });
    let id = cx.id(&format!("cluster-parameter-group-{major}"));
    Resource::new(id, PARAMETER_GROUP, spec).named(format!("{name}-{ENGINE}{major}"))
}

/// Where the password is, and the Secret that holds it when it is ours to make.
fn password(
    settings: &Settings,
    cx: &RenderContext<'_>,
    name: &str,
) -> (SecretKey, Option<Resource>) {
    let value = match &settings.password {
        Some(SecretRef::Secret(at)) => return (at.clone(), None),
        Some(reference) => secret(reference),
        None => generate(&Generator::Alphanumeric(PASSWORD_LENGTH)),
    };
    let at = SecretKey { name: name.to_owned(), key: PASSWORD_KEY.to_owned() };
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": cx.context.namespace },
        "type": "Opaque",
        "stringData": { PASSWORD_KEY: value },
    });
    let secret = Resource::manifest(cx.id("password"), manifest).holding(DataClass::Key);
    (at, Some(secret))
}

/// Everything of the cluster's specification that does not refer to other resources.
fn cluster_spec(settings: &Settings, context: &Context, name: &str) -> Map<String, Json> {
    let mut logs = settings.logs.clone();
    logs.sort_unstable();
    let logs: Vec<_> = logs.iter().map(|log| log.as_str()).collect();
    let spec = json!({
        "engine": ENGINE,
        "engine_version": settings.version.to_string(),
        "storage_type": settings.storage_type.as_str(),
        "database": settings.database(&context.stack),
        "master_username": settings.user(&context.stack),
        "port": settings.port,
        "subnet_group": name,
        "storage_encrypted": true,
        "backup_retention_days": settings.backup.days,
        "copy_tags_to_snapshot": true,
        "auto_minor_version_upgrade": settings.auto_minor_upgrade,
        "deletion_protection": settings.deletion_protection,
        // AWS bills extended support per vCPU and hour once standard support ends (domain.md 0.13).
        "engine_lifecycle_support": "open-source-rds-extended-support-disabled",
        "log_exports": logs,
        "apply": settings.apply.as_str(),
        "tags": {},
    });
    let window = |text: &String| text.parse::<DailyWindow>().ok().map(|w| json!(w.to_string()));
    let serverless = settings.serverless.map(|units| json!({"min": units.min, "max": units.max}));
    let optional = [
        ("serverless", serverless),
        ("kms_key_id", settings.kms_key_id.clone().map(Json::from)),
        ("backup_window", settings.backup.window.as_ref().and_then(window)),
        ("maintenance_window", maintenance_window(settings)),
        ("snapshot", settings.from_snapshot.clone().map(Json::from)),
    ];
    with_optional(spec, optional)
}

fn instance(settings: &Settings, cx: &RenderContext<'_>, cluster: &str, seat: &Seat) -> Resource {
    let zone = seat.zone.as_str();
    let (id, name) = match seat.before {
        0 => ("instance".to_owned(), format!("{cluster}-{zone}")),
        n => (format!("instance-{}", n + 1), format!("{cluster}-{zone}-{}", n + 1)),
    };
    let spec = json!({
        "engine": ENGINE,
        "cluster": cluster,
        "class": settings.class(),
        "availability_zone": zone,
        "publicly_accessible": false,
        "auto_minor_version_upgrade": settings.auto_minor_upgrade,
        "performance_insights": settings.performance_insights,
        "apply": settings.apply.as_str(),
        "tags": {},
    });
    let optional = [
        ("maintenance_window", maintenance_window(settings)),
        ("ca_certificate", settings.ca_certificate.clone().map(Json::from)),
    ];
    let spec = Json::Object(with_optional(spec, optional));
    Resource::new(cx.id(&id).in_zone(&seat.zone), INSTANCE, spec).named(name)
}

fn maintenance_window(settings: &Settings) -> Option<Json> {
    let window = settings.maintenance_window.as_ref()?.parse::<WeeklyWindow>().ok()?;
    Some(json!(window.to_string()))
}

fn with_optional<const N: usize>(
    spec: Json,
    optional: [(&str, Option<Json>); N],
) -> Map<String, Json> {
    let Json::Object(mut spec) = spec else { return Map::new() };
    spec.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    spec
}

#[cfg(test)]
mod tests;
