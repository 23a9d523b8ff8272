//! A plugin from its first day to its last: added, used, its file lost, removed, added again.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::{EXAMPLE, Program, library_path};
use crate::sandbox::world;

const FILE: &str = "libzonestack_plugin_notes.so";
const PLACE: &str = ".zonestack/plugins/libzonestack_plugin_notes.so";

/// Compiles the plugin in C. What links Rust programs compiles it, so it is there.
fn library(program: &Program, name: &str, definitions: &[&str]) -> PathBuf {
    let source = program.folder.write("notes.c", include_str!("plugins/notes.c"));
    let path = program.file(&format!("libzonestack_plugin_{name}.so"));
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&path)
        .arg(source)
        .arg(format!("-DNAME=\"{name}\""))
        .args(definitions.iter().map(|definition| format!("-D{definition}")))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

const NOTE: &str = "  note: { use: notes, with: { text: hello } }\n";

/// The example with a note, and the plugin that brings it: trusted, and nowhere else than in its place.
fn with_notes() -> Program {
    let program = Program::in_sandbox(&format!("{}\n{NOTE}", EXAMPLE.trim_end()));
    let file = library(&program, "notes", &["KIND=\"notes.note\""]);
    program.run(&["plugin", "add", FILE, "--yes"]).exits(0);
    std::fs::remove_file(file).unwrap();
    program
}

/// How often the plugin was started.
fn starts(program: &Program) -> usize {
    std::fs::read_to_string(program.file("started")).unwrap_or_default().lines().count()
}

fn notes(program: &Program) -> usize {
    let world = world(&program.folder.read("sandbox.json"));
    let resources = world["resources"].as_array().unwrap().iter();
    resources.filter(|resource| resource["kind"] == "notes.note").count()
}

fn hidden(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    words
        .map(|word| {
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
            if digits.len() == 64 { word.replace(digits, "SHA256") } else { word.to_owned() }
        })
        .collect::<String>()
        .replace(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH), "PLATFORM")
}

#[test]
fn a_plugin_is_shown_recorded_and_copied_when_it_is_added() {
    let program = Program::in_sandbox(EXAMPLE);
    library(&program, "notes", &["KIND=\"notes.note\""]);
    let outcome = program.run(&["plugin", "add", FILE, "--yes", "--source", "by hand"]).exits(0);
    insta::assert_snapshot!("added", hidden(&outcome.stdout));
    insta::assert_snapshot!("lock", hidden(&program.folder.read("zonestack.lock")));
    assert!(program.file(PLACE).is_file());
    assert_eq!(starts(&program), 1);
    // Once more changes nothing, asks nothing, and starts nothing.
    let before = program.folder.read("zonestack.lock");
    let again = program.run(&["plugin", "add", FILE, "--output", "json"]).exits(0).json();
    assert_eq!(again["changed"], false);
    assert_eq!((program.folder.read("zonestack.lock"), starts(&program)), (before, 1));
}

#[test]
fn a_stack_uses_a_plugin_like_what_is_built_in() {
    let program = with_notes();
    assert_eq!(starts(&program), 1);
    program.run(&["validate"]).exits(0);
    let checked = starts(&program);
    assert!(checked > 1, "its own code checks its settings");
    let schema = program.run(&["schema"]).exits(0).json();
    assert_eq!(schema["$defs"]["with.notes"]["properties"]["text"]["type"], "string");
    let completions = program.run(&["completions", "bash"]).exits(0).stdout;
    assert!(completions.contains("notes"));
    program.run(&["--help"]).exits(0);
    program.run(&["plugin", "list"]).exits(0).says(&["notes", "1.0.0", "trusted", PLACE]);
    program.run(&["plugin", "info", "notes"]).exits(0).says(&["notes.note"]);
    assert_eq!(starts(&program), checked, "what it brings is known without starting it");

    assert_eq!(program.plan().ids("create").iter().filter(|id| **id == "note/note").count(), 1);
    program.up();
    assert_eq!(notes(&program), 1);
    program.plan().is_noop();
    // A mistake in its settings is told like every other, by its schema.
    let wrong = ["validate", "--set", "note.text=5", "--set", "note.more=x"];
    program.run(&wrong).exits(1).says(&["unknown key `more`"]);
    // The stack gives it up: its driver is needed for that, although no component uses it.
    program.stack(EXAMPLE);
    assert_eq!(program.plan().ids("delete"), ["note/note"]);
    program.up();
    assert_eq!(notes(&program), 0);
    // And now it is needed for nothing, and not missed.
    std::fs::remove_file(program.file(PLACE)).unwrap();
    program.plan().is_noop();
}

