//! The stages in a row, as every command goes through them: surveys, context, desired, observed, plan. Reads only.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::desired::{Desired, RenderError, render};
use crate::diagnostic::{Diagnostic, Finding, Severity};
use crate::discover::{ClusterReader, NetworkReader, NetworkRequest, SurveyError};
use crate::driver::Owner;
use crate::guard::guards;
use crate::inventory::{Inventory, InventoryError, InventoryStore, Version};
use crate::lease::LeaseStore;
use crate::name::{ComponentName, Kind, ResourceId, Zone};
use crate::observe::{ObserveError, Observed, World, marked, observe};
use crate::plan::{Action, Advisory, Plan};
use crate::planning::plan;
use crate::rename::{self, Called};
use crate::secret::SecretRef;
use crate::situation::{Permits, Situation};
use crate::stack::Stack;
use crate::wire::Wiring;
use crate::zones::{Wish, choose, dns_findings};

/// Where a stack lives, behind the contracts.
pub struct Site {
    /// What the engine reaches.
    pub world: World,
    /// Reads the cluster.
    pub cluster: Box<dyn ClusterReader>,
    /// Reads the network.
    pub network: Box<dyn NetworkReader>,
    /// Keeps the inventory.
    pub store: Box<dyn InventoryStore>,
    /// Keeps the lease.
    pub lease: Box<dyn LeaseStore>,
}

/// A plan, with everything that it was made from.
pub struct Prepared {
    /// Where the stack runs.
    pub context: Context,
    /// What it shall be.
    pub desired: Desired,
    /// What is remembered, under the names that components have now, with the version that is stored.
    pub remembered: Option<(Inventory, Version)>,
    /// Whether components were renamed since it was stored.
    pub renamed: bool,
    /// Who we are; without a uid before the first `up`.
    pub owner: Owner,
    /// What is.
    pub observed: Observed,
    /// What would be done.
    pub plan: Plan,
}

/// A removal, with everything that it was made from.
pub struct PreparedRemoval {
    /// What is remembered, with its version.
    pub remembered: (Inventory, Version),
    /// Who we are.
    pub owner: Owner,
    /// What is.
    pub observed: Observed,
    /// What would be done.
    pub plan: Plan,
}

/// The stack that is taken down, when its file says no more.
#[derive(Debug, Clone, Copy)]
pub struct Tenant<'a> {
    /// Its name.
    pub stack: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its region; empty when only the inventory knows it.
    pub region: &'a str,
    /// Its cluster; empty when only the inventory knows it.
    pub cluster: &'a str,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The cluster or the network could not be read.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// The surroundings cannot carry the stack.
    #[error("the stack cannot run there")]
    Surroundings(Vec<Finding>),
    /// A plugin breaks its contract.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The components refuse these surroundings; the places are in the stack file.
    #[error("the stack file does not fit its surroundings")]
    Stack(Vec<Diagnostic>),
    /// The inventory could not be read.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The stack was made somewhere else: it must not be lost sight of (reliability.md, B.2).
    #[error("the stack {stack} was made in {what} {remembered}, and this is {what} {now}")]
    Elsewhere {
        /// The stack.
        stack: String,
        /// `account`, `region` or `cluster`.
        what: &'static str,
        /// The remembered one.
        remembered: String,
        /// The present one.
        now: String,
    },
    /// There is no inventory, but there are resources of a stack of this name: a new one would not know them.
    #[error("the inventory of the stack {stack} is gone, but {} of its resources are there", found.len())]
    Lost {
        /// The stack.
        stack: String,
        /// What was found: kind and name or id.
        found: Vec<String>,
    },
    /// The inventory is not lost.
    #[error("the inventory of the stack {stack} is there, with {entries} entries")]
    NotLost {
        /// The stack.
        stack: String,
        /// How many entries it has.
        entries: usize,
    },
    /// Nothing carries the marks of the stack, or of the stack with that uid.
    #[error("nothing carries the marks of the stack {stack}")]
    NothingToRecover {
        /// The stack.
        stack: String,
    },
    /// Several stacks of one name have left something.
    #[error("there are resources of several stacks named {stack}, with the uids {}", uids.join(", "))]
    SeveralStacks {
        /// The name.
        stack: String,
        /// Their uids.
        uids: Vec<String>,
    },
    /// Nothing drives what the stack has: without it nothing could even be looked at.
    #[error(
        "the stack {stack} has resources that nothing here can look at: {}",
        resources.iter().map(|(id, kind)| format!("{id} ({kind})")).collect::<Vec<_>>().join(", ")
    )]
    NoDriver {
        /// The stack.
        stack: String,
        /// The resources, each with its kind.
        resources: Vec<(ResourceId, Kind)>,
    },
    /// What is there could not be seen.
    #[error(transparent)]
    Observe(#[from] ObserveError),
}

