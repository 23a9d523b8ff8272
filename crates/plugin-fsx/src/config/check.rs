//! Every problem of the settings that can be known from them alone.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use zonestack_core::diagnostic::Finding;
use zonestack_core::name::Zone;

use super::{Deployment, Settings};

/// The sizes that FSx makes, in GiB (FSx API, `StorageCapacity`).
const STORAGE: std::ops::RangeInclusive<u32> = 64..=524_288;
/// Operations per second that come with each GiB; fewer cannot be provisioned (FSx API, `DiskIopsConfiguration`).
const IOPS_PER_GIB: u32 = 3;
/// The most operations per second from disk that any file system has (FSx for OpenZFS user guide, "Performance").
const MAX_IOPS: u32 = 400_000;
/// The largest blocks that FSx takes, in KiB.
const RECORD_SIZES: [u32; 9] = [4, 8, 16, 32, 64, 128, 256, 512, 1024];
/// How long a backup is kept at most, in days.
const MAX_BACKUP_DAYS: u32 = 90;
/// How many route tables, clients and words of an export FSx takes (FSx API).
const MAX_ROUTE_TABLES: usize = 50;
const MAX_CLIENTS: usize = 25;
const MAX_EXPORT_OPTIONS: usize = 20;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Every problem of the settings that can be known from them alone.
pub fn check(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    place(settings, &mut findings);
    network(settings, &mut findings);
    size(settings, &mut findings);
    exports(settings, &mut findings);
    copies(settings, &mut findings);
    protection(settings, &mut findings);
    mount_options(settings, &mut findings);
    capacity(settings, &mut findings);
    findings
}

fn place(settings: &Settings, findings: &mut Vec<Finding>) {
    let mut name = |path: String, name: &str| {
        let parsed = name.parse::<Zone>();
        if let Err(error) = &parsed {
            findings.push(
                Finding::error("zone-name", &path, error.to_string())
                    .hint("the name of a zone, such as eu-west-1a"),
            );
        }
        parsed.is_ok()
    };
    let mut readable = true;
    for (index, zone) in settings.zones.iter().flatten().enumerate() {
        readable &= name(format!("zones.{index}"), zone);
    }
    if let Some(zone) = &settings.preferred_zone {
        readable &= name("preferredZone".to_owned(), zone);
    }
    let Some(named) = &settings.zones else { return };
    let zones = settings.zones();
    if !settings.deployment.is_multi_az() {
        findings.push(multi_az_only("zones", settings.deployment).hint(
            "name its one zone under `preferredZone`, or leave out `deployment` for one that survives the loss of a zone",
        ));
    } else if readable && (zones.len() != 2 || named.len() != 2) {
        let message = format!("the files are held in exactly two zones, not in {}", named.len());
        findings.push(
            Finding::error("two-zones", "zones", message).hint(
                "name two different zones of the stack, or leave out `zones`; the pods of every other zone reach them, too",
            ),
        );
    } else if let Some(preferred) = settings.preferred_zone().filter(|zone| !zones.contains(zone)) {
        let message = format!("`zones` does not have {preferred}");
        findings.push(
            Finding::error("preferred-zone", "preferredZone", message)
                .hint("prefer one of the two zones that hold the files"),
        );
    }
}

fn multi_az_only(setting: &'static str, deployment: Deployment) -> Finding {
    let message = format!("`{setting}` has no meaning with `deployment: {}`", deployment.as_str());
    Finding::error("multi-az-only", setting, message)
}

fn network(settings: &Settings, findings: &mut Vec<Finding>) {
    if !settings.deployment.is_multi_az() {
        let hint = "an address in one zone needs no routes: leave it out";
        let given = [
            ("routeTables", !settings.route_tables.is_empty()),
            ("endpointRange", settings.endpoint_range.is_some()),
        ];
        for (setting, _) in given.into_iter().filter(|(_, given)| *given) {
            findings.push(multi_az_only(setting, settings.deployment).hint(hint));
        }
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, table) in settings.route_tables.iter().enumerate() {
        let path = format!("routeTables.{index}");
        if !is_id(table, "rtb-") {
            let message = format!("`{table}` is not the id of a route table");
            findings.push(
                Finding::error("route-table-id", &path, message)
                    .hint("ids look like rtb-0123456789abcdef0"),
            );
        } else if !seen.insert(table) {
            let message = format!("`{table}` is named twice");
            findings.push(
                Finding::error("route-table-twice", &path, message).hint("name each table once"),
            );
        }
    }
    if settings.route_tables.len() > MAX_ROUTE_TABLES {
        let message = format!("FSx takes at most {MAX_ROUTE_TABLES} route tables");
        findings.push(
            Finding::error("route-tables", "routeTables", message)
                .hint("name only those of the worker nodes' subnets"),
        );
    }
    if let Some(range) = settings.endpoint_range.as_ref().filter(|range| !is_range(range)) {
        let message = format!("`{range}` is not a range of IPv4 addresses");
        findings.push(
            Finding::error("endpoint-range", "endpointRange", message)
                .hint("address and length, such as 172.20.255.240/28"),
        );
    }
}

