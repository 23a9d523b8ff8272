//! `plan`: the difference between the file and the world.

use zonestack_core::situation::Permits;

use crate::args::{Output, PermitArgs, PlanArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{self, json, plan_text};
use crate::saved_plan::SavedPlan;
use crate::session::{Session, begin};
use crate::settings::Settings;
use crate::stack_source::StackSource;

pub(crate) async fn run(settings: &Settings, args: PlanArgs) -> Result<Exit, Failure> {
    let source = StackSource::read(&settings.file, &settings.set)?;
    let permits = permits(&args.permits);
    let session = begin(settings, &source, &permits).await?;
    show(settings, &session)?;
    if let Some(path) = &args.out {
        SavedPlan::new(&source, &session, &permits).write(path)?;
        report::note(&format!("saved; carry it out with: zonestack up {}", path.display()));
    }
    Ok(if session.prepared.plan.is_refused() {
        Exit::Refused
    } else if args.detailed_exitcode && session.prepared.plan.has_changes() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// What the person named.
pub(crate) fn permits(args: &PermitArgs) -> Permits {
    Permits {
        recreate: args.recreate.iter().cloned().collect(),
        replace: args.replace.iter().cloned().collect(),
        max_deletes: args.max_deletes,
        ..Permits::default()
    }
}

/// The plan on stdout.
pub(crate) fn show(settings: &Settings, session: &Session) -> Result<(), Failure> {
    let text = match settings.output {
        Output::Json => {
            format!("{}\n", json::plan(&session.prepared.owner.stack, &session.prepared.plan))
        }
        Output::Text => {
            let head = heading(session);
            let plan =
                plan_text::plan(&session.prepared.plan, settings.verbose > 0, settings.style);
            format!("{head}\n{plan}")
        }
    };
    Ok(report::data(&text)?)
}

/// Where the stack runs, in two lines.
pub(crate) fn heading(session: &Session) -> String {
    let context = &session.prepared.context;
    let zones: Vec<String> =
        context.zones.iter().map(|zone| format!("{} ({})", zone.zone, zone.subnet)).collect();
    let place = if session.place.is_sandbox { "the sandbox's account" } else { "account" };
    format!(
        "Stack {} in {}, {place} {}, cluster {}, namespace {}\nZones {}\n",
        context.stack,
        context.region,
        context.account,
        context.cluster.name,
        context.namespace,
        zones.join(", ")
    )
}
