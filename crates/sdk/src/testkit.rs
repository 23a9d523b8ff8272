//! For the tests of drivers: the whole life of a resource, with every call made twice.
//!
//! ```
//! # use zonestack_sdk::prelude::*;
//! use zonestack_sdk::testkit::Life;
//!
//! # async fn test(driver: Arc<dyn Driver>) {
//! Life::of(driver)
//!     .makes(json!({ "text": "hello", "tags": { "team": "a" } }))
//!     .changes_to(json!({ "text": "bye", "tags": { "team": "a" } }))
//!     .with_every_call_twice()
//!     .await;
//! # }
//! ```
//!
//! The driver works against a service of the test's own: a folder, a process on loopback, or one that can be paid for. The laws that
//! need none are tried by `zonestack plugin test`.
#![expect(clippy::panic, reason = "it is for tests: a broken promise ends them")]

mod life; // the calls, in the order in which the engine makes them
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value as Json;
use zonestack_core::driver::{Driver, Owner, Target};
use zonestack_core::kind::{Identity, KindDeclaration};
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};

/// The life of one resource: made, seen, changed and deleted, with every call made twice.
///
/// # Flow
/// It is not there; it is made; it is found again, without its id too; it is not another stack's, which cannot take it; it is
/// listed; each change is brought about as the engine does it, one call at a time; it is deleted; it is not there.
///
/// # Errors
/// A call that breaks a promise of [`Driver`] panics with the call, what it did, and the promise.
pub struct Life {
    driver: Arc<dyn Driver>,
    declared: KindDeclaration,
    target: Target,
    owner: Owner,
    secrets: Secrets,
    made: Json,
    changes: Vec<Json>,
}

impl Life {
    /// Of the only kind of a driver.
    ///
    /// # Panics
    /// When it has several, or none.
    #[track_caller]
    pub fn of(driver: Arc<dyn Driver>) -> Self {
        let Ok([declared]) = <[KindDeclaration; 1]>::try_from(driver.kinds()) else {
            panic!("the driver has not exactly one kind: name it with `Life::of_kind`");
        };
        Self::new(driver, declared)
    }

    /// Of one of the kinds of a driver.
    ///
    /// # Panics
    /// When it has no such kind.
    #[track_caller]
    pub fn of_kind(driver: Arc<dyn Driver>, kind: &str) -> Self {
        let declared = driver.kinds().into_iter().find(|declared| declared.kind.as_str() == kind);
        let Some(declared) = declared else { panic!("the driver has no kind {kind}") };
        Self::new(driver, declared)
    }

    fn new(driver: Arc<dyn Driver>, declared: KindDeclaration) -> Self {
        let Ok(id) = "tried/thing".parse() else { panic!("no id of a resource") };
        let named = declared.identity == Identity::Name;
        let token = declared.identity == Identity::Token;
        let target = Target {
            id,
            kind: declared.kind.clone(),
            name: named.then(|| "git-tried".to_owned()),
            token: token.then(|| "zonestack-0123456789abcdef".to_owned()),
            remote_id: None,
            parent: None,
        };
        let owner = Owner {
            stack: "git".to_owned(),
            uid: Some("0123456789abcdef".to_owned()),
            namespace: "git".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let secrets = Secrets(BTreeMap::new());
        Self { driver, declared, target, owner, secrets, made: Json::Null, changes: Vec::new() }
    }

    /// Its physical name, instead of `git-tried`: for services with rules of their own.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.target.name = Some(name.to_owned());
        self
    }

    /// The value of the secret that a specification names as `{ "$secret": { "env": variable } }`.
    #[must_use]
    pub fn secret(mut self, variable: &str, value: &str) -> Self {
        self.secrets.0.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// The specification that it is made with.
    #[must_use]
    pub fn makes(mut self, spec: Json) -> Self {
        if let Identity::Parent { at } = self.declared.identity {
            self.target.parent = spec.pointer(at).and_then(Json::as_str).map(str::to_owned);
        }
        self.made = spec;
        self
    }

    /// What it is changed to then; once for each change.
    #[must_use]
    pub fn changes_to(mut self, spec: Json) -> Self {
        self.changes.push(spec);
        self
    }
}

/// The secrets of a test.
struct Secrets(BTreeMap<String, String>);

impl SecretSource for Secrets {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        let value = match reference {
            SecretRef::Env(variable) => self.0.get(variable).cloned(),
            _ => None,
        };
        let missing = || SecretError::Missing(reference.clone());
        Box::pin(async move { value.map(Sensitive::new).ok_or_else(missing) })
    }
}