fn size(settings: &Settings, findings: &mut Vec<Finding>) {
    let storage = settings.storage;
    if !STORAGE.contains(&storage) {
        let message = format!(
            "FSx makes file systems of {} to {} GiB, not of {storage}",
            STORAGE.start(),
            STORAGE.end()
        );
        findings.push(
            Finding::error("storage", "storage", message)
                .hint("a whole number of GiB; it can grow later, and never shrinks"),
        );
    }
    let known = settings.deployment.throughputs();
    if !known.contains(&settings.throughput()) {
        let message = format!(
            "a {} file system has no throughput of {} MB/s",
            settings.deployment.as_str(),
            settings.throughput()
        );
        findings.push(
            Finding::error("throughput", "throughput", message)
                .hint(format!("one of {}", listed(known))),
        );
    }
    let least = storage.saturating_mul(IOPS_PER_GIB);
    if let Some(iops) = settings.iops.filter(|iops| !(least..=MAX_IOPS).contains(iops)) {
        let message =
            format!("{storage} GiB have {least} to {MAX_IOPS} operations per second, not {iops}");
        findings
            .push(Finding::error("iops", "iops", message).hint(format!(
                "leave out `iops` for {IOPS_PER_GIB} for each GiB, or ask for more"
            )));
    }
    if !RECORD_SIZES.contains(&settings.record_size) {
        let message = format!("FSx knows no record size of {} KiB", settings.record_size);
        findings.push(
            Finding::error("record-size", "recordSize", message)
                .hint(format!("one of {}", listed(&RECORD_SIZES))),
        );
    }
}