/// Goes all the way to a plan.
pub async fn prepare(
    site: &Site,
    wiring: &Wiring,
    permits: &Permits,
) -> Result<Prepared, FlowError> {
    let stack = &wiring.stack;
    let mut remembered = site.store.load().await?;
    let renamed = match &mut remembered {
        Some((inventory, _)) => rename::carry_out(stack, inventory).map_err(FlowError::Stack)?,
        None => false,
    };
    let inventory = remembered.as_ref().map(|(inventory, _)| inventory);
    inventory.map_or(Ok(()), |inventory| all_driven(inventory, &site.world))?;
    let kept_zones = inventory.map(zones_of).unwrap_or_default();
    let (context, advisories) = survey(site, stack, &kept_zones).await?;
    if let Some(inventory) = inventory {
        let cluster = &context.cluster.name;
        same_surroundings(inventory, &context.account, &context.region, cluster)?;
    }
    let called = inventory.map(|inventory| inventory.called.clone()).unwrap_or_default();
    let mut desired = render(wiring, &context, &site.world.kinds, &called)?;
    desired.findings.extend(advisories.into_iter().map(without_place));
    let errors: Vec<Diagnostic> = desired.errors().cloned().collect();
    if !errors.is_empty() {
        return Err(FlowError::Stack(errors));
    }
    let nobody = Owner {
        stack: stack.name.to_string(),
        uid: None,
        namespace: stack.namespace.clone(),
        region: stack.region.clone(),
    };
    let uid = if let Some(inventory) = inventory {
        Some(inventory.uid.clone())
    } else {
        refuse_lost(site, &nobody, &stack.cluster, Some(&desired)).await?;
        site.store.claimed_uid().await?
    };
    let owner = Owner { uid, ..nobody };
    let turned = turned(stack, &desired, inventory);
    if !turned.is_empty() {
        return Err(FlowError::Stack(turned));
    }
    let observed = observe(Some(&desired), inventory, &owner, &site.world).await?;
    let situation = Situation {
        desired: &desired,
        observed: &observed,
        inventory,
        kinds: &site.world.kinds,
        owner: &owner,
        permits,
    };
    let mut plan = plan(situation);
    plan.guards = guards(stack, situation, &plan);
    if plan.steps.iter().any(|step| step.action == Action::Create) {
        plan.advisories.extend(check_names(site, &context).await?);
        check_secrets(site, &desired, &plan).await?;
    }
    Ok(Prepared { context, desired, remembered, renamed, owner, observed, plan })
}

