use zonestack_core::diagnostic::Severity;

use super::*;

/// As the core reads them: YAML becomes JSON, JSON becomes settings.
fn read(yaml: &str) -> Result<Settings, serde_json::Error> {
    serde_json::from_value(serde_yaml::from_str(yaml).unwrap())
}

fn settings(yaml: &str) -> Settings {
    read(yaml).unwrap()
}

/// Checks which findings some settings have: `code@path`, advisories with a `?` in front, in order. Every finding must
/// advise.
#[track_caller]
fn check_findings(yaml: &str, wanted: &[&str]) {
    let findings = check(&settings(yaml));
    let found: Vec<String> = findings
        .iter()
        .map(|finding| {
            let mark = if finding.severity == Severity::Advisory { "?" } else { "" };
            format!("{mark}{}@{}", finding.code, finding.path)
        })
        .collect();
    assert_eq!(found, wanted, "{yaml}");
    for finding in findings {
        assert!(finding.hint.is_some(), "{} advises nothing", finding.code);
    }
}

#[test]
fn the_defaults_are_fine() {
    check_findings("{}", &[]);
    assert_eq!(settings("{}"), Settings::default());
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let yaml = "
zones: [eu-west-1a]
routeTables: [main]
endpointRange: 172.20.0.0
storage: 10
throughput: 100
recordSize: 5
clients: [everybody]
exportOptions: []
backup: { days: 91, start: '25:00' }
maintenance: sunday
kmsKeyId: ''
fromBackup: snap-1
extraMountOptions: [vers=2]
";
    check_findings(
        yaml,
        &[
            "two-zones@zones",
            "route-table-id@routeTables.0",
            "endpoint-range@endpointRange",
            "storage@storage",
            "throughput@throughput",
            "record-size@recordSize",
            "client@clients.0",
            "export-options@exportOptions",
            "backup-days@backup.days",
            "backup-start@backup.start",
            "backup-id@fromBackup",
            "maintenance@maintenance",
            "kms-key@kmsKeyId",
            "mount-option-unsupported@extraMountOptions.0",
        ],
    );
}

#[test]
fn the_files_are_in_two_zones() {
    check_findings("zones: [eu-west-1b, eu-west-1a]", &[]);
    check_findings("{ zones: [eu-west-1b, eu-west-1c], preferredZone: eu-west-1c }", &[]);
    check_findings("preferredZone: eu-west-1c", &[]);
    for zones in
        ["[]", "[eu-west-1a]", "[eu-west-1a, eu-west-1a]", "[eu-west-1a, eu-west-1b, eu-west-1c]"]
    {
        check_findings(&format!("zones: {zones}"), &["two-zones@zones"]);
    }
    check_findings("zones: [eu-west-1a, B]", &["zone-name@zones.1"]);
    check_findings("preferredZone: EU-WEST-1A", &["zone-name@preferredZone"]);
    check_findings(
        "{ zones: [eu-west-1a, eu-west-1b], preferredZone: eu-west-1c }",
        &["preferred-zone@preferredZone"],
    );
}

#[test]
fn what_two_zones_need_has_no_meaning_in_one() {
    for deployment in ["single-az-ha-1", "single-az-ha-2"] {
        check_findings(&format!("{{ deployment: {deployment}, preferredZone: eu-west-1a }}"), &[]);
        let yaml = format!(
            "{{ deployment: {deployment}, zones: [eu-west-1a, eu-west-1b], routeTables: [rtb-01234567], endpointRange: 10.0.255.0/28 }}"
        );
        check_findings(
            &yaml,
            &["multi-az-only@zones", "multi-az-only@routeTables", "multi-az-only@endpointRange"],
        );
    }
    for other in ["single-az-1", "multi-az-2", "MULTI_AZ_1"] {
        assert!(read(&format!("deployment: {other}")).is_err(), "{other}");
    }
}

#[test]
fn route_tables_are_ids_each_once() {
    check_findings("routeTables: [rtb-01234567, rtb-0123456789abcdef0]", &[]);
    check_findings(
        "routeTables: [rtb-01234567, rtb-xyz, rtb-01234567, subnet-01234567]",
        &[
            "route-table-id@routeTables.1",
            "route-table-twice@routeTables.2",
            "route-table-id@routeTables.3",
        ],
    );
    let many: Vec<String> = (0..51).map(|n| format!("rtb-{n:08x}")).collect();
    check_findings(&format!("routeTables: [{}]", many.join(", ")), &["route-tables@routeTables"]);
}

#[test]
fn a_range_begins_where_its_length_says() {
    for range in ["10.0.255.0/28", "198.19.255.0/24", "0.0.0.0/0", "10.0.0.1/32"] {
        check_findings(&format!("endpointRange: {range:?}"), &[]);
    }
    for range in ["", "10.0.0.0", "10.0.0.1/28", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0/8", "::/0"] {
        check_findings(&format!("endpointRange: {range:?}"), &["endpoint-range@endpointRange"]);
    }
}

#[test]
fn sizes_have_ranges() {
    for (storage, wanted) in
        [(63, &["storage@storage"][..]), (64, &[]), (524_288, &[]), (524_289, &["storage@storage"])]
    {
        check_findings(&format!("storage: {storage}"), wanted);
    }
    for (iops, wanted) in
        [(299, &["iops@iops"][..]), (300, &[]), (400_000, &[]), (400_001, &["iops@iops"])]
    {
        check_findings(&format!("{{ storage: 100, iops: {iops} }}"), wanted);
    }
    check_findings("recordSize: 1024", &[]);
    check_findings("recordSize: 2048", &["record-size@recordSize"]);
}