fn listed(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn exports(settings: &Settings, findings: &mut Vec<Finding>) {
    if let Some(clients) = &settings.clients {
        for (index, client) in clients.iter().enumerate() {
            if client != "*" && client.parse::<Ipv4Addr>().is_err() && !is_range(client) {
                let message = format!("`{client}` is nobody who could mount");
                findings.push(
                    Finding::error("client", &format!("clients.{index}"), message)
                        .hint("`*`, an IPv4 address, or a range such as 172.20.0.0/16"),
                );
            }
        }
        if !(1..=MAX_CLIENTS).contains(&clients.len()) {
            let message = format!("FSx takes 1 to {MAX_CLIENTS} clients, not {}", clients.len());
            findings.push(
                Finding::error("clients", "clients", message)
                    .hint("leave out `clients` for the ranges of the VPC"),
            );
        }
    }
    let options = &settings.export_options;
    for (index, option) in options.iter().enumerate() {
        let path = format!("exportOptions.{index}");
        let is_word = |option: &str| {
            !option.is_empty()
                && option.len() <= 128
                && option.chars().all(|c| c.is_ascii_graphic() && c != ',')
        };
        if !is_word(option) {
            findings.push(
                Finding::error("export-option", &path, format!("`{option}` is not one option"))
                    .hint("one word of exports(5) per item, such as rw"),
            );
        }
        if option == "async" {
            let message = "with `async` FSx acknowledges writes that it may still lose";
            findings
                .push(Finding::advisory("async-export", &path, message).hint("use `sync` instead"));
        }
    }
    if !(1..=MAX_EXPORT_OPTIONS).contains(&options.len()) {
        let message =
            format!("FSx takes 1 to {MAX_EXPORT_OPTIONS} export options, not {}", options.len());
        findings.push(
            Finding::error("export-options", "exportOptions", message)
                .hint("leave out `exportOptions` for those that suit most"),
        );
    } else if !options.iter().any(|option| option == "no_root_squash") {
        let message = "without `no_root_squash` root in a pod is nobody on the file system, and cannot give files to their owners";
        findings.push(
            Finding::advisory("root-squash", "exportOptions", message)
                .hint("add `no_root_squash`; or, if nothing runs as root, write `acknowledge: [root-squash]` beside `use: fsx-openzfs`"),
        );
    }
}

fn copies(settings: &Settings, findings: &mut Vec<Finding>) {
    let backup = &settings.backup;
    if backup.days > MAX_BACKUP_DAYS {
        let message =
            format!("FSx keeps backups for at most {MAX_BACKUP_DAYS} days, not {}", backup.days);
        findings.push(
            Finding::error("backup-days", "backup.days", message)
                .hint("copy one elsewhere to keep it longer"),
        );
    }
    if let Some(start) = backup.start.as_ref().filter(|start| !is_time(start)) {
        let message = format!("`{start}` is not a time of day");
        findings.push(
            Finding::error("backup-start", "backup.start", message)
                .hint("hours and minutes of UTC, such as \"02:30\""),
        );
    }
    if backup.days == 0 {
        if backup.start.is_some() {
            let message = "a time is given, but no backup is to be made";
            findings.push(
                Finding::error("backup-start", "backup.start", message)
                    .hint("leave out `start`, or set `days` to 1 or more"),
            );
        }
        let message = "nothing copies the files: what is deleted or overwritten by mistake is gone";
        findings.push(
            Finding::advisory("file-system-without-backup", "backup.days", message)
                .hint("leave out `days`; or, if something else makes copies, write `acknowledge: [file-system-without-backup]` beside `use: fsx-openzfs`"),
        );
    }
    if let Some(id) = settings.from_backup.as_ref().filter(|id| !is_id(id, "backup-")) {
        let message = format!("`{id}` is not the id of a backup");
        findings.push(
            Finding::error("backup-id", "fromBackup", message)
                .hint("ids look like backup-0123456789abcdef0"),
        );
    }
    if let Some(start) = settings.maintenance.as_ref().filter(|start| weekly(start).is_none()) {
        let message = format!("`{start}` is not a time of the week");
        findings.push(
            Finding::error("maintenance", "maintenance", message)
                .hint("day, hours and minutes of UTC, such as sun:04:30"),
        );
    }
}

fn protection(settings: &Settings, findings: &mut Vec<Finding>) {
    if let Some(key) = &settings.kms_key_id
        && (key.is_empty() || key.contains(char::is_whitespace))
    {
        findings.push(
            Finding::error("kms-key", "kmsKeyId", format!("`{key}` does not name a KMS key"))
                .hint("a key id, a key ARN, or an alias such as alias/files"),
        );
    }
}

fn mount_options(settings: &Settings, findings: &mut Vec<Finding>) {
    let replaced = settings.mount_options.iter().flatten().enumerate();
    let replaced = replaced.map(|(index, option)| (format!("mountOptions.{index}"), option));
    let extra = settings.extra_mount_options.iter().enumerate();
    let extra = extra.map(|(index, option)| (format!("extraMountOptions.{index}"), option));
    findings.extend(replaced.chain(extra).filter_map(|(path, option)| mount_option(&path, option)));
}

fn mount_option(path: &str, option: &str) -> Option<Finding> {
    if option.is_empty() || option.contains(|c: char| c == ',' || c.is_whitespace()) {
        return Some(
            Finding::error("mount-option", path, format!("`{option}` is not one mount option"))
                .hint("one option per item, without commas and blanks"),
        );
    }
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    let refused = match name {
        "vers" | "nfsvers" => !matches!(value, "3" | "4" | "4.0" | "4.1" | "4.2"),
        "minorversion" => !matches!(value, "0" | "1" | "2"),
        // The most that Linux opens.
        "nconnect" => !value.parse::<u8>().is_ok_and(|count| (1..=16).contains(&count)),
        _ => false,
    };
    if refused {
        return Some(
            Finding::error(
                "mount-option-unsupported",
                path,
                format!("`{option}` cannot be used with FSx for OpenZFS"),
            )
            .hint("it speaks NFS 3, 4.0, 4.1 and 4.2, over up to 16 connections"),
        );
    }
    (name == "soft").then(|| {
        let message =
            "with `soft` a write that times out is lost, and the application may not notice";
        Finding::advisory("soft-mount", path, message).hint("use `hard`: a failover takes time")
    })
}

fn capacity(settings: &Settings, findings: &mut Vec<Finding>) {
    const SUFFIXES: [&str; 13] =
        ["", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let text = settings.capacity.as_str();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = digits.parse::<u64>().ok().filter(|number| *number > 0);
    let plain = digits.chars().all(|c| c.is_ascii_digit());
    if number.is_none() || !plain || !SUFFIXES.contains(&&text[digits.len()..]) {
        findings.push(
            Finding::error("capacity", "capacity", format!("`{text}` is not a size"))
                .hint("a whole number with a unit, such as 100Gi"),
        );
    }
}

/// An id of AWS's newer or older form behind its prefix.
fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        (8..=17).contains(&digits.len())
            && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    })
}

/// A range of IPv4 addresses that begins where its length says.
fn is_range(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let Ok(address) = address.parse::<Ipv4Addr>() else { return false };
    let plain = !length.is_empty() && length.chars().all(|c| c.is_ascii_digit());
    let Some(length) = length.parse::<u32>().ok().filter(|length| plain && *length <= 32) else {
        return false;
    };
    let host = u32::MAX.checked_shr(length).unwrap_or_default();
    u32::from(address) & host == 0
}

/// `HH:MM`
fn is_time(text: &str) -> bool {
    let Some((hours, minutes)) = text.split_once(':') else { return false };
    let below = |text: &str, limit: u8| {
        text.len() == 2
            && text.bytes().all(|c| c.is_ascii_digit())
            && text.parse::<u8>().is_ok_and(|number| number < limit)
    };
    below(hours, 24) && below(minutes, 60)
}

/// `ddd:HH:MM` as FSx writes it: `d:HH:MM`, Monday being 1.
pub(super) fn weekly(text: &str) -> Option<String> {
    let (day, time) = text.split_once(':')?;
    let day = DAYS.iter().position(|name| name.eq_ignore_ascii_case(day))? + 1;
    is_time(time).then(|| format!("{day}:{time}"))
}
