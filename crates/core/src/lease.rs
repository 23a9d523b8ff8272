//! One run at a time, as a courtesy: a person learns who else is at work, and no work is done twice. Safety does not depend
//! on it: that is the inventory's compare-and-swap and the keys of creations (reliability.md, B.4.4).
//!
//! # Flow
//! [`acquire`] before the first change; [`Lease::keep`] beside the run; [`Lease::lost`] before anything new is begun;
//! [`Lease::release`] at its end.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

use crate::clock::Clock;
use crate::inventory::Version;

/// How long a lease stands without being renewed.
pub const DURATION: Duration = Duration::from_mins(1);
/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(15);
/// How long renewing may fail before nothing new is begun.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often a lease of somebody else is looked at.
const WATCHED_EVERY: Duration = Duration::from_secs(5);

/// How often giving it back is tried.
const RELEASES: u32 = 5;

/// Removes the lease that a dead run has left, when it is known to be dead.
pub async fn clear(store: &dyn LeaseStore, is_gone: &(dyn Fn(&str) -> bool + Sync)) {
    if let Ok(Some((found, version))) = store.read().await
        && is_gone(&found.holder)
    {
        // Whoever has taken it meanwhile keeps it.
        drop(store.remove(&version).await);
    }
}

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRecord {
    /// The holder, such as `eva@laptop/4242/1f0c9a52`: user, host, process, run.
    pub holder: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// When it was renewed last, RFC 3339.
    pub renewed: String,
}

/// Why a lease could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else wrote it since it was read.
    #[error("somebody else changed the lease")]
    Conflict,
    /// There is no place for it yet: the stack's namespace is not there, or is going.
    #[error("there is no place for the lease yet")]
    NoPlace,
    /// It cannot be reached just now.
    #[error("the lease cannot be reached: {0}")]
    Unreachable(String),
    /// Not allowed.
    #[error("the lease may not be read or written: {0}")]
    Denied(String),
}

/// Contract: where a stack's lease is kept.
///
/// # Guarantees
/// `write` and `remove` succeed only when nobody wrote since the version that they name (compare-and-swap).
///
/// # Errors
/// [`LeaseError::Conflict`] when somebody else wrote, or made or removed it; then nothing was changed.
pub trait LeaseStore: Send + Sync {
    /// The lease with its version; `None` when nobody holds it.
    fn read(&self) -> BoxFuture<'_, Result<Option<(LeaseRecord, Version)>, LeaseError>>;

    /// Replaces it, or makes it when `replaces` is `None`.
    fn write<'a>(
        &'a self,
        record: &'a LeaseRecord,
        replaces: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Version, LeaseError>>;

    /// Removes it.
    fn remove<'a>(&'a self, version: &'a Version) -> BoxFuture<'a, Result<(), LeaseError>>;
}

/// Who wants a lease, and how to treat who has it.
pub struct Applicant<'a> {
    /// Who: unique to this run.
    pub name: String,
    /// Whether a holder is known to be dead, such as a process of this machine that is not there any more.
    pub is_gone: &'a (dyn Fn(&str) -> bool + Sync),
    /// Hears, once, for whom it has to wait.
    pub waits_for: &'a (dyn Fn(&LeaseRecord) + Sync),
}

/// Why a run may not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLeased {
    /// Another run is at work: it was seen renewing.
    #[error("{} is at work on this stack since {}", .0.holder, .0.since)]
    Held(LeaseRecord),
    /// Another run was at work and has ended meanwhile: the plan is of before.
    #[error("{} was at work on this stack until just now", .0.holder)]
    Ended(LeaseRecord),
}

/// A held lease; or, where there can be none, the wish for it.
pub struct Lease<'a> {
    store: &'a dyn LeaseStore,
    clock: &'a dyn Clock,
    holder: String,
    since: String,
    state: Mutex<State>,
}

struct State {
    version: Option<Version>,
    renewed: Duration,
    /// Why it cannot be had: said once, at the start.
    without: Option<LeaseError>,
    lost: Option<String>,
}

