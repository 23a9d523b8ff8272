//! `init`: writes a commented stack file.

use serde_json::json;

use crate::args::{InitArgs, Output};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::settings::Settings;
use crate::stack_source::StackSource;

/// The applications that there is a file for.
const APPLICATIONS: [(&str, &str); 1] = [("gitlab", include_str!("init/gitlab.yaml"))];

pub(crate) fn run(settings: &Settings, args: &InitArgs) -> Result<Exit, Failure> {
    let template = APPLICATIONS.iter().find(|(name, _)| *name == args.application);
    let Some((_, template)) = template else {
        let known: Vec<&str> = APPLICATIONS.iter().map(|(name, _)| *name).collect();
        return Err(Failure::Usage {
            message: format!("there is no stack file for {:?}", args.application),
            hint: format!("there is one for: {}", known.join(", ")),
        });
    };
    let path = &settings.file;
    if path.exists() && !args.force {
        return Err(Failure::Refused {
            message: format!("{} is there already; nothing was written", path.display()),
            hint: "name another with -f, or overwrite it with --force".to_owned(),
        });
    }
    let text = template
        .replace("{{name}}", &args.name)
        .replace("{{cluster}}", &args.cluster)
        .replace("{{region}}", &args.region)
        .replace("{{host}}", &args.host);
    // What is written must be valid: a bad --name is told now, at its place.
    let name = path.display().to_string();
    StackSource { name, bytes: text.clone().into_bytes(), set: Vec::new() }.wired(settings)?;
    std::fs::write(path, text).map_err(|source| Failure::File {
        action: "write",
        path: path.clone(),
        hint: "",
        source,
    })?;
    match settings.output {
        Output::Json => report::data(&format!(
            "{}\n",
            json!({ "version": VERSION, "stack": args.name, "file": path.display().to_string() })
        ))?,
        Output::Text => report::note(&format!(
            "wrote {}; look at it, then: zonestack plan --sandbox -f {0}",
            path.display()
        )),
    }
    Ok(Exit::Done)
}
