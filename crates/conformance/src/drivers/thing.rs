//! A resource that a driver makes, as the kit knows it.

use std::time::Instant;

use serde_json::Value as Json;
use zonestack_core::driver::{DriverError, ErrorClass, Query, Target};
use zonestack_core::kind::KindDeclaration;

use super::broke;
use crate::verdict::{Stop, failed, not_applicable};

/// A resource that is made, or was.
pub(super) struct Thing {
    pub(super) kind: KindDeclaration,
    pub(super) target: Target,
    /// What it shall be.
    pub(super) spec: Json,
    /// When it was changed last.
    pub(super) since: Instant,
    /// Whether anything but its creation was done to it.
    pub(super) changed: bool,
}

impl Thing {
    pub(super) fn query(&self) -> Query {
        Query { target: self.target.clone(), spec: Some(self.spec.clone()) }
    }

    pub(super) fn title(&self) -> String {
        format!("{} ({})", self.target.id, self.kind.kind)
    }

    /// Whether a look may still show what was before.
    pub(super) fn may_lag(&self) -> bool {
        self.since.elapsed() <= self.kind.read_after_write
    }

    pub(super) fn wrong<T>(&self, why: impl std::fmt::Display) -> Result<T, Stop> {
        failed(format!("{} {why}", self.title()))
    }

    /// Nothing can be said: that the service does not do it is no fault of the driver's. That the plugin breaks is.
    pub(super) fn without_service<T>(&self, doing: &str, error: &DriverError) -> Result<T, Stop> {
        let panicked = error.class == ErrorClass::Bug && error.message.contains(" panicked: ");
        let miscounted = error.class == ErrorClass::Bug && error.message.contains(" answers to ");
        if panicked || miscounted || broke(error) {
            return failed(format!("{doing} of {}: {}", self.title(), error.message));
        }
        not_applicable(format!(
            "the kit has no service for its driver: {doing} of {} ended with {} ({})",
            self.title(),
            error.class.as_str(),
            error.message
        ))
    }
}

/// Whether the call is to be made again in a while.
pub(super) fn asked_again(error: &DriverError) -> bool {
    matches!(
        error.class,
        ErrorClass::Busy | ErrorClass::Dependency | ErrorClass::Throttled | ErrorClass::Transient
    )
}
