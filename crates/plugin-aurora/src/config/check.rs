//! Every rule that needs the settings only. All problems, not the first.
//!
//! Rules are those of CreateDBCluster and CreateDBInstance (domain.md 4.3 and 4.8) and of the user guide,
//! <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.html>.

use std::ops::RangeInclusive;

use zonestack_aws::postgres::class::InstanceClass;
use zonestack_aws::postgres::name::{database_refusal, user_refusal};
use zonestack_aws::postgres::window_findings;
use zonestack_core::diagnostic::Finding;
use zonestack_core::secret::SecretRef;

use super::capacity::{LEAST_MAX, MOST, is_in_steps};
use super::{SERVERLESS_CLASS, Settings};

/// The code of every advisory of this component.
pub(crate) const ADVISORIES: [&str; 2] = ["version-ageing", "version-unknown"];

/// The oldest major version that zonestack makes. AWS still sells older ones under extended support only, which zonestack
/// switches off.
const OLDEST: u32 = 13;
/// Major versions up to this one are past the end of Aurora's standard support (13: 28 February 2026).
const PAST_STANDARD_SUPPORT: u32 = 13;
/// The newest major version that Aurora has (domain.md 4.8).
const NEWEST: u32 = 18;
/// The minor versions that a major one began with on Aurora: (major, minor) (domain.md 4.8).
const FIRST_MINORS: [(u32, u32); 2] = [(17, 4), (18, 3)];

/// One that writes and fifteen that read.
const MOST_INSTANCES: u32 = 16;

/// Everything that is wrong with the settings, or that their owner should know.
pub(crate) fn check(settings: &Settings) -> Vec<Finding> {
    let rules = [
        version,
        class,
        serverless,
        instances,
        names,
        password,
        port,
        backup,
        windows,
        kms,
        parameters,
        logs,
        certificate,
        snapshot,
    ];
    rules.iter().flat_map(|rule| rule(settings)).collect()
}

fn version(settings: &Settings) -> Vec<Finding> {
    let version = settings.version;
    let path = "version";
    if version.major < OLDEST {
        let message =
            format!("PostgreSQL {version} is out of support: AWS would bill extended support");
        return vec![
            Finding::error("version-unsupported", path, message).hint("write version: 17"),
        ];
    }
    if version.major <= PAST_STANDARD_SUPPORT {
        let message = format!(
            "Aurora's standard support for PostgreSQL {} has ended. zonestack does not buy extended support, so AWS moves the \
             cluster to a newer major version by itself",
            version.major
        );
        return vec![Finding::advisory("version-ageing", path, message).hint("write version: 17")];
    }
    if version.major > NEWEST {
        let message = format!(
            "PostgreSQL {version} is newer than the versions of Aurora that zonestack knows"
        );
        let hint = format!(
            "the newest that it knows is {NEWEST}; Aurora decides when it makes the cluster"
        );
        return vec![Finding::advisory("version-unknown", path, message).hint(hint)];
    }
    let first = FIRST_MINORS.iter().find(|(major, _)| *major == version.major);
    match (first, version.minor) {
        (Some((major, first)), Some(minor)) if minor < *first => {
            let message = format!(
                "Aurora has no PostgreSQL {version}: its {major} began with {major}.{first}"
            );
            let hint = format!("write version: {major}, or \"{major}.{first}\" or later");
            vec![Finding::error("version-unsupported", path, message).hint(hint)]
        }
        _ => Vec::new(),
    }
}

fn class(settings: &Settings) -> Vec<Finding> {
    let Some(text) = &settings.class else { return Vec::new() };
    if settings.serverless.is_some() {
        let message = "serverless instances have no class of their own";
        let hint = "leave class out, or leave serverless out";
        return vec![Finding::error("class-of-serverless", "class", message).hint(hint)];
    }
    if text == SERVERLESS_CLASS {
        let message = format!("{SERVERLESS_CLASS} needs to know its capacities");
        let hint = "write serverless: { min: 1, max: 8 } in place of class";
        return vec![Finding::error("class-invalid", "class", message).hint(hint)];
    }
    let Some(class) = InstanceClass::parse(text) else {
        let message = format!("{text:?} is no instance class");
        let hint = "write db.FAMILY.SIZE, such as db.r7g.large";
        return vec![Finding::error("class-invalid", "class", message).hint(hint)];
    };
    // Before the retired ones: the successor of an `m` class would be refused as well.
    if !class.family().starts_with(['r', 't', 'x']) {
        let message = format!("{text} is of a family that Aurora does not have");
        let hint = match class.family().as_bytes() {
            [b'm', b'0'..=b'9', ..] => {
                "db.r7g.large has the CPUs of db.m7g.large and twice its memory"
            }
            _ => "Aurora has db.r, db.t and db.x classes, such as db.r7g.large",
        };
        return vec![Finding::error("class-not-of-aurora", "class", message).hint(hint)];
    }
    class
        .successor()
        .map(|successor| {
            let message = format!(
                "{text} is of a generation that Aurora does not offer for PostgreSQL {}",
                settings.version
            );
            Finding::error("class-retired", "class", message)
                .hint(format!("{successor} has the same size"))
        })
        .into_iter()
        .collect()
}

