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
fn an_existing_file_system_excludes_how_to_make_one() {
    check_findings("existing: fs-0123456789abcdef0", &[]);
    check_findings("existing: fs-01234567", &[]);
    check_findings("{ existing: fs-01234567, path: /gitlab, oneZone: eu-west-1a }", &[]);
    for text in ["fs-xyz", "fs-", "0123456789abcdef0", "fs-0123456789ABCDEF0", "fs-0123456é"] {
        check_findings(&format!("existing: {text:?}"), &["file-system-id@existing"]);
    }
    for setting in [
        "performance: general-purpose",
        "throughput: elastic",
        "lifecycle: {}",
        "encrypted: false",
        "kmsKeyId: alias/files",
        "backup: false",
    ] {
        let name = setting.split(':').next().unwrap();
        check_findings(
            &format!("{{ existing: fs-01234567, {setting} }}"),
            &[&format!("existing-is-never-changed@{name}")],
        );
    }
}

#[test]
fn max_io_goes_with_neither_elastic_throughput_nor_one_zone() {
    check_findings("{ performance: max-io, throughput: bursting }", &[]);
    check_findings("{ performance: max-io, throughput: { provisioned: 64 } }", &[]);
    check_findings("performance: max-io", &["max-io-with-elastic@performance"]);
    check_findings(
        "{ performance: max-io, throughput: elastic, oneZone: eu-west-1a }",
        &["max-io-with-elastic@performance", "max-io-in-one-zone@performance"],
    );
}

#[test]
fn provisioned_throughput_has_a_range() {
    for (mibps, wanted) in [
        (0, &["provisioned-throughput@throughput.provisioned"][..]),
        (1, &[]),
        (3414, &[]),
        (3415, &["provisioned-throughput@throughput.provisioned"]),
    ] {
        check_findings(&format!("throughput: {{ provisioned: {mibps} }}"), wanted);
    }
}

