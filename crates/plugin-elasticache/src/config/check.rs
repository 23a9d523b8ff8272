//! Every rule that needs the settings only. All problems, not the first.
//!
//! Rules are those of CreateReplicationGroup (domain.md 5.5;
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html>).

use zonestack_aws::window::{self, Words};
use zonestack_core::diagnostic::Finding;
use zonestack_core::secret::SecretRef;

use super::SHORTEST_WINDOW;
use super::class::NodeClass;
use super::version::EngineVersion;
use super::{EVICTION, Engine, KEEP_ALL, Settings, Tls};

/// The code of every advisory of this component.
pub(crate) const ADVISORIES: [&str; 4] =
    ["eviction", "no-backups", "not-encrypted", "version-unknown"];

/// The versions of Redis OSS that ElastiCache makes in standard support, first and last: what came after 7.1 is Valkey.
const REDIS: (EngineVersion, EngineVersion) =
    (EngineVersion { major: 6, minor: 2 }, EngineVersion { major: 7, minor: 1 });
/// The first version of Valkey.
const FIRST_VALKEY: EngineVersion = EngineVersion { major: 7, minor: 2 };
/// The newest major version of Valkey that ElastiCache has (domain.md 5.5).
const NEWEST_VALKEY: u32 = 9;
/// The first version of Redis that takes encrypted and plain connections side by side.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption-enable.html>
const FIRST_PREFERRED: EngineVersion = EngineVersion { major: 7, minor: 0 };

/// How many replicas a primary may have. Without one there is nothing to fail over to.
const REPLICAS: std::ops::RangeInclusive<u32> = 1..=5;
/// How long snapshots may be kept, in days.
const BACKUP_DAYS: u32 = 35;
/// The longest name of a snapshot.
const SNAPSHOT_NAME: usize = 255;

/// Everything that is wrong with the settings, or that their owner should know.
pub(crate) fn check(settings: &Settings) -> Vec<Finding> {
    let rules = [
        version, class, replicas, port, tls, auth, backup, windows, kms, parameters, eviction,
        snapshot,
    ];
    rules.iter().flat_map(|rule| rule(settings)).collect()
}

fn version(settings: &Settings) -> Vec<Finding> {
    let (version, name) = (settings.version(), settings.engine.name());
    let error = |message: String, hint: &str| {
        vec![Finding::error("version-unsupported", "version", message).hint(hint)]
    };
    match settings.engine {
        Engine::Redis if version > REDIS.1 => error(
            format!("ElastiCache has {name} up to {} only", REDIS.1),
            "what came after it is engine: valkey; or leave version out",
        ),
        Engine::Redis if version < REDIS.0 => error(
            format!("{name} {version} is out of standard support, and GitLab needs 6.2 or later"),
            "leave version out for 7.1",
        ),
        Engine::Valkey if version < FIRST_VALKEY => error(
            format!("{name} {version} does not exist: the first version was {FIRST_VALKEY}"),
            "leave version out for 8.1",
        ),
        Engine::Valkey if version.major > NEWEST_VALKEY => {
            let message =
                format!("{name} {version} is newer than the versions that zonestack knows");
            let hint = format!(
                "the newest that it knows is {NEWEST_VALKEY}; ElastiCache decides when it makes it"
            );
            vec![Finding::advisory("version-unknown", "version", message).hint(hint)]
        }
        _ => Vec::new(),
    }
}

fn class(settings: &Settings) -> Vec<Finding> {
    let text = &settings.class;
    let error = |code, message: String, hint: String| {
        vec![Finding::error(code, "class", message).hint(hint)]
    };
    let Some(class) = NodeClass::parse(text) else {
        let hint = "write cache.FAMILY.SIZE, such as cache.m7g.large".to_owned();
        return error("class-invalid", format!("{text:?} is no node type"), hint);
    };
    if let Some(successor) = class.successor() {
        let message = format!("{text} is of a generation that ElastiCache makes no nodes of");
        return error("class-retired", message, format!("{successor} comes closest"));
    }
    if class.is_tiered() {
        let message = format!("{text} keeps data on disks, which this component does not set up");
        let hint = "take a node type of the r family without disks, such as cache.r7g.large";
        return error("class-tiered", message, hint.to_owned());
    }
    Vec::new()
}

fn replicas(settings: &Settings) -> Vec<Finding> {
    let given = settings.replicas.filter(|given| !REPLICAS.contains(given));
    given
        .map(|given| {
            let (least, most) = (REPLICAS.start(), REPLICAS.end());
            let message = format!("{given} replicas: ElastiCache takes {least} to {most}");
            let hint =
                "a failover needs one at least; leave replicas out for one in each further zone";
            Finding::error("replicas", "replicas", message).hint(hint)
        })
        .into_iter()
        .collect()
}

fn port(settings: &Settings) -> Vec<Finding> {
    let refused = (settings.port == 0).then(|| {
        Finding::error("port", "port", "0 is no TCP port".to_owned()).hint("such as 6379")
    });
    refused.into_iter().collect()
}

