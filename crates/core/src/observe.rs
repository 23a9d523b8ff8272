//! Desired and inventory become what is observed. Reads only, in as few rounds as identities allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join_all, select};
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::desired::Desired;
use crate::driver::{
    CallContext, Driver, DriverError, ErrorClass, Observation, Owned, Owner, Query, Target,
};
use crate::inventory::{Entry, Inventory};
use crate::kind::{Identity, KindDeclaration};
use crate::name::{Kind, ResourceId};
use crate::resource::Resource;
use crate::secret::SecretSource;
use crate::value::{Ref, Value};

type Kinds = BTreeMap<Kind, KindDeclaration>;

/// The world, as the engine reaches it.
#[derive(Clone)]
pub struct World {
    /// The drivers.
    pub drivers: Vec<Arc<dyn Driver>>,
    /// What they declare.
    pub kinds: BTreeMap<Kind, KindDeclaration>,
    /// Secrets.
    pub secrets: Arc<dyn SecretSource>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Which of the drivers drives a kind.
    owners: BTreeMap<Kind, usize>,
}

impl World {
    /// A world of these drivers.
    pub fn new(
        drivers: Vec<Arc<dyn Driver>>,
        secrets: Arc<dyn SecretSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut kinds = BTreeMap::new();
        let mut owners = BTreeMap::new();
        for (index, driver) in drivers.iter().enumerate() {
            for declaration in driver.kinds() {
                owners.insert(declaration.kind.clone(), index);
                kinds.insert(declaration.kind.clone(), declaration);
            }
        }
        Self { drivers, kinds, secrets, clock, owners }
    }

    /// The driver of a kind.
    pub fn driver(&self, kind: &Kind) -> Option<&Arc<dyn Driver>> {
        self.owners.get(kind).and_then(|index| self.drivers.get(*index))
    }
}

/// What was found of every resource that is wanted or remembered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    found: BTreeMap<ResourceId, Observation>,
}

impl Observed {
    /// What was found of a resource; absent when it was not looked for.
    pub fn get(&self, id: &ResourceId) -> Observation {
        self.found.get(id).cloned().unwrap_or_else(Observation::absent)
    }

    /// Records what was found.
    pub fn insert(&mut self, id: ResourceId, observation: Observation) {
        self.found.insert(id, observation);
    }

    /// An output, when it is known.
    pub fn output(&self, reference: &Ref) -> Option<serde_json::Value> {
        self.found.get(&reference.resource)?.outputs.get(&reference.output).cloned()
    }

    /// Everything that was found, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceId, &Observation)> {
        self.found.iter()
    }
}

/// Resources that could not be observed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot see what is there")]
pub struct ObserveError {
    /// Each with its error, in order of id.
    pub failures: Vec<(ResourceId, DriverError)>,
}

/// How long one driver may take to look at everything.
const READ_TIMEOUT: Duration = Duration::from_mins(2);
/// How often a read is tried when the service is throttling or failing for a moment.
const READ_ATTEMPTS: u32 = 5;

/// Looks for everything that is wanted or remembered. Kinds that live inside a parent are looked for once their parent is
/// found; the rest in one round, so that drivers can answer from lists.
pub async fn observe(
    desired: Option<&Desired>,
    inventory: Option<&Inventory>,
    owner: &Owner,
    world: &World,
) -> Result<Observed, ObserveError> {
    let mut observed = Observed::default();
    let mut waiting = wanted(desired, inventory, owner, &world.kinds);
    let mut failures = Vec::new();
    while !waiting.is_empty() {
        let missing: BTreeSet<ResourceId> =
            waiting.iter().map(|(target, _)| target.id.clone()).collect();
        let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(target, spec)| {
            !needs_parent(world, target, *spec)
                || spec.is_none_or(|s| s.refs().iter().all(|r| !missing.contains(&r.resource)))
        });
        // A cycle among parents cannot be: the graph was ordered. Whatever is left is looked for as it is.
        let (now, later) = if now.is_empty() { (later, Vec::new()) } else { (now, later) };
        for (id, result) in look(&now, &observed, owner, world).await {
            match result {
                Ok(observation) => observed.insert(id, observation),
                Err(error) => failures.push((id, error)),
            }
        }
        waiting = later;
    }
    failures.sort_by(|a, b| a.0.cmp(&b.0));
    if failures.is_empty() { Ok(observed) } else { Err(ObserveError { failures }) }
}

fn needs_parent(world: &World, target: &Target, spec: Option<&Value>) -> bool {
    spec.is_some()
        && world
            .kinds
            .get(&target.kind)
            .is_some_and(|kind| matches!(kind.identity, Identity::Parent { .. }))
}

type Wanted<'a> = (Target, Option<&'a Value>);

