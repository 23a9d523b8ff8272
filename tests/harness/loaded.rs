//! The same tests with the built-in plugins as shared libraries: `ZONESTACK_TEST_PLUGINS` says whether each runs in a child
//! (`child`) or inside the program (`in-process`). Nothing of what is built in is used then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::environment::{self, built_beside, library_path, program_path, search_path};

/// The component types that are built in, and the libraries that bring them.
const TYPES: [(&str, &str); 7] = [
    ("efs", "efs"),
    ("fsx-openzfs", "fsx"),
    ("rds", "rds"),
    ("aurora", "aurora"),
    ("redis", "redis"),
    ("elasticache", "elasticache"),
    ("gitlab", "gitlab"),
];

/// What the program says of a plugin that runs inside it.
const INSIDE: &str = "runs inside zonestack (--plugin-isolation=off)";

/// Where the libraries are, and how they are loaded.
#[derive(Debug)]
pub(super) struct Loaded {
    folder: PathBuf,
    inside: bool,
}

/// The way that is asked for. The libraries are trusted once for all tests of this process.
pub(super) fn loaded() -> Option<&'static Loaded> {
    static LOADED: OnceLock<Option<Loaded>> = OnceLock::new();
    let prepared = LOADED.get_or_init(|| environment::loaded_plugins().map(|way| prepare(&way)));
    prepared.as_ref()
}

fn prepare(way: &str) -> Loaded {
    assert!(["child", "in-process"].contains(&way), "ZONESTACK_TEST_PLUGINS={way}");
    let folder = built_beside("tmp").join(format!("plugins-{way}"));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let loaded = Loaded { folder, inside: way == "in-process" };
    for (_, library) in TYPES {
        let library = library_path(library);
        let stripped = loaded.folder.join(library.file_name().unwrap());
        run(Command::new("strip").arg("-o").arg(&stripped).arg(&library));
        let mut add = Command::new(program_path());
        add.args(["plugin", "add", "--yes"]).arg(&stripped);
        loaded.apply(&mut add);
        run(add.current_dir(&loaded.folder));
        fs::remove_file(stripped).unwrap();
    }
    loaded
}

fn run(command: &mut Command) {
    let output = command.env("PATH", search_path()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Loaded {
    /// Nothing built in, and these libraries instead.
    pub(super) fn apply(&self, command: &mut Command) {
        for (component, _) in TYPES {
            command.args(["--without-builtin", component]);
        }
        if self.inside {
            command.args(["--plugin-isolation", "off"]);
        }
        command.env("ZONESTACK_PLUGIN_PATH", self.folder.join(".zonestack").join("plugins"));
        command.env("XDG_CACHE_HOME", self.folder.join("cache"));
    }

    /// Output without what is said of a plugin that runs inside: every test would see it.
    pub(super) fn unsaid(output: &str) -> String {
        output.split_inclusive('\n').filter(|line| !line.contains(INSIDE)).collect()
    }

    /// Trusts the libraries in a folder.
    pub(super) fn trust_in(&self, folder: &Path) {
        fs::copy(self.folder.join("zonestack.lock"), folder.join("zonestack.lock")).unwrap();
    }
}
