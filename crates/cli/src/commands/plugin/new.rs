//! `plugin new`: a crate for a plugin, complete with a test. The files are in `new/`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use zonestack_host::card::is_name;

use crate::args::{Output, PluginNewArgs};
use crate::builtins::Builtins;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::settings::Settings;

/// Where each file goes, and what is in it.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("new/Cargo.toml.in")),
    (".gitignore", include_str!("new/gitignore.in")),
    ("README.md", include_str!("new/README.md.in")),
    ("src/lib.rs", include_str!("new/lib.rs.in")),
    ("tests/note.rs", include_str!("new/note.rs.in")),
];

pub(super) fn run(settings: &Settings, args: &PluginNewArgs) -> Result<Exit, Failure> {
    let name = &args.name;
    if !is_name(name) {
        return Err(Failure::Usage {
            message: format!("{name:?} is no name of a plugin"),
            hint: "write lower-case letters, digits and single dashes, at most 40, beginning with a letter".to_owned(),
        });
    }
    if Builtins::all().has(name) {
        return Err(Failure::Usage {
            message: format!("`{name}` is the name of a built-in component type"),
            hint: "choose another: a plugin adds and never replaces".to_owned(),
        });
    }
    let folder =
        args.dir.clone().unwrap_or_else(|| PathBuf::from(format!("zonestack-plugin-{name}")));
    if folder.exists() {
        return Err(Failure::Refused {
            message: format!("{} is there already; nothing was written", folder.display()),
            hint: "name another folder with --dir".to_owned(),
        });
    }
    let sdk = match &args.sdk_path {
        Some(path) => format!("{{ path = {} }}", json!(sdk_in(path)?.display().to_string())),
        None => format!("{:?}", release()),
    };
    for (file, template) in FILES {
        let text = template
            .replace("{{name}}", name)
            .replace("{{library}}", &name.replace('-', "_"))
            .replace("{{sdk}}", &sdk);
        let path = folder.join(file);
        let written = fs::create_dir_all(path.parent().unwrap_or(&folder))
            .and_then(|()| fs::write(&path, text));
        written.map_err(|source| Failure::File { action: "write", path, hint: "", source })?;
    }
    match settings.output {
        Output::Json => report::data(&format!(
            "{}\n",
            json!({ "version": VERSION, "plugin": name, "folder": folder.display().to_string() })
        ))?,
        Output::Text => report::note(&format!(
            "wrote {0}; look at it, then: zonestack plugin build {0}",
            folder.display()
        )),
    }
    Ok(Exit::Done)
}

/// `MAJOR.MINOR` of this release: the SDK has the same.
fn release() -> &'static str {
    let version = env!("CARGO_PKG_VERSION");
    version.rsplit_once('.').map_or(version, |(release, _)| release)
}

/// The SDK's crate: the folder itself, or in a checkout of zonestack.
fn sdk_in(path: &Path) -> Result<PathBuf, Failure> {
    let root = std::path::absolute(path)?;
    let is_sdk = |folder: &PathBuf| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.contains("name = \"zonestack-sdk\""))
    };
    [root.clone(), root.join("crates").join("sdk")].into_iter().find(is_sdk).ok_or_else(|| {
        Failure::Usage {
            message: format!("--sdk-path {}: there is no zonestack-sdk", path.display()),
            hint: "name a checkout of zonestack, or its folder crates/sdk".to_owned(),
        }
    })
}
