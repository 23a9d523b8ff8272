//! `up`: shows the plan, asks, carries it out.

use zonestack_core::driver::Owner;
use zonestack_core::name::ResourceId;
use zonestack_core::plan::{Action, Plan, Step};

use super::carry_out::{Undertaking, agree, carry_out, random_digits, refuse};
use super::{outputs, plan};
use crate::args::{Output, UpArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;
use crate::saved_plan::SavedPlan;
use crate::session::begin;
use crate::settings::Settings;
use crate::stack_source::StackSource;

pub(crate) async fn run(settings: &Settings, args: UpArgs) -> Result<Exit, Failure> {
    let session = if let Some(path) = &args.plan {
        let saved = SavedPlan::read(path)?;
        let session = begin(settings, &saved.source(), &saved.permits()?).await?;
        saved.check(&session)?;
        session
    } else {
        let source = StackSource::read(&settings.file, &settings.set)?;
        begin(settings, &source, &plan::permits(&args.permits)).await?
    };
    // Programs get the plan from `plan`; here stdout is for events.
    if settings.output == Output::Text {
        plan::show(settings, &session)?;
    }
    let prepared = &session.prepared;
    check_named(&prepared.plan, "--take-over", &args.take_over)?;
    check_named(&prepared.plan, "--replace", &args.permits.replace)?;
    refuse(&prepared.plan)?;
    if prepared.plan.has_changes() {
        let loses_data = |step: &Step| step.action == Action::Replace && step.data.is_kept();
        let named = prepared.plan.steps.iter().any(loses_data);
        let word = if named { &prepared.owner.stack } else { "yes" };
        agree(settings, args.run.yes, word)?;
    }
    let uid = match &prepared.owner.uid {
        Some(uid) => uid.clone(),
        // What tells this stack from every other of its name.
        None => random_digits::<8>()?,
    };
    let (inventory, version) = prepared.inventory(&uid);
    let undertaking = Undertaking {
        plan: &prepared.plan,
        observed: &prepared.observed,
        place: &session.place,
        owner: &Owner { uid: Some(uid), ..prepared.owner.clone() },
        inventory,
        version,
        renamed: prepared.renamed,
        taken_over: args.take_over.iter().cloned().collect(),
    };
    let (exit, report) = carry_out(settings, &args.run, undertaking).await?;
    if exit == Exit::Done && settings.output == Output::Text {
        let known = |reference: &zonestack_core::value::Ref| {
            report.outputs.get(&(reference.resource.clone(), reference.output.clone())).cloned()
        };
        report::data(&outputs::text(&prepared.desired, &known, settings.style))?;
    }
    Ok(exit)
}

/// A misspelt resource must not pass for one that was taken over or replaced.
fn check_named(plan: &Plan, option: &str, named: &[ResourceId]) -> Result<(), Failure> {
    match named.iter().find(|id| !plan.steps.iter().any(|step| step.id == **id)) {
        None => Ok(()),
        Some(id) => Err(Failure::Usage {
            message: format!("{option} {id}: the stack has no such resource"),
            hint: "`zonestack plan -v` names them all, as component/resource@zone".to_owned(),
        }),
    }
}
