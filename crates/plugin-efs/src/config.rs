//! The settings of the efs component, and every check that needs nothing but them.
//!
//! What EFS accepts together: domain.md 3.2, 3.3, 3.7 and the service model of the EFS API.

use schemars::JsonSchema;
use serde::Deserialize;
use zonestack_core::diagnostic::Finding;
use zonestack_core::name::Zone;

/// The code of every advisory of this component, those about its surroundings included.
pub(crate) const ADVISORIES: [&str; 7] = [
    "file-system-without-backup",
    "mount-without-noresvport",
    "nfs-client-on-nodes",
    "one-zone-file-system",
    "path-must-exist",
    "soft-mount",
    "unencrypted-file-system",
];

/// What stands under `with:` of an efs component. Everything has a default.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// An existing file system to use instead of making one, such as `fs-0123456789abcdef0`. Mount targets that the
    /// stack's zones lack are added; what is there is used as it is and never changed. Excludes the settings that say how
    /// to make one: `performance`, `throughput`, `lifecycle`, `encrypted`, `kmsKeyId`, `backup`.
    pub existing: Option<String>,
    /// How the file system trades latency against parallelism: `general-purpose` (the default) or `max-io`. Cannot be
    /// changed later.
    #[schemars(extend("default" = "general-purpose"))]
    pub performance: Option<Performance>,
    /// Where throughput comes from: `elastic` (the default: as much as is used, paid by use), `bursting` (grows with
    /// the stored data; runs out of credits on small file systems), or `{ provisioned: MIB_PER_SECOND }`.
    #[schemars(extend("default" = "elastic"))]
    pub throughput: Option<Throughput>,
    /// When files that nobody reads move to cheaper, slower storage. Left out: never.
    pub lifecycle: Option<Lifecycle>,
    /// Whether data is encrypted at rest. Default `true`. Cannot be changed later.
    #[schemars(extend("default" = true))]
    pub encrypted: Option<bool>,
    /// The KMS key to encrypt with: key id, key ARN, alias or alias ARN. Left out: the account's key for EFS,
    /// `aws/elasticfilesystem`. Cannot be changed later.
    pub kms_key_id: Option<String>,
    /// Whether AWS Backup copies the file system every day. Default `true`.
    #[schemars(extend("default" = true))]
    pub backup: Option<bool>,
    /// Keep all data in this one zone, such as `eu-west-1a`: cheaper, and gone when the zone is. The stack's other zones
    /// mount across zones. With `existing`: the zone of an existing One Zone file system. Cannot be changed later.
    pub one_zone: Option<String>,
    /// The directory that is mounted. A new file system has only `/`.
    pub path: String,
    /// How pods mount it: `nfs` (the default: the kernel's NFS client on the node, unencrypted on the wire) or `csi` (the
    /// EFS CSI driver, which must be installed in the cluster; TLS on the wire).
    #[schemars(extend("default" = "nfs"))]
    pub mount: Mount,
    /// NFS mount options in place of those that AWS recommends, one per item.
    pub mount_options: Option<Vec<String>>,
    /// Mount options in addition, one per item.
    pub extra_mount_options: Vec<String>,
    /// What volumes declare as their size. EFS grows with its contents and enforces nothing.
    pub capacity: String,
    /// The name that pods mount by: `zonal` (the default: each zone names its own mount target) or `regional` (one name for
    /// all zones, which resolves to the mount target of the node's zone).
    #[schemars(extend("default" = "zonal"))]
    pub endpoint: EndpointName,
}

/// How the file system trades latency against parallelism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Performance {
    /// Lowest latency.
    #[default]
    GeneralPurpose,
    /// More parallel operations at higher latency. Neither with `elastic` throughput nor in one zone.
    MaxIo,
}

/// Where throughput comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Throughput {
    /// As much as is used, paid by use.
    #[default]
    Elastic,
    /// Grows with the stored data, with credits for bursts.
    Bursting,
    /// A fixed number of MiB per second, 1 to 3414 (less in some regions).
    Provisioned(u32),
}