#[test]
fn throughput_has_the_steps_of_its_deployment() {
    let check = |deployment: &str, throughput: u32, fits: bool| {
        let wanted: &[&str] = if fits { &[] } else { &["throughput@throughput"] };
        check_findings(
            &format!("{{ deployment: {deployment}, throughput: {throughput} }}"),
            wanted,
        );
    };
    for deployment in ["multi-az-1", "single-az-ha-2"] {
        check(deployment, 160, true);
        check(deployment, 10_240, true);
        check(deployment, 64, false);
        check(deployment, 161, false);
    }
    check("single-az-ha-1", 64, true);
    check("single-az-ha-1", 4096, true);
    check("single-az-ha-1", 160, false);
    assert_eq!(settings("{}").throughput(), 160);
    assert_eq!(settings("deployment: single-az-ha-1").throughput(), 64);
}

#[test]
fn clients_are_addresses_and_their_options_are_words() {
    check_findings("clients: ['*', 10.0.0.7, 10.0.0.0/16]", &[]);
    check_findings("clients: []", &["clients@clients"]);
    check_findings("clients: [10.0.0.1/16]", &["client@clients.0"]);
    check_findings("exportOptions: [rw, crossmnt, sync, no_root_squash]", &[]);
    check_findings("exportOptions: [rw, sync]", &["?root-squash@exportOptions"]);
    check_findings(
        "exportOptions: ['rw,sync', '', async, no_root_squash]",
        &[
            "export-option@exportOptions.0",
            "export-option@exportOptions.1",
            "?async-export@exportOptions.2",
        ],
    );
}

#[test]
fn copies_have_days_and_a_time() {
    check_findings("backup: { days: 90, start: '00:00', copyTags: false }", &[]);
    check_findings("backup: { days: 0 }", &["?file-system-without-backup@backup.days"]);
    check_findings(
        "backup: { days: 0, start: '02:30' }",
        &["backup-start@backup.start", "?file-system-without-backup@backup.days"],
    );
    for start in ["24:00", "2:30", "02:60", "02:3", "+2:30", "0230"] {
        check_findings(&format!("backup: {{ start: {start:?} }}"), &["backup-start@backup.start"]);
    }
    check_findings("fromBackup: backup-0123456789abcdef0", &[]);
    for id in ["backup-", "backup-xyz", "backup-01234567 ", "fs-01234567"] {
        check_findings(&format!("fromBackup: {id:?}"), &["backup-id@fromBackup"]);
    }
}

#[test]
fn maintenance_is_written_as_fsx_writes_it() {
    let check = |text: &str, wanted: Option<&str>| {
        let settings = settings(&format!("maintenance: {text:?}"));
        assert_eq!(settings.maintenance().as_deref(), wanted, "{text}");
        assert_eq!(check(&settings).is_empty(), wanted.is_some(), "{text}");
    };
    check("mon:00:00", Some("1:00:00"));
    check("Sun:23:59", Some("7:23:59"));
    for text in ["", "sun", "sun:4:30", "sun:24:00", "7:04:30", "sun:04:30-sun:05:30"] {
        check(text, None);
    }
}

#[test]
fn a_key_has_a_name() {
    check_findings("kmsKeyId: alias/files", &[]);
    check_findings("kmsKeyId: ''", &["kms-key@kmsKeyId"]);
    check_findings("kmsKeyId: 'a b'", &["kms-key@kmsKeyId"]);
}

#[test]
fn mount_options_that_fsx_does_not_support_are_refused() {
    check_findings("extraMountOptions: [noatime, nconnect=8, nfsvers=4.1, vers=3]", &[]);
    for option in ["vers=2", "nfsvers=5", "nconnect=17", "nconnect=0", "nconnect", "minorversion=3"]
    {
        check_findings(
            &format!("extraMountOptions: [noatime, {option}]"),
            &["mount-option-unsupported@extraMountOptions.1"],
        );
    }
    check_findings("extraMountOptions: [soft]", &["?soft-mount@extraMountOptions.0"]);
    for option in ["", "a b", "hard,timeo=600"] {
        check_findings(
            &format!("mountOptions: [hard, {option:?}]"),
            &["mount-option@mountOptions.1"],
        );
    }
}

#[test]
fn capacity_is_a_size() {
    for text in ["1", "100Gi", "5T"] {
        check_findings(&format!("capacity: {text:?}"), &[]);
    }
    for text in ["", "Gi", "0Gi", "-5Gi", "+5Gi", "1.5Ti", "100GB", "100 Gi"] {
        check_findings(&format!("capacity: {text:?}"), &["capacity@capacity"]);
    }
}

#[test]
fn mount_options_are_those_recommended_or_the_users() {
    assert_eq!(settings("{}").mount_options(), RECOMMENDED);
    let replaced = settings("{ mountOptions: [hard], extraMountOptions: [noatime] }");
    assert_eq!(replaced.mount_options(), ["hard", "noatime"]);
}

#[test]
fn unknown_settings_are_refused() {
    for text in ["storageGib: 100", "backup: { keep: 3 }", "compression: gzip", "storage: -1"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn the_schema_tells_the_defaults() {
    let schema = schemars::schema_for!(Settings).to_value();
    let default = |name: &str| schema.pointer(&format!("/properties/{name}/default")).cloned();
    for (name, wanted) in [
        ("deployment", serde_json::json!("multi-az-1")),
        ("storage", serde_json::json!(100)),
        ("compression", serde_json::json!("lz4")),
        ("recordSize", serde_json::json!(128)),
        ("exportOptions", serde_json::json!(["rw", "crossmnt", "sync", "no_root_squash"])),
    ] {
        assert_eq!(default(name), Some(wanted), "{name}");
    }
    assert_eq!(schema["additionalProperties"], false);
}
