//! `plugin test`: the conformance kit. The plugin runs, as its author's own file; nothing of it is kept.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};
use zonestack_conformance::kit::{self, Judged, KitError, Test};
use zonestack_conformance::laws::{self, LAWS, Law};
use zonestack_conformance::verdict::Verdict;

use crate::args::{Output, PluginTestArgs};
use crate::exit::Exit;
use crate::extensions::refused;
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::settings::Settings;

/// How many laws came to what.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    not_applicable: usize,
}

pub(super) fn run(settings: &Settings, args: &PluginTestArgs) -> Result<Exit, Failure> {
    let laws = chosen(&args.laws)?;
    let with = args.with.as_deref().map(settings_of).transpose()?;
    let seed = args.seed.map_or_else(random, Ok)?;
    let program = std::env::current_exe()?;
    let library = std::path::absolute(&args.library)?;
    let test = Test { program, library, seed, with };
    let mut counts = Counts::default();
    let mut documents = Vec::new();
    let mut written = Ok(());
    let again = |law: &Law| again(args, seed, law);
    let tell = |judged: &Judged| {
        match judged.verdict {
            Verdict::Passed => counts.passed += 1,
            Verdict::Failed(_) => counts.failed += 1,
            Verdict::NotApplicable(_) => counts.not_applicable += 1,
        }
        match settings.output {
            Output::Json => documents.push(document(judged, &again(judged.law))),
            Output::Text if written.is_ok() => {
                written = report::data(&line(judged, &again(judged.law)));
            }
            Output::Text => {}
        }
    };
    if settings.output == Output::Text {
        report::note(&format!(
            "{}: {} laws, seed {seed}; it runs, whether or not zonestack.lock trusts it",
            args.library.display(),
            laws.len()
        ));
    }
    kit::run(&test, &laws, tell).map_err(|error| cannot(&error))?;
    written?;
    let Counts { passed, failed, not_applicable } = counts;
    match settings.output {
        Output::Json => {
            let counts =
                json!({ "passed": passed, "failed": failed, "notApplicable": not_applicable });
            let library = args.library.display().to_string();
            report::document(&json!({
                "version": VERSION, "library": library, "seed": seed, "laws": documents, "counts": counts,
            }))?;
        }
        Output::Text => {
            report::data(&format!(
                "{passed} passed, {failed} failed, {not_applicable} not applicable\n"
            ))?;
        }
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

fn chosen(names: &[String]) -> Result<Vec<&'static Law>, Failure> {
    if names.is_empty() {
        return Ok(LAWS.iter().collect());
    }
    let find = |name: &String| {
        laws::find(name).ok_or_else(|| {
            let known: Vec<&str> = LAWS.iter().map(|law| law.name).collect();
            Failure::Usage {
                message: format!("there is no law {name:?}"),
                hint: format!("laws: {}", known.join(", ")),
            }
        })
    };
    names.iter().map(find).collect()
}

/// What stands in the file, as JSON.
fn settings_of(path: &Path) -> Result<Json, Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| Failure::File {
        action: "read",
        path: path.to_owned(),
        hint: "--with names a file with what stands under `with` in a stack file",
        source,
    })?;
    let usage = |message: String| Failure::Usage {
        message,
        hint: "write what stands under `with` in a stack file".to_owned(),
    };
    let read: Result<Json, _> = serde_yaml::from_str(&text);
    match read {
        Ok(map @ Json::Object(_)) => Ok(map),
        Ok(_) => Err(usage(format!("{} holds no map", path.display()))),
        Err(error) => Err(usage(format!("{} is no YAML: {error}", path.display()))),
    }
}

fn random() -> Result<u64, Failure> {
    // Short enough to be typed again.
    getrandom::u32().map(u64::from).map_err(|error| Failure::Failed {
        message: format!("no random numbers: {error}"),
        hint: "choose one: --seed 1".to_owned(),
    })
}

fn cannot(error: &KitError) -> Failure {
    match error {
        KitError::File(file) => refused(file, &file.hint()),
        KitError::Folder { .. } => Failure::Failed {
            message: error.to_string(),
            hint: "set TMPDIR to a folder that can be written".to_owned(),
        },
    }
}

/// The command that tries the law again, in the same way.
fn again(args: &PluginTestArgs, seed: u64, law: &Law) -> String {
    let mut command = format!(
        "zonestack plugin test {} --seed {seed} --law {}",
        args.library.display(),
        law.name
    );
    if let Some(with) = &args.with {
        // Writing to a string does not fail.
        let _ = write!(command, " --with {}", with.display());
    }
    command
}

fn line(judged: &Judged, again: &str) -> String {
    let Judged { law, verdict, took } = judged;
    let mut text = format!(
        "{:11}  {:15}  {:14}  {}\n",
        law.group.as_str(),
        law.name,
        verdict.as_str(),
        time(*took)
    );
    // Writing to a string does not fail.
    let _ = match verdict {
        Verdict::Passed => Ok(()),
        Verdict::NotApplicable(reason) => writeln!(text, "             {}", one_line(reason)),
        Verdict::Failed(reason) => writeln!(
            text,
            "             {} ({})\n             again: {again}",
            one_line(reason),
            law.meaning
        ),
    };
    text
}

/// Reasons hold what the plugin says: nothing of it moves a cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn time(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn document(judged: &Judged, again: &str) -> Json {
    let Judged { law, verdict, took } = judged;
    let failed = matches!(verdict, Verdict::Failed(_));
    json!({
        "law": law.name,
        "group": law.group.as_str(),
        "meaning": law.meaning,
        "verdict": verdict.as_str(),
        "reason": verdict.reason(),
        "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "again": failed.then_some(again),
    })
}