fn tls(settings: &Settings) -> Vec<Finding> {
    let version = settings.version();
    let too_old = settings.engine == Engine::Redis && version < FIRST_PREFERRED;
    if settings.tls == Tls::Preferred && too_old {
        let message = format!(
            "{} {version} takes either encrypted or plain connections, not both",
            settings.engine.name()
        );
        let hint = "write tls: required or tls: disabled, or take version \"7.0\" or later";
        return vec![Finding::error("tls-version", "tls", message).hint(hint)];
    }
    Vec::new()
}

fn auth(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    // "Transit encryption preferred is not supported with access control": a password would cross the network in clear text.
    if settings.auth && settings.tls != Tls::Required {
        let message = format!(
            "ElastiCache takes a password over encrypted connections only, and tls is {}",
            settings.tls.as_str()
        );
        let hint = "write tls: required, if every client can speak it (GitLab's image cannot); or leave auth out";
        findings.push(Finding::error("auth-without-tls", "auth", message).hint(hint));
    }
    let Some(reference) = &settings.auth_token else { return findings };
    if !settings.auth {
        let message = "a password is given, but auth is off".to_owned();
        let hint = "write auth: true, or leave authToken out";
        findings.push(Finding::error("auth-token-unused", "authToken", message).hint(hint));
    }
    let (path, empty) = match reference {
        SecretRef::Secret(at) => ("authToken.secret", at.name.is_empty() || at.key.is_empty()),
        SecretRef::Env(name) => ("authToken.env", name.is_empty()),
        SecretRef::File(name) => ("authToken.file", name.is_empty()),
    };
    if empty {
        let message = "the reference to the password is empty";
        findings.push(Finding::error("auth-token-reference", path, message));
    }
    findings
}

fn backup(settings: &Settings) -> Vec<Finding> {
    let days = settings.backup.days;
    let path = "backup.days";
    if days == 0 {
        let message =
            "there are no snapshots: sessions and queued jobs that are lost are lost for good";
        let hint = "write backup: { days: 7 }";
        return vec![Finding::advisory("no-backups", path, message).hint(hint)];
    }
    if days > BACKUP_DAYS {
        let message = format!("{days} days of snapshots: ElastiCache takes 0 to {BACKUP_DAYS}");
        return vec![Finding::error("backup-days", path, message)];
    }
    Vec::new()
}

fn windows(settings: &Settings) -> Vec<Finding> {
    let words = Words {
        service: "ElastiCache",
        daily: "snapshot",
        example: "03:00-04:00",
        touching: "03:30-04:30",
    };
    let (daily, weekly) = (&settings.backup.window, &settings.maintenance_window);
    window::findings::<SHORTEST_WINDOW>(words, daily.as_deref(), weekly.as_deref())
}

fn kms(settings: &Settings) -> Vec<Finding> {
    let error = |message: &str| Finding::error("kms-key", "kmsKeyId", message);
    match &settings.kms_key_id {
        Some(_) if !settings.encrypted => {
            vec![error("a key is given, but nothing is encrypted").hint("leave encrypted out")]
        }
        Some(key) if key.is_empty() || key.contains(char::is_whitespace) => {
            vec![error("this is no KMS key: write a key id, an ARN or alias/NAME")]
        }
        None if !settings.encrypted => {
            let message =
                "snapshots and what nodes write to disk are not encrypted, and never can be";
            let finding = Finding::advisory("not-encrypted", "encrypted", message);
            vec![finding.hint("leave encrypted out")]
        }
        _ => Vec::new(),
    }
}

fn parameters(settings: &Settings) -> Vec<Finding> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let refused = |name: &String| {
        if name.is_empty() || !name.chars().all(allowed) {
            let message = format!("{name:?} is no parameter name: small letters, digits, - and _");
            return Some(Finding::error("parameter-name", "parameters", message));
        }
        // The clients of redis/v1 speak to one primary.
        (name == "cluster-enabled").then(|| {
            let message = "this component makes replication groups without cluster mode, which no client of it speaks";
            Finding::error("cluster-mode", "parameters.cluster-enabled", message)
                .hint("leave cluster-enabled out")
        })
    };
    settings.parameters.keys().filter_map(refused).collect()
}

fn eviction(settings: &Settings) -> Vec<Finding> {
    let policy = settings.parameters.get(EVICTION).filter(|policy| policy.0 != KEEP_ALL);
    policy
        .map(|policy| {
            let message = format!(
                "with {}, a full memory throws out what it likes, queued jobs too; GitLab needs {KEEP_ALL}",
                policy.0
            );
            let path = format!("parameters.{EVICTION}");
            Finding::advisory("eviction", &path, message)
                .hint(format!("leave {EVICTION} out, unless only a cache is kept in it"))
        })
        .into_iter()
        .collect()
}

fn snapshot(settings: &Settings) -> Vec<Finding> {
    let Some(name) = &settings.from_snapshot else { return Vec::new() };
    // Automatic ones are called `automatic.git-cache-2026-11-23-05-00`.
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    if name.is_empty() || name.len() > SNAPSHOT_NAME || !name.chars().all(allowed) {
        let message = format!("{name:?} is no name of a snapshot");
        let hint = "aws elasticache describe-snapshots lists them";
        return vec![Finding::error("snapshot-name", "fromSnapshot", message).hint(hint)];
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
