//! What an `rds` component makes: a security group, a subnet group over all zones, a password, one instance. Pure.

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
use zonestack_core::value::{Ref, Value, generate, secret};

use crate::config::Settings;
use crate::driver::{INSTANCE, PARAMETER_GROUP, PARAMETER_GROUP_INFIX, SUBNET_GROUP};

/// How long the standby takes to take over: 60 to 120 seconds (domain.md 4.4).
const FAILOVER: Duration = Duration::from_mins(2);
/// Letters and digits of a generated password (domain.md, section 9).
const PASSWORD_LENGTH: u16 = 32;
/// The key of the password in its Secret.
const PASSWORD_KEY: &str = "password";

/// Resources, export and findings. Instances live in one VPC and over every zone of the stack.
pub(crate) fn render(settings: &Settings, cx: &RenderContext<'_>) -> Rendered {
    let name = cx.physical_name();
    let context = cx.context;
    let (password_at, password) = password(settings, cx, &name);
    let guard = security_group::from_nodes(
        cx.id("security-group"),
        &name,
        context,
        settings.port,
        "PostgreSQL",
    );
    let subnets = subnet_group(cx, &name);
    let parameters = parameter_group(settings, cx, &name);

    let mut spec = instance_spec(settings, context, &name);
    spec.insert("master_password".to_owned(), secret(&SecretRef::Secret(password_at.clone())));
    spec.insert("security_groups".to_owned(), json!([Ref::new(&guard.id, "id")]));
    let mut instance = Resource::new(cx.id("instance"), INSTANCE, Json::Null)
        .named(&name)
        .holding(DataClass::Data)
        .placed(placement(settings, context))
        .after(&guard.id, Until::Exists)
        .after(&subnets.id, Until::Exists);
    if let Some(group) = &parameters {
        // Ready, not only there: parameters that PostgreSQL reads at its start must be set before it starts.
        instance = instance.after(&group.id, Until::Ready);
        spec.insert("parameter_group".to_owned(), json!(group.name));
    }
    if let Some(password) = &password {
        instance = instance.after(&password.id, Until::Exists);
    }
    instance.spec = Value::from(Json::Object(spec));

    let export = Postgres {
        service: PostgresService::RdsInstance,
        host: Ref::new(&instance.id, "address").into(),
        port: settings.port,
        database: settings.database(&context.stack),
        user: settings.user(&context.stack),
        password: password_at.clone(),
        major: settings.version.major,
        max_connections: settings.max_connections(),
        size: settings.class.clone(),
        needs: vec![ready(&instance.id)],
    };
    let outputs = vec![
        ("endpoint".to_owned(), export.host.clone()),
        ("database".to_owned(), export.database.clone().into()),
        ("user".to_owned(), export.user.clone().into()),
        (
            "password".to_owned(),
            format!("Secret {}/{}, key {}", context.namespace, password_at.name, password_at.key)
                .into(),
        ),
    ];
    let resources = [Some(guard), Some(subnets), parameters, password, Some(instance)];
    Rendered {
        resources: resources.into_iter().flatten().collect(),
        exports: vec![Export::Postgres(export)],
        findings: findings(settings, context),
        outputs,
    }
}

/// What only the zones can tell.
fn findings(settings: &Settings, context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names: Vec<_> = context.zones.iter().map(|facts| facts.zone.as_str()).collect();
    if let [only] = names.as_slice() {
        // RDS asks for two even for an instance without a standby (domain.md 4.3).
        let message =
            format!("RDS needs subnets in at least two zones; this stack has one: {only}");
        let hint = "if the stack file lists `zones`, add one that has worker nodes; if it does not, the cluster has worker nodes \
                    in this zone only: add some in another (an instance group or a node group there)";
        findings.push(Finding::error("zones", "", message).hint(hint));
    }
    // The zones of a nominal context may be made up.
    if let Some(zone) = &settings.zone
        && !context.is_nominal
        && !names.contains(&zone.as_str())
    {
        let message = format!("{zone} is not among the zones of this stack: {}", names.join(", "));
        let hint = "leave zone out for the first of them, or add it to the stack's zones";
        findings.push(Finding::error("zone-unknown", "zone", message).hint(hint));
    }
    findings
}

