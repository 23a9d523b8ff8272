//! Observed and plan become a status: each component in each zone. Pure.

use std::collections::BTreeMap;

use crate::carry_out::described;
use crate::desired::Desired;
use crate::driver::Status;
use crate::name::{ComponentName, ResourceId, Zone};
use crate::observe::Observed;
use crate::plan::{Action, Change, Plan};

/// How a component stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Everything is there and works.
    Ready,
    /// Something is there, but not all of it works.
    Degraded,
    /// Nothing is there.
    Missing,
}

impl Health {
    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Missing => "missing",
        }
    }
}

/// One resource that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The resource.
    pub id: ResourceId,
    /// Its state, in its service's words.
    pub state: String,
}

/// A component in one zone, or its part that is in no zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The component.
    pub component: ComponentName,
    /// The zone.
    pub zone: Option<Zone>,
    /// How it stands.
    pub health: Health,
    /// Resources that are ready.
    pub ready: usize,
    /// Resources in all.
    pub total: usize,
    /// What is not ready.
    pub troubles: Vec<Trouble>,
}

/// One resource that somebody changed outside zonestack, or that the stack file changed since the last run.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The resource.
    pub id: ResourceId,
    /// What `up` would do.
    pub action: Action,
    /// The fields.
    pub changes: Vec<Change>,
    /// Why.
    pub reason: String,
}

/// How a stack stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StackStatus {
    /// Components in zones, in the order of the stack file.
    pub rows: Vec<Row>,
    /// What differs from the stack file.
    pub drift: Vec<Drift>,
}

impl StackStatus {
    /// The worst of its rows.
    pub fn health(&self) -> Health {
        self.rows.iter().map(|row| row.health).max().unwrap_or(Health::Missing)
    }
}

/// The status.
pub fn status(desired: &Desired, observed: &Observed, plan: &Plan) -> StackStatus {
    let mut order: Vec<&ComponentName> = Vec::new();
    let mut groups: BTreeMap<(usize, Option<Zone>), Vec<&ResourceId>> = BTreeMap::new();
    for resource in &desired.resources {
        let component = &resource.id.component;
        let position = order.iter().position(|c| *c == component).unwrap_or_else(|| {
            order.push(component);
            order.len() - 1
        });
        groups.entry((position, resource.id.zone.clone())).or_default().push(&resource.id);
    }
    let rows = groups
        .into_iter()
        .map(|((component, zone), ids)| row(order[component].clone(), zone, &ids, observed))
        .collect();
    let drift = plan.steps.iter().filter(|step| !step.is_noop()).map(|step| Drift {
        id: step.id.clone(),
        action: step.action,
        changes: step.changes.clone(),
        reason: step.reason.clone(),
    });
    StackStatus { rows, drift: drift.collect() }
}

fn row(
    component: ComponentName,
    zone: Option<Zone>,
    ids: &[&ResourceId],
    observed: &Observed,
) -> Row {
    let mut troubles = Vec::new();
    let mut present = 0;
    for id in ids {
        let found = observed.get(id);
        present += usize::from(found.is_present());
        if !matches!(found.status, Status::Ready | Status::Busy(_)) {
            let state = match found.status {
                Status::Absent => "missing".to_owned(),
                status => described(&status),
            };
            troubles.push(Trouble { id: (*id).clone(), state });
        }
    }
    let health = match (present, troubles.len()) {
        (_, 0) => Health::Ready,
        (0, _) => Health::Missing,
        _ => Health::Degraded,
    };
    let total = ids.len();
    Row { component, zone, health, ready: total - troubles.len(), total, troubles }
}
