//! Changes of the example, and the plan that a careful engineer would write for each.
//!
//! The example is up; then one thing in its file changes. What the plan must say is in the snapshot beside each: the steps
//! that are not `keep`, their fields with what the change does to the running system, and why what is refused is refused.

use insta::assert_snapshot;

use crate::harness::{EXAMPLE, Plan, Program, replaced};

/// The plan after the example was changed from one text to another.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    changed_from(EXAMPLE, from, to)
}

#[track_caller]
fn changed_from(stack: &str, from: &str, to: &str) -> String {
    // The sandbox has three zones, whatever the file names.
    let program = Program::in_sandbox(stack).option("--sandbox-zones").option("3");
    program.up();
    program.stack(replaced(stack, from, to));
    let plan = program.plan();
    let changes = plan.changes();
    if plan.ids("refuse").is_empty() {
        // What is planned can be done, and then there is nothing left to do.
        program.up();
        program.plan().is_noop();
    }
    changes
}

const GITLAB: &str = "with: { host: git.example.com }";
const DATABASE: &str = "{ use: rds }";

/// 1. GitLab goes to the next minor version: the first zone migrates the database, the others follow.
#[test]
fn a_newer_gitlab() {
    assert_snapshot!(changed(GITLAB, "with: { host: git.example.com, version: 19.2.1 }"));
}

/// 2. An upgrade may not skip a required stop.
#[test]
fn a_gitlab_beyond_the_next_stop() {
    assert_snapshot!(changed(GITLAB, "with: { host: git.example.com, version: 19.8.0 }"));
}

/// 3. A database that was migrated cannot go back.
#[test]
fn an_older_gitlab() {
    assert_snapshot!(changed(GITLAB, "with: { host: git.example.com, version: 19.1.0 }"));
}

/// 4. A larger class is an outage, in the maintenance window.
#[test]
fn a_larger_database_class() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { class: db.m7g.xlarge } }"));
}

/// 5. The same at once.
#[test]
fn a_larger_database_class_now() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { class: db.m7g.xlarge, apply: now } }"));
}

/// 6. Storage grows in place.
#[test]
fn more_storage() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { storage: 200 } }"));
}

/// 7. Storage does not shrink.
#[test]
fn less_storage() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { storage: 50 } }"));
}

/// 8. What is decided once on a database that holds data.
#[test]
fn a_database_without_encryption() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { encrypted: false } }"));
}

/// 9. EFS changes its throughput mode in place.
#[test]
fn another_throughput_of_the_file_system() {
    assert_snapshot!(changed(
        "{ use: efs }",
        "{ use: efs, with: { throughput: { provisioned: 128 } } }"
    ));
}

/// 10. A zone less: what is only in that zone goes, nothing else is touched but what lists the zones.
#[test]
fn a_zone_less() {
    let zones = "region: eu-west-1\nzones: [eu-west-1a, eu-west-1b]";
    assert_snapshot!(changed("region: eu-west-1", zones));
}

/// 11. A zone more.
#[test]
fn a_zone_more() {
    let two = replaced(
        EXAMPLE,
        "region: eu-west-1",
        "region: eu-west-1\nzones: [eu-west-1a, eu-west-1c]",
    );
    assert_snapshot!(changed_from(
        &two,
        "[eu-west-1a, eu-west-1c]",
        "[eu-west-1a, eu-west-1b, eu-west-1c]"
    ));
}

/// 12. Another name for people: the pods change, nothing on AWS.
#[test]
fn another_host() {
    assert_snapshot!(changed(GITLAB, "with: { host: code.example.com }"));
}

/// 13. A component without data may be renamed: the new one is made, its consumers follow, the old one goes.
#[test]
fn a_renamed_cache() {
    assert_snapshot!(changed("  cache: { use: redis }", "  queue: { use: redis }"));
}

/// 14. A renamed component with data would be a new, empty one beside the old one, which is kept: not without being asked.
#[test]
fn a_renamed_file_system() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    program.stack(replaced(EXAMPLE, "  data:  { use: efs }", "  files: { use: efs }"));
    assert_eq!(program.plan().ids("refuse"), ["files/file-system"]);
    let asked = ["plan", "--recreate", "files", "--output", "json"];
    let plan = Plan::of(&program.run(&asked).exits(0));
    assert!(plan.ids("delete").iter().all(|id| !id.ends_with("/file-system")));
    assert_snapshot!(format!(
        "{}\nwith --recreate files:\n{}",
        program.plan().changes(),
        plan.changes()
    ));
}

/// 15. More memory for the cache.
#[test]
fn a_larger_cache() {
    assert_snapshot!(changed("{ use: redis }", "{ use: redis, with: { memory: 1Gi } }"));
}

/// 16. Tags for everything on AWS, nothing in the cluster.
#[test]
fn more_tags() {
    assert_snapshot!(changed("region: eu-west-1", "region: eu-west-1\ntags: { team: platform }"));
}

/// 17. HTTPS: the load balancer and GitLab's own idea of its address.
#[test]
fn https() {
    let certificate =
        "arn:aws:acm:eu-west-1:111122223333:certificate/0b6f4c1e-5d0e-4a50-8c9d-3d0f6c9a7d11";
    assert_snapshot!(changed(
        GITLAB,
        &format!("with: {{ host: git.example.com, https: {{ certificate: \"{certificate}\" }} }}")
    ));
}

/// 18. Backups are kept longer: in place, at once.
#[test]
fn longer_backups() {
    assert_snapshot!(changed(DATABASE, "{ use: rds, with: { backup: { days: 30 } } }"));
}

/// 19. An acknowledged advisory is no longer shown, and nothing changes.
#[test]
fn an_acknowledged_advisory() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    assert!(program.plan().advisories().contains(&"git-on-nfs"));
    program.stack(replaced(
        EXAMPLE,
        GITLAB,
        "with: { host: git.example.com }\n    acknowledge: [git-on-nfs]",
    ));
    let plan = program.plan();
    plan.is_noop();
    assert!(!plan.advisories().contains(&"git-on-nfs"), "{:?}", plan.advisories());
}

/// 20. GitLab is taken out: its objects go, the data stays, and so do its keys, without which the data cannot be read.
#[test]
fn without_gitlab() {
    let without = EXAMPLE.split("  gitlab: ").next().unwrap();
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    program.stack(without);
    assert_snapshot!(program.plan().changes());
}