fn wanted<'a>(
    desired: Option<&'a Desired>,
    inventory: Option<&Inventory>,
    owner: &Owner,
    kinds: &Kinds,
) -> Vec<Wanted<'a>> {
    let entry = |id: &ResourceId| inventory.and_then(|inventory| inventory.entries.get(id));
    let resources = desired.map(|desired| desired.resources.as_slice()).unwrap_or_default();
    let mut wanted: Vec<Wanted<'a>> =
        resources.iter().map(|r| (target(r, entry(&r.id), owner, kinds), Some(&r.spec))).collect();
    let known: BTreeSet<&ResourceId> = resources.iter().map(|r| &r.id).collect();
    for (id, entry) in inventory.iter().flat_map(|inventory| &inventory.entries) {
        if !known.contains(id) {
            wanted.push((remembered_target(id, entry, owner, kinds), None));
        }
    }
    wanted
}

/// What to look for and to act on, for a resource that the stack file has.
pub(crate) fn target(
    resource: &Resource,
    entry: Option<&Entry>,
    owner: &Owner,
    kinds: &Kinds,
) -> Target {
    let generation = entry.map_or(1, |entry| entry.generation);
    Target {
        id: resource.id.clone(),
        kind: resource.kind.clone(),
        name: resource.name.clone(),
        token: token(owner, kinds.get(&resource.kind), &resource.id, generation),
        remote_id: entry.and_then(|entry| entry.remote_id.clone()).or_else(|| adopted_id(resource)),
        parent: entry.and_then(|entry| entry.parent.clone()),
    }
}

/// What `adopt:` names, where that is an id and not the name that it has anyway.
fn adopted_id(resource: &Resource) -> Option<String> {
    resource.adopt.clone().filter(|_| resource.name.is_none())
}

/// What to look for and to act on, for a resource that is only remembered.
pub(crate) fn remembered_target(
    id: &ResourceId,
    entry: &Entry,
    owner: &Owner,
    kinds: &Kinds,
) -> Target {
    Target {
        id: id.clone(),
        kind: entry.kind.clone(),
        name: entry.name.clone(),
        token: token(owner, kinds.get(&entry.kind), id, entry.generation),
        remote_id: entry.remote_id.clone(),
        parent: entry.parent.clone(),
    }
}

/// The token of a creation: the same for the same stack, resource and generation; 52 characters of `[a-z2-7]`
/// (reliability.md, B.4.2). None for kinds that have a better key.
pub(crate) fn token(
    owner: &Owner,
    declaration: Option<&KindDeclaration>,
    id: &ResourceId,
    generation: u32,
) -> Option<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    if matches!(declaration?.identity, Identity::Name | Identity::Parent { .. }) {
        return None;
    }
    let uid = owner.uid.as_ref()?;
    let hash = Sha256::digest(format!("{uid}\n{id}\n{generation}"));
    let mut text = String::with_capacity(52);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in hash {
        bits = (bits << 8) | u32::from(byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
    }
    text.push(char::from(ALPHABET[(bits << (5 - count) & 31) as usize]));
    Some(text)
}

/// Whatever carries the marks of this stack in this cluster, as the drivers tell of whose kinds this graph has something;
/// every driver, without a graph. The namespace alone is no stack: it may be all that a run made.
pub(crate) async fn marked(
    world: &World,
    owner: &Owner,
    cluster: &str,
    desired: Option<&Desired>,
) -> Result<Vec<Owned>, ObserveError> {
    let cx = CallContext::new(owner, world.secrets.as_ref());
    let used: Option<BTreeSet<&Kind>> =
        desired.map(|desired| desired.resources.iter().map(|resource| &resource.kind).collect());
    let is_asked = |driver: &&Arc<dyn Driver>| {
        let kinds = || driver.kinds().into_iter();
        used.as_ref().is_none_or(|used| kinds().any(|kind| used.contains(&kind.kind)))
    };
    let lists = world.drivers.iter().filter(is_asked).map(|driver| list_marked(driver, cx, world));
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for list in join_all(lists).await {
        match list {
            Ok(marked) => found.extend(marked),
            // The observation that follows needs the same right, and says what is missing.
            Err(error) if matches!(error.class, ErrorClass::Denied(_)) => {}
            Err(error) => failures.push((ResourceId::namespace(), error)),
        }
    }
    if !failures.is_empty() {
        return Err(ObserveError { failures });
    }
    found.retain(|owned| {
        cluster.is_empty() || owned.cluster.as_deref().is_none_or(|found| found == cluster)
    });
    found.retain(|owned| owned.id.as_ref() != Some(&ResourceId::namespace()));
    Ok(found)
}

/// Asks one driver, again where it was throttled or failed for a moment.
async fn list_marked(
    driver: &Arc<dyn Driver>,
    cx: CallContext<'_>,
    world: &World,
) -> Result<Vec<Owned>, DriverError> {
    let mut attempt = 1;
    loop {
        let listed = match select(driver.owned(cx), world.clock.sleep(READ_TIMEOUT)).await {
            Either::Left((listed, _)) => listed,
            Either::Right(_) => Err(silent()),
        };
        match listed {
            Err(error) if passes(&error) && attempt < READ_ATTEMPTS => {
                world.clock.sleep(Duration::from_millis(500 << attempt)).await;
                attempt += 1;
            }
            listed => return listed,
        }
    }
}