#[test]
fn what_is_missing_is_named_and_nothing_is_forgotten() {
    let program = with_notes();
    program.up();
    let lock = program.folder.read("zonestack.lock");
    let library = std::fs::read(program.file(PLACE)).unwrap();
    let mut told = String::new();
    let mut refused = |what: &str, texts: &[&str]| {
        let before = program.folder.read("sandbox.json");
        for command in [
            &["plan"][..],
            &["up", "--yes"],
            &["status"],
            &["down", "--yes"],
            &["down", "--yes", "--stack", "git"],
        ] {
            program.run(command).exits(4).says(texts);
        }
        let by_name = program.run(&["down", "--yes", "--stack", "git"]).stderr;
        let folder = program.folder.path().display().to_string();
        let _ = writeln!(told, "# {what}\n{}", hidden(&by_name).replace(&folder, "FOLDER"));
        assert_eq!(program.folder.read("sandbox.json"), before);
    };

    std::fs::remove_file(program.file(PLACE)).unwrap();
    refused("its file is gone", &[FILE, "is missing"]);
    program.folder.write(PLACE, &library);

    program.run(&["plugin", "remove", "notes"]).exits(4).says(&["--yes"]);
    assert_eq!(program.folder.read("zonestack.lock"), lock);
    program
        .run(&["plugin", "remove", "notes", "--yes"])
        .exits(0)
        .says(&["What it made stays", FILE]);
    assert!(!program.file(PLACE).exists());
    refused("it was removed", &[FILE, "is missing"]);
    program.run(&["plugin", "list"]).exits(0).says(&["notes", "removed"]);

    // Not even the lock file knows it. The stack file, without the note, says nothing of it either.
    std::fs::remove_file(program.file("zonestack.lock")).unwrap();
    program.stack(EXAMPLE);
    refused("nobody knows it", &["note/note (notes.note)", "plugin add"]);
    insta::assert_snapshot!(told);

    program.folder.write(FILE, &library);
    program.run(&["plugin", "add", FILE, "--yes"]).exits(0);
    std::fs::remove_file(program.file("stack.yaml")).unwrap();
    let all = ["down", "--yes", "--stack", "git", "--delete-data", "data", "--delete-data", "db"];
    program.run(&all).exits(0);
    assert_eq!(world(&program.folder.read("sandbox.json"))["resources"], Value::Array(Vec::new()));
}

#[test]
fn another_file_of_the_same_version_is_shown_as_what_it_is() {
    let program = with_notes();
    let before = program.folder.read("zonestack.lock");
    library(&program, "notes", &["KIND=\"notes.memo\""]);
    let outcome = program.run(&["plugin", "add", FILE]).exits(4);
    let outcome = outcome.says(&["has another file as version 1.0.0", "trusted ", "this one"]);
    assert_eq!(starts(&program), 1, "{outcome}");
    assert_eq!(program.folder.read("zonestack.lock"), before);
    program.run(&["plugin", "add", FILE, "--yes"]).exits(0);
    assert!(program.folder.read("zonestack.lock").contains("notes.memo"));
    // A new version takes the place of the old one.
    library(&program, "notes", &["KIND=\"notes.note\"", "VERSION=\"1.1.0\""]);
    program.run(&["plugin", "add", FILE, "--yes"]).exits(0).says(&["the place of version 1.0.0"]);
    let lock = program.folder.read("zonestack.lock");
    assert!(lock.contains("1.1.0") && !lock.contains("1.0.0"), "{lock}");
    program.run(&["plugin", "list"]).exits(0).says(&["1.1.0", "trusted"]);
}

#[test]
fn nothing_that_is_there_is_replaced() {
    let program = with_notes();
    let refused = |name: &str, definitions: &[&str], text: &str| {
        library(&program, name, definitions);
        let file = format!("libzonestack_plugin_{name}.so");
        program.run(&["plugin", "add", &file, "--yes"]).exits(4).says(&[text]);
        assert!(!program.folder.read("zonestack.lock").contains(&format!("\"{name}\"")));
    };
    let kind = "KIND=\"other.thing\"";
    refused("other", &[kind, "COMPONENT=\"rds\""], "the component type `rds`");
    refused("other", &[kind], "is brought by the plugin notes already");
    let component = "COMPONENT=\"other\"";
    refused("other", &[component, "KIND=\"aws.rds.instance\""], "the kind aws.rds.instance");
    refused("other", &[component, "KIND=\"notes.note\""], "is brought by the plugin notes already");
}

#[test]
fn a_plugin_inside_the_program_is_told_as_what_it_is() {
    let program = with_notes();
    let outcome = program.run(&["validate", "--plugin-isolation", "off"]).exits(0);
    outcome.says(&["runs inside zonestack"]);
}

/// One's own build of a component, under its name. The stack stays the same: the next run may take either.
#[test]
fn a_plugin_takes_the_place_of_what_is_built_in_when_that_is_left_out() {
    let program = Program::in_sandbox(EXAMPLE);
    program.up();
    let without = ["--without-builtin", "redis"];
    let plan = [&["plan", "--detailed-exitcode"][..], &without].concat();
    program.run(&plan).exits(1).says(&["there is no component type `redis`"]);

    let library = library_path("redis");
    let add = ["plugin", "add", library.to_str().unwrap(), "--yes"];
    program.run(&add).exits(4).says(&["--without-builtin redis"]);
    program.run(&[&add[..], &without].concat()).exits(0);
    program.run(&plan).exits(0);
    program.run(&["plan", "--detailed-exitcode"]).exits(0);

    let unknown = ["validate", "--without-builtin", "postgres"];
    program.run(&unknown).exits(64).says(&["possible values: efs, fsx-openzfs, rds"]);
}