/// The zone of an instance without a standby. Chosen by us, so that what its loss means is known beforehand.
fn only_zone(settings: &Settings, context: &Context) -> Option<Zone> {
    if settings.multi_az {
        return None;
    }
    let wanted = settings.zone.as_deref();
    let chosen = context.zones.iter().find(|facts| Some(facts.zone.as_str()) == wanted);
    chosen.or_else(|| context.zones.first()).map(|facts| facts.zone.clone())
}

fn placement(settings: &Settings, context: &Context) -> Placement {
    match only_zone(settings, context) {
        Some(zone) => Placement::Zonal(zone),
        // Two of the zones have a copy at a time. Which two, RDS decides, and it makes a new standby in a third when one
        // is lost: so the loss of any zone is survived.
        None => Placement::Replicated { zones: context.zone_names(), failover: FAILOVER },
    }
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

/// The parameter group, when there are parameters. It belongs to one major version for good, so another major version gets
/// another one, beside the old one until the instance has moved over.
fn parameter_group(settings: &Settings, cx: &RenderContext<'_>, name: &str) -> Option<Resource> {
    if settings.parameters.is_empty() {
        return None;
    }
    let major = settings.version.major;
    let parameters: Map<_, _> =
        settings.parameters.iter().map(|(key, value)| (key.clone(), json!(value.0))).collect();
    let spec = json!({
        "family": format!("postgres{major}"),
        "description": format!("Parameters of {name} for PostgreSQL {major}"),
        "parameters": parameters,
        "tags": {},
    });
    let id = cx.id(&format!("parameter-group-{major}"));
    Some(
        Resource::new(id, PARAMETER_GROUP, spec)
            .named(format!("{name}{PARAMETER_GROUP_INFIX}{major}")),
    )
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

/// Everything of the instance's specification that does not refer to other resources.
fn instance_spec(settings: &Settings, context: &Context, name: &str) -> Map<String, Json> {
    let mut logs = settings.logs.clone();
    logs.sort_unstable();
    let logs: Vec<_> = logs.iter().map(|log| log.as_str()).collect();
    let spec = json!({
        "engine": "postgres",
        "engine_version": settings.version.to_string(),
        "class": settings.class,
        "allocated_storage": settings.storage,
        "max_allocated_storage": settings.ceiling(),
        "storage_type": settings.storage_type.as_str(),
        "multi_az": settings.multi_az,
        "database": settings.database(&context.stack),
        "master_username": settings.user(&context.stack),
        "port": settings.port,
        "subnet_group": name,
        "publicly_accessible": false,
        "storage_encrypted": settings.encrypted,
        "automated_backups": settings.backup.days > 0,
        "backup_retention_days": settings.backup.days,
        "copy_tags_to_snapshot": true,
        "auto_minor_version_upgrade": settings.auto_minor_upgrade,
        "deletion_protection": settings.deletion_protection,
        // RDS bills extended support per vCPU and hour once standard support ends (domain.md 0.13).
        "engine_lifecycle_support": "open-source-rds-extended-support-disabled",
        "log_exports": logs,
        "performance_insights": settings.performance_insights,
        "apply": settings.apply.as_str(),
        "tags": {},
    });
    let window =
        |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<DailyWindow>().ok());
    let weekly =
        |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<WeeklyWindow>().ok());
    let optional = [
        ("iops", settings.iops.map(Json::from)),
        ("storage_throughput", settings.throughput.map(Json::from)),
        ("availability_zone", only_zone(settings, context).map(|zone| json!(zone.as_str()))),
        ("kms_key_id", settings.kms_key_id.clone().map(Json::from)),
        ("backup_window", window(&settings.backup.window).map(|w| json!(w.to_string()))),
        ("maintenance_window", weekly(&settings.maintenance_window).map(|w| json!(w.to_string()))),
        ("ca_certificate", settings.ca_certificate.clone().map(Json::from)),
    ];
    let Json::Object(mut spec) = spec else { return Map::new() };
    spec.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    spec
}

#[cfg(test)]
mod tests;
