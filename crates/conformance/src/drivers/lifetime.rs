//! What its own driver makes, from before its creation until it is gone: for a driver whose service is where the plugin is, in its
//! memory or on this machine. There is no cloud for the others; they are told so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use zonestack_core::difference::differences;
use zonestack_core::driver::{
    CallContext, Deletion, Difference, Driver, DriverError, ErrorClass, Observation, Owned, Owner,
    Ownership, Query, Status, Target,
};
use zonestack_core::kind::{Identity, KindDeclaration, Tagging};
use zonestack_core::name::ResourceId;
use zonestack_core::resource::Resource;
use zonestack_core::value::{Ref, Value};

use super::failed_to;
use super::observation::{fits, missing_output};
use super::request::{Marked, made_up, owner, target_of};
use super::thing::{Thing, asked_again};
use crate::subject::Loaded;
use crate::trouble::{Endpoint, Trouble};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

/// How long something may take to be as it shall be. What takes longer is no law's: nothing is known of its service.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at.
const STEP: Duration = Duration::from_millis(10);
/// Calls of `update` that it may take until nothing differs.
const UPDATES: usize = 5;

/// The plugin's driver, and what is made with it.
pub(super) struct Lifetime {
    driver: Arc<dyn Driver>,
    runtime: Runtime,
    pub(super) owner: Owner,
    /// Known outputs of what was made.
    outputs: BTreeMap<ResourceId, BTreeMap<String, Json>>,
}

