//! A zone less and a zone more, and a change of version over the zones.

use serde_json::Value;

use super::{down, example, items, text};
use crate::harness::{Lab, Program, replaced};

const NAME: &str = "zones";
const HOST: &str = "with: { host: git.example.com }";

#[test]
fn a_zone_goes_and_comes_and_the_version_changes() {
    let lab = Lab::new();
    let all = example(NAME);
    let two =
        replaced(&all, "region: eu-west-1", "region: eu-west-1\nzones: [eu-west-1a, eu-west-1c]");
    let program = lab.program(&all);
    program.up();
    let system = file_system(&lab);

    program.stack(&two);
    let plan = program.plan();
    assert_eq!(
        plan.ids("delete"),
        [
            "gitlab/deployment@eu-west-1b",
            "gitlab/claim@eu-west-1b",
            "gitlab/volume@eu-west-1b",
            "data/mount-target@eu-west-1b",
        ],
        "{}",
        plan.changes()
    );
    program.up();
    assert_eq!(zones_of(&lab), ["eu-west-1a", "eu-west-1c"]);
    assert_eq!(deployments(&lab), ["gitlab-eu-west-1a", "gitlab-eu-west-1c"]);
    program.plan().is_noop();

    program.stack(&all);
    program.up();
    assert_eq!(zones_of(&lab), ["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
    assert_eq!(deployments(&lab).len(), 3);
    assert_eq!(file_system(&lab), system, "the data is where it was");
    program.plan().is_noop();

    new_version(&lab, &program, &all);
    down(&lab, &program, NAME);
}

/// The others stop, the first zone migrates, the others follow.
fn new_version(lab: &Lab, program: &Program, stack: &str) {
    program.stack(replaced(stack, HOST, "with: { host: git.example.com, version: 19.2.1 }"));
    let outcome = program.run(&["up", "--yes", "--output", "json"]).exits(0);
    let lines = outcome.json_lines();
    let at = |event: &str, id: &str, last: bool| {
        let mut found = lines.iter().enumerate().filter(|(_, line)| {
            line["event"] == event && line["id"] == format!("gitlab/deployment@{id}")
        });
        let found = if last { found.next_back() } else { found.next() };
        found.unwrap_or_else(|| panic!("{event} {id}: {outcome}")).0
    };
    for other in ["eu-west-1b", "eu-west-1c"] {
        assert!(at("ended", other, false) < at("started", "eu-west-1a", false), "{outcome}");
        assert!(at("ended", "eu-west-1a", true) < at("started", other, true), "{outcome}");
    }
    for name in ["gitlab-eu-west-1a", "gitlab-eu-west-1b", "gitlab-eu-west-1c"] {
        let path = format!("/apis/apps/v1/namespaces/{NAME}/deployments/{name}");
        let deployment = lab.kubernetes.get(&path);
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        assert_eq!(image, "sameersbn/gitlab:19.2.1", "{name}");
        assert_eq!(deployment["status"]["readyReplicas"], 1, "{name}");
    }
    program.plan().is_noop();
    // And not back.
    program.stack(stack);
    program.run(&["up", "--yes"]).exits(4).says(&["cannot go back"]);
}

fn file_system(lab: &Lab) -> String {
    let dump = lab.dump(&["efs"]);
    text(&super::only(&dump["efs"])["FileSystemId"]).to_owned()
}

/// The zones with a mount target.
fn zones_of(lab: &Lab) -> Vec<String> {
    let dump = lab.dump(&["efs"]);
    let targets = items(&dump["efs"][0]["MountTargets"]).iter();
    let mut zones: Vec<String> =
        targets.map(|target| text(&target["AvailabilityZoneName"]).to_owned()).collect();
    zones.sort();
    zones
}

fn deployments(lab: &Lab) -> Vec<String> {
    let objects: Vec<Value> =
        lab.kubernetes.list(&format!("/apis/apps/v1/namespaces/{NAME}/deployments"));
    let names = objects.iter().map(|object| text(&object["metadata"]["name"]).to_owned());
    names.filter(|name| name.starts_with("gitlab")).collect()
}
