//! A lost inventory is built anew, from marks, names and the stack file. Reads only (reliability.md, B.4.1).
//!
//! # Flow
//! Whatever carries the marks of a stack of this name is listed; it tells the uid. With the uid every resource that the stack
//! file has is looked for by name, token and parent, and whatever else carries the marks by its id.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Desired;
use crate::driver::{Observation, Owned, Owner, Ownership, Status};
use crate::flow::{FlowError, Site, survey};
use crate::inventory::{Entry, EntryState, Inventory};
use crate::name::ResourceId;
use crate::observe::{Observed, marked, observe};
use crate::rename::Called;
use crate::resource::{DataClass, Foreign, Resource};
use crate::wire::Wiring;

/// Builds the inventory anew. `uid` chooses among several stacks of the name. `generation` is that of every resource: higher
/// than any before, so that no token is used again.
pub async fn recover(
    site: &Site,
    wiring: &Wiring,
    uid: Option<&str>,
    generation: u32,
) -> Result<Inventory, FlowError> {
    let stack = &wiring.stack;
    if let Some((inventory, _)) = site.store.load().await? {
        return Err(FlowError::NotLost {
            stack: inventory.stack,
            entries: inventory.entries.len(),
        });
    }
    let nobody = Owner {
        stack: stack.name.to_string(),
        uid: None,
        namespace: stack.namespace.clone(),
        region: stack.region.clone(),
    };
    let mut found = marked(&site.world, &nobody, &stack.cluster, None).await?;
    let claimed = site.store.claimed_uid().await?;
    let uid = choose_uid(&stack.name.to_string(), uid, &found, claimed)?;
    found.retain(|owned| owned.uid.as_deref() == Some(uid.as_str()));
    let owner = Owner { uid: Some(uid.clone()), ..nobody };

    let mut inventory = Inventory {
        stack: owner.stack.clone(),
        uid,
        account: String::new(),
        region: stack.region.clone(),
        cluster: stack.cluster.clone(),
        epoch: 0,
        called: Called::new(),
        entries: told(site, &found, generation),
    };
    let zones = inventory.entries.keys().filter_map(|id| id.zone.clone()).collect();
    let (context, _) = survey(site, stack, &zones).await?;
    inventory.account.clone_from(&context.account);
    let desired = crate::desired::render(wiring, &context, &site.world.kinds, &Called::new())?;
    let observed = observe(Some(&desired), Some(&inventory), &owner, &site.world).await?;
    complete(site, &mut inventory, &desired, &observed, generation);
    Ok(inventory)
}

fn choose_uid(
    stack: &str,
    wanted: Option<&str>,
    found: &[Owned],
    claimed: Option<String>,
) -> Result<String, FlowError> {
    let mut uids: BTreeSet<String> = found.iter().filter_map(|owned| owned.uid.clone()).collect();
    uids.extend(claimed);
    match wanted {
        Some(wanted) if uids.contains(wanted) => return Ok(wanted.to_owned()),
        Some(_) => return Err(FlowError::NothingToRecover { stack: stack.to_owned() }),
        None => {}
    }
    let mut uids = uids.into_iter();
    match (uids.next(), uids.next()) {
        (Some(uid), None) => Ok(uid),
        (None, _) => Err(FlowError::NothingToRecover { stack: stack.to_owned() }),
        (Some(first), Some(second)) => Err(FlowError::SeveralStacks {
            stack: stack.to_owned(),
            uids: [first, second].into_iter().chain(uids).collect(),
        }),
    }
}

/// Records of what its marks alone tell.
fn told(site: &Site, found: &[Owned], generation: u32) -> BTreeMap<ResourceId, Entry> {
    let since = site.world.clock.timestamp();
    let entry = |owned: &Owned| Entry {
        kind: owned.kind.clone(),
        name: owned.name.clone(),
        generation,
        remote_id: owned.remote_id.clone(),
        parent: None,
        needs: Vec::new(),
        data: site.world.kinds.get(&owned.kind).map_or(DataClass::Data, |kind| kind.data),
        state: EntryState::Live,
        since: since.clone(),
        spec_hash: None,
        ours: true,
    };
    found.iter().filter_map(|owned| Some((owned.id.clone()?, entry(owned)))).collect()
}

/// Adds what the stack file has and marks do not tell, and drops what is not there.
fn complete(
    site: &Site,
    inventory: &mut Inventory,
    desired: &Desired,
    observed: &Observed,
    generation: u32,
) {
    inventory.entries.retain(|id, _| observed.get(id).is_present());
    for resource in &desired.resources {
        let found = observed.get(&resource.id);
        let ours = found.ownership == Ownership::Ours;
        if !found.is_present() || !(ours || resource.foreign == Foreign::Use) {
            continue;
        }
        let entry = wanted(site, resource, &found, observed, generation);
        inventory.entries.insert(resource.id.clone(), Entry { ours, ..entry });
    }
}

fn wanted(
    site: &Site,
    resource: &Resource,
    found: &Observation,
    observed: &Observed,
    generation: u32,
) -> Entry {
    let spec = resource.spec.resolve(&|reference| observed.output(reference));
    let kind = site.world.kinds.get(&resource.kind);
    let parent = kind.and_then(|kind| kind.parent_in(&spec));
    let is_made = matches!(found.status, Status::Ready | Status::Busy(_));
    Entry {
        kind: resource.kind.clone(),
        name: resource.name.clone(),
        generation,
        remote_id: found.remote_id.clone(),
        parent,
        needs: resource.all_needs().into_iter().map(|need| need.id).collect(),
        data: resource.data,
        state: if is_made { EntryState::Live } else { EntryState::Creating },
        since: site.world.clock.timestamp(),
        spec_hash: None,
        ours: true,
    }
}
