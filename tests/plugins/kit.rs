//! The conformance kit, by the real program: good plugins keep every law, and each law is broken by a plugin that breaks it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::harness::{Folder, Outcome, Program, library_path, search_path};

/// The C plugin that keeps every law, compiled with these definitions.
fn odd(folder: &Folder, definitions: &[&str]) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.path().join("libzonestack_plugin_odd.so");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O0", "-w"])
        .args(definitions.iter().map(|definition| format!("-D{definition}")))
        .arg("-I")
        .arg(here.join("../crates/abi/include"))
        .arg(here.join("libraries/odd.c"))
        .arg("-o")
        .arg(&library)
        .env("PATH", search_path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

/// Tests a plugin; the folder for temporary files must be as empty afterwards as it was before.
#[track_caller]
pub(super) fn tested(library: &Path, arguments: &[&str]) -> Outcome {
    let mut program = Program::offline("");
    let temporary = program.file("tmp");
    fs::create_dir(&temporary).unwrap();
    program.environment.insert("TMPDIR".to_owned(), temporary.display().to_string());
    let library = library.display().to_string();
    let mut all = vec!["plugin", "test", library.as_str(), "--seed", "1"];
    all.extend(arguments);
    let outcome = program.run(&all);
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "{outcome}");
    let left: Vec<_> = fs::read_dir(program.folder.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 2, "the stack file and the folder for temporary files: {left:?}");
    outcome
}

fn laws_with<'a>(document: &'a Json, verdict: &str) -> Vec<&'a str> {
    let laws = document["laws"].as_array().unwrap().iter();
    laws.filter(|law| law["verdict"] == verdict).filter_map(|law| law["law"].as_str()).collect()
}

#[test]
fn a_third_party_s_plugin_keeps_every_law() {
    let outcome = tested(&library_path("tiny"), &["--output", "json"]).exits(0);
    let document = outcome.json();
    assert_eq!(laws_with(&document, "failed"), Vec::<&str>::new());
    // It calls no service, changes nothing in place, and holds no data or secret.
    let without =
        ["refused", "garbage", "fails", "hangs", "changed", "secret-settings", "down-keeps"];
    assert_eq!(laws_with(&document, "not applicable"), without);
    assert_eq!(document["seed"], 1);
    let laws = document["laws"].as_array().unwrap().len();
    assert_eq!(document["counts"]["passed"], laws - without.len());
}

#[test]
fn a_plugin_in_another_language_keeps_every_law() {
    let folder = Folder::new();
    let outcome = tested(&odd(&folder, &[]), &["--output", "json"]).exits(0);
    let document = outcome.json();
    // Its driver sees nothing and makes nothing.
    let without = [
        "refused",
        "garbage",
        "fails",
        "hangs",
        "observed",
        "made",
        "changed",
        "whose",
        "gone",
        "secret-settings",
    ];
    assert_eq!(laws_with(&document, "not applicable"), without);
}

/// The same with a driver whose service is in its memory.
#[test]
fn a_driver_that_makes_things_keeps_the_laws_about_them() {
    let folder = Folder::new();
    let library = odd(&folder, &["LIVES"]);
    let laws = ["observed", "made", "changed", "whose", "gone", "late-answers", "memory"];
    let arguments = laws.iter().flat_map(|law| ["--law", law]).collect::<Vec<_>>();
    let outcome = tested(&library, &arguments).exits(0);
    assert!(outcome.stdout.ends_with("7 passed, 0 failed, 0 not applicable\n"), "{outcome}");
}

/// What is broken by one definition is told by one law, with the command that shows it again.
#[track_caller]
fn breaks(definition: &str, law: &str, reason: &str) {
    breaks_with(&[definition], law, reason);
}

/// The same of several definitions.
#[track_caller]
fn breaks_with(definitions: &[&str], law: &str, reason: &str) {
    let folder = Folder::new();
    let library = odd(&folder, definitions);
    let outcome = tested(&library, &["--law", law]).exits(1);
    let out = &outcome.stdout;
    assert!(out.contains(reason), "{outcome}");
    let again =
        format!("again: zonestack plugin test {} --seed 1 --law {law}\n", library.display());
    assert!(out.contains(&again), "{outcome}");
    assert!(out.ends_with("0 passed, 1 failed, 0 not applicable\n"), "{outcome}");
}

#[test]
fn what_it_says_of_itself_is_tried() {
    breaks("UNSTABLE", "stable", "two processes describe themselves differently");
    breaks("LAX", "unknown-setting", "takes a setting that is not there");
    breaks("OUTPUT=\"elsewhere\"", "declarations", "the output \"elsewhere\" is not in its model");
    breaks("KIND=\"aws.efs.file-system\"", "kinds", "the kind aws.efs.file-system is built in");
    breaks("NAME=\"odder\"", "file-name", "the file is called libzonestack_plugin_odd.so");
}

