//! `down`: takes the stack down in the reverse of the remembered order, from the inventory alone.

use std::collections::BTreeSet;
use std::path::PathBuf;

use zonestack_core::execute::Report;
use zonestack_core::flow::{PreparedRemoval, prepare_removal};
use zonestack_core::inventory::Inventory;
use zonestack_core::lease::clear;
use zonestack_core::name::ComponentName;
use zonestack_core::plan::{Action, Plan};
use zonestack_core::situation::Permits;
use zonestack_host::lock::FILE;

use super::carry_out::{Undertaking, agree, carry_out, refuse};
use crate::args::{DownArgs, Output, TenantArgs};
use crate::exit::Exit;
use crate::extensions::{Extensions, folder_of};
use crate::failure::Failure;
use crate::holder::is_gone;
use crate::place::{Place, Tenant, nothing};
use crate::report::{self, json, plan_text};
use crate::settings::Settings;
use crate::stack_source::{StackSource, Wired};

pub(crate) async fn run(settings: &Settings, args: DownArgs) -> Result<Exit, Failure> {
    let (tenant, mut extensions) = tenant(settings, &args.tenant)?;
    let place = Place::open(settings, &tenant, &mut extensions).await?;
    let permits =
        Permits { delete_data: args.delete_data.iter().cloned().collect(), ..Permits::default() };
    let prepared = prepare_removal(&place.site, &tenant.for_removal(), &permits).await;
    let Some(prepared) = prepared.map_err(Failure::of_removal)? else {
        if args.tenant.stack.is_some() {
            return Err(nothing(&tenant));
        }
        // All that a run can have left that was killed at its very end.
        clear(place.site.lease.as_ref(), &is_gone).await;
        return nothing_to_do(settings, &tenant);
    };
    let PreparedRemoval { remembered: (inventory, version), owner, observed, plan } = prepared;
    check_named(&inventory, &tenant, &args.delete_data, &plan)?;
    if settings.output == Output::Text {
        let head = format!("Stack {} in {}, to be taken down\n\n", owner.stack, owner.region);
        let text = plan_text::plan(&plan, settings.verbose > 0, settings.style);
        report::data(&format!("{head}{text}"))?;
    }
    refuse(&plan)?;
    if plan.has_changes() {
        let word = if permits.delete_data.is_empty() { "yes" } else { &owner.stack };
        agree(settings, args.run.yes, word)?;
    }
    let undertaking = Undertaking {
        plan: &plan,
        observed: &observed,
        place: &place,
        owner: &owner,
        inventory,
        version: Some(version),
        renamed: false,
        taken_over: BTreeSet::new(),
    };
    let (exit, _) = carry_out(settings, &args.run, undertaking).await?;
    if exit == Exit::Done && settings.output == Output::Text {
        tell_kept(&plan);
    }
    Ok(exit)
}

/// The stack that is meant: of the stack file, or named; and what it may use.
pub(crate) fn tenant(
    settings: &Settings,
    args: &TenantArgs,
) -> Result<(Tenant, Extensions), Failure> {
    if let Some(stack) = &args.stack {
        // Without a stack file there is still the lock file that stood beside it; else the one that is here.
        let folder = folder_of(&settings.file);
        let folder = if folder.join(FILE).exists() { folder } else { PathBuf::new() };
        let tenant = Tenant {
            stack: stack.clone(),
            namespace: args.namespace.clone().unwrap_or_else(|| stack.clone()),
            region: None,
            cluster: String::new(),
            zones: None,
            network: zonestack_core::stack::Network::default(),
            components: Vec::new(),
        };
        return Ok((tenant, Extensions::beside(settings, &folder)?));
    }
    let source = StackSource::read(&settings.file, &settings.set)?;
    let Wired { wiring, extensions } = source.wired(settings)?;
    Ok((Tenant::of(&wiring.stack), extensions))
}

fn nothing_to_do(settings: &Settings, tenant: &Tenant) -> Result<Exit, Failure> {
    match settings.output {
        Output::Json => {
            report::data(&format!("{}\n", json::finished("done", &Report::default())))?;
        }
        Output::Text => report::note(&format!("there is no stack {}: nothing to do", tenant.stack)),
    }
    Ok(Exit::Done)
}

/// A misspelt component must not pass for one whose data was deleted. One that an earlier run has finished with is in the
/// inventory no more: the stack file may know it, and when nothing is kept, nothing was misspelt.
fn check_named(
    inventory: &Inventory,
    tenant: &Tenant,
    named: &[ComponentName],
    plan: &Plan,
) -> Result<(), Failure> {
    if plan.steps.iter().all(|step| step.action != Action::Retain) {
        return Ok(());
    }
    let known: BTreeSet<&ComponentName> =
        inventory.entries.keys().map(|id| &id.component).chain(&tenant.components).collect();
    for name in named {
        if !known.contains(name) {
            let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
            return Err(Failure::Usage {
                message: format!("--delete-data {name}: the stack has no such component"),
                hint: format!("its components are {}", known.join(", ")),
            });
        }
    }
    Ok(())
}

/// Where everything is that stays.
fn tell_kept(plan: &Plan) {
    for step in plan.steps.iter().filter(|step| step.action == Action::Retain) {
        let name = step.known_as.as_deref().unwrap_or("without a name");
        report::note(&format!("kept: {} {} ({})", step.kind, name, step.reason));
    }
}
