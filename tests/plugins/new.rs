//! What `plugin new` writes, as its author uses it: tested by its own test and by the kit, built, and then in a stack from its first
//! day to its last.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::cargo::Crate;
use super::kit::tested;
use crate::harness::{Program, built_beside, for_cargo};
use crate::sandbox::world;

/// `plugin build` optimises; nobody waits for that here, and so the test of the crate is built from the same libraries.
const PROFILE: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"), ("CARGO_NET_OFFLINE", "true")];

fn stack(text: &str) -> String {
    format!(
        "apiVersion: zonestack/v1\nname: git\ncluster: k8s.myzone.net\nregion: eu-west-1\n\
         plugins: [notes]\ncomponents:\n  board: {{ use: notes, with: {{ text: {text} }} }}\n"
    )
}

/// The texts of the notes in the sandbox.
fn notes(program: &Program) -> Vec<Json> {
    let world = world(&program.folder.read("sandbox.json"));
    let resources = world["resources"].as_array().unwrap();
    let notes = resources.iter().filter(|found| found["kind"] == "notes.note");
    notes.map(|note| note["spec"]["text"].clone()).collect()
}

/// Writes the crate. Always at the same place, so that what was built of it before is built over.
fn written(program: &Program) -> Crate {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = built_beside("new-plugin").join("crate");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let (dir, sdk) = (folder.to_str().unwrap(), checkout.to_str().unwrap());
    program.run(&["plugin", "new", "notes", "--dir", dir, "--sdk-path", sdk]).exits(0);
    // What the workspace was built from is here: nothing is downloaded.
    fs::copy(checkout.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    // An author has the default style, and not that of a checkout around the target directory.
    fs::write(folder.join("rustfmt.toml"), "").unwrap();
    Crate { manifest: folder.join("Cargo.toml"), target: "new-plugin", variables: &PROFILE }
}

#[test]
fn a_new_plugin_is_tested_built_and_used() {
    let program = Program::in_sandbox(&stack("hello"));
    let new = written(&program);
    new.cargo(&["fmt", "--check"]);
    let said = new.cargo(&["test", "--release"]);
    assert!(said.contains("test result: ok. 2 passed"), "{said}");

    let mut variables = for_cargo();
    let target = new.target();
    variables.push(("CARGO_TARGET_DIR", target.to_str().unwrap().to_owned()));
    variables.extend(PROFILE.map(|(name, value)| (name, value.to_owned())));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let command = ["plugin", "build", new.folder().to_str().unwrap(), "--output", "json"];
    let built = program.start_with(&command, &variables).wait().exits(0).json();
    let library = built["plugin"]["file"].as_str().unwrap();
    tested(Path::new(library), &[]).exits(0);

    program.run(&["plugin", "add", library, "--yes"]).exits(0).says(&["notes", "notes.note"]);
    program.up();
    program.plan().is_noop();
    assert_eq!(notes(&program), [json!("hello")]);
    program.stack(stack("bye"));
    assert_eq!(program.plan().ids("update"), ["board/note"]);
    program.up();
    program.plan().is_noop();
    assert_eq!(notes(&program), [json!("bye")]);
    // It is data, which nobody named.
    program.run(&["down", "--yes"]).exits(0);
    assert_eq!(notes(&program), [json!("bye")]);
    program.run(&["down", "--yes", "--delete-data", "board"]).exits(0);
    assert_eq!(notes(&program), Vec::<Json>::new());
    fs::remove_dir_all(new.folder()).unwrap();
}
