//! The calls of a life, in the order in which the engine makes them, and what each has promised.
#![expect(clippy::panic, reason = "it is for tests: a broken promise ends them")]

use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::{Instant, sleep};
use zonestack_core::difference::differences;
use zonestack_core::driver::{
    CallContext, Created, Deletion, Difference, DriverError, ErrorClass, Observation, Owned, Owner,
    Ownership, Query, Status, Target,
};
use zonestack_core::kind::Identity;

use super::Life;

/// How long anything may take to be as it shall be.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);
/// How many calls may bring a change about; the engine has less patience.
const UPDATES: usize = 20;

/// Ends the test: what was called, what it did, what was promised.
fn broken(call: &str, did: impl std::fmt::Display, promise: &str) -> ! {
    panic!("`{call}` {did}; {promise}")
}

fn told(error: &DriverError) -> String {
    format!("answered {}: {}", error.class.as_str(), error.message)
}

impl Life {
    /// Lives it.
    ///
    /// # Panics
    /// When a call breaks a promise.
    pub async fn with_every_call_twice(mut self) {
        let spec = self.made.clone();
        self.is_absent(&spec, "before it was made").await;
        self.is_made(&spec).await;
        self.is_found(&spec).await;
        self.is_no_strangers(&spec).await;
        self.is_listed().await;
        let mut now = spec;
        for change in self.changes.clone() {
            self.is_changed(&change).await;
            now = change;
        }
        // As the engine does it, in a step of its own.
        if let Some(held) = self.declared.protection.and_then(|path| now.pointer_mut(path))
            && *held == Json::Bool(true)
        {
            *held = Json::Bool(false);
            self.is_changed(&now).await;
        }
        self.is_deleted(&now).await;
        self.is_absent(&now, "after it was deleted").await;
        let left = self.owned(&self.owner).await;
        if !left.is_empty() {
            broken("owned", format!("lists {left:?}"), "after the deletion nothing is left");
        }
    }

    fn cx<'a>(&'a self, owner: &'a Owner) -> CallContext<'a> {
        CallContext::new(owner, &self.secrets)
    }

    async fn look(&self, owner: &Owner, target: &Target, spec: Option<&Json>) -> Observation {
        let queries = [Query { target: target.clone(), spec: spec.cloned() }];
        let cx = self.cx(owner);
        let mut seen = self.driver.observe(cx, &queries).await;
        let again = self.driver.observe(cx, &queries).await;
        if seen.len() != 1 || again.len() != 1 {
            broken("observe", "gave another number of answers", "it gives one for each query");
        }
        match seen.remove(0) {
            Ok(seen) => seen,
            Err(error) => broken("observe", told(&error), "it tells what is there"),
        }
    }

