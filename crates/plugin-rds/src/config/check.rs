//! Every rule that needs the settings only. All problems, not the first.
//!
//! Rules are those of CreateDBInstance (domain.md 4.3) and of the user guide,
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html>.

use std::ops::RangeInclusive;

use zonestack_aws::postgres::class::InstanceClass;
use zonestack_aws::postgres::name::{database_refusal, user_refusal};
use zonestack_aws::postgres::window_findings;
use zonestack_core::diagnostic::Finding;
use zonestack_core::secret::SecretRef;

use super::scalar::Ceiling;
use super::{MAX_STORAGE, Settings, StorageType};

/// The code of every advisory of this component.
pub(crate) const ADVISORIES: [&str; 5] =
    ["no-backups", "not-encrypted", "version-ageing", "version-retired", "version-unknown"];

/// The oldest major version that zonestack makes. RDS still sells older ones under extended support only, which zonestack
/// switches off.
const OLDEST: u32 = 13;
/// Major versions up to this one are past the end of RDS's standard support (13: 28 February 2026).
const PAST_STANDARD_SUPPORT: u32 = 13;
/// The newest major version that RDS has (domain.md 4.1).
const NEWEST: u32 = 18;
/// First minor versions that RDS still makes, since 1 May 2026: (major, minor) (domain.md 4.1).
const FIRST_MINORS: [(u32, u32); 2] = [(16, 9), (17, 5)];

/// From this size on, in GiB, gp3 has more than its fixed 3000 IOPS and 125 MiB/s, and both can be set.
const GP3_SETTABLE: u32 = 400;

/// The least ceiling over a storage: 10 % more, rounded up.
pub(super) fn least_ceiling(storage: u32) -> u32 {
    storage.saturating_add(storage.div_ceil(10))
}

/// Everything that is wrong with the settings, or that their owner should know.
pub(crate) fn check(settings: &Settings) -> Vec<Finding> {
    let rules = [
        version,
        class,
        storage,
        iops,
        throughput,
        zone,
        names,
        password,
        port,
        backup,
        windows,
        kms,
        parameters,
        logs,
        certificate,
    ];
    rules.iter().flat_map(|rule| rule(settings)).collect()
}

fn version(settings: &Settings) -> Vec<Finding> {
    let version = settings.version;
    let path = "version";
    if version.major < OLDEST {
        let message =
            format!("PostgreSQL {version} is out of support: RDS would bill extended support");
        let hint = "write version: 17 (GitLab 19 wants 17)";
        return vec![Finding::error("version-unsupported", path, message).hint(hint)];
    }
    if version.major <= PAST_STANDARD_SUPPORT {
        let message = format!(
            "RDS's standard support for PostgreSQL {} has ended. zonestack does not buy extended support, so RDS moves the \
             instance to a newer major version by itself",
            version.major
        );
        return vec![Finding::advisory("version-ageing", path, message).hint("write version: 17")];
    }
    if version.major > NEWEST {
        let message =
            format!("PostgreSQL {version} is newer than the versions that zonestack knows");
        let hint =
            format!("the newest that it knows is {NEWEST}; RDS decides when it makes the instance");
        return vec![Finding::advisory("version-unknown", path, message).hint(hint)];
    }
    let first = FIRST_MINORS.iter().find(|(major, _)| *major == version.major);
    match (first, version.minor) {
        (Some((major, first)), Some(minor)) if minor < *first => {
            let message = format!(
                "RDS makes no new instance with PostgreSQL {version} any more; one that runs it already will be upgraded"
            );
            let hint = format!("write version: {major}, or \"{major}.{first}\" or later");
            vec![Finding::advisory("version-retired", path, message).hint(hint)]
        }
        _ => Vec::new(),
    }
}

fn class(settings: &Settings) -> Vec<Finding> {
    let text = &settings.class;
    let Some(class) = InstanceClass::parse(text) else {
        let message = format!("{text:?} is no instance class");
        let hint = "write db.FAMILY.SIZE, such as db.m7g.large";
        return vec![Finding::error("class-invalid", "class", message).hint(hint)];
    };
    class
        .successor()
        .map(|successor| {
            let message = format!(
                "{text} is of a generation that RDS does not offer for PostgreSQL {}",
                settings.version
            );
            Finding::error("class-retired", "class", message)
                .hint(format!("{successor} has the same size"))
        })
        .into_iter()
        .collect()
}

fn storage(settings: &Settings) -> Vec<Finding> {
    let least = match settings.storage_type {
        StorageType::Gp3 | StorageType::Gp2 => 20,
        StorageType::Io1 | StorageType::Io2 => 100,
    };
    let mut findings = Vec::new();
    if !(least..=MAX_STORAGE).contains(&settings.storage) {
        let message = format!(
            "{} GiB of {} storage: RDS takes {least} to {MAX_STORAGE}",
            settings.storage,
            settings.storage_type.as_str()
        );
        findings.push(Finding::error("storage-size", "storage", message));
    }
    if let Some(Ceiling::Gib(ceiling)) = settings.max_storage {
        let least = least_ceiling(settings.storage);
        let off = "write maxStorage: off if storage shall not grow by itself";
        if ceiling > MAX_STORAGE {
            let message = format!("{ceiling} GiB is more than the {MAX_STORAGE} that RDS takes");
            findings.push(Finding::error("max-storage", "maxStorage", message));
        } else if ceiling < least {
            let message = format!(
                "{ceiling} GiB must be at least 10 % more than storage: {least} for {}",
                settings.storage
            );
            findings.push(Finding::error("max-storage", "maxStorage", message).hint(off));
        }
    }
    findings
}

