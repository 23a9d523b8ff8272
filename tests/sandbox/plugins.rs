//! Plugins that are refused before anything of them runs: one clear message, its exit code, and nothing made. Most are no
//! more than a card: whoever tried to run them would fail in another way.

#[path = "../../crates/host/src/card/forged.rs"]
mod forged;

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::harness::{EXAMPLE, Program};
use forged::Forged;

const FILE: &str = "libzonestack_plugin_fsx.so";
const PLACE: &str = ".zonestack/plugins/libzonestack_plugin_fsx.so";
const ELSEWHERE: &str = "sparc-sun-solaris";

/// A stack that names the plugin `fsx`, whose library has these bytes.
fn with_library(bytes: impl AsRef<[u8]>) -> Program {
    let program = Program::in_sandbox(&format!("{EXAMPLE}\nplugins: [fsx]\n"));
    fs::create_dir_all(program.file(".zonestack/plugins")).unwrap();
    program.folder.write(PLACE, bytes);
    program
}

fn listed(program: &Program) -> Vec<Value> {
    let list = program.run(&["plugin", "list", "--output", "json"]).exits(0).json();
    list["plugins"].as_array().unwrap().clone()
}

/// Writes a lock file that trusts the library as it is now, for this platform under the name that it has there.
fn trust(program: &Program) {
    let hash = listed(program)[0]["sha256"].as_str().unwrap().to_owned();
    lock(program, &platform(), &hash);
}

fn lock(program: &Program, platform: &str, hash: &str) {
    program.folder.write(
        "zonestack.lock",
        format!(
            "version = 1\n\n[[plugin]]\nname = \"fsx\"\nversion = \"0.3.1\"\nsource = \"test\"\nabi = 1\nproto = [1, 1]\n\
             sha256 = {{ \"{platform}\" = \"{hash}\" }}\n"
        ),
    );
}

fn platform() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Every command says the same, and none has made anything.
fn refusal(program: &Program) -> String {
    let outcome = program.run(&["validate"]).exits(4);
    assert_eq!(outcome.stdout, "");
    for command in [&["plan"][..], &["up", "--yes"], &["down", "--yes"], &["render", "--offline"]] {
        assert_eq!(program.run(command).exits(4).stderr, outcome.stderr);
    }
    let document = program.run(&["plan", "--output", "json"]).exits(4).json();
    assert_eq!(document["error"]["exit"], 4);
    assert!(!program.file("sandbox.json").exists());
    assert!(!program.file(".cache").exists(), "nothing was copied");
    without_place(program, &outcome.stderr)
}

/// Without what differs from run to run.
fn without_place(program: &Program, text: &str) -> String {
    let folder = program.folder.path().canonicalize().unwrap();
    let text = text.replace(folder.to_str().unwrap(), "FOLDER").replace(&platform(), "PLATFORM");
    let text = text.replace(std::env::consts::ARCH, "PROCESSOR");
    let words = text.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    words
        .map(|word| {
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
            if digits.len() == 64 { word.replace(digits, "SHA256") } else { word.to_owned() }
        })
        .collect()
}

/// The zoo, as far as it never runs.
#[test]
fn a_library_that_is_not_the_trusted_plugin_is_never_loaded() {
    let good = Forged::default();
    let mut zoo = String::new();
    let mut show = |what: &str, program: &Program| {
        let _ = writeln!(zoo, "# {what}\n{}", refusal(program));
    };

    let program = with_library(good.library());
    show("no lock file", &program);
    program.folder.write("zonestack.lock", "version = 1\n");
    show("no entry", &program);
    lock(&program, ELSEWHERE, &"a".repeat(64));
    show("no hash for this platform", &program);
    trust(&program);
    program.folder.write(PLACE, Forged { version: "0.3.2".to_owned(), ..good.clone() }.library());
    show("changed after it was locked", &program);
    program.folder.write("zonestack.lock", "version = 1\n[[plugin]]\nname = 5\n");
    show("a damaged lock file", &program);
    program.folder.write("zonestack.lock", "version = 9\n");
    show("a lock file of the future", &program);

    for (what, library) in [
        ("another interface", Forged { abi: [2, 0], ..good.clone() }.library()),
        ("other messages", Forged { proto: [7, 9], ..good.clone() }.library()),
        ("another processor", Forged { machine: 22, ..good.clone() }.library()),
        ("no card", Forged { section: ".rodata", ..good.clone() }.library()),
        ("another name", Forged::named("other").library()),
        ("cut off", good.library()[..400].to_vec()),
        ("no library", b"#!/bin/sh\ntouch it-ran # no library\n".to_vec()),
    ] {
        let program = with_library(library);
        trust(&program);
        show(what, &program);
        // What cannot be used cannot be recorded either.
        fs::remove_file(program.file("zonestack.lock")).unwrap();
        program.run(&["plugin", "add", PLACE, "--yes"]).exits(4);
        assert!(!program.file("zonestack.lock").exists());
    }

    let program = with_library(good.library());
    trust(&program);
    let mode = |path: &str, mode| {
        fs::set_permissions(program.file(path), Permissions::from_mode(mode)).unwrap();
    };
    mode(PLACE, 0o666);
    show("a file that everybody can write", &program);
    mode(PLACE, 0o644);
    mode(".zonestack/plugins", 0o1777);
    show("a folder that everybody can write", &program);
    mode(".zonestack/plugins", 0o755);
    fs::remove_file(program.file(PLACE)).unwrap();
    show("no file", &program);
    fs::create_dir(program.file(PLACE)).unwrap();
    show("a folder", &program);

    insta::assert_snapshot!(zoo);
}