fn serverless(settings: &Settings) -> Vec<Finding> {
    let Some(capacity) = settings.serverless else { return Vec::new() };
    let mut findings = Vec::new();
    let mut refuse = |path: &str, message: String| {
        findings.push(Finding::error("serverless-capacity", path, message));
    };
    let bounds =
        [("serverless.min", capacity.min, 0.0), ("serverless.max", capacity.max, LEAST_MAX)];
    for (path, units, least) in bounds {
        if !(least..=MOST).contains(&units) {
            refuse(path, format!("{units} ACUs: Aurora takes {least} to {MOST}"));
        } else if !is_in_steps(units) {
            refuse(path, format!("{units} ACUs: Aurora counts in steps of 0.5"));
        }
    }
    if capacity.min > capacity.max {
        let message = format!("min is {} ACUs, more than max: {}", capacity.min, capacity.max);
        refuse("serverless.min", message);
    }
    findings
}

fn instances(settings: &Settings) -> Vec<Finding> {
    let instances = settings.instances;
    let error = |message: String| Finding::error("instances", "instances", message);
    if !(1..=MOST_INSTANCES).contains(&instances) {
        let message = format!("{instances} instances: a cluster has 1 to {MOST_INSTANCES}");
        return vec![error(message).hint("write instances: 2")];
    }
    if instances == 1 && !settings.allow_single_instance {
        let message = "with one instance the database stands still when its zone is lost";
        let hint = "write instances: 2; or, once you know, allowSingleInstance: true";
        return vec![error(message.to_owned()).hint(hint)];
    }
    Vec::new()
}

fn names(settings: &Settings) -> Vec<Finding> {
    let database = settings.database.as_ref().and_then(|name| {
        let message = format!("the database name {name:?} {}", database_refusal(name)?);
        Some(Finding::error("database-name", "database", message))
    });
    let user = settings.user.as_ref().and_then(|name| {
        let message = format!("the user name {name:?} {}", user_refusal(name)?);
        Some(Finding::error("user-name", "user", message))
    });
    database.into_iter().chain(user).collect()
}

fn password(settings: &Settings) -> Vec<Finding> {
    let (path, empty) = match &settings.password {
        Some(SecretRef::Secret(at)) => ("password.secret", at.name.is_empty() || at.key.is_empty()),
        Some(SecretRef::Env(name)) => ("password.env", name.is_empty()),
        Some(SecretRef::File(name)) => ("password.file", name.is_empty()),
        None => return Vec::new(),
    };
    let finding =
        Finding::error("password-reference", path, "the reference to the password is empty");
    if empty { vec![finding] } else { Vec::new() }
}

fn in_range(
    code: &'static str,
    path: &str,
    given: u32,
    range: RangeInclusive<u32>,
    of: &str,
) -> Option<Finding> {
    (!range.contains(&given)).then(|| {
        let message = format!("{given} {of}: Aurora takes {} to {}", range.start(), range.end());
        Finding::error(code, path, message)
    })
}

fn port(settings: &Settings) -> Vec<Finding> {
    let port = u32::from(settings.port);
    in_range("port", "port", port, 1150..=65_535, "as TCP port").into_iter().collect()
}

fn backup(settings: &Settings) -> Vec<Finding> {
    let days = settings.backup.days;
    in_range("backup-days", "backup.days", days, 1..=35, "days of backups").into_iter().collect()
}

fn windows(settings: &Settings) -> Vec<Finding> {
    let (daily, weekly) = (&settings.backup.window, &settings.maintenance_window);
    window_findings(daily.as_deref(), weekly.as_deref())
}

fn kms(settings: &Settings) -> Vec<Finding> {
    let refused = settings
        .kms_key_id
        .iter()
        .filter(|key| key.is_empty() || key.contains(char::is_whitespace));
    refused
        .map(|_| {
            let message = "this is no KMS key: write a key id, an ARN or alias/NAME";
            Finding::error("kms-key", "kmsKeyId", message)
        })
        .collect()
}

fn parameters(settings: &Settings) -> Vec<Finding> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
    let refused = |name: &str| {
        (name.is_empty() || !name.chars().all(allowed)).then(|| {
            let message = format!("{name:?} is no parameter name: small letters, digits, _ and .");
            Finding::error("parameter-name", "parameters", message)
        })
    };
    settings.parameters.keys().filter_map(|name| refused(name)).collect()
}

fn logs(settings: &Settings) -> Vec<Finding> {
    let twice = settings.logs.iter().enumerate().find(|(i, log)| settings.logs[..*i].contains(log));
    twice
        .map(|(index, log)| {
            let message = format!("{} stands here twice", log.as_str());
            Finding::error("log-twice", &format!("logs.{index}"), message)
        })
        .into_iter()
        .collect()
}

fn certificate(settings: &Settings) -> Vec<Finding> {
    let refused = settings.ca_certificate.as_ref().filter(|name| !name.starts_with("rds-ca-"));
    refused
        .map(|name| {
            let message = format!("{name:?} is no certificate authority of RDS");
            Finding::error("ca-certificate", "caCertificate", message)
                .hint("rds-ca-rsa2048-g1, rds-ca-rsa4096-g1 or rds-ca-ecc384-g1")
        })
        .into_iter()
        .collect()
}

/// A name (those of automated snapshots begin with `rds:`) or an ARN.
fn snapshot(settings: &Settings) -> Vec<Finding> {
    let Some(text) = &settings.from_snapshot else { return Vec::new() };
    let name = text.strip_prefix("rds:").unwrap_or(text);
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(word);
    let is_arn = text.starts_with("arn:")
        && (text.contains(":cluster-snapshot:") || text.contains(":snapshot:"))
        && !text.contains(char::is_whitespace);
    if is_name || is_arn {
        return Vec::new();
    }
    let message = format!("{text:?} is no snapshot");
    let hint = "write the name or ARN of a DB cluster snapshot (aws rds describe-db-cluster-snapshots), or the ARN of a DB snapshot";
    vec![Finding::error("snapshot-name", "fromSnapshot", message).hint(hint)]
}

#[cfg(test)]
mod tests;