/// Waits until the lease is free, or until its holder is seen alive. What is judged is only whether it changes while we look:
/// clocks of different machines are not compared.
pub async fn acquire<'a>(
    store: &'a dyn LeaseStore,
    clock: &'a dyn Clock,
    applicant: &Applicant<'_>,
) -> Result<Lease<'a>, NotLeased> {
    let since = clock.timestamp();
    let mut first: Option<(LeaseRecord, Version, Duration)> = None;
    loop {
        let replaces = match store.read().await {
            Ok(None) => match first {
                Some((record, ..)) => return Err(NotLeased::Ended(record)),
                None => None,
            },
            Ok(Some((record, _))) if record.holder == applicant.name => None,
            Ok(Some((record, version)))
                if record.holder.is_empty() || (applicant.is_gone)(&record.holder) =>
            {
                Some(version)
            }
            Ok(Some((record, version))) => {
                let (_, seen, at) = first.get_or_insert_with(|| {
                    (applicant.waits_for)(&record);
                    (record.clone(), version.clone(), clock.now())
                });
                if *seen != version {
                    return Err(NotLeased::Held(record));
                }
                if clock.now().saturating_sub(*at) < DURATION {
                    clock.sleep(WATCHED_EVERY).await;
                    continue;
                }
                Some(version)
            }
            Err(error) => return Ok(Lease::new(store, clock, applicant, since, Err(error))),
        };
        let record = LeaseRecord {
            holder: applicant.name.clone(),
            since: since.clone(),
            renewed: since.clone(),
        };
        match store.write(&record, replaces.as_ref()).await {
            Err(LeaseError::Conflict) => clock.sleep(Duration::from_secs(1)).await,
            written => return Ok(Lease::new(store, clock, applicant, since, written)),
        }
    }
}

impl<'a> Lease<'a> {
    fn new(
        store: &'a dyn LeaseStore,
        clock: &'a dyn Clock,
        applicant: &Applicant<'_>,
        since: String,
        written: Result<Version, LeaseError>,
    ) -> Self {
        let (version, without) = match written {
            Ok(version) => (Some(version), None),
            Err(error) => (None, Some(error)),
        };
        let renewed = clock.now();
        let state = Mutex::new(State { version, renewed, without, lost: None });
        Self { store, clock, holder: applicant.name.clone(), since, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the run goes without it, when it must and a person should know: whoever may not write leases.
    pub fn without(&self) -> Option<LeaseError> {
        self.state().without.clone().filter(|error| matches!(error, LeaseError::Denied(_)))
    }

    /// Why nothing new may be begun.
    pub fn lost(&self) -> Option<String> {
        let state = self.state();
        let held = state.version.is_some();
        let silent = self.clock.now().saturating_sub(state.renewed);
        match &state.lost {
            Some(lost) => Some(lost.clone()),
            None if held && silent > PATIENCE => {
                Some(format!("the lease could not be renewed for {} s", silent.as_secs()))
            }
            None => None,
        }
    }

    /// Renews it for ever. Where there was no place for it at first, takes it as soon as there is.
    pub async fn keep(&self) -> Infallible {
        loop {
            self.clock.sleep(RENEWED_EVERY).await;
            self.renew().await;
        }
    }

    async fn renew(&self) {
        if self.state().lost.is_some() || self.without().is_some() {
            return;
        }
        let record = LeaseRecord {
            holder: self.holder.clone(),
            since: self.since.clone(),
            renewed: self.clock.timestamp(),
        };
        let version = self.state().version.clone();
        match self.store.write(&record, version.as_ref()).await {
            Ok(version) => self.renewed(version),
            // Perhaps an earlier write of ours whose answer was lost.
            Err(LeaseError::Conflict) => match self.store.read().await {
                Ok(Some((found, version))) if found.holder == self.holder => self.renewed(version),
                Ok(Some((found, _))) => {
                    self.state().lost = Some(format!("{} has taken the lease", found.holder));
                }
                Ok(None) => self.state().lost = Some("somebody removed the lease".to_owned()),
                Err(_) => {}
            },
            // The namespace is not there yet, or is going: nobody else can have it either.
            Err(LeaseError::NoPlace) => {
                let mut state = self.state();
                state.version = None;
                state.renewed = self.clock.now();
            }
            Err(_) => {}
        }
    }

    fn renewed(&self, version: Version) {
        let mut state = self.state();
        state.version = Some(version);
        state.renewed = self.clock.now();
    }

    /// Gives it back. What cannot be given back after some tries expires.
    pub async fn release(self) {
        for attempt in 0..RELEASES {
            if attempt > 0 {
                self.clock.sleep(Duration::from_secs(1)).await;
            }
            match self.store.read().await {
                Ok(Some((found, version))) if found.holder == self.holder => {
                    if self.store.remove(&version).await.is_ok() {
                        return;
                    }
                }
                Ok(_) | Err(LeaseError::Denied(_) | LeaseError::NoPlace) => return,
                Err(LeaseError::Conflict | LeaseError::Unreachable(_)) => {}
            }
        }
    }
}