    /// Looks until it is as it shall be.
    async fn until(
        &self,
        spec: &Json,
        promise: &str,
        is_so: impl Fn(&Observation) -> bool,
    ) -> Observation {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.look(&self.owner, &self.target, Some(spec)).await;
            if is_so(&seen) {
                return seen;
            }
            if let Status::Failed(state) = &seen.status {
                broken("observe", format!("tells that it has failed: {state}"), promise);
            }
            if Instant::now() >= deadline {
                let did = format!("still tells {seen:?} after {PATIENCE:?}");
                broken("observe", did, promise);
            }
            sleep(PAUSE).await;
        }
    }

    async fn owned(&self, owner: &Owner) -> Vec<Owned> {
        match self.driver.owned(self.cx(owner)).await {
            Ok(all) => all.into_iter().filter(|one| one.kind == self.declared.kind).collect(),
            Err(error) => broken("owned", told(&error), "it lists what carries marks"),
        }
    }

    async fn is_absent(&self, spec: &Json, when: &str) {
        for spec in [Some(spec), None] {
            let seen = self.look(&self.owner, &self.target, spec).await;
            if seen.is_present() {
                let did = format!("found {seen:?} {when}");
                broken("observe", did, "what is not there is absent");
            }
        }
    }

    async fn is_made(&mut self, spec: &Json) {
        let first = self.driver.create(self.cx(&self.owner), &self.target, spec).await;
        let first = match first {
            Ok(Created { remote_id }) => remote_id,
            Err(error) => broken("create", told(&error), "it makes what is not there"),
        };
        // Its answer was lost, so its id is not known.
        let again = self.driver.create(self.cx(&self.owner), &self.target, spec).await;
        let promise =
            "the second time it answers that it already exists, or the id of the first time";
        match again {
            Ok(Created { remote_id }) if remote_id == first => {}
            Ok(Created { remote_id }) => {
                let did = format!("made {first:?}, and {remote_id:?} the second time");
                broken("create", did, promise);
            }
            Err(error) if error.class == ErrorClass::AlreadyExists => {}
            Err(error) => broken("create", format!("{} the second time", told(&error)), promise),
        }
        let seen = self.until(spec, "what was made is found", Observation::is_present).await;
        if first.is_some() && seen.remote_id != first {
            let did = format!("found {:?}, `create` made {first:?}", seen.remote_id);
            broken("observe", did, "what was made is found without its id");
        }
        self.target.remote_id = seen.remote_id;
    }

    /// It gets ready, is ours, and is what was asked for.
    async fn is_found(&self, spec: &Json) {
        let ready = |seen: &Observation| seen.status == Status::Ready;
        let seen = self.until(spec, "what was made gets ready", ready).await;
        if seen.ownership != Ownership::Ours {
            let did = format!("tells that it is {:?}", seen.ownership);
            broken("observe", did, "what this stack made carries its marks");
        }
        let differ = differences(&spec.clone().into(), &seen.attributes);
        if !differ.is_empty() {
            let did = format!("tells differences: {}", paths(&differ));
            broken("observe", did, "what was just made is what was asked for, in the same words");
        }
        for output in &self.declared.outputs {
            if !seen.outputs.contains_key(*output) {
                let did = format!("does not tell the output `{output}`");
                broken("observe", did, "what is ready has every declared output");
            }
        }
        let unasked = self.look(&self.owner, &self.target, None).await;
        if !unasked.is_present() || !unasked.attributes.is_null() {
            let did = format!("tells {unasked:?} without a specification");
            broken("observe", did, "it is found then too, and its attributes are null");
        }
    }

    /// A stack of the same name, with another uid, neither owns it nor takes it.
    async fn is_no_strangers(&self, spec: &Json) {
        let stranger = Owner { uid: Some("fedcba9876543210".to_owned()), ..self.owner.clone() };
        let theirs = Target { remote_id: None, token: None, ..self.target.clone() };
        let known = self.look(&stranger, &self.target, None).await;
        if known.ownership == Ownership::Ours {
            let did = "tells a stack with another uid that it owns this";
            broken("observe", did, "what carries the marks of another stack is foreign");
        }
        if self.declared.identity != Identity::Name {
            return;
        }
        let promise = "a name that is taken already exists, and what has it stays as it is";
        match self.driver.create(self.cx(&stranger), &theirs, spec).await {
            Err(error) if error.class == ErrorClass::AlreadyExists => {}
            Err(error) => {
                broken("create", format!("{} for another stack", told(&error)), promise);
            }
            Ok(_) => broken("create", "made it for another stack too", promise),
        }
        let seen = self.look(&self.owner, &self.target, Some(spec)).await;
        let same = differences(&spec.clone().into(), &seen.attributes).is_empty();
        if seen.ownership != Ownership::Ours || !same {
            broken("create", "took it for another stack", promise);
        }
    }

    async fn is_listed(&self) {
        let promise = "it lists what carries the marks of a stack of this name, whatever its uid";
        let lost = Owner { uid: None, ..self.owner.clone() };
        let listed = self.owned(&lost).await;
        let [one] = &listed[..] else { broken("owned", format!("lists {listed:?}"), promise) };
        let wanted = Owned {
            kind: self.declared.kind.clone(),
            id: Some(self.target.id.clone()),
            uid: self.owner.uid.clone(),
            cluster: one.cluster.clone(),
            name: self.target.name.clone(),
            remote_id: self.target.remote_id.clone(),
        };
        if *one != wanted {
            broken("owned", format!("lists {one:?} for {wanted:?}"), promise);
        }
        let other = Owner { stack: "other".to_owned(), ..self.owner.clone() };
        let listed = self.owned(&other).await;
        if !listed.is_empty() {
            broken("owned", format!("lists {listed:?} for the stack `other`"), promise);
        }
    }

    async fn is_changed(&self, spec: &Json) {
        let cx = self.cx(&self.owner);
        for _ in 0..UPDATES {
            let free = |seen: &Observation| seen.status == Status::Ready;
            let seen = self.until(spec, "what was changed gets ready again", free).await;
            let differ = differences(&spec.clone().into(), &seen.attributes);
            if differ.is_empty() {
                return self.is_found(spec).await;
            }
            for time in ["", " the second time"] {
                match self.driver.update(cx, &self.target, spec, &differ).await {
                    Err(error) if error.class != ErrorClass::Busy => {
                        let did = format!("{} for {}{time}", told(&error), paths(&differ));
                        broken("update", did, "it may be called again, and is busy at most");
                    }
                    _ => {}
                }
            }
        }
        let seen = self.look(&self.owner, &self.target, Some(spec)).await;
        let differ = differences(&spec.clone().into(), &seen.attributes);
        let did = format!("left differences after {UPDATES} calls: {}", paths(&differ));
        broken("update", did, "each call brings it closer to the specification");
    }

    async fn is_deleted(&self, spec: &Json) {
        let copy = self.declared.final_copy.then(|| "git-tried-final".to_owned());
        let deletion = Deletion { final_copy: copy };
        let cx = self.cx(&self.owner);
        for time in ["", " the second time"] {
            match self.driver.delete(cx, &self.target, &deletion).await {
                Err(error) if time.is_empty() || error.class != ErrorClass::Busy => {
                    let promise = "it starts its end, and may be called again";
                    broken("delete", format!("{}{time}", told(&error)), promise);
                }
                _ => {}
            }
        }
        self.until(spec, "what was deleted goes away", |seen| !seen.is_present()).await;
        if let Err(error) = self.driver.delete(cx, &self.target, &deletion).await {
            let did = format!("{} for what is gone", told(&error));
            broken("delete", did, "deleting nothing succeeds");
        }
    }
}

fn paths(differences: &[Difference]) -> String {
    let tell = |one: &Difference| {
        let shown = |value: &Option<Json>| value.as_ref().unwrap_or(&Json::Null).to_string();
        format!("{} is {}, not {}", one.path, shown(&one.from), shown(&one.to))
    };
    differences.iter().map(tell).collect::<Vec<_>>().join(", ")
}
