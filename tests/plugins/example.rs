//! The third party's example (`examples/plugins/fsx`), outside the workspace: built by its own manifest and lock file, then from its
//! first day to its last by the real program.

#[path = "../../examples/plugins/fsx/tests/service/mod.rs"]
mod service;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use zonestack_core::driver::{CallContext, DriverError, Ownership, Query, Status, Target};
use zonestack_host::plugin::{Isolation, RemotePlugin};
use zonestack_host::services::Services;
use zonestack_sdk::message::{AwsCredentials, AwsSettings};

use super::cargo::Crate;
use super::{LIMITS, OneSecret, WAYS, create, hash, options, owner, wait_for};
use crate::harness::{EXAMPLE, Program, replaced};
use crate::sandbox::world;
use service::Service;

const KIND: &str = "example.fsx.file-system";
const FILE: &str = "libzonestack_plugin_openzfs.so";
const PLACE: &str = ".zonestack/plugins/libzonestack_plugin_openzfs.so";
const ID: &str = "fs-0123456789abcdef0";
/// The example's crate.
fn example() -> Crate {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = checkout.join("examples/plugins/fsx/Cargo.toml");
    Crate { manifest, target: "example-plugins", variables: &[] }
}

/// The library. What it is built from, the workspace was built from: nothing is downloaded.
fn library() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        example().cargo(&["build", "--locked", "--offline"]);
        example().target().join("debug").join(FILE)
    };
    BUILT.get_or_init(build).clone()
}

#[test]
fn the_example_is_formatted_and_passes_its_own_tests() {
    example().cargo(&["fmt", "--check"]);
    let said = example().cargo(&["test", "--locked", "--offline"]);
    // Its units and its wire tests.
    let passed = said.matches("test result: ok. 5 passed").count();
    assert_eq!(passed, 2, "{said}");
}

/// GitLab, with its files on the example's component.
fn stack(with: &str) -> String {
    let stack = replaced(EXAMPLE, "{ use: efs }", &format!("{{ use: openzfs, with: {with} }}"));
    format!("{}\nplugins: [openzfs]\n", stack.trim_end())
}

fn found(program: &Program, kind: &str) -> Vec<Json> {
    let world = world(&program.folder.read("sandbox.json"));
    let resources = world["resources"].as_array().unwrap();
    resources.iter().filter(|found| found["kind"] == kind).cloned().collect()
}

#[track_caller]
fn file_system(program: &Program) -> Json {
    let [system] = &found(program, KIND)[..] else { panic!("{:?}", found(program, KIND)) };
    system.clone()
}

/// Every command that needs its driver says which file is missing, and forgets nothing.
#[track_caller]
fn is_missed(program: &Program) {
    let before = program.folder.read("sandbox.json");
    for command in [
        &["plan"][..],
        &["status"],
        &["down", "--yes"],
        &["down", "--yes", "--stack", "git", "--delete-data", "data", "--delete-data", "db"],
    ] {
        program.run(command).exits(4).says(&["openzfs", FILE, "is missing"]);
    }
    assert_eq!(program.folder.read("sandbox.json"), before);
}

#[test]
fn a_third_party_s_plugin_lives_from_its_first_day_to_its_last() {
    let program = Program::in_sandbox(&stack("{ routeTables: [rtb-01234567] }"));
    let library = library();
    let add = ["plugin", "add", library.to_str().unwrap(), "--yes"];
    is_not_trusted(&program, &add);

    program.run(&add).exits(0).says(&["openzfs", KIND, "fsx:CreateFileSystem"]);
    let lock = program.folder.read("zonestack.lock");
    assert!(lock.contains("\"openzfs\"") && lock.contains(&hash(&library)), "{lock}");
    program.run(&["plugin", "list"]).exits(0).says(&["openzfs", "0.1.0", "trusted", PLACE]);
    program.run(&["validate", "--locked"]).exits(0);

    program.up();
    program.plan().is_noop();
    assert!(found(&program, "aws.efs.file-system").is_empty());
    let id = file_system(&program)["remote_id"].as_str().unwrap().to_owned();
    let volumes = found(&program, "k8s.v1.PersistentVolume");
    assert_eq!(volumes.len(), 3);
    for volume in volumes {
        let server = &volume["spec"]["spec"]["nfs"]["server"];
        assert_eq!(server, &json!(format!("{id}.fsx.eu-west-1.amazonaws.com")));
    }
    // What its declaration says of fields holds as it does for what is built in.
    program.stack(stack("{ routeTables: [rtb-01234567], storage: 200 }"));
    assert_eq!(program.plan().ids("update"), ["data/file-system"]);
    program.up();
    program.plan().is_noop();
    assert_eq!(file_system(&program)["spec"]["storage_gib"], 200);
    program.stack(stack("{ routeTables: [rtb-01234567], storage: 100 }"));
    assert_eq!(program.plan().ids("refuse"), ["data/file-system"]);
    program.stack(stack("{ routeTables: [rtb-01234567], storage: 200 }"));

    // Its file is lost, and found again.
    std::fs::remove_file(program.file(PLACE)).unwrap();
    is_missed(&program);
    program.run(&add).exits(0);
    program.plan().is_noop();
    // It is removed while what it made is there.
    program.run(&["plugin", "remove", "openzfs", "--yes"]).exits(0).says(&["What it made stays"]);
    is_missed(&program);
    program.run(&add).exits(0);

    program.run(&["down", "--yes"]).exits(0).says(&[&id]);
    assert_eq!(file_system(&program)["remote_id"], id);
    let all = ["down", "--yes", "--delete-data", "data", "--delete-data", "db"];
    program.run(&all).exits(0);
    let world = world(&program.folder.read("sandbox.json"));
    assert_eq!(world["resources"], json!([]));
    // Its final backup is what is left, because its declaration says that it leaves one.
    let copies = world["final_copies"].as_object().unwrap();
    assert_eq!(copies.values().filter(|copy| copy["of"] == id).count(), 1, "{copies:?}");
}

