//! One command's way through the flow: surveys, context, desired, observed, plan. Commands differ in where they stop.

use zonestack_core::context::Context;
use zonestack_core::desired::{Desired, render};
use zonestack_core::diagnostic::{Diagnostic, Finding, Severity};
use zonestack_core::discover::NetworkRequest;
use zonestack_core::driver::Owner;
use zonestack_core::inventory::{Inventory, Version};
use zonestack_core::name::ComponentName;
use zonestack_core::observe::{Observed, observe};
use zonestack_core::plan::{Action, Advisory, Plan};
use zonestack_core::planning::{Permits, Situation, plan};
use zonestack_core::stack::Stack;
use zonestack_core::wire::Wiring;
use zonestack_core::zones::{Wish, choose, dns_findings};

use crate::failure::Failure;
use crate::place::{Place, Tenant};
use crate::settings::Settings;
use crate::stack_source::StackSource;

/// Everything that a plan was made from, and the plan.
pub(crate) struct Session {
    /// The world.
    pub(crate) place: Place,
    /// Where the stack runs.
    pub(crate) context: Context,
    /// What it shall be.
    pub(crate) desired: Desired,
    /// What is remembered, with its version.
    pub(crate) remembered: Option<(Inventory, Version)>,
    /// Who we are.
    pub(crate) owner: Owner,
    /// What is.
    pub(crate) observed: Observed,
    /// What would be done.
    pub(crate) plan: Plan,
}

/// Goes all the way to a plan.
pub(crate) async fn begin(
    settings: &Settings,
    source: &StackSource,
    permits: &Permits,
) -> Result<Session, Failure> {
    let wiring = source.wiring()?;
    let stack = &wiring.stack;
    let place = Place::open(settings, &Tenant::of(stack)).await?;
    let (context, advisories) = context(&place, stack).await?;
    let mut desired = render(&wiring, &context, &place.world.kinds)?;
    desired.findings.extend(advisories.into_iter().map(unplaced));
    if let Some(failure) = source.refuse(&desired) {
        return Err(failure);
    }
    let remembered = place.store.load().await?;
    if let Some((inventory, _)) = &remembered {
        same_surroundings(inventory, &context)?;
        same_zones(inventory, &context, stack)?;
    }
    let inventory = remembered.as_ref().map(|(inventory, _)| inventory);
    let owner = Owner {
        stack: stack.name.to_string(),
        uid: inventory.map(|inventory| inventory.uid.clone()),
        namespace: stack.namespace.clone(),
        region: stack.region.clone(),
    };
    let observed = observe(Some(&desired), inventory, &owner, &place.world).await?;
    let situation = Situation {
        desired: &desired,
        observed: &observed,
        inventory,
        kinds: &place.world.kinds,
        owner: &owner,
        permits,
    };
    let mut planned = plan(situation);
    if planned.steps.iter().any(|step| step.action == Action::Create) {
        let findings = check_names(&place, &context).await?;
        planned.advisories.extend(findings.into_iter().map(|finding| Advisory {
            code: finding.code.to_owned(),
            component: ComponentName::stack(),
            message: finding.message,
            hint: finding.hint,
        }));
    }
    Ok(Session { context, desired, remembered, owner, observed, plan: planned, place })
}

/// Surveys and chooses.
pub(crate) async fn context(
    place: &Place,
    stack: &Stack,
) -> Result<(Context, Vec<Finding>), Failure> {
    let cluster = place.cluster.survey(&stack.namespace).await?;
    let workers = cluster.nodes.iter().filter(|node| !node.control_plane);
    let request = NetworkRequest {
        cluster: stack.cluster.clone(),
        instances: workers.filter_map(|node| node.instance.clone()).collect(),
        vpc: stack.network.vpc.clone(),
        subnets: stack.network.subnets.clone(),
        security_groups: stack.network.security_groups.clone(),
    };
    let network = place.network.survey(&request).await?;
    let wish = Wish {
        stack: &stack.name,
        namespace: &stack.namespace,
        region: &stack.region,
        cluster: &stack.cluster,
        zones: stack.zones.as_deref(),
        vpc: stack.network.vpc.as_deref(),
        subnets: &stack.network.subnets,
        security_groups: &stack.network.security_groups,
    };
    choose(wish, &cluster, &network).map_err(Failure::Surroundings)
}

fn unplaced(finding: Finding) -> Diagnostic {
    Diagnostic {
        severity: finding.severity,
        code: finding.code,
        component: None,
        span: None,
        message: finding.message,
        hint: finding.hint,
    }
}

/// What was made elsewhere must not be lost sight of (reliability.md, B.2).
fn same_surroundings(inventory: &Inventory, context: &Context) -> Result<(), Failure> {
    let facts = [
        ("account", &inventory.account, &context.account),
        ("region", &inventory.region, &context.region),
        ("cluster", &inventory.cluster, &context.cluster.name),
    ];
    for (what, remembered, now) in facts {
        if remembered != now {
            return Err(Failure::Refused {
                message: format!(
                    "the stack {} was made in {what} {remembered}, and this is {what} {now}",
                    inventory.stack
                ),
                hint: format!(
                    "go back to {what} {remembered}; or take the stack down there first, or give this one another name"
                ),
            });
        }
    }
    Ok(())
}

/// A zone that lost all its nodes must not look like a zone that nobody wants any more.
fn same_zones(inventory: &Inventory, context: &Context, stack: &Stack) -> Result<(), Failure> {
    let zones = context.zone_names();
    let lost = inventory.entries.keys().filter_map(|id| id.zone.as_ref());
    let mut lost = lost.filter(|zone| stack.zones.is_none() && !zones.contains(zone));
    match lost.next() {
        None => Ok(()),
        Some(zone) => {
            let zones: Vec<&str> = zones.iter().map(|zone| zone.as_str()).collect();
            Err(Failure::Refused {
                message: format!(
                    "the stack has resources in {zone}, which has no worker nodes now"
                ),
                hint: format!(
                    "if {zone} is to be given up, say so in the stack file: zones: [{}]; otherwise bring its nodes back",
                    zones.join(", ")
                ),
            })
        }
    }
}

/// How names resolve matters only when something is about to be made.
async fn check_names(place: &Place, context: &Context) -> Result<Vec<Finding>, Failure> {
    let dns = place.network.dns(&context.vpc.id).await?;
    let findings = dns_findings(&context.vpc.id, dns);
    let (errors, advisories): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(Failure::Surroundings(errors));
    }
    Ok(advisories)
}

/// The stack of a file, for commands that need no more.
pub(crate) fn wiring(source: &StackSource) -> Result<Wiring, Failure> {
    source.wiring()
}
