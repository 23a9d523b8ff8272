//! Planted values are found nowhere but where they belong: in the Secrets, and with the services that got them.

use std::fs;

use super::{down, example};
use crate::harness::{Lab, Outcome, Program, replaced};

const NAME: &str = "canary";
/// In every value that is planted.
const MARK: &str = "sk-canary-";

fn program(lab: &Lab) -> Program {
    let stack = replaced(
        &example(NAME),
        "{ use: rds }",
        "{ use: rds, with: { password: { env: DATABASE_PASSWORD } } }",
    );
    let stack = replaced(
        &stack,
        "{ host: git.example.com }",
        "{ host: git.example.com, secrets: { rootPassword: { env: ROOT_PASSWORD } } }",
    );
    let mut program = lab.program(&stack);
    for (name, value) in [
        ("DATABASE_PASSWORD", "database-4f7c"),
        ("ROOT_PASSWORD", "root-9b21"),
        ("AWS_SECRET_ACCESS_KEY", "aws-d3e8"),
    ] {
        program.environment.insert(name.to_owned(), format!("{MARK}{value}"));
    }
    program
}

#[track_caller]
fn is_silent(outcome: &Outcome) {
    for stream in [&outcome.stdout, &outcome.stderr] {
        assert!(!stream.contains(MARK), "{outcome}");
    }
}

/// The command lines of all processes that mention a planted value.
fn in_process_list() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        .filter(|line| line.contains(MARK))
        .collect()
}

#[test]
fn a_planted_secret_is_found_nowhere() {
    let lab = Lab::new();
    let program = program(&lab);
    is_silent(&program.run(&["plan", "-vvv", "--out", "saved.plan"]).exits(0));
    let saved = program.folder.read("saved.plan");
    assert!(!saved.contains(MARK), "{saved}");

    let mut running = program.start(&["up", "--yes", "-vvv", "--output", "json"]);
    // Again with each thing that it begins.
    let mut begun = 0;
    while running.says("\"event\":\"started\"", begun + 1) {
        begun += 1;
        assert_eq!(in_process_list(), Vec::<String>::new());
    }
    assert!(begun > 10, "{begun} steps");
    is_silent(&running.wait().exits(0));

    let map = format!("/api/v1/namespaces/{NAME}/configmaps/zonestack-{NAME}");
    let inventory = lab.kubernetes.get(&map).to_string();
    assert!(inventory.contains("file-system") && !inventory.contains(MARK), "{inventory}");
    for arguments in [
        &["plan", "-vvv", "--output", "json"][..],
        &["status", "-vvv"],
        &["outputs", "--output", "json"],
        &["render"],
        &["graph"],
    ] {
        is_silent(&program.run(arguments).exits(0));
    }
    // Where it belongs it is: else this test would show nothing.
    let secret = lab.kubernetes.get(&format!("/api/v1/namespaces/{NAME}/secrets/gitlab-secrets"));
    assert!(secret["data"]["GITLAB_ROOT_PASSWORD"].is_string(), "the root password is not there");
    down(&lab, &program, NAME);
}