/// When files that nobody reads move to cheaper, slower storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Lifecycle {
    /// Days without access after which a file moves to Infrequent Access: 1, 7, 14, 30, 60, 90, 180, 270 or 365.
    pub to_ia: Option<u16>,
    /// Days without access after which a file moves to Archive: the same numbers, later than `toIa`. Needs `elastic`
    /// throughput and `general-purpose` performance.
    pub to_archive: Option<u16>,
    /// Whether a file moves back at its first access.
    pub back_to_primary: bool,
}

/// How pods mount the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mount {
    /// The kernel's NFS client on the node.
    #[default]
    Nfs,
    /// The EFS CSI driver, with TLS.
    Csi,
}

/// The name that pods mount by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointName {
    /// `ZONE.fs-ID.efs.REGION.amazonaws.com`
    #[default]
    Zonal,
    /// `fs-ID.efs.REGION.amazonaws.com`
    Regional,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            existing: None,
            performance: None,
            throughput: None,
            lifecycle: None,
            encrypted: None,
            kms_key_id: None,
            backup: None,
            one_zone: None,
            path: "/".to_owned(),
            mount: Mount::default(),
            mount_options: None,
            extra_mount_options: Vec::new(),
            capacity: "100Gi".to_owned(),
            endpoint: EndpointName::default(),
        }
    }
}

impl Settings {
    /// Whether data is encrypted at rest.
    pub fn encrypted(&self) -> bool {
        self.encrypted.unwrap_or(true)
    }

    /// Whether AWS Backup copies the file system.
    pub fn backup(&self) -> bool {
        self.backup.unwrap_or(true)
    }

    /// The performance mode.
    pub fn performance(&self) -> Performance {
        self.performance.unwrap_or_default()
    }

    /// The throughput mode.
    pub fn throughput(&self) -> Throughput {
        self.throughput.unwrap_or_default()
    }

    /// The zone of a One Zone file system. An unreadable name is a finding of [`check`] and counts as none.
    pub fn one_zone(&self) -> Option<Zone> {
        self.one_zone.as_deref()?.parse().ok()
    }

    /// The mount options for the chosen way to mount, the additional ones last.
    ///
    /// The CSI driver's mount helper sets what AWS recommends by itself, and has to be told a zone that is not the node's
    /// (aws-efs-csi-driver pull request 425).
    pub fn mount_options(&self) -> Vec<String> {
        let recommended: &[&str] = match self.mount {
            Mount::Nfs => &RECOMMENDED,
            Mount::Csi => &[],
        };
        let mut options = self
            .mount_options
            .clone()
            .unwrap_or_else(|| recommended.iter().map(|&option| option.to_owned()).collect());
        if let (Mount::Csi, Some(zone)) = (self.mount, self.one_zone()) {
            options.push(format!("az={zone}"));
        }
        options.extend(self.extra_mount_options.iter().cloned());
        options
    }
}

/// What AWS recommends for NFS clients, and what its own mount helper sets (domain.md 3.5).
const RECOMMENDED: [&str; 7] = [
    "nfsvers=4.1",
    "rsize=1048576",
    "wsize=1048576",
    "hard",
    "timeo=600",
    "retrans=2",
    "noresvport",
];

/// The days of a life cycle that EFS knows (`AFTER_30_DAYS`).
const DAYS: [u16; 9] = [1, 7, 14, 30, 60, 90, 180, 270, 365];

/// The most that can be provisioned anywhere, in MiB/s (EFS API, `ProvisionedThroughputInMibps`).
const MAX_PROVISIONED: u32 = 3414;

/// Every problem of the settings that can be known from them alone.
pub fn check(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    existing(settings, &mut findings);
    performance(settings, &mut findings);
    lifecycle(settings, &mut findings);
    protection(settings, &mut findings);
    place(settings, &mut findings);
    path(settings, &mut findings);
    mount_options(settings, &mut findings);
    capacity(settings, &mut findings);
    findings
}

