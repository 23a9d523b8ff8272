//! The settings of the fsx-openzfs component. [`check`] has every check that needs nothing but them.
//!
//! What FSx accepts: domain.md 5.1 and the service model of the FSx API.

mod check;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zonestack_core::name::Zone;

pub use check::check;

/// The code of every advisory of this component, those about its surroundings included.
pub(crate) const ADVISORIES: [&str; 7] = [
    "async-export",
    "file-system-without-backup",
    "fsx-adds-routes",
    "nfs-client-on-nodes",
    "one-zone-file-system",
    "root-squash",
    "soft-mount",
];

/// What stands under `with:` of an fsx-openzfs component. Everything has a default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// How many file servers there are, and where: `multi-az-1` (the default: one in each of two zones),
    /// `single-az-ha-2` or `single-az-ha-1` (both in one zone, which all others lose their files with). Cannot be changed
    /// later.
    pub deployment: Deployment,
    /// The two zones of the stack that hold the files, such as `[eu-west-1a, eu-west-1b]`. Left out: `preferredZone` and the
    /// first others by name. Cannot be changed later.
    pub zones: Option<Vec<String>>,
    /// The zone whose file server answers as long as it can. Left out: the first of the two by name. Cannot be changed
    /// later.
    pub preferred_zone: Option<String>,
    /// The route tables of the worker nodes' subnets, such as `[rtb-0123456789abcdef0]`: to these FSx adds, and keeps, the
    /// routes that lead to the file server that answers. Left out: FSx takes the VPC's main route table.
    pub route_tables: Vec<String>,
    /// The IPv4 range for the file system's addresses, such as `172.20.255.240/28`; it must not overlap a subnet. Left out: FSx
    /// takes a free one of the VPC. Cannot be changed later.
    pub endpoint_range: Option<String>,
    /// The size in GiB, 64 to 524288. It can only grow, by 10 % at least, and once in six hours.
    pub storage: u32,
    /// Throughput in MB/s. `multi-az-1` and `single-az-ha-2`: 160 (the default), 320, 640, 1280, 2560, 3840, 5120, 7680 or
    /// 10240; `single-az-ha-1`: 64 (the default), 128, 256, 512, 1024, 2048, 3072 or 4096. A change makes the file servers
    /// change places, for up to a minute each time.
    pub throughput: Option<u32>,
    /// Disk operations per second, at least three for each GiB of `storage`. Left out: three for each GiB, whatever the size.
    pub iops: Option<u32>,
    /// How files are compressed on disk. Files that are there stay as they are when it changes.
    pub compression: Compression,
    /// The largest block of a file in KiB: 4, 8, 16, 32, 64, 128, 256, 512 or 1024. What is stored already keeps its own.
    pub record_size: u32,
    /// Who may mount: `*`, addresses or ranges, such as `[172.20.0.0/16]`. Left out: the ranges of the VPC.
    pub clients: Option<Vec<String>>,
    /// What those who mount may do, one word of exports(5) per item.
    pub export_options: Vec<String>,
    /// The copies that FSx makes every day.
    pub backup: Backup,
    /// When weekly maintenance begins, in UTC, such as `sun:04:30`. Left out: FSx chooses.
    pub maintenance: Option<String>,
    /// The KMS key to encrypt with: key id, key ARN, alias or alias ARN. Left out: the account's key for FSx, `aws/fsx`.
    /// Cannot be changed later.
    pub kms_key_id: Option<String>,
    /// A backup to fill the new file system from, such as `backup-0123456789abcdef0`. Looked at only when it is made.
    pub from_backup: Option<String>,
    /// What volumes declare as their size. Nothing enforces it, and Kubernetes lets no claim of theirs grow: it does not
    /// follow `storage`.
    pub capacity: String,
    /// NFS mount options in place of those that AWS recommends, one per item.
    pub mount_options: Option<Vec<String>>,
    /// Mount options in addition, one per item.
    pub extra_mount_options: Vec<String>,
}

/// How many file servers there are, and where. Those without a second server are not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Deployment {
    /// One in each of two zones.
    #[default]
    #[serde(rename = "multi-az-1")]
    MultiAz1,
    /// Two in one zone.
    #[serde(rename = "single-az-ha-2")]
    SingleAzHa2,
    /// Two in one zone, of the older sort.
    #[serde(rename = "single-az-ha-1")]
    SingleAzHa1,
}

