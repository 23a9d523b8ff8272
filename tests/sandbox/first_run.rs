//! The README's first command, as a new user types it.

use crate::harness::{EXAMPLE, Folder, Program, Status};

/// The stack file of the example is used in place, the sandbox is the default one, time passes as it does by default.
#[test]
fn the_first_command_ends_with_gitlab_up() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/gitlab/stack.yaml");
    let program = Program::offline("");
    let outcome = program.run(&["up", "--sandbox", "--yes", "-f", example]).exits(0);
    let outcome = outcome.says(&["gitlab", "git-on-nfs", "Plan:"]);
    assert!(program.file(".zonestack/sandbox.json").is_file(), "{outcome}");

    let status = ["status", "--sandbox", "-f", example, "--output", "json"];
    let status = Status::of(&program.run(&status).exits(0));
    assert_eq!(status.0["health"], "ready");
    let zones = status.0["components"].as_array().unwrap().iter();
    let zones = zones.filter(|row| row["component"] == "gitlab" && row["zone"].is_string());
    assert_eq!(zones.count(), 3, "{}", status.lines());
}

#[test]
fn a_new_stack_file_is_valid() {
    let program = Program::offline("");
    let folder = Folder::new();
    let file = folder.path().join("new.yaml");
    let file = file.to_str().unwrap();
    program.run(&["init", "gitlab", "-f", file]).exits(0);
    program.run(&["validate", "-f", file]).exits(0);
    let written = folder.read("new.yaml");
    assert!(written.contains("apiVersion: zonestack/v1"), "{written}");
    assert!(written.contains('#'), "a new file explains itself:\n{written}");
    // What is there is not overwritten.
    folder.write("new.yaml", EXAMPLE);
    let refused = program.run(&["init", "gitlab", "-f", file]);
    assert_ne!(refused.code, 0, "{refused}");
    assert_eq!(folder.read("new.yaml"), EXAMPLE);
    program.run(&["init", "gitlab", "--force", "-f", file]).exits(0);
    assert_eq!(folder.read("new.yaml"), written);
}