fn existing(settings: &Settings, findings: &mut Vec<Finding>) {
    let Some(id) = &settings.existing else { return };
    let digits = id.strip_prefix("fs-").unwrap_or_default();
    let hexadecimal = digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    if !(8..=40).contains(&digits.len()) || !hexadecimal {
        findings.push(
            Finding::error(
                "file-system-id",
                "existing",
                format!("`{id}` is not the id of an EFS file system"),
            )
            .hint("ids look like fs-0123456789abcdef0"),
        );
    }
    let creation = [
        ("performance", settings.performance.is_some()),
        ("throughput", settings.throughput.is_some()),
        ("lifecycle", settings.lifecycle.is_some()),
        ("encrypted", settings.encrypted.is_some()),
        ("kmsKeyId", settings.kms_key_id.is_some()),
        ("backup", settings.backup.is_some()),
    ];
    for (name, _) in creation.into_iter().filter(|(_, given)| *given) {
        let message = format!(
            "`{name}` says how to make a file system, but `existing` names one that is never changed"
        );
        let hint = format!("leave out `{name}`, or leave out `existing` to make a new file system");
        findings.push(Finding::error("existing-is-never-changed", name, message).hint(hint));
    }
}

fn performance(settings: &Settings, findings: &mut Vec<Finding>) {
    if let Throughput::Provisioned(mibps) = settings.throughput()
        && !(1..=MAX_PROVISIONED).contains(&mibps)
    {
        let message = format!(
            "EFS provisions 1 to {MAX_PROVISIONED} MiB/s (less in some regions), not {mibps}"
        );
        findings.push(
            Finding::error("provisioned-throughput", "throughput.provisioned", message).hint(
                "write for example `throughput: { provisioned: 128 }`, or leave `throughput` out",
            ),
        );
    }
    if settings.performance() != Performance::MaxIo {
        return;
    }
    if settings.throughput() == Throughput::Elastic {
        let message =
            "EFS refuses max-io performance together with elastic throughput, which is the default";
        findings.push(
            Finding::error("max-io-with-elastic", "performance", message).hint(
                "leave out `performance`; or set `throughput: bursting` or `throughput: { provisioned: MIB_PER_SECOND }`",
            ),
        );
    }
    if settings.one_zone.is_some() {
        let message = "EFS refuses max-io performance for a file system in one zone";
        findings.push(
            Finding::error("max-io-in-one-zone", "performance", message)
                .hint("leave out `performance` or `oneZone`"),
        );
    }
}

fn lifecycle(settings: &Settings, findings: &mut Vec<Finding>) {
    let Some(lifecycle) = settings.lifecycle else { return };
    let days = [("lifecycle.toIa", lifecycle.to_ia), ("lifecycle.toArchive", lifecycle.to_archive)];
    for (path, days) in days {
        if let Some(days) = days.filter(|days| !DAYS.contains(days)) {
            let known = DAYS.map(|days| days.to_string()).join(", ");
            findings.push(
                Finding::error(
                    "lifecycle-days",
                    path,
                    format!("EFS cannot move files after {days} days"),
                )
                .hint(format!("one of {known}")),
            );
        }
    }
    let Some(to_archive) = lifecycle.to_archive else { return };
    if settings.throughput() != Throughput::Elastic
        || settings.performance() != Performance::GeneralPurpose
    {
        let message =
            "EFS archives files only with elastic throughput and general-purpose performance";
        findings.push(
            Finding::error("archive-needs-elastic", "lifecycle.toArchive", message)
                .hint("leave out `throughput` and `performance`, or leave out `toArchive`"),
        );
    }
    if lifecycle.to_ia.is_some_and(|to_ia| to_ia >= to_archive) {
        let message = "EFS archives files only later than it moves them to Infrequent Access";
        findings.push(
            Finding::error("archive-before-ia", "lifecycle.toArchive", message)
                .hint("choose a larger number for `toArchive` than for `toIa`"),
        );
    }
}

fn protection(settings: &Settings, findings: &mut Vec<Finding>) {
    if settings.existing.is_some() {
        return;
    }
    if let Some(key) = &settings.kms_key_id {
        if !settings.encrypted() {
            let message = "a KMS key is given, but the file system is not to be encrypted";
            findings.push(
                Finding::error("kms-key-without-encryption", "kmsKeyId", message)
                    .hint("leave out `encrypted: false`, or leave out `kmsKeyId`"),
            );
        }
        if key.is_empty() || key.contains(char::is_whitespace) {
            findings.push(
                Finding::error("kms-key", "kmsKeyId", format!("`{key}` does not name a KMS key"))
                    .hint("a key id, a key ARN, or an alias such as alias/files"),
            );
        }
    }
    if !settings.encrypted() {
        let message = "the files lie unencrypted on AWS's disks, and that cannot be changed without moving them to a new file system";
        findings.push(
            Finding::advisory("unencrypted-file-system", "encrypted", message).hint(
                "leave out `encrypted`: encryption costs nothing and needs no key of your own",
            ),
        );
    }
    if !settings.backup() {
        let message = "nothing copies the files: what is deleted or overwritten by mistake is gone";
        findings.push(
            Finding::advisory("file-system-without-backup", "backup", message)
                .hint("leave out `backup`; or, if something else makes copies, write `acknowledge: [file-system-without-backup]` beside `use: efs`"),
        );
    }
}

