//! What GitLab has to say about its surroundings: what it is wired to, and where it runs.

use zonestack_core::context::ZoneFacts;
use zonestack_core::diagnostic::Finding;
use zonestack_core::interface::PostgresService;

use crate::config::{Mode, certificate_region};
use crate::render::{Wired, sites};
use crate::storage;
use crate::versions::{NEWEST, Version, connections, postgres, redis_advice, redis_objection};

/// Every finding.
pub(crate) fn all(wired: &Wired<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    software(wired, &mut findings);
    database(wired, &mut findings);
    git(wired, &mut findings);
    zones(wired, &mut findings);
    capacity(wired, &mut findings);
    entrance(wired, &mut findings);
    findings
}

fn software(wired: &Wired<'_>, findings: &mut Vec<Finding>) {
    let Some(version) = Version::parse(&wired.settings.version) else { return };
    if version.major > NEWEST {
        findings.push(
            Finding::advisory(
                "untested-version",
                "version",
                format!("GitLab {version} is newer than zonestack's table of what it needs, which ends with {NEWEST}"),
            )
            .hint("look up what it needs; then write `acknowledge: [untested-version]` beside `use: gitlab`"),
        );
    }
    let supported = postgres(version.major);
    let (oldest, newest) = (supported.start(), supported.end());
    let major = wired.database.major;
    if !supported.contains(&major) {
        let wanted = if oldest == newest {
            format!("PostgreSQL {oldest}")
        } else {
            format!("PostgreSQL {oldest} to {newest}")
        };
        findings.push(
            Finding::error(
                "postgres-version",
                "version",
                format!("GitLab {version} needs {wanted}, and the database is PostgreSQL {major}"),
            )
            .hint(format!("set the database's version to {newest}")),
        );
    }
    let cache = wired.cache;
    if let Some(objection) = redis_objection(version.major, &cache.engine, cache.version) {
        let (major, minor) = cache.version;
        let message =
            format!("GitLab {version} {objection}; the cache is {} {major}.{minor}", cache.engine);
        findings.push(
            Finding::error("redis-version", "version", message)
                .hint(redis_advice(version.major, &cache.engine)),
        );
    }
    if cache.tls || cache.auth.is_some() {
        let what = if cache.tls { "TLS" } else { "a password" };
        findings.push(
            Finding::error(
                "redis-access",
                "",
                format!("the cache asks for {what}, which the GitLab image cannot give: it speaks plain Redis only"),
            )
            .hint("turn TLS and the password of the cache off, and let network rules guard it"),
        );
    }
}

fn database(wired: &Wired<'_>, findings: &mut Vec<Finding>) {
    match wired.database.service {
        PostgresService::Aurora => findings.push(
            Finding::advisory(
                "aurora",
                "",
                "GitLab does not support Amazon Aurora since 14.4: it is incompatible with GitLab's database load balancing",
            )
            .hint("use: rds; or, to keep it, write `acknowledge: [aurora]` beside `use: gitlab`"),
        ),
        PostgresService::RdsCluster => findings.push(
            Finding::advisory(
                "rds-cluster",
                "",
                "GitLab does not test nor recommend RDS Multi-AZ DB clusters; a Multi-AZ DB instance is supported",
            )
            .hint("to keep it, write `acknowledge: [rds-cluster]` beside `use: gitlab`"),
        ),
        PostgresService::RdsInstance | PostgresService::Other => {}
    }
    let size = &wired.database.size;
    // db.t3, db.t4g, whatever the service (domain.md 2.5).
    if size.strip_prefix("db.t").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        findings.push(
            Finding::advisory(
                "burstable-database",
                "",
                format!("{size} is a burstable class, which GitLab does not recommend: it gets slow when its credits are used up"),
            )
            .hint("a db.m or db.r class; or, to keep it, write `acknowledge: [burstable-database]` beside `use: gitlab`"),
        );
    }
    let Some(max) = wired.database.max_connections else { return };
    let (puma, sidekiq) = (wired.settings.puma, wired.settings.sidekiq);
    let each = connections(puma, sidekiq);
    let sites = sites(wired).len() as u64;
    let pods = if wired.cx.context.is_nominal { sites.min(2) } else { sites };
    // One in ten stays free for backups, migrations and a person with psql.
    let budget = u64::from(max) * 9 / 10;
    if each * pods > budget {
        findings.push(
            Finding::error(
                "too-many-connections",
                "puma",
                format!(
                    "{pods} GitLabs may open {each} database connections each, {} in all; {} accepts {max}, of which {budget} \
                     may be used",
                    each * pods,
                    wired.database.size
                ),
            )
            .hint(format!(
                "a larger database class, or less of puma.workers ({}), puma.threads ({}), sidekiq.concurrency ({})",
                puma.workers, puma.threads, sidekiq.concurrency
            )),
        );
    }
}