impl Lifetime {
    pub(super) fn new(loaded: &Loaded<'_>) -> Result<Self, Stop> {
        let endpoint = Arc::new(Endpoint::new(Trouble::Refuses).map_err(failed_to)?);
        let driver = loaded.plugin.driver(&loaded.description, endpoint);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed_to)?;
        Ok(Self { driver, runtime, owner: owner(), outputs: BTreeMap::new() })
    }

    /// A resource as it shall be, with what is known of others. What holds data and is protected could not be deleted again.
    pub(super) fn spec(&self, kind: &KindDeclaration, resource: &Resource) -> Json {
        let known = |at: &Ref| {
            let known = self.outputs.get(&at.resource).and_then(|all| all.get(&at.output));
            Some(known.cloned().unwrap_or_else(|| json!(made_up(&at.output))))
        };
        let mut spec = resource.spec.resolve(&known).to_json();
        let protection = kind.protection.and_then(|path| spec.pointer_mut(path));
        if let Some(protection) = protection.filter(|value| value.is_boolean()) {
            *protection = json!(false);
        }
        spec
    }

    /// One look, with what must be true of each: it fits the declaration, and the id stays.
    pub(super) fn look(&self, thing: &Thing) -> Result<Result<Observation, DriverError>, Stop> {
        let found = self.look_as(&self.owner, thing, thing.query())?;
        let Ok(found) = found else { return Ok(found) };
        let known = thing.target.remote_id.as_ref();
        if found.is_present() && known.is_some() && found.remote_id.as_ref() != known {
            return thing.wrong(format!(
                "has the id {:?}, and had {:?} before",
                found.remote_id.unwrap_or_default(),
                known.map_or("", String::as_str)
            ));
        }
        Ok(Ok(found))
    }

    /// One look of anybody, with what must be true of each but the id.
    pub(super) fn look_as(
        &self,
        owner: &Owner,
        thing: &Thing,
        query: Query,
    ) -> Result<Result<Observation, DriverError>, Stop> {
        // What was never made is asked for beside it: answers come in the order of the queries.
        let id = format!("{}/kit-never-made", query.target.id.component);
        let never = Target {
            id: id.parse().map_err(|error| Stop::Failed(format!("{error}")))?,
            token: query.target.token.as_ref().map(|_| "kit-never-made".to_owned()),
            name: query.target.name.as_ref().map(|_| "kit-never-made".to_owned()),
            parent: query.target.parent.as_ref().map(|_| made_up("parent")),
            remote_id: None,
            ..query.target.clone()
        };
        let queries = [Query { target: never, spec: None }, query];
        let cx = CallContext::new(owner, &Marked);
        let mut answers = self.runtime.block_on(self.driver.observe(cx, &queries)).into_iter();
        let (Some(never), Some(found)) = (answers.next(), answers.next()) else {
            return thing.wrong("is observed without an answer");
        };
        if never.is_ok_and(|never| never.is_present()) {
            return thing.wrong(
                "was asked for after one that was never made, and that one is observed as there",
            );
        }
        let Ok(found) = found else { return Ok(found) };
        if let Err(why) = fits(&thing.kind, &queries[1], &found) {
            return thing.wrong(why);
        }
        Ok(Ok(found))
    }

    /// Makes a resource that was not there, makes it again, and waits until it is ready.
    pub(super) fn make(&mut self, loaded: &Loaded<'_>, resource: &Resource) -> Result<Thing, Stop> {
        let Some(kind) = loaded.kinds.iter().find(|kind| kind.kind == resource.kind).cloned()
        else {
            return failed(format!("the kind {} is not its own", resource.kind));
        };
        let spec = self.spec(&kind, resource);
        let target = target_of(&kind, Some(resource), &spec)?;
        let mut thing = Thing { kind, target, spec, since: Instant::now(), changed: false };
        match self.look(&thing)? {
            Err(error) => return thing.without_service("observe", &error),
            Ok(found) if found.is_present() => {
                return thing.wrong("is observed as there before it was made");
            }
            Ok(_) => {}
        }
        let first = self.create(&thing);
        thing.target.remote_id = first.or_else(|error| thing.without_service("create", &error))?;
        thing.since = Instant::now();
        let lives = self.ready(&mut thing).and_then(|()| self.make_again(&mut thing));
        if lives.is_err() {
            // Its service may be one that others use too.
            drop(self.deleted(&thing));
        }
        lives.map(|()| thing)
    }

    /// Makes what is there again: the answer to the first time may have been lost.
    fn make_again(&mut self, thing: &mut Thing) -> Outcome {
        let remembered = thing.target.remote_id.take();
        let second = self.create(thing);
        thing.target.remote_id = remembered;
        match second {
            Ok(second) if second == thing.target.remote_id => {}
            // Nothing finds it again but its marks: the engine does not make it twice.
            Ok(_) if thing.kind.identity == Identity::ServerId => {}
            Ok(second) => {
                return thing.wrong(format!(
                    "was made again with the same key, and is {:?} beside {:?} now",
                    second.unwrap_or_default(),
                    thing.target.remote_id.as_deref().unwrap_or_default()
                ));
            }
            Err(error) if error.class == ErrorClass::AlreadyExists || asked_again(&error) => {}
            Err(error) => {
                return thing.wrong(format!(
                    "was made again with the same key, and that is {}, not its id or `already-exists`: {}",
                    error.class.as_str(),
                    error.message
                ));
            }
        }
        self.ready(thing)
    }

    fn create(&self, thing: &Thing) -> Result<Option<String>, DriverError> {
        let cx = CallContext::new(&self.owner, &Marked);
        let created = self.driver.create(cx, &thing.target, &thing.spec);
        self.runtime.block_on(created).map(|created| created.remote_id)
    }

    fn differing(thing: &Thing, found: &Observation) -> Vec<Difference> {
        differences(&Value::from(thing.spec.clone()), &found.attributes)
    }

    /// Waits until it is ready and as it shall be, changing it as the engine does.
    pub(super) fn ready(&mut self, thing: &mut Thing) -> Outcome {
        let begin = Instant::now();
        let mut updates = 0;
        let mut last = String::new();
        while begin.elapsed() < PATIENCE {
            let found = match self.look(thing)? {
                Ok(found) => found,
                Err(error) => return thing.without_service("observe", &error),
            };
            if found.is_present() && thing.target.remote_id.is_none() {
                thing.target.remote_id.clone_from(&found.remote_id);
            }
            last = format!("{:?}", found.status);
            if Self::stands(thing, &found)? {
                let differing = Self::differing(thing, &found);
                if differing.is_empty() && found.status == Status::Ready {
                    Self::ours(thing, &found)?;
                    self.outputs.insert(thing.target.id.clone(), found.outputs);
                    return Ok(());
                }
                if let Some(difference) = differing.first().filter(|_| !thing.may_lag()) {
                    if updates == UPDATES {
                        return thing.wrong(format!(
                            "still differs in {} after {UPDATES} calls of `update`",
                            difference.path
                        ));
                    }
                    updates += usize::from(self.update(thing, &differing)?);
                }
            }
            self.pause();
        }
        not_applicable(format!(
            "{} is not ready within {PATIENCE:?}, the last it was {last}: the kit waits no longer",
            thing.title()
        ))
    }

    /// Whether it is there and works. What it must not be after it was made is a failure.
    fn stands(thing: &Thing, found: &Observation) -> Result<bool, Stop> {
        let states = &thing.kind.model.creating;
        match &found.status {
            Status::Absent if thing.may_lag() => return Ok(false),
            Status::Absent => return thing.wrong("was made, and is observed as not there"),
            Status::Deleting => return thing.wrong("is going away, and nobody deleted it"),
            Status::Failed(words) => {
                return not_applicable(format!("{} has failed: {words}", thing.title()));
            }
            Status::Pending(word) => {
                // What a change is called is declared nowhere.
                if !thing.changed && !states.is_empty() && !states.contains(&word.as_str()) {
                    return thing.wrong(format!(
                        "is {word:?} while it is made; its kind declares {}",
                        states.join(", ")
                    ));
                }
                return Ok(false);
            }
            Status::Busy(_) | Status::Ready => {}
        }
        if found.status == Status::Ready
            && let Some(name) = missing_output(&thing.kind, &thing.spec, found)
        {
            return thing.wrong(format!("is ready without the output {name:?} that it declares"));
        }
        if thing.kind.tagging == Tagging::OnCreate {
            Self::ours(thing, found)?;
        }
        Ok(true)
    }

    fn ours(thing: &Thing, found: &Observation) -> Outcome {
        if thing.kind.tagging == Tagging::None || found.ownership == Ownership::Ours {
            return Ok(());
        }
        thing.wrong(format!("was made by this stack, and is observed as {:?}", found.ownership))
    }

    /// Whether a call of `update` was made; false when it has to be made again.
    fn update(&self, thing: &mut Thing, differing: &[Difference]) -> Result<bool, Stop> {
        let cx = CallContext::new(&self.owner, &Marked);
        let updated = self.driver.update(cx, &thing.target, &thing.spec, differing);
        match self.runtime.block_on(updated) {
            Ok(()) => {
                thing.since = Instant::now();
                thing.changed = true;
                Ok(true)
            }
            Err(error) if asked_again(&error) => Ok(false),
            Err(error) if matches!(error.class, ErrorClass::Unsupported | ErrorClass::Bug) => thing
                .wrong(format!(
                    "cannot be changed in {}, which its kind does not forbid: {}",
                    differing.first().map_or("", |difference| difference.path.as_str()),
                    error.message
                )),
            Err(error) => thing.without_service("update", &error),
        }
    }

    /// It shall be otherwise from now on.
    pub(super) fn change(&mut self, thing: &mut Thing, spec: Json) -> Outcome {
        thing.spec = spec;
        thing.changed = true;
        self.ready(thing)
    }

    /// Deletes it and waits until it is gone.
    pub(super) fn delete(&mut self, thing: &mut Thing) -> Outcome {
        let begin = Instant::now();
        while let Err(error) = self.deleted(thing) {
            if !asked_again(&error) || begin.elapsed() > PATIENCE {
                return thing.without_service("delete", &error);
            }
            self.pause();
        }
        thing.since = Instant::now();
        thing.changed = true;
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            let found = match self.look(thing)? {
                Ok(found) => found,
                Err(error) => return thing.without_service("observe", &error),
            };
            match found.status {
                Status::Absent => return self.stays_away(thing),
                Status::Deleting => {}
                status if thing.may_lag() => drop(status),
                status => {
                    return thing.wrong(format!("was deleted, and is observed as {status:?}"));
                }
            }
            self.pause();
        }
        not_applicable(format!("{} is not gone within {PATIENCE:?}", thing.title()))
    }

    /// What is gone is not found by its key either, and can be deleted again.
    fn stays_away(&self, thing: &mut Thing) -> Outcome {
        if let Err(error) = self.deleted(thing) {
            return thing.wrong(format!(
                "is gone, and to delete it again is {}: {}",
                error.class.as_str(),
                error.message
            ));
        }
        thing.target.remote_id = None;
        match self.look(thing)? {
            Ok(found) if found.is_present() => {
                thing.wrong("is gone by its id, and still there by its key")
            }
            _ => Ok(()),
        }
    }

    fn deleted(&self, thing: &Thing) -> Result<(), DriverError> {
        let cx = CallContext::new(&self.owner, &Marked);
        let final_copy = thing.kind.final_copy.then(|| "kit-final-copy".to_owned());
        let deletion = Deletion { final_copy };
        self.runtime.block_on(self.driver.delete(cx, &thing.target, &deletion))
    }

    /// Everything of a stack, as the driver lists it.
    pub(super) fn owned(&self, owner: &Owner) -> Result<Vec<Owned>, DriverError> {
        self.runtime.block_on(self.driver.owned(CallContext::new(owner, &Marked)))
    }

    fn pause(&self) {
        self.runtime.block_on(async { tokio::time::sleep(STEP).await });
    }
}