/// Without an entry in the lock file nothing is made, and `--locked` writes none.
#[track_caller]
fn is_not_trusted(program: &Program, add: &[&str]) {
    program.run(&["up", "--yes"]).exits(4).says(&[FILE]);
    let locked: Vec<&str> = add.iter().copied().chain(["--locked"]).collect();
    program.run(&locked).exits(4).says(&["must not be changed"]);
    for file in ["zonestack.lock", "sandbox.json", PLACE] {
        assert!(!program.file(file).exists(), "{file}");
    }
}

/// A host whose AWS is on loopback; how often it was asked for credentials.
struct OnLoopback {
    url: String,
    asked: AtomicUsize,
}

impl Services for OnLoopback {
    fn aws_settings(&self) -> BoxFuture<'_, Result<AwsSettings, DriverError>> {
        let settings = AwsSettings {
            region: "eu-west-1".to_owned(),
            endpoint_url: Some(self.url.clone()),
            ..AwsSettings::default()
        };
        async { Ok(settings) }.boxed()
    }

    fn aws_credentials<'a>(
        &'a self,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AwsCredentials, DriverError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let credentials = AwsCredentials {
            access_key_id: "AKIDOFTHEHOST".to_owned(),
            secret_access_key: "not-a-secret".to_owned(),
            session_token: Some("session-of-the-host".to_owned()),
            expires: None,
        };
        async { Ok(credentials) }.boxed()
    }

    fn now(&self) -> String {
        "2026-11-23T07:00:00Z".to_owned()
    }

    fn turn<'a>(&'a self, _: &'a str) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}

fn target(remote_id: Option<&str>) -> Target {
    Target {
        id: "data/file-system".parse().unwrap(),
        name: None,
        token: Some("token-1".to_owned()),
        remote_id: remote_id.map(str::to_owned),
        parent: None,
        ..super::target(KIND, "")
    }
}

/// A file system as FSx describes it, with the tags that it was made with.
fn shown(tags: &Json) -> Json {
    json!({
        "FileSystemId": ID,
        "FileSystemType": "OPENZFS",
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": 100,
        "SubnetIds": ["subnet-b", "subnet-a"],
        "DNSName": format!("{ID}.fsx.eu-west-1.amazonaws.com"),
        "Tags": tags,
        "OpenZFSConfiguration": { "ThroughputCapacity": 160, "PreferredSubnetId": "subnet-a" },
    })
}

/// Its requests to FSx come from the child, signed with what the host gave it.
#[test]
fn its_driver_reaches_the_service_with_the_credentials_of_the_host() {
    let library = library();
    for way in WAYS {
        let made_with = std::sync::Mutex::new(Json::Null);
        let service = Service::start(move |call| {
            let mut tags = made_with.lock().unwrap();
            match call.operation.as_str() {
                "CreateFileSystem" => {
                    *tags = call.body["Tags"].clone();
                    (200, json!({ "FileSystem": shown(&tags) }))
                }
                "DescribeFileSystems" => (200, json!({ "FileSystems": [shown(&tags)] })),
                other => (400, json!({ "__type": "NotInThisTest", "message": other })),
            }
        });
        let plugin =
            RemotePlugin::open(&library, &hash(&library), "openzfs", options(way, LIMITS)).unwrap();
        let host = Arc::new(OnLoopback { url: service.url.clone(), asked: AtomicUsize::new(0) });
        let driver =
            plugin.driver(&plugin.describe().unwrap(), Arc::<OnLoopback>::clone(&host) as _);
        let spec = json!({
            "subnets": ["subnet-a", "subnet-b"],
            "preferred_subnet": "subnet-a",
            "security_groups": ["sg-1"],
            "storage_gib": 100,
            "throughput_mbps": 160,
            "tags": { "Name": "git-data" },
        });
        let made = create(driver.as_ref(), &target(None), &spec).unwrap();
        assert_eq!(made.remote_id.as_deref(), Some(ID));
        let (owner, query) = (owner(), Query { target: target(None), spec: Some(spec.clone()) });
        let found =
            wait_for(driver.observe(CallContext::new(&owner, &OneSecret), &[query])).remove(0);
        let found = found.unwrap();
        assert_eq!((found.status, found.ownership), (Status::Ready, Ownership::Ours));
        assert_eq!(found.attributes, spec);

        let calls = service.calls();
        let asked: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(asked, ["CreateFileSystem", "DescribeFileSystems"]);
        for call in &calls {
            assert!(call.authorization.contains("AKIDOFTHEHOST/"), "{}", call.authorization);
            assert!(call.authorization.contains("/eu-west-1/fsx/"), "{}", call.authorization);
            assert_eq!(call.session, "session-of-the-host");
        }
        let body = &calls[0].body;
        assert_eq!(body["ClientRequestToken"], "token-1");
        let tags = body["Tags"].as_array().unwrap();
        for (key, value) in [
            ("Name", "git-data"),
            ("zonestack:stack", "git"),
            ("zonestack:uid", "uid-1"),
            ("zonestack:node", "data/file-system"),
        ] {
            assert!(tags.contains(&json!({ "Key": key, "Value": value })), "{key} in {body}");
        }
        assert_eq!(host.asked.load(Ordering::SeqCst), 1, "kept as long as they are good");
        assert_eq!(plugin.faults(), Vec::<String>::new());
    }
    assert_eq!(WAYS[0], Isolation::Child);
}