fn silent() -> DriverError {
    let message = format!("no answer within {} s", READ_TIMEOUT.as_secs());
    DriverError::new(ErrorClass::Transient, message)
}

/// Whether the same read may succeed in a moment.
fn passes(error: &DriverError) -> bool {
    matches!(error.class, ErrorClass::Throttled | ErrorClass::Transient | ErrorClass::Ambiguous)
}

async fn look(
    wanted: &[Wanted<'_>],
    observed: &Observed,
    owner: &Owner,
    world: &World,
) -> Vec<(ResourceId, Result<Observation, DriverError>)> {
    let per_driver = world.drivers.iter().enumerate().map(|(index, driver)| {
        let queries: Vec<Query> = wanted
            .iter()
            .filter(|(target, _)| world.owners.get(&target.kind) == Some(&index))
            .map(|(target, spec)| Query {
                target: target.clone(),
                spec: spec.map(|spec| spec.resolve(&|r| observed.output(r)).to_json()),
            })
            .collect();
        read(driver, queries, owner, world)
    });
    let mut answers: Vec<_> = join_all(per_driver).await.into_iter().flatten().collect();
    for (target, _) in wanted.iter().filter(|(target, _)| world.driver(&target.kind).is_none()) {
        let message = format!("no driver for the kind {}: is its plugin missing?", target.kind);
        answers.push((target.id.clone(), Err(DriverError::new(ErrorClass::Unsupported, message))));
    }
    answers
}

/// Asks one driver, again where it was throttled or failed for a moment.
async fn read(
    driver: &Arc<dyn Driver>,
    mut queries: Vec<Query>,
    owner: &Owner,
    world: &World,
) -> Vec<(ResourceId, Result<Observation, DriverError>)> {
    let cx = CallContext::new(owner, world.secrets.as_ref());
    let mut answers = Vec::new();
    for attempt in 1..=READ_ATTEMPTS {
        if queries.is_empty() {
            break;
        }
        let results =
            match select(driver.observe(cx, &queries), world.clock.sleep(READ_TIMEOUT)).await {
                Either::Left((results, _)) => results,
                Either::Right(_) => vec![Err(silent()); queries.len()],
            };
        let mut again = Vec::new();
        for (query, result) in queries.into_iter().zip(results) {
            let passing = result.as_ref().is_err_and(passes);
            if passing && attempt < READ_ATTEMPTS {
                again.push(query);
            } else {
                answers.push((query.target.id, result));
            }
        }
        if !again.is_empty() {
            world.clock.sleep(Duration::from_millis(500 << attempt)).await;
        }
        queries = again;
    }
    answers
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::kind::{Model, Tagging};
    use crate::resource::DataClass;

    fn kind(identity: Identity) -> KindDeclaration {
        KindDeclaration {
            kind: Kind::new("test.thing"),
            identity,
            tagging: Tagging::OnCreate,
            marks_at: None,
            data: DataClass::Stateless,
            fields: Vec::new(),
            protection: None,
            final_copy: false,
            restores_from: None,
            replaces_dependents: false,
            ready_within: Duration::from_mins(1),
            delete_within: Duration::from_mins(1),
            read_after_write: Duration::ZERO,
            outputs: Vec::new(),
            iam_actions: Vec::new(),
            model: Model {
                id: "{hex8}",
                outputs: Vec::new(),
                creating: Vec::new(),
                create: Duration::ZERO,
                update: Duration::ZERO,
                delete: Duration::ZERO,
            },
        }
    }

    /// The next run must find what the last one asked for: another token would make a second one.
    #[test]
    fn the_token_of_a_creation_is_the_same_in_every_run() {
        let owner = |uid: &str| Owner {
            stack: "git".to_owned(),
            uid: Some(uid.to_owned()),
            namespace: "git".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let by_token = kind(Identity::Token);
        let of = |uid: &str, id: &str, generation: u32| {
            token(&owner(uid), Some(&by_token), &id.parse().unwrap(), generation).unwrap()
        };
        let first = of("0123456789abcdef", "data/file-system", 1);
        assert_eq!(first, "j44c3ok6sgwwurrqodz6kahuyamavojknjzywniykbybwgv2l2aq");
        assert_ne!(of("0123456789abcdef", "data/file-system", 2), first);
        assert_ne!(of("0123456789abcdef", "more/file-system", 1), first);
        assert_ne!(of("fedcba9876543210", "data/file-system", 1), first);
        let by_name = kind(Identity::Name);
        let id = "db/instance".parse().unwrap();
        assert_eq!(token(&owner("0123456789abcdef"), Some(&by_name), &id, 1), None);
    }
}