#[test]
fn two_files_of_one_name_are_one_too_many() {
    let mut program = with_library(Forged::default().library());
    trust(&program);
    let other = program.file("elsewhere");
    fs::create_dir(&other).unwrap();
    fs::write(
        other.join(FILE),
        Forged { version: "0.3.2".to_owned(), ..Forged::default() }.library(),
    )
    .unwrap();
    let path = other.to_str().unwrap().to_owned();
    program.environment.insert("ZONESTACK_PLUGIN_PATH".to_owned(), path);
    let text = refusal(&program);
    assert!(text.contains("are both the plugin fsx, with different contents"), "{text}");
    // Whatever the current folder has is no plugin.
    program.environment.insert("ZONESTACK_PLUGIN_PATH".to_owned(), "elsewhere".to_owned());
    let text = refusal(&program);
    assert!(text.contains("relative folder elsewhere"), "{text}");
}

#[test]
fn the_current_folder_and_the_search_paths_of_others_are_no_places() {
    let mut program = with_library(Forged::default().library());
    trust(&program);
    fs::rename(program.file(PLACE), program.file(FILE)).unwrap();
    let here = program.folder.path().to_str().unwrap().to_owned();
    for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        program.environment.insert(name.to_owned(), here.clone());
    }
    let text = refusal(&program);
    assert!(text.contains("libzonestack_plugin_fsx.so is missing"), "{text}");
}

#[test]
fn a_plugin_cannot_take_the_name_of_what_is_built_in() {
    let program = Program::in_sandbox(EXAMPLE);
    let file = program.folder.write("libzonestack_plugin_rds.so", Forged::named("rds").library());
    let file = file.to_str().unwrap();
    let outcome = program.run(&["plugin", "add", file, "--yes"]).exits(4);
    outcome.says(&["name of the built-in component type `rds`", "--without-builtin rds"]);
    program.run(&["validate", "--plugin", file]).exits(4).says(&["built-in component type `rds`"]);
    assert!(!program.file("zonestack.lock").exists());
    program.run(&["plugin", "new", "rds"]).exits(64).says(&["built-in"]);
}

#[test]
fn a_locked_lock_file_stays_as_it_is() {
    let mut program = with_library(Forged::default().library());
    let locked = |program: &Program, command: &[&str]| {
        program.run(command).exits(4).says(&["must not be changed"]);
        assert!(!program.file("zonestack.lock").exists());
    };
    locked(&program, &["plugin", "add", PLACE, "--yes", "--locked"]);
    program.environment.insert("ZONESTACK_LOCKED".to_owned(), "1".to_owned());
    locked(&program, &["plugin", "add", PLACE, "--yes"]);
    locked(&program, &["plugin", "remove", "fsx", "--yes"]);
    program.environment.insert("ZONESTACK_LOCKED".to_owned(), "0".to_owned());
    program.run(&["plugin", "remove", "fsx", "--yes"]).exits(64).says(&["has no plugin fsx"]);
}

/// Without a terminal nobody can agree that its code runs.
#[test]
fn nothing_of_a_plugin_runs_before_somebody_agrees() {
    let program = with_library(Forged::default().library());
    let outcome = program.run(&["plugin", "add", PLACE]).exits(4);
    let outcome = outcome.says(&["Plugin fsx 0.3.1", "sha256", "--yes"]);
    assert!(!outcome.stderr.contains("died"), "{outcome}");
    assert!(!program.file("zonestack.lock").exists());
    assert!(!program.file(".cache").exists());
}

#[test]
fn list_and_info_tell_who_a_plugin_is_without_running_it() {
    let program = with_library(Forged::default().library());
    let state = |program: &Program| listed(program)[0]["state"].as_str().unwrap().to_owned();
    assert_eq!(state(&program), "not trusted");
    trust(&program);
    assert_eq!(state(&program), "trusted");
    let info = program.run(&["plugin", "info", "fsx"]).exits(0).stdout;
    insta::assert_snapshot!(without_place(&program, &info));
    let info = program.run(&["plugin", "info", PLACE, "--output", "json"]).exits(0).json();
    assert_eq!(info["plugin"]["card"]["sdk"], "zonestack-sdk 0.1.0");
    assert_eq!(info["plugin"]["state"], "trusted");
    lock(&program, ELSEWHERE, &"a".repeat(64));
    assert_eq!(state(&program), "not trusted");
    lock(&program, &platform(), &"a".repeat(64));
    assert_eq!(state(&program), "changed");
    fs::remove_file(program.file(PLACE)).unwrap();
    assert_eq!(state(&program), "missing");
    assert!(!program.file(".cache").exists());
}

#[test]
fn a_new_crate_is_complete_and_never_takes_the_place_of_another() {
    let program = Program::offline("");
    program.run(&["plugin", "new", "Notes"]).exits(64).says(&["is no name of a plugin"]);
    program.run(&["plugin", "new", "my-notes"]).exits(0);
    program.run(&["plugin", "new", "my-notes"]).exits(4).says(&["is there already"]);
    let manifest = program.folder.read("zonestack-plugin-my-notes/Cargo.toml");
    assert!(manifest.contains("crate-type = [\"cdylib\", \"rlib\"]"), "{manifest}");
    for file in ["Cargo.toml", "README.md", "src/lib.rs", "tests/note.rs"] {
        let text = program.folder.read(&format!("zonestack-plugin-my-notes/{file}"));
        assert!(!["{{name}}", "{{library}}", "{{sdk}}"].iter().any(|left| text.contains(left)));
    }
    let wrong = ["plugin", "new", "more", "--sdk-path", "."];
    program.run(&wrong).exits(64).says(&["there is no zonestack-sdk"]);
    assert!(!program.file("zonestack-plugin-more").exists());
}
