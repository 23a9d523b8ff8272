//! A service in memory and its typed driver, for the tests of this crate: right, or wrong in one way.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::prelude::*;

/// What the driver does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Making takes the place of what is there.
    Overwrites,
    /// Making leaves the tags out.
    ForgetsTags,
    /// A field is kept otherwise than it was asked.
    Shortens,
    /// No output is told.
    HidesOutput,
    /// A change has no effect.
    IgnoresChanges,
    /// Deleting what is gone fails.
    DeletesOnce,
    /// Lists nothing.
    ListsNothing,
    /// Looks at another one when the id is not known.
    NeedsId,
}

/// The specification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Thing {
    pub(crate) text: String,
    pub(crate) password: Option<Json>,
    #[serde(default)]
    pub(crate) tags: Tags,
}

/// The service, by ids. With `NAMED` a thing's id is its name; else the service gives it, and nothing else tells things apart.
#[derive(Default)]
pub(crate) struct Things<const NAMED: bool> {
    kept: Mutex<BTreeMap<String, Thing>>,
    pub(crate) fault: Fault,
}

impl<const NAMED: bool> Things<NAMED> {
    pub(crate) fn with(fault: Fault) -> Self {
        Self { fault, ..Self::default() }
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Thing>> {
        self.kept.lock().unwrap()
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn found(&self, id: &str, thing: &Thing) -> Found<Thing> {
        let found = Found::ready(id, thing.clone());
        if self.is(Fault::HidesOutput) { found } else { found.output("address", id) }
    }
}

impl<const NAMED: bool> TypedDriver for Things<NAMED> {
    type Spec = Thing;

    fn declaration() -> KindDeclaration {
        let identity = if NAMED { Identity::Name } else { Identity::ServerId };
        KindDeclaration::new("sdk.thing", identity).output("address", "{id}")
    }

    async fn find(&self, call: Call<'_>) -> Outcome<Option<Found<Thing>>> {
        if self.is(Fault::NeedsId) && call.target.remote_id.is_none() {
            return Ok(None);
        }
        let id = if NAMED { call.name()? } else { call.remote_id()? };
        let kept = self.kept();
        // As services say it.
        let thing = kept.get(id);
        let thing = thing.ok_or_else(|| DriverError::new(ErrorClass::NotFound, "no such thing"))?;
        Ok(Some(self.found(id, thing)))
    }

    async fn list(&self, _: &Owner) -> Outcome<Vec<Found<Thing>>> {
        if self.is(Fault::ListsNothing) {
            return Ok(Vec::new());
        }
        Ok(self.kept().iter().map(|(id, thing)| self.found(id, thing)).collect())
    }

    async fn create(&self, call: Call<'_>, mut thing: Thing) -> Outcome<String> {
        if let Some(password) = &thing.password {
            let value = call.secret(password).await?;
            thing.password = Some(value.expose().len().into());
        }
        match self.fault {
            Fault::ForgetsTags => thing.tags.clear(),
            Fault::Shortens => thing.text.truncate(2),
            _ => {}
        }
        let mut kept = self.kept();
        let id = if NAMED { call.name()?.to_owned() } else { format!("thing-{}", kept.len()) };
        if kept.contains_key(&id) && !self.is(Fault::Overwrites) {
            return Err(DriverError::new(ErrorClass::AlreadyExists, "it is there"));
        }
        kept.insert(id.clone(), thing);
        Ok(id)
    }

    async fn update(&self, call: Call<'_>, thing: Thing, _: &[Difference]) -> Outcome {
        if !self.is(Fault::IgnoresChanges) {
            self.kept().insert(call.remote_id()?.to_owned(), thing);
        }
        Ok(())
    }

    async fn delete(&self, call: Call<'_>, _: &Deletion) -> Outcome {
        let gone = self.kept().remove(call.remote_id()?);
        let class =
            if self.is(Fault::DeletesOnce) { ErrorClass::Invalid } else { ErrorClass::NotFound };
        gone.map(drop).ok_or_else(|| DriverError::new(class, "no such thing"))
    }
}
