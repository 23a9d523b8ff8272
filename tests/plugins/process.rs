//! The child: its surroundings, and its end.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{LIMITS, built, compiled, hash, rude};
use crate::harness::{Folder, library_path, program_path};
use zonestack_host::plugin::Isolation;

/// The children of this process that load this library: their numbers.
fn children(library: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let command = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if command.contains("__plugin-host") && command.contains(library) {
            found.push(pid);
        }
    }
    found
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_child_has_a_group_of_its_own_no_core_dumps_no_privileges_and_few_variables() {
    let folder = Folder::new();
    let library = compiled(&folder, &[]);
    let plugin = rude(&library, LIMITS);
    plugin.describe().unwrap();
    let [pid] = children(&library.display().to_string())[..] else { panic!("not one child") };
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let stat = read("stat");
    let group = stat.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap();
    assert_eq!(group, pid.to_string());
    assert!(read("status").contains("NoNewPrivs:\t1"));
    let limits = read("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    for variable in read("environ").split('\0').filter(|text| !text.is_empty()) {
        let name = variable.split('=').next().unwrap();
        assert!(!name.starts_with("CARGO") && !name.contains("ZONESTACK"), "{name}");
    }
}

#[test]
fn a_child_ends_when_it_is_asked_to_and_when_nobody_needs_it() {
    let folder = Folder::new();
    let library = compiled(&folder, &[]);
    let path = library.display().to_string();
    let plugin = rude(&library, LIMITS);
    plugin.describe().unwrap();
    plugin.shutdown();
    assert!(children(&path).is_empty());
    // Asked again, it is started again.
    plugin.describe().unwrap();
    assert_eq!(children(&path).len(), 1);
    drop(plugin);
    until("the child goes on", || children(&path).is_empty());
}

/// Also when the plugin hangs in a call.
#[test]
fn a_child_ends_with_its_host() {
    let folder = Folder::new();
    let library = compiled(&folder, &[]);
    let start = || {
        let mut command = Command::new(program_path());
        command.arg("__plugin-host").arg("--path").arg(&library);
        command.args(["--sha256", &hash(&library)]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    for body in [&b"{}"[..], b"{\"do\":\"loop\"}"] {
        let mut child = start();
        let mut stdin = child.stdin.take().unwrap();
        let length = u32::try_from(21 + 5 + body.len()).unwrap();
        let mut frame = length.to_le_bytes().to_vec();
        frame.push(1);
        frame.extend(1_u64.to_le_bytes());
        frame.extend(0_u64.to_le_bytes());
        frame.extend(5_u32.to_le_bytes());
        frame.extend(b"check");
        frame.extend(body);
        stdin.write_all(&frame).unwrap();
        stdin.flush().unwrap();
        // The host dies.
        drop(stdin);
        let begin = Instant::now();
        assert!(child.wait().unwrap().success());
        assert!(begin.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_child_without_its_arguments_is_wrong_usage() {
    let mut command = Command::new(program_path());
    let status = command.arg("__plugin-host").stdin(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(64));
}

/// 200 calls at once, from as many threads.
#[test]
fn many_calls_at_once_are_each_answered() {
    for way in super::WAYS {
        let plugin = built("tiny", way);
        let driver =
            plugin.driver(&plugin.describe().unwrap(), std::sync::Arc::new(super::Offered));
        thread::scope(|scope| {
            for number in 0..200 {
                let driver = &driver;
                scope.spawn(move || {
                    let name = format!("thing {number}");
                    let target = super::target("tiny.thing", &name);
                    let made =
                        super::create(driver.as_ref(), &target, &serde_json::json!({})).unwrap();
                    assert_eq!(made.remote_id, Some(format!("made {name}")));
                });
            }
        });
    }
}

/// A killed plugin while several calls are open: each ends.
#[test]
fn every_open_call_ends_with_the_plugin() {
    let plugin = built("tiny", Isolation::Child);
    let driver = plugin.driver(&plugin.describe().unwrap(), std::sync::Arc::new(super::Offered));
    thread::scope(|scope| {
        for name in ["sleep", "sleep", "sleep", "abort"] {
            let driver = &driver;
            scope.spawn(move || {
                let target = super::target("tiny.thing", name);
                let ended = super::create(driver.as_ref(), &target, &serde_json::json!({}));
                let error = ended.unwrap_err();
                assert_eq!(error.class, zonestack_core::driver::ErrorClass::Ambiguous, "{error}");
            });
        }
    });
    assert!(library_path("tiny").is_file());
}
