//! `up`: shows the plan, asks, carries it out.

use std::collections::BTreeSet;

use zonestack_core::driver::Owner;
use zonestack_core::inventory::Inventory;
use zonestack_core::name::{ComponentName, InvalidName};
use zonestack_core::planning::Permits;

use super::carry_out::{Undertaking, agree, carry_out, refuse};
use super::{outputs, plan};
use crate::args::{Output, UpArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;
use crate::saved_plan::SavedPlan;
use crate::session::{Session, begin};
use crate::settings::Settings;
use crate::stack_source::StackSource;

pub(crate) async fn run(settings: &Settings, args: UpArgs) -> Result<Exit, Failure> {
    let session = match &args.plan {
        Some(path) => {
            let saved = SavedPlan::read(path)?;
            let recreate = saved.recreate().iter().map(|name| name.parse());
            let recreate: Result<BTreeSet<ComponentName>, InvalidName> = recreate.collect();
            let recreate = recreate.map_err(|error| Failure::Usage {
                message: error.to_string(),
                hint: "plan again".to_owned(),
            })?;
            let permits = Permits { recreate, ..Permits::default() };
            let session = begin(settings, &saved.source(), &permits).await?;
            saved.check(&session)?;
            session
        }
        None => {
            let source = StackSource::read(&settings.file, &settings.set)?;
            begin(settings, &source, &plan::permits(&args.permits)).await?
        }
    };
    // Programs get the plan from `plan`; here stdout is for events.
    if settings.output == Output::Text {
        plan::show(settings, &session)?;
    }
    refuse(&session.plan)?;
    if session.plan.has_changes() {
        agree(settings, &args.run, "yes")?;
    }
    let owner = with_uid(&session.owner)?;
    let (inventory, version) = match &session.remembered {
        Some((inventory, version)) => (inventory.clone(), Some(version.clone())),
        None => (new_inventory(&session, &owner), None),
    };
    let undertaking = Undertaking {
        plan: &session.plan,
        observed: &session.observed,
        place: &session.place,
        owner: &owner,
        inventory,
        version,
    };
    let (exit, report) = carry_out(settings, &args.run, undertaking).await?;
    if exit == Exit::Done && settings.output == Output::Text {
        let known = |reference: &zonestack_core::value::Ref| {
            report.outputs.get(&(reference.resource.clone(), reference.output.clone())).cloned()
        };
        report::data(&outputs::text(&session.desired, &known, settings.style))?;
    }
    Ok(exit)
}

/// The owner with a uid: the remembered one, or a new one of sixteen hexadecimal digits.
fn with_uid(owner: &Owner) -> Result<Owner, Failure> {
    if owner.uid.is_some() {
        return Ok(owner.clone());
    }
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Refused {
        message: format!("the operating system gives no random numbers: {error}"),
        hint: String::new(),
    })?;
    let uid = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Owner { uid: Some(uid), ..owner.clone() })
}

fn new_inventory(session: &Session, owner: &Owner) -> Inventory {
    Inventory {
        stack: owner.stack.clone(),
        uid: owner.uid.clone().unwrap_or_default(),
        account: session.context.account.clone(),
        region: session.context.region.clone(),
        cluster: session.context.cluster.name.clone(),
        epoch: 0,
        entries: std::collections::BTreeMap::new(),
    }
}
