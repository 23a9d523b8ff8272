//! What moto can show of FSx: that it takes what zonestack sends, and that zonestack reads from the answers what it sent.
//!
//! moto keeps a file system as it was asked for. It knows no states, no root volume, no interfaces, no updates, no final
//! backup and no token: those are tested with recorded answers in plugin-fsx. MiniStack has no FSx.

use serde_json::{Value, json};

use super::{only, text};
use crate::harness::{Lab, Plan, Program, Status};

const NAME: &str = "files";

const STACK: &str = "
apiVersion: zonestack/v1
name: files
cluster: k8s.myzone.net
region: eu-west-1
components:
  data:
    use: fsx-openzfs
    with: { storage: 500, throughput: 320, iops: 2000, routeTables: [rtb-0123456789abcdef0] }
";

#[test]
fn a_file_system_is_made_found_kept_and_taken_up_again() {
    let lab = Lab::new();
    let program = lab.program(STACK);
    program.up();
    unchanged(&program);
    let system = only(&file_systems(&lab)).clone();
    let subnets = lab.private_subnets();
    let of = |zone: &str| json!(subnets[zone]);
    let mut two = [of("eu-west-1a"), of("eu-west-1b")];
    two.sort_by_key(ToString::to_string);
    assert_eq!(system["SubnetIds"], json!(two));
    assert_eq!((&system["StorageCapacity"], &system["StorageType"]), (&json!(500), &json!("SSD")));
    let configuration = &system["OpenZFSConfiguration"];
    assert_eq!(configuration["DeploymentType"], "MULTI_AZ_1");
    assert_eq!(configuration["ThroughputCapacity"], 320);
    assert_eq!(configuration["PreferredSubnetId"], of("eu-west-1a"));
    assert_eq!(
        configuration["DiskIopsConfiguration"],
        json!({ "Mode": "USER_PROVISIONED", "Iops": 2000 })
    );
    assert_eq!(configuration["RouteTableIds"], json!(["rtb-0123456789abcdef0"]));
    let tag = |key: &str| {
        let tags = system["Tags"].as_array().unwrap();
        tags.iter().find(|tag| tag["Key"] == key).map(|tag| text(&tag["Value"]).to_owned())
    };
    assert_eq!(tag("Name").as_deref(), Some("files-data"));
    assert_eq!(tag("zonestack:node").as_deref(), Some("data/openzfs"));
    let outputs = program.run(&["outputs"]).exits(0).stdout;
    assert!(outputs.contains(text(&system["DNSName"])), "{outputs}");
    let status = Status::of(&program.run(&["status", "--output", "json"]).exits(0));
    assert_eq!(status.0["health"], "ready");

    program.run(&["down", "--yes"]).exits(0);
    assert_eq!(only(&file_systems(&lab))["FileSystemId"], system["FileSystemId"]);
    program.up();
    unchanged(&program);
    assert_eq!(only(&file_systems(&lab))["FileSystemId"], system["FileSystemId"]);

    // moto makes no final backup, so a person takes it away: what is gone already needs none.
    let id = &system["FileSystemId"];
    lab.by_hand("fsx", "delete_file_system", &json!({ "FileSystemId": id }));
    program.run(&["down", "--yes", "--delete-data", "data"]).exits(0);
    lab.kubernetes.eventually("the end of the namespace", |kubernetes| {
        kubernetes.find(&format!("/api/v1/namespaces/{NAME}")).is_none().then_some(())
    });
}

fn unchanged(program: &Program) {
    let outcome = program.run(&["plan", "--detailed-exitcode", "--output", "json"]).exits(0);
    Plan::of(&outcome).is_noop();
}

fn file_systems(lab: &Lab) -> Value {
    lab.by_hand("fsx", "describe_file_systems", &json!({}))["FileSystems"].take()
}
