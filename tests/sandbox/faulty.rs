//! Stack files with faults: each gives one screen that says where, what is wrong and what to write.

use insta::assert_snapshot;

use crate::harness::{EXAMPLE, Program, replaced};

/// Lines of a small terminal.
const SCREEN: usize = 24;

/// What `validate` says of a file with one fault: one screen.
#[track_caller]
pub(super) fn screen(stack: impl AsRef<[u8]>) -> String {
    let said = said(stack);
    let lines = said.lines().count();
    assert!(lines <= SCREEN, "{lines} lines:\n{said}");
    said
}

/// What `validate` says of a file, on stderr and with exit code 1; `up` says the same before anything else.
#[track_caller]
fn said(stack: impl AsRef<[u8]>) -> String {
    let program = Program::offline(stack);
    let outcome = program.run(&["validate"]).exits(1);
    assert_eq!(outcome.stdout, "", "stdout is for data: {outcome}");
    let up = program.run(&["up", "--sandbox=sandbox.json", "--yes"]).exits(1);
    assert_eq!(up.stderr, outcome.stderr);
    assert!(!program.file("sandbox.json").exists(), "nothing was made");
    outcome.stderr
}

/// What `validate` says of the example with one part replaced.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    screen(replaced(EXAMPLE, from, to))
}

const GITLAB: &str = "with: { host: git.example.com }";
const DATABASE: &str = "{ use: rds }";

#[test]
fn a_wrong_type() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { storage: plenty } }"));
}

#[test]
fn an_unknown_key_with_a_near_miss() {
    assert_snapshot!(changed("region: eu-west-1", "regoin: eu-west-1"));
}

#[test]
fn an_unknown_setting_with_a_near_miss() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { multiAZ: true } }"));
}

#[test]
fn an_unknown_component_type() {
    assert_snapshot!(changed("{ use: efs }", "{ use: esf }"));
}

#[test]
fn a_missing_setting() {
    assert_snapshot!(changed(GITLAB, "with: { timezone: Europe/Paris }"));
}

#[test]
fn a_missing_requirement() {
    assert_snapshot!(changed("  cache: { use: redis }", "  #"));
}

#[test]
fn an_ambiguous_wiring() {
    assert_snapshot!(changed(
        "  db:    { use: rds }",
        "  db:    { use: rds }\n  db2:   { use: rds }"
    ));
}

#[test]
fn a_component_that_needs_itself() {
    assert_snapshot!(changed(
        GITLAB,
        "needs: { database: gitlab }\n    with: { host: git.example.com }"
    ));
}

#[test]
fn a_component_that_provides_something_else() {
    assert_snapshot!(changed(
        GITLAB,
        "needs: { database: cache }\n    with: { host: git.example.com }"
    ));
}

#[test]
fn windows_that_overlap() {
    assert_snapshot!(changed(
        DATABASE,
        "\n    use: rds\n    with:\n      backup: { window: \"04:00-05:00\" }\n      maintenanceWindow: sun:04:30-sun:05:30"
    ));
}

#[test]
fn a_name_that_is_too_long() {
    assert_snapshot!(changed("name: git ", "name: git-for-the-whole-company "));
}

#[test]
fn a_pair_of_versions_that_does_not_work() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { version: 15 } }"));
}

#[test]
fn a_database_with_too_few_connections() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { class: db.t4g.micro } }"));
}

#[test]
fn a_password_in_the_file() {
    let said = changed(DATABASE, "{ use: rds, with: { password: swordfish-42 } }");
    assert!(!said.contains("swordfish"), "{said}");
    assert_snapshot!(said);
}

#[test]
fn settings_that_exclude_each_other() {
    assert_snapshot!(changed("{ use: efs }", "{ use: efs, with: { performance: max-io } }"));
}

#[test]
fn a_certificate_of_another_region() {
    let certificate =
        "arn:aws:acm:us-east-1:111122223333:certificate/0b6f4c1e-5d0e-4a50-8c9d-3d0f6c9a7d11";
    let https =
        format!("with: {{ host: git.example.com, https: {{ certificate: \"{certificate}\" }} }}");
    assert_snapshot!(changed(GITLAB, &https));
}

#[test]
fn a_zone_in_place_of_a_region() {
    assert_snapshot!(changed("region: eu-west-1", "region: eu-west-1a"));
}

#[test]
fn a_zone_of_another_region() {
    assert_snapshot!(changed(
        "region: eu-west-1",
        "region: eu-west-1\nzones: [eu-west-1a, us-east-1b]"
    ));
}

#[test]
fn too_little_memory() {
    assert_snapshot!(changed("{ use: redis }", "{ use: redis, with: { memory: 512 } }"));
}

#[test]
fn a_newer_format() {
    assert_snapshot!(changed("zonestack/v1", "zonestack/v2"));
}

#[test]
fn several_faults_at_once() {
    let stack = replaced(EXAMPLE, "region: eu-west-1", "region: Ireland\nowner: me");
    let stack = replaced(&stack, "{ use: efs }", "{ use: efs, with: { throughput: bursty } }");
    let stack =
        replaced(&stack, DATABASE, "{ use: rds, with: { storage: 5, class: db.t2.medium } }");
    let stack = replaced(&stack, GITLAB, "with: { host: \"https://git.example.com\" }");
    let said = said(stack);
    assert!(said.contains("6 problems"), "{said}");
    assert_snapshot!(said);
}

/// Programs get the same as JSON.
#[test]
fn faults_are_told_to_programs_too() {
    let stack = replaced(EXAMPLE, "{ use: efs }", "{ use: esf }");
    let outcome = Program::offline(stack).run(&["validate", "--output", "json"]).exits(1);
    assert_snapshot!(format!("{:#}", outcome.json()));
}
