//! The settings. [`check`] has every check that needs nothing but them.

use zonestack_sdk::prelude::*;

/// What `check` and `render` may advise. `acknowledge:` takes these words.
pub const ADVISORIES: [&str; 2] = ["openzfs-main-route-table", "openzfs-without-backup"];

/// Throughput that a Multi-AZ file system can have, in MB/s (FSx API, `CreateFileSystemOpenZFSConfiguration`).
const THROUGHPUTS: [u32; 9] = [160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240];

/// What stands under `with:`. Users read these comments in their editors.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The zone whose file server answers as long as it can; the files are in one more, the first other by name. Left out: the
    /// first by name. Cannot be changed later.
    pub preferred_zone: Option<String>,
    /// The route tables of the worker nodes' subnets, such as `[rtb-0123456789abcdef0]`: FSx adds to them the routes to the file
    /// server that answers. Left out: FSx takes the VPC's main route table.
    pub route_tables: Vec<String>,
    /// The size in GiB, 64 to 524288. It can only grow.
    pub storage: u32,
    /// Throughput in MB/s: 160, 320, 640, 1280, 2560, 3840, 5120, 7680 or 10240.
    pub throughput: u32,
    /// For how many days each daily backup is kept, 0 to 90; 0 makes none.
    pub backup_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preferred_zone: None,
            route_tables: Vec::new(),
            storage: 100,
            throughput: 160,
            backup_days: 30,
        }
    }
}

/// Every problem of the settings that can be known from them alone: all of them, not the first.
pub fn check(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(Err(error)) = settings.preferred_zone.as_ref().map(|zone| zone.parse::<Zone>()) {
        findings.push(
            Finding::error("zone-name", "preferredZone", error.to_string())
                .hint("the name of a zone, such as eu-west-1a"),
        );
    }
    for (index, table) in settings.route_tables.iter().enumerate() {
        let path = format!("routeTables.{index}");
        if !is_route_table(table) {
            let message = format!("`{table}` is not the id of a route table");
            findings.push(
                Finding::error("route-table-id", &path, message)
                    .hint("ids look like rtb-0123456789abcdef0"),
            );
        }
        if settings.route_tables[..index].contains(table) {
            findings.push(
                Finding::error("route-table-twice", &path, format!("`{table}` is named twice"))
                    .hint("name each table once"),
            );
        }
    }
    if !(64..=524_288).contains(&settings.storage) {
        let message =
            format!("FSx makes file systems of 64 to 524288 GiB, not of {}", settings.storage);
        findings.push(
            Finding::error("storage", "storage", message)
                .hint("a whole number of GiB; it can grow later, and never shrinks"),
        );
    }
    if !THROUGHPUTS.contains(&settings.throughput) {
        let known = THROUGHPUTS.map(|throughput| throughput.to_string()).join(", ");
        let message = format!("there is no throughput of {} MB/s", settings.throughput);
        findings.push(
            Finding::error("throughput", "throughput", message).hint(format!("one of {known}")),
        );
    }
    if settings.backup_days > 90 {
        let message =
            format!("FSx keeps backups for at most 90 days, not {}", settings.backup_days);
        findings.push(
            Finding::error("backup-days", "backupDays", message)
                .hint("copy one elsewhere to keep it longer"),
        );
    }
    if settings.backup_days == 0 {
        let message = "nothing copies the files: what is deleted or overwritten by mistake is gone";
        findings.push(Finding::advisory("openzfs-without-backup", "backupDays", message).hint(
            "leave out `backupDays`; or write `acknowledge: [openzfs-without-backup]` beside `use: openzfs`",
        ));
    }
    findings
}

fn is_route_table(id: &str) -> bool {
    let digits = id.strip_prefix("rtb-").unwrap_or_default();
    matches!(digits.len(), 8 | 17) && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(with: Json, wanted: &[(&str, &str)]) {
        let settings: Settings = serde_json::from_value(with).unwrap();
        let found = super::check(&settings);
        let found: Vec<_> = found.iter().map(|found| (found.path.as_str(), found.code)).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn every_mistake_is_told_at_its_place() {
        check(json!({}), &[]);
        check(json!({ "preferredZone": "eu-west-1b", "storage": 64, "throughput": 10240 }), &[]);
        check(json!({ "preferredZone": "Ireland" }), &[("preferredZone", "zone-name")]);
        check(
            json!({ "routeTables": ["rtb-01234567", "main", "rtb-01234567"] }),
            &[("routeTables.1", "route-table-id"), ("routeTables.2", "route-table-twice")],
        );
        check(
            json!({ "storage": 63, "throughput": 100, "backupDays": 91 }),
            &[("storage", "storage"), ("throughput", "throughput"), ("backupDays", "backup-days")],
        );
        check(json!({ "backupDays": 0 }), &[("backupDays", "openzfs-without-backup")]);
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let read = serde_json::from_value::<Settings>(json!({ "size": 100 }));
        assert!(read.unwrap_err().to_string().contains("unknown field `size`"));
    }
}