/// Goes to the plan of taking a stack down, from what is remembered alone; `None` when nothing is.
pub async fn prepare_removal(
    site: &Site,
    tenant: &Tenant<'_>,
    permits: &Permits,
) -> Result<Option<PreparedRemoval>, FlowError> {
    let Some(remembered) = site.store.load().await? else {
        let nobody = Owner {
            stack: tenant.stack.to_owned(),
            uid: None,
            namespace: tenant.namespace.to_owned(),
            region: tenant.region.to_owned(),
        };
        refuse_lost(site, &nobody, tenant.cluster, None).await?;
        return Ok(None);
    };
    let inventory = &remembered.0;
    all_driven(inventory, &site.world)?;
    // In another account nothing would be found, and everything forgotten.
    let account = site.network.account().await?;
    let region = if tenant.region.is_empty() { &inventory.region } else { tenant.region };
    let cluster = if tenant.cluster.is_empty() { &inventory.cluster } else { tenant.cluster };
    same_surroundings(inventory, &account, region, cluster)?;
    let owner = Owner {
        stack: inventory.stack.clone(),
        uid: Some(inventory.uid.clone()),
        namespace: tenant.namespace.to_owned(),
        region: inventory.region.clone(),
    };
    let observed = observe(None, Some(inventory), &owner, &site.world).await?;
    let plan = plan(Situation {
        desired: &Desired::default(),
        observed: &observed,
        inventory: Some(inventory),
        kinds: &site.world.kinds,
        owner: &owner,
        permits,
    });
    Ok(Some(PreparedRemoval { remembered, owner, observed, plan }))
}

impl Prepared {
    /// The inventory that a run starts from: what is remembered, or a new one under a new uid.
    pub fn inventory(&self, new_uid: &str) -> (Inventory, Option<Version>) {
        if let Some((inventory, version)) = &self.remembered {
            return (inventory.clone(), Some(version.clone()));
        }
        let inventory = Inventory {
            stack: self.owner.stack.clone(),
            uid: new_uid.to_owned(),
            account: self.context.account.clone(),
            region: self.context.region.clone(),
            cluster: self.context.cluster.name.clone(),
            epoch: 0,
            called: Called::new(),
            entries: BTreeMap::new(),
        };
        (inventory, None)
    }
}

/// A resource is found again by what is remembered of it, which says nothing about one of another kind.
fn turned(stack: &Stack, desired: &Desired, inventory: Option<&Inventory>) -> Vec<Diagnostic> {
    let entries = inventory.map(|inventory| &inventory.entries);
    let of_another_kind = desired.resources.iter().filter_map(|resource| {
        let entry = entries?.get(&resource.id).filter(|entry| entry.kind != resource.kind)?;
        let message =
            format!("{} is a {} and would be a {}", resource.id, entry.kind, resource.kind);
        let finding = Finding::error("other-kind", "", message).hint(
            "a mistake in the component's plugin; another name for the component goes round it",
        );
        Some((&resource.id.component, finding))
    });
    of_another_kind.flat_map(|(name, finding)| stack.diagnose(name, vec![finding])).collect()
}

/// What no driver knows cannot be observed, and what is not observed must be neither kept nor forgotten.
fn all_driven(inventory: &Inventory, world: &World) -> Result<(), FlowError> {
    let entries = inventory.entries.iter().filter(|(_, entry)| world.driver(&entry.kind).is_none());
    let resources: Vec<(ResourceId, Kind)> =
        entries.map(|(id, entry)| (id.clone(), entry.kind.clone())).collect();
    if resources.is_empty() {
        return Ok(());
    }
    Err(FlowError::NoDriver { stack: inventory.stack.clone(), resources })
}

/// Without an inventory nothing of the stack may be there: what is there would be made a second time (reliability.md, B.5).
async fn refuse_lost(
    site: &Site,
    owner: &Owner,
    cluster: &str,
    desired: Option<&Desired>,
) -> Result<(), FlowError> {
    let found = marked(&site.world, owner, cluster, desired).await?;
    if found.is_empty() {
        return Ok(());
    }
    let name = |owned: &crate::driver::Owned| {
        let name = owned.name.as_ref().or(owned.remote_id.as_ref());
        format!("{} {}", owned.kind, name.map_or("", String::as_str))
    };
    Err(FlowError::Lost { stack: owner.stack.clone(), found: found.iter().map(name).collect() })
}

