//! The file between commands.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use zonestack_core::driver::Status;

use super::bed::{BASE, Bed, GROUP, STORE, options};
use crate::{Options, Pace, Sandbox, SandboxFileError, VirtualClock, Zones};

/// A file of this test's own, in a folder that goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("zonestack-{test}-{}", std::process::id()));
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("sandbox.json")
    }

    /// A command on the file: a clock of its own, that begins this many seconds after the others.
    fn command(&self, seconds: u64) -> Bed {
        let clock = Arc::new(VirtualClock::new());
        clock.advance(std::time::Duration::from_secs(seconds));
        let sandbox = Sandbox::open(&self.file(), &options(), clock.clone()).unwrap();
        Bed::on(clock, sandbox, "0123456789abcdef")
    }

    fn damage(&self, text: &str) -> SandboxFileError {
        std::fs::create_dir_all(&self.0).unwrap();
        std::fs::write(self.file(), text).unwrap();
        let clock = Arc::new(VirtualClock::new());
        match Sandbox::open(&self.file(), &options(), clock) {
            Ok(_) => panic!("{text} was read"),
            Err(error) => error,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn the_next_command_finds_what_the_last_one_left_and_time_has_passed() {
    let scratch = Scratch::new("round-trip");
    let first = scratch.command(0);
    assert!(!scratch.file().exists());
    first.look(BASE, "db/main");
    assert!(!scratch.file().exists(), "looking writes nothing");
    first.made(BASE, "db/main", json!({ "size": 1, "tags": { "a": "b" } }));
    first.change(|world| world.lose_zone("eu-west-1c")).unwrap();
    let left = first.world();
    let second = scratch.command(0);
    let mut found = second.world();
    found.now = left.now;
    assert_eq!(found, left);
    assert_eq!(second.status(BASE, "db/main"), Status::Pending("creating".to_owned()));
    assert_eq!(scratch.command(13 * 60).status(BASE, "db/main"), Status::Ready);
}

#[test]
fn two_commands_at_once_see_each_other() {
    let scratch = Scratch::new("two");
    let (one, two) = (scratch.command(0), scratch.command(0));
    one.made(GROUP, "a/one", json!({}));
    two.made(GROUP, "a/two", json!({}));
    one.made(GROUP, "a/three", json!({}));
    for name in ["one", "two", "three"] {
        assert!(two.look(GROUP, &format!("a/{name}")).is_present(), "{name}");
        assert!(one.look(GROUP, &format!("a/{name}")).is_present(), "{name}");
    }
}

#[test]
fn a_file_keeps_what_it_was_made_with_but_follows_the_pace() {
    let scratch = Scratch::new("options");
    scratch.command(0).made(GROUP, "a/one", json!({}));
    let other = Options {
        zones: Zones::Count(1),
        pace: Some(Pace::Instant),
        ..Options::new("us-east-1", "other")
    };
    let clock = Arc::new(VirtualClock::new());
    let world = Sandbox::open(&scratch.file(), &other, clock).unwrap().world().unwrap();
    assert_eq!((world.site.zones.len(), world.pace), (3, Pace::Instant));
    assert_eq!(world.site.cluster, "k8s.myzone.net");
}

#[test]
fn a_damaged_file_says_where_and_what_to_do() {
    let scratch = Scratch::new("damage");
    scratch.command(0).made(STORE, "data/store", json!({}));
    let text = std::fs::read_to_string(scratch.file()).unwrap();
    let half = scratch.damage(&text[..text.len() / 2]).to_string();
    let lines = text[..text.len() / 2].lines().count();
    assert!(half.contains(&format!("is damaged at line {lines}, column ")), "{half}");
    assert!(half.ends_with("; delete it to start anew"), "{half}");
    let wrong = scratch.damage(&text.replace("\"resources\"", "\"resourses\"")).to_string();
    assert!(wrong.contains("unknown field `resourses`"), "{wrong}");
    assert!(matches!(scratch.damage(""), SandboxFileError::Damaged { line: 1, .. }));
    let newer = scratch.damage(&text.replacen("\"format\": 1", "\"format\": 2", 1));
    assert!(matches!(newer, SandboxFileError::Newer { found: 2, .. }));
}

#[test]
fn what_cannot_be_saved_has_not_happened() {
    let scratch = Scratch::new("unwritable");
    let bed = scratch.command(0);
    bed.made(GROUP, "a/one", json!({}));
    // A folder in the place of the temporary file: it cannot be written.
    std::fs::create_dir(scratch.0.join("sandbox.json.new")).unwrap();
    let error = bed.create(GROUP, "a/two", json!({})).unwrap_err();
    assert!(error.message.starts_with("cannot write the sandbox file "), "{error}");
    assert!(error.message.contains("--sandbox=FILE (Is a directory"), "{error}");
    assert_eq!(error.class.as_str(), "transient");
    std::fs::remove_dir(scratch.0.join("sandbox.json.new")).unwrap();
    assert_eq!(bed.world().resources().len(), 1);
    bed.made(GROUP, "a/two", json!({}));
}

#[test]
fn a_file_that_can_never_be_written_is_refused_before_anything_else() {
    let scratch = Scratch::new("no-folder");
    std::fs::create_dir_all(&scratch.0).unwrap();
    // A file in the place of the folder.
    std::fs::write(scratch.0.join("file"), "").unwrap();
    let file = scratch.0.join("file").join("sandbox.json");
    let Err(error) = Sandbox::open(&file, &options(), Arc::new(VirtualClock::new())) else {
        panic!("{} was opened", file.display());
    };
    assert!(matches!(&error, SandboxFileError::Write { .. }), "{error:?}");
    assert!(error.to_string().ends_with("--sandbox=FILE"), "{error}");
}