fn in_range(
    code: &'static str,
    path: &str,
    given: u32,
    range: RangeInclusive<u32>,
    of: &str,
) -> Option<Finding> {
    (!range.contains(&given)).then(|| {
        let message = format!("{given} {of}: RDS takes {} to {}", range.start(), range.end());
        Finding::error(code, path, message)
    })
}

fn iops(settings: &Settings) -> Vec<Finding> {
    let (storage, sort) = (settings.storage, settings.storage_type);
    let name = sort.as_str();
    let error = |message: String| Some(Finding::error("iops", "iops", message));
    let ratio = |iops: u32, most: u32| {
        let allowed = storage.saturating_mul(most);
        let message = format!(
            "{iops} IOPS for {storage} GiB of {name}: at most {most} for each GiB, {allowed}"
        );
        if iops > allowed { error(message) } else { None }
    };
    let finding = match (sort, settings.iops) {
        (StorageType::Gp3 | StorageType::Gp2, None) => None,
        (StorageType::Gp3, Some(_)) if storage < GP3_SETTABLE => {
            error(format!("gp3 under {GP3_SETTABLE} GiB always has 3000 IOPS, which cannot be set"))
                .map(|finding| finding.hint("leave iops out"))
        }
        (StorageType::Gp3, Some(iops)) => in_range("iops", "iops", iops, 12_000..=64_000, "IOPS"),
        (StorageType::Gp2, Some(_)) => {
            error("the IOPS of gp2 follow from its size and cannot be set".to_owned())
                .map(|finding| finding.hint("leave iops out, or write storageType: gp3"))
        }
        (StorageType::Io1 | StorageType::Io2, None) => {
            error(format!("{name} needs iops: 1000 to 256000"))
        }
        (StorageType::Io1, Some(iops)) => {
            in_range("iops", "iops", iops, 1000..=256_000, "IOPS").or_else(|| ratio(iops, 50))
        }
        (StorageType::Io2, Some(iops)) => {
            in_range("iops", "iops", iops, 1000..=256_000, "IOPS").or_else(|| ratio(iops, 1000))
        }
    };
    finding.into_iter().collect()
}

fn throughput(settings: &Settings) -> Vec<Finding> {
    let Some(throughput) = settings.throughput else { return Vec::new() };
    let error = |message: String| Some(Finding::error("throughput", "throughput", message));
    let finding = if settings.storage_type != StorageType::Gp3 {
        let name = settings.storage_type.as_str();
        error(format!("the throughput of {name} cannot be set"))
            .map(|f| f.hint("leave throughput out"))
    } else if settings.storage < GP3_SETTABLE {
        error(format!("gp3 under {GP3_SETTABLE} GiB always has 125 MiB/s, which cannot be set"))
            .map(|finding| finding.hint("leave throughput out"))
    } else {
        in_range("throughput", "throughput", throughput, 500..=4000, "MiB/s").or_else(|| {
            let most = settings.iops.unwrap_or(12_000) / 4;
            let message =
                format!("{throughput} MiB/s need {} IOPS: four for each MiB/s", throughput * 4);
            if throughput > most { error(message).map(|f| f.hint("raise iops")) } else { None }
        })
    };
    finding.into_iter().collect()
}

fn zone(settings: &Settings) -> Vec<Finding> {
    if settings.multi_az && settings.zone.is_some() {
        let message = "with multiAz, RDS chooses the zones of the instance and its standby";
        let hint = "leave zone out, or write multiAz: false";
        return vec![Finding::error("zone-of-multi-az", "zone", message).hint(hint)];
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

fn port(settings: &Settings) -> Vec<Finding> {
    let port = u32::from(settings.port);
    in_range("port", "port", port, 1150..=65_535, "as TCP port").into_iter().collect()
}

fn backup(settings: &Settings) -> Vec<Finding> {
    let days = settings.backup.days;
    if days == 0 {
        let message = "there are no backups: what is lost in the database is lost for good";
        let hint = "write backup: { days: 14 }";
        return vec![Finding::advisory("no-backups", "backup.days", message).hint(hint)];
    }
    in_range("backup-days", "backup.days", days, 0..=35, "days of backups").into_iter().collect()
}

fn windows(settings: &Settings) -> Vec<Finding> {
    let (daily, weekly) = (&settings.backup.window, &settings.maintenance_window);
    window_findings(daily.as_deref(), weekly.as_deref())
}

fn kms(settings: &Settings) -> Vec<Finding> {
    let error = |message: &str| Finding::error("kms-key", "kmsKeyId", message);
    match &settings.kms_key_id {
        Some(_) if !settings.encrypted => {
            vec![
                error("a key is given, but the storage is not encrypted")
                    .hint("leave encrypted out"),
            ]
        }
        Some(key) if key.is_empty() || key.contains(char::is_whitespace) => {
            vec![error("this is no KMS key: write a key id, an ARN or alias/NAME")]
        }
        None if !settings.encrypted => {
            let message =
                "the storage, its snapshots and backups are not encrypted, and never can be";
            vec![
                Finding::advisory("not-encrypted", "encrypted", message)
                    .hint("leave encrypted out"),
            ]
        }
        _ => Vec::new(),
    }
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

#[cfg(test)]
mod tests;