fn git(wired: &Wired<'_>, findings: &mut Vec<Finding>) {
    let service = &wired.storage.service;
    findings.push(
        Finding::advisory(
            "git-on-nfs",
            "",
            format!("GitLab does not support Git repositories on NFS ({service}) since 15.6: expect slow Git operations"),
        )
        .hint("once you know, write `acknowledge: [git-on-nfs]` beside `use: gitlab`; for large repositories take GitLab's own chart with Gitaly on EBS"),
    );
    let pods = sites(wired).len();
    if pods > 1 {
        findings.push(
            Finding::advisory(
                "shared-gitaly",
                "mode",
                format!(
                    "{pods} GitLabs run over one file system, each with its own Gitaly, which GitLab does not support: a \
                     repository may break when two of them write it at once"
                ),
            )
            .hint("mode: failover runs one at a time; or, once you know, write `acknowledge: [shared-gitaly]` beside `use: gitlab`"),
        );
    }
}

fn zones(wired: &Wired<'_>, findings: &mut Vec<Finding>) {
    let (context, storage) = (wired.cx.context, wired.storage);
    let several = context.zones.len() > 1;
    if storage.endpoints.is_empty() && storage.csi.is_none() {
        let message = format!("{} has no endpoint in any zone", storage.service);
        findings.push(Finding::error("no-endpoint", "", message));
    } else if !storage.regional && several {
        findings.push(
            Finding::advisory(
                "storage-one-zone",
                "",
                format!(
                    "{} is in one zone: when that zone is lost, every GitLab stands still",
                    storage.service
                ),
            )
            .hint("a regional file system survives it; or write `acknowledge: [storage-one-zone]` beside `use: gitlab`"),
        );
    } else if storage.csi.is_none() {
        for facts in
            context.zones.iter().filter(|facts| !storage.endpoints.contains_key(&facts.zone))
        {
            let message = format!("{} has no endpoint in zone {}", storage.service, facts.zone);
            findings.push(Finding::error("no-endpoint", "", message));
        }
    }
    if wired.settings.mode == Mode::Failover && several && storage::is_bound_to_one_zone(wired) {
        findings.push(
            Finding::advisory(
                "storage-zone-bound",
                "mode",
                format!(
                    "{} has no name that serves every zone: GitLab mounts it through its first zone, wherever it runs, and stands \
                     still when that zone is lost",
                    storage.service
                ),
            )
            .hint("mode: active mounts it in each zone; or write `acknowledge: [storage-zone-bound]` beside `use: gitlab`"),
        );
    }
    if let Some(wanted) = &wired.settings.backup.zone {
        let names: Vec<&str> = context.zones.iter().map(|facts| facts.zone.as_str()).collect();
        if !names.contains(&wanted.as_str()) && !context.is_nominal {
            findings.push(
                Finding::error(
                    "unknown-zone",
                    "backup.zone",
                    format!("{wanted:?} is no zone of this stack"),
                )
                .hint(format!("one of {}", names.join(", "))),
            );
        }
    }
}

/// Whether the zones can carry their pods.
fn capacity(wired: &Wired<'_>, findings: &mut Vec<Finding>) {
    let context = wired.cx.context;
    if context.is_nominal {
        return;
    }
    let requests = &wired.settings.resources.requests;
    let memory = requests.memory.bytes().unwrap_or_default();
    let cpu = requests.cpu.millis().unwrap_or_default();
    let carries =
        |facts: &&ZoneFacts| facts.largest_node_memory >= memory && facts.cpu_millis >= cpu;
    let any = context.zones.iter().any(|facts| carries(&facts));
    if wired.settings.mode == Mode::Failover && any {
        return;
    }
    // A zone that has lost its nodes is told by the core; what runs elsewhere must not be refused for it.
    for facts in context.zones.iter().filter(|facts| facts.nodes > 0 && !carries(facts)) {
        let (path, asked, offered) = if facts.largest_node_memory < memory {
            let offered = format!(
                "its largest node offers {} MiB of memory",
                facts.largest_node_memory >> 20
            );
            ("resources.requests.memory", format!("{} MiB", memory >> 20), offered)
        } else {
            let offered =
                format!("its nodes offer {} thousandths of a core together", facts.cpu_millis);
            ("resources.requests.cpu", format!("{cpu} thousandths of a core"), offered)
        };
        findings.push(
            Finding::error(
                "zone-too-small",
                path,
                format!(
                    "GitLab asks for {asked}, and zone {} cannot carry it: {offered}",
                    facts.zone
                ),
            )
            .hint("add a larger node there, leave the zone out with `zones`, or ask for less"),
        );
    }
}

fn entrance(wired: &Wired<'_>, findings: &mut Vec<Finding>) {
    let context = wired.cx.context;
    let Some(https) = &wired.settings.https else {
        findings.push(
            Finding::advisory("plain-http", "https", "passwords and code cross the network in clear text")
                .hint("https: {certificate: ARN} of AWS Certificate Manager; or write `acknowledge: [plain-http]` beside `use: gitlab`"),
        );
        return;
    };
    if let Some((partition, region)) = certificate_region(&https.certificate)
        && (partition, region) != (context.partition.as_str(), context.region.as_str())
    {
        findings.push(
            Finding::error(
                "certificate-elsewhere",
                "https.certificate",
                format!(
                    "the certificate is in {region}, and the load balancer in {}",
                    context.region
                ),
            )
            .hint(format!(
                "a load balancer takes certificates of its own region: request one in {}",
                context.region
            )),
        );
    }
}
