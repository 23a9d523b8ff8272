//! The API server or etcd is killed while the program works, and comes back: the run goes on or says that it is unfinished,
//! and the next one finishes it.

use std::time::Instant;

use serde_json::Value;

use super::{down, example, text};
use crate::harness::{Lab, Outcome, Program};

const ENDS: [i32; 2] = [0, 3];
const RETRY: &str = "trying again in";

#[test]
fn the_api_server_dies_and_comes_back() {
    check("kube-apiserver", "outage-api");
}

#[test]
fn etcd_dies_and_comes_back() {
    check("etcd", "outage-etcd");
}

#[track_caller]
fn check(process: &str, name: &str) {
    let lab = Lab::new();
    let program = lab.program(&example(name));
    let during_up = interrupted(&lab, &program, process, &["up", "--yes"]);
    if during_up.code != 0 {
        program.up();
    }
    program.run(&["plan", "--detailed-exitcode"]).exits(0);
    let found = items_of(&lab, name);
    assert_eq!(found, ["cache", "gitlab-eu-west-1a", "gitlab-eu-west-1b", "gitlab-eu-west-1c"]);

    let delete = ["down", "--yes", "--delete-data", "data", "--delete-data", "db"];
    let during_down = interrupted(&lab, &program, process, &delete);
    if during_down.code != 0 {
        down(&lab, &program, name);
    }
    assert_eq!(items_of(&lab, name), Vec::<String>::new());
    let left = lab.dump(&["efs", "rds"]);
    assert_eq!(left["efs"], Value::Array(Vec::new()));
    assert_eq!(left["rds"]["instances"], Value::Array(Vec::new()));
}

/// A run during which a process of the lab is killed, and started again once the program has noticed.
#[track_caller]
fn interrupted(lab: &Lab, program: &Program, process: &str, command: &[&str]) -> Outcome {
    let began = Instant::now();
    let mut running = program.start(command);
    assert!(running.says("✓", 1), "it must be at work: {}", running.wait());
    let before = running.times(RETRY);
    lab.kill(process);
    assert!(running.says(RETRY, before + 1), "it must be noticed: {}", running.wait());
    let noticed = began.elapsed();
    lab.restart(process);
    let back = began.elapsed();
    let outcome = running.wait();
    println!(
        "{process} and `{}`: noticed after {:.0} s, back after {:.0} s, ended after {:.0} s with {}",
        command[0],
        noticed.as_secs_f64(),
        back.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        outcome.code
    );
    assert!(ENDS.contains(&outcome.code), "{outcome}");
    outcome
}

/// The names of the stack's Deployments.
fn items_of(lab: &Lab, name: &str) -> Vec<String> {
    let path = format!("/apis/apps/v1/namespaces/{name}/deployments");
    let objects = lab.kubernetes.list(&path);
    objects.iter().map(|object| text(&object["metadata"]["name"]).to_owned()).collect()
}