#[test]
fn rendering_is_tried() {
    breaks("IMPURE", "pure", "render differently the second time");
    breaks("IMPURE", "threads", "are not all the same");
    breaks("TWICE", "graph", "it/thing is rendered twice");
    breaks("CIRCLE", "graph", "resources need each other");
    breaks("DANGLING", "graph", "it/thing needs it/other, which no component renders");
    breaks("RENDERED=\"odd.other\"", "graph", "has the kind odd.other, which no driver declares");
    breaks("STRANGER", "graph", "it renders somebody-else/thing for the component it");
    breaks("EXPORTS=\"\"", "exports", "does not export odd/v1");
    breaks(
        "ADVISORY=\"unheard-of\"",
        "random",
        "the advisory \"unheard-of\", which it does not declare",
    );
    breaks("ONE_NAME", "two", "are both the odd.thing the-one");
}

#[test]
fn calls_are_tried() {
    breaks("CRASHES", "malformed", "it was ended by signal 6 (SIGABRT)");
    breaks("NOISY", "quiet", "lines in 50 checks");
    breaks("ANSWERS_TWICE", "many", "which is not open");
    breaks("WRITES", "no-files", "it wrote \"left-behind\"");
}

#[test]
fn a_plugin_that_hangs_fails_its_law() {
    breaks("HANGS", "example", "hung in `render`");
}

#[test]
fn drivers_and_secrets_are_tried() {
    breaks("UNTRUE", "fails", "create of odd.thing has the class not found");
    breaks("UNTRUE", "garbage", "create of odd.thing has the class not found");
    breaks("LEAKS", "secret-calls", "an error of its driver has the value of a secret in it");
}

#[test]
fn what_a_driver_makes_is_tried() {
    let lives = |definition: &str, law: &str, reason: &str| {
        breaks_with(&["LIVES", definition], law, reason);
    };
    lives(
        "LEFTOVERS",
        "observed",
        "it/thing (odd.thing) is not there, and has the id \"odd-left\"",
    );
    lives("ODD_STATE", "made", "is \"sulking\" while it is made; its kind declares growing");
    lives("NEW_ID", "made", "has the id \"odd-1-now\", and had \"odd-1\" before");
    lives("MORE_OUTPUTS", "made", "has the output \"other\", which its kind does not declare");
    lives("NO_OUTPUT", "made", "is ready without the output \"id\" that it declares");
    lives("WIDE", "made", "has attributes that are not in the words of its specification");
    lives("TWINS", "made", "was made again with the same key, and is \"odd-2\" beside \"odd-1\"");
    lives("UNCHANGED", "changed", "still differs in /size after 5 calls of `update`");
    lives("ALL_OURS", "whose", "was made by another stack of this name, and is observed as ours");
    lives("UNLISTED", "whose", "is not listed as owned by its stack");
    lives("STAYS", "gone", "was deleted, and is observed as Ready");
}

#[test]
fn answers_at_the_wrong_time_are_tried() {
    breaks("TRUSTING", "late-answers", "after answers to what it did not ask, it was ended by");
    breaks_with(&["ASKS", "ENDS_TWICE"], "late-answers", "which is not open");
}

#[test]
fn memory_is_tried() {
    breaks("GROWS", "memory", "it grows with every call: from ");
}

/// Two states of one word are one, and last twice as long as each may.
#[test]
fn declared_states_are_tried() {
    let states = ["STATES=\"\\\"growing\\\",\\\"growing\\\"\"", "TAKES=\"100000\""];
    breaks_with(&states, "states", "growing");
}

#[test]
fn who_says_that_it_survives_a_zone_must() {
    breaks("LIES", "zone-loss", "it/thing says that it survives the loss of eu-west-1a");
}

#[test]
fn what_is_no_plugin_fails_the_law_of_the_card_and_no_other_is_tried() {
    let folder = Folder::new();
    let library = folder.write("libzonestack_plugin_odd.so", "no library at all");
    let outcome = tested(&library, &["--output", "json"]).exits(1);
    let document = outcome.json();
    assert_eq!(laws_with(&document, "failed"), ["card"]);
    assert_eq!(laws_with(&document, "passed"), ["file-name"]);
}

#[test]
fn what_cannot_be_tried_is_wrong_usage() {
    let folder = Folder::new();
    let library = odd(&folder, &[]);
    let outcome = tested(&library, &["--law", "no-such-law"]).exits(64);
    assert!(outcome.stderr.contains("there is no law \"no-such-law\""), "{outcome}");
    assert!(outcome.stderr.contains("zone-loss"), "{outcome}");
}

/// The author's settings count: these are refused by the schema.
#[test]
fn settings_can_be_given() {
    let folder = Folder::new();
    let library = odd(&folder, &[]);
    let with = folder.write("with.yaml", "size: 10\n").display().to_string();
    let outcome = tested(&library, &["--law", "example", "--with", &with]).exits(1);
    assert!(
        outcome.stdout.contains("refuses what it is meant to work with, {\"size\":10}"),
        "{outcome}"
    );
}