/// Reads the surroundings and chooses in them.
pub(crate) async fn survey(
    site: &Site,
    stack: &Stack,
    kept_zones: &BTreeSet<Zone>,
) -> Result<(Context, Vec<Finding>), FlowError> {
    let cluster = site.cluster.survey(&stack.namespace).await?;
    let workers = cluster.nodes.iter().filter(|node| !node.control_plane);
    let request = NetworkRequest {
        cluster: stack.cluster.clone(),
        instances: workers.filter_map(|node| node.instance.clone()).collect(),
        vpc: stack.network.vpc.clone(),
        subnets: stack.network.subnets.clone(),
        security_groups: stack.network.security_groups.clone(),
    };
    let network = site.network.survey(&request).await?;
    let wish = Wish {
        stack: &stack.name,
        namespace: &stack.namespace,
        region: &stack.region,
        cluster: &stack.cluster,
        zones: stack.zones.as_deref(),
        kept_zones,
        vpc: stack.network.vpc.as_deref(),
        subnets: &stack.network.subnets,
        security_groups: &stack.network.security_groups,
    };
    choose(wish, &cluster, &network).map_err(FlowError::Surroundings)
}

fn without_place(finding: Finding) -> Diagnostic {
    Diagnostic {
        severity: finding.severity,
        code: finding.code,
        component: None,
        span: None,
        message: finding.message,
        hint: finding.hint,
    }
}

fn same_surroundings(
    inventory: &Inventory,
    account: &str,
    region: &str,
    cluster: &str,
) -> Result<(), FlowError> {
    let facts = [
        ("account", &inventory.account, account),
        ("region", &inventory.region, region),
        ("cluster", &inventory.cluster, cluster),
    ];
    for (what, remembered, now) in facts {
        if remembered != now {
            return Err(FlowError::Elsewhere {
                stack: inventory.stack.clone(),
                what,
                remembered: remembered.clone(),
                now: now.to_owned(),
            });
        }
    }
    Ok(())
}

/// The zones that the stack has something in.
fn zones_of(inventory: &Inventory) -> BTreeSet<Zone> {
    inventory.entries.keys().filter_map(|id| id.zone.clone()).collect()
}

/// How names resolve matters only when something is about to be made.
async fn check_names(site: &Site, context: &Context) -> Result<Vec<Advisory>, FlowError> {
    let dns = site.network.dns(&context.vpc.id).await?;
    let findings = dns_findings(&context.vpc.id, dns);
    let (errors, advisories): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(FlowError::Surroundings(errors));
    }
    let advisory = |finding: Finding| Advisory {
        code: finding.code.to_owned(),
        component: ComponentName::stack(),
        message: finding.message,
        hint: finding.hint,
    };
    Ok(advisories.into_iter().map(advisory).collect())
}

/// A secret that is to come from somewhere must be there before anything is made of it. Those that the stack itself makes
/// are not looked for.
async fn check_secrets(site: &Site, desired: &Desired, plan: &Plan) -> Result<(), FlowError> {
    let made: BTreeSet<&str> = desired
        .resources
        .iter()
        .filter(|resource| resource.kind.as_str() == "k8s.v1.Secret")
        .filter_map(|resource| resource.name.as_deref()?.rsplit('/').next())
        .collect();
    let mut wanted = BTreeSet::new();
    for step in plan.steps.iter().filter(|step| step.action == Action::Create) {
        wanted.extend(desired.get(&step.id).into_iter().flat_map(|r| r.spec.secrets()));
    }
    wanted.retain(|reference| match reference {
        SecretRef::Secret(at) => !made.contains(at.name.as_str()),
        SecretRef::Env(_) | SecretRef::File(_) => true,
    });
    let mut findings = Vec::new();
    for reference in wanted {
        if let Err(error) = site.world.secrets.resolve(reference).await {
            findings.push(Finding::error("secret", "", error.to_string()).hint(
                "put it there, or let zonestack generate it: leave it out of the stack file",
            ));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(FlowError::Surroundings(findings)) }
}