impl Deployment {
    /// Whether it has a file server in a second zone.
    pub fn is_multi_az(self) -> bool {
        self == Self::MultiAz1
    }

    /// The name in the stack file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MultiAz1 => "multi-az-1",
            Self::SingleAzHa2 => "single-az-ha-2",
            Self::SingleAzHa1 => "single-az-ha-1",
        }
    }

    /// What can be provisioned, in MB/s, the least first (FSx API, `CreateFileSystemOpenZFSConfiguration`; for the newer
    /// single zone its range only: taken to have the same steps).
    pub fn throughputs(self) -> &'static [u32] {
        match self {
            Self::MultiAz1 | Self::SingleAzHa2 => {
                &[160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240]
            }
            Self::SingleAzHa1 => &[64, 128, 256, 512, 1024, 2048, 3072, 4096],
        }
    }
}

/// How files are compressed on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// Fast, and leaves what does not shrink as it is.
    #[default]
    Lz4,
    /// Smaller and slower.
    Zstd,
}

/// The copies that FSx makes every day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backup {
    /// For how many days each is kept, 0 to 90; 0 makes none.
    pub days: u32,
    /// When it is made, in UTC, such as `02:30`. Left out: FSx chooses.
    pub start: Option<String>,
    /// Whether each gets the file system's tags.
    pub copy_tags: bool,
}

impl Default for Backup {
    fn default() -> Self {
        Self { days: 30, start: None, copy_tags: true }
    }
}

/// What those who mount may do: GitLab's image changes owners as root (domain.md 0.8), snapshots are seen only with
/// `crossmnt`.
const EXPORT_OPTIONS: [&str; 4] = ["rw", "crossmnt", "sync", "no_root_squash"];

/// What AWS recommends for NFS clients of FSx for OpenZFS (domain.md 5.1), and the patience that is Linux's own default,
/// spelled out.
const RECOMMENDED: [&str; 6] =
    ["nfsvers=4.2", "rsize=1048576", "wsize=1048576", "hard", "timeo=600", "nconnect=16"];

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deployment: Deployment::default(),
            zones: None,
            preferred_zone: None,
            route_tables: Vec::new(),
            endpoint_range: None,
            storage: 100,
            throughput: None,
            iops: None,
            compression: Compression::default(),
            record_size: 128,
            clients: None,
            export_options: owned(&EXPORT_OPTIONS),
            backup: Backup::default(),
            maintenance: None,
            kms_key_id: None,
            from_backup: None,
            capacity: "100Gi".to_owned(),
            mount_options: None,
            extra_mount_options: Vec::new(),
        }
    }
}

impl Settings {
    /// Throughput in MB/s: the one that is asked for, or the least that there is.
    pub fn throughput(&self) -> u32 {
        self.throughput
            .unwrap_or_else(|| self.deployment.throughputs().first().copied().unwrap_or_default())
    }

    /// The zones that hold the files, as far as they are named. Unreadable names are findings of [`check`] and left out.
    pub fn zones(&self) -> Vec<Zone> {
        let mut zones: Vec<Zone> =
            self.zones.iter().flatten().filter_map(|zone| zone.parse().ok()).collect();
        zones.sort();
        zones.dedup();
        zones
    }

    /// The zone whose file server answers. An unreadable name is a finding of [`check`] and counts as none.
    pub fn preferred_zone(&self) -> Option<Zone> {
        self.preferred_zone.as_deref()?.parse().ok()
    }

    /// The weekly start of maintenance as FSx writes it: `7:04:30` for `sun:04:30`.
    pub fn maintenance(&self) -> Option<String> {
        self.maintenance.as_deref().and_then(check::weekly)
    }

    /// The mount options, the additional ones last.
    pub fn mount_options(&self) -> Vec<String> {
        let mut options = self.mount_options.clone().unwrap_or_else(|| owned(&RECOMMENDED));
        options.extend(self.extra_mount_options.iter().cloned());
        options
    }
}

#[cfg(test)]
mod tests;