#[test]
fn provisioned_throughput_without_its_value_cannot_be_written() {
    for text in
        ["throughput: provisioned", "throughput: { elastic: 5 }", "throughput: { provisioned: -1 }"]
    {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn unknown_settings_are_refused() {
    for text in ["throughputMode: elastic", "lifecycle: { toIA: 30 }", "performance: maxIO"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn life_cycles_have_known_days_and_an_order() {
    check_findings("lifecycle: { toIa: 30, toArchive: 90, backToPrimary: true }", &[]);
    check_findings("lifecycle: { toArchive: 90 }", &[]);
    check_findings("{ throughput: bursting, lifecycle: { toIa: 1 } }", &[]);
    check_findings(
        "lifecycle: { toIa: 31, toArchive: 91 }",
        &["lifecycle-days@lifecycle.toIa", "lifecycle-days@lifecycle.toArchive"],
    );
    for throughput in ["bursting", "{ provisioned: 10 }"] {
        check_findings(
            &format!("{{ throughput: {throughput}, lifecycle: {{ toArchive: 90 }} }}"),
            &["archive-needs-elastic@lifecycle.toArchive"],
        );
    }
    check_findings(
        "{ performance: max-io, throughput: bursting, lifecycle: { toArchive: 90 } }",
        &["archive-needs-elastic@lifecycle.toArchive"],
    );
    for to_ia in [90, 180] {
        check_findings(
            &format!("lifecycle: {{ toIa: {to_ia}, toArchive: 90 }}"),
            &["archive-before-ia@lifecycle.toArchive"],
        );
    }
}

#[test]
fn a_file_system_without_protection_is_worth_a_word() {
    check_findings("encrypted: false", &["?unencrypted-file-system@encrypted"]);
    check_findings("backup: false", &["?file-system-without-backup@backup"]);
    check_findings("kmsKeyId: alias/files", &[]);
    check_findings("kmsKeyId: ''", &["kms-key@kmsKeyId"]);
    check_findings(
        "{ encrypted: false, kmsKeyId: alias/files }",
        &["kms-key-without-encryption@kmsKeyId", "?unencrypted-file-system@encrypted"],
    );
}

#[test]
fn one_zone_is_a_zone_and_has_no_regional_name() {
    check_findings("oneZone: eu-west-1a", &[]);
    check_findings("endpoint: regional", &[]);
    check_findings("oneZone: EU-WEST-1A", &["zone-name@oneZone"]);
    check_findings(
        "{ oneZone: eu-west-1a, endpoint: regional }",
        &["regional-name-in-one-zone@endpoint"],
    );
}

#[test]
fn a_path_is_absolute_clean_and_there() {
    for path in ["", "gitlab", "/gitlab/", "//", "/a//b", "/a/../b", "/a:b", "/a b"] {
        check_findings(&format!("{{ existing: fs-01234567, path: {path:?} }}"), &["path@path"]);
    }
    check_findings("path: /gitlab", &["?path-must-exist@path"]);
    check_findings("{ path: /gitlab, mount: csi }", &["path-with-csi@path"]);
    check_findings("{ existing: fs-01234567, path: /gitlab, mount: csi }", &[]);
}

#[test]
fn mount_options_that_efs_does_not_support_are_refused() {
    check_findings("extraMountOptions: [noatime, lookupcache=positive, nfsvers=4.1, sec=sys]", &[]);
    check_findings("mountOptions: [nfsvers=4.1, hard, noresvport]", &[]);
    check_findings(
        "mountOptions: [nfsvers=4.1, hard]",
        &["?mount-without-noresvport@mountOptions"],
    );
    check_findings("{ mountOptions: [hard], extraMountOptions: [noresvport] }", &[]);
    check_findings("{ mount: csi, mountOptions: [iam] }", &[]);
    for option in ["nfsvers=4.2", "vers=3", "nconnect=4", "sec=krb5", "minorversion=2"] {
        check_findings(
            &format!("extraMountOptions: [noatime, {option}]"),
            &["mount-option-unsupported@extraMountOptions.1"],
        );
    }
    check_findings("extraMountOptions: [soft]", &["?soft-mount@extraMountOptions.0"]);
    for option in ["", "a b", "hard,timeo=600"] {
        check_findings(
            &format!("mountOptions: [noresvport, {option:?}]"),
            &["mount-option@mountOptions.1"],
        );
    }
}

#[test]
fn capacity_is_a_size() {
    for text in ["1", "100Gi", "5T", "8Ei"] {
        check_findings(&format!("capacity: {text:?}"), &[]);
    }
    for text in ["", "Gi", "0Gi", "-5Gi", "+5Gi", "1.5Ti", "100GB", "100 Gi", "100µ"] {
        check_findings(&format!("capacity: {text:?}"), &["capacity@capacity"]);
    }
}

#[test]
fn mount_options_follow_the_way_to_mount() {
    let check = |yaml: &str, wanted: &[&str]| {
        assert_eq!(settings(yaml).mount_options(), wanted, "{yaml}");
    };
    check("{}", &RECOMMENDED);
    check("{ mountOptions: [hard], extraMountOptions: [noatime] }", &["hard", "noatime"]);
    check("mount: csi", &[]);
    check(
        "{ mount: csi, oneZone: eu-west-1a, extraMountOptions: [noatime] }",
        &["az=eu-west-1a", "noatime"],
    );
}

#[test]
fn the_schema_tells_the_defaults() {
    let schema = schemars::schema_for!(Settings).to_value();
    let default = |name: &str| schema.pointer(&format!("/properties/{name}/default")).cloned();
    for (name, wanted) in [
        ("performance", serde_json::json!("general-purpose")),
        ("throughput", serde_json::json!("elastic")),
        ("encrypted", serde_json::json!(true)),
        ("backup", serde_json::json!(true)),
        ("capacity", serde_json::json!("100Gi")),
        ("mount", serde_json::json!("nfs")),
        ("endpoint", serde_json::json!("zonal")),
    ] {
        assert_eq!(default(name), Some(wanted), "{name}");
    }
    assert_eq!(schema["additionalProperties"], false);
}
