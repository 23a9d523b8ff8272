//! Libraries that are no plugin, or none that fits: one clear message each.

use std::time::Duration;

use zonestack_host::plugin::{Isolation, Limits, RemotePlugin};

use super::{LIMITS, compiled, hash, options, rude};
use crate::harness::Folder;

/// What is said of a library that was compiled with these definitions, in both ways.
fn said(definitions: &[&str], limits: Limits) -> String {
    let folder = Folder::new();
    let library = compiled(&folder, definitions);
    let message = rude(&library, limits).describe().unwrap_err().to_string();
    message.replace(&library.display().to_string(), "LIBRARY")
}

#[track_caller]
fn check(definitions: &[&str], expected: &str) {
    let message = said(definitions, LIMITS);
    assert_eq!(message, format!("the plugin rude (LIBRARY) cannot be loaded: {expected}"));
}

#[test]
fn what_is_no_plugin_says_so() {
    check(&["NO_SYMBOL"], "it does not export zonestack_plugin_v1, so it is no zonestack plugin");
    check(
        &["REFUSES"],
        "it refuses this zonestack: rebuild the plugin with the SDK of this zonestack, or update zonestack",
    );
    check(
        &["SHORT_TABLE"],
        "its table of functions is 16 bytes long, too short: rebuild the plugin with a newer SDK",
    );
}

#[test]
fn what_is_another_plugin_says_so() {
    check(&["CALLED=\"somebody\""], "it calls itself \"somebody\"");
    check(&["PROTO=\"2\""], "it chose version 2 of the messages");
}

#[test]
fn what_dies_while_it_is_loaded_says_so() {
    check(&["CRASH_ON_LOAD"], "it was ended by signal 11 (SIGSEGV) while it was loaded");
    let limits = Limits { load: Duration::from_secs(1), ..LIMITS };
    let message = said(&["HANG_ON_LOAD"], limits);
    assert!(message.ends_with("it was not ready within 1s while it was loaded"), "{message}");
}

#[test]
fn a_file_that_is_no_library_says_so() {
    let folder = Folder::new();
    let path = folder.write("libzonestack_plugin_rude.so", "no library at all");
    for isolation in [Isolation::Child, Isolation::InProcess] {
        let plugin =
            RemotePlugin::open(&path, &hash(&path), "rude", options(isolation, LIMITS)).unwrap();
        let message = plugin.describe().unwrap_err().to_string();
        assert!(message.contains("cannot be loaded") && message.contains("too short"), "{message}");
    }
}

#[test]
fn a_file_that_has_changed_is_not_loaded() {
    let folder = Folder::new();
    // It would tell if it was loaded.
    let library = compiled(&folder, &["CRASH_ON_LOAD"]);
    let other = hash(&folder.write("other", "something else"));
    let options = options(Isolation::Child, LIMITS);
    let plugin = RemotePlugin::open(&library, &other, "rude", options).unwrap();
    let message = plugin.describe().unwrap_err().to_string();
    let expected =
        format!("it has changed: its SHA-256 is {}, and {other} was expected", hash(&library));
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn a_path_that_is_not_absolute_is_refused() {
    let path = std::path::Path::new("libzonestack_plugin_rude.so");
    let opened = RemotePlugin::open(path, "", "rude", options(Isolation::Child, LIMITS));
    assert!(opened.err().unwrap().to_string().contains("its path is not absolute"));
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let folder = Folder::new();
    let library = compiled(&folder, &[]);
    let mut options = options(Isolation::Child, LIMITS);
    options.program = folder.path().join("nothing");
    let plugin = RemotePlugin::open(&library, &hash(&library), "rude", options).unwrap();
    let message = plugin.describe().unwrap_err().to_string();
    assert!(message.contains("nothing cannot be started"), "{message}");
}