fn place(settings: &Settings, findings: &mut Vec<Finding>) {
    let Some(zone) = &settings.one_zone else { return };
    if let Err(error) = zone.parse::<Zone>() {
        findings.push(
            Finding::error("zone-name", "oneZone", error.to_string())
                .hint("the name of a zone, such as eu-west-1a"),
        );
    }
    if settings.endpoint == EndpointName::Regional {
        let message =
            "the regional name of a file system in one zone has no address in the other zones";
        findings.push(
            Finding::error("regional-name-in-one-zone", "endpoint", message)
                .hint("leave out `endpoint`: the zonal name works from every zone"),
        );
    }
}

fn path(settings: &Settings, findings: &mut Vec<Finding>) {
    let path = settings.path.as_str();
    let clean = path == "/"
        || path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !matches!(part, "" | "." | ".."))
                && !rest.contains(|c: char| c == ':' || c.is_control() || c.is_whitespace())
        });
    if !clean {
        findings.push(
            Finding::error(
                "path",
                "path",
                format!("`{path}` is not an absolute path of a directory"),
            )
            .hint("`/`, or such as `/gitlab`: no trailing slash, no `..`, no colon, no blanks"),
        );
    } else if path != "/" && settings.existing.is_none() {
        findings.push(match settings.mount {
            // The handle would be the new file system's id and the path in one text, and the id is not known yet.
            Mount::Csi => Finding::error(
                "path-with-csi",
                "path",
                "the CSI driver can mount a directory only of a file system whose id is known beforehand",
            )
            .hint("leave out `path`, name the file system under `existing`, or use `mount: nfs`"),
            Mount::Nfs => Finding::advisory(
                "path-must-exist",
                "path",
                format!("a new file system has only `/`: mounts fail until somebody makes `{path}` in it"),
            )
            .hint("leave out `path`: the file system is this component's alone"),
        });
    }
}

fn mount_options(settings: &Settings, findings: &mut Vec<Finding>) {
    let replaced = settings.mount_options.iter().flatten().enumerate();
    let replaced = replaced.map(|(index, option)| (format!("mountOptions.{index}"), option));
    let extra = settings.extra_mount_options.iter().enumerate();
    let extra = extra.map(|(index, option)| (format!("extraMountOptions.{index}"), option));
    for (path, option) in replaced.chain(extra) {
        findings.extend(mount_option(&path, option));
    }
    if let Some(options) = &settings.mount_options
        && settings.mount == Mount::Nfs
        && !options.iter().chain(&settings.extra_mount_options).any(|option| option == "noresvport")
    {
        let message =
            "without `noresvport` a client may not reconnect after an interruption of the network";
        findings.push(
            Finding::advisory("mount-without-noresvport", "mountOptions", message).hint(
                "add `noresvport`; or use `extraMountOptions`, which keeps what AWS recommends",
            ),
        );
    }
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
        "vers" | "nfsvers" => !matches!(value, "4" | "4.0" | "4.1"),
        "minorversion" => !matches!(value, "0" | "1"),
        "sec" => value != "sys",
        "nconnect" => true,
        _ => false,
    };
    if refused {
        return Some(
            Finding::error(
                "mount-option-unsupported",
                path,
                format!("EFS does not support `{option}`"),
            )
            .hint("EFS speaks NFS 4.0 and 4.1 with `sec=sys`, over one connection"),
        );
    }
    (name == "soft").then(|| {
        let message =
            "with `soft` a write that times out is lost, and the application may not notice";
        Finding::advisory("soft-mount", path, message).hint("use `hard`, as AWS recommends")
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

#[cfg(test)]
mod tests;
