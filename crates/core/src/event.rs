//! What the engine reports while it works. Printing is elsewhere.

use std::time::Duration;

use crate::driver::DriverError;
use crate::name::ResourceId;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As planned.
    Done,
    /// It cannot be done as things are; a person must act.
    Failed(DriverError),
    /// It is under way, and nothing is wrong: another run finishes it. Why.
    Unfinished(String),
    /// The run ended before its turn: another run does it. Why.
    NotBegun(String),
    /// It was not begun because what it waits for did not get done.
    Skipped(ResourceId),
}

/// Something that happened. Steps are named by their index in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A step begins.
    Started {
        /// The step.
        step: usize,
    },
    /// The resource of a step is in this state now, in its service's words.
    State {
        /// The step.
        step: usize,
        /// The state.
        state: String,
    },
    /// The resource of a step was found under this id of its service.
    Identified {
        /// The step.
        step: usize,
        /// The id.
        remote_id: String,
    },
    /// A call failed in a way that passes; it is tried again.
    Retrying {
        /// The step.
        step: usize,
        /// What happened.
        error: DriverError,
        /// The pause before the next try.
        pause: Duration,
    },
    /// A step ended.
    Ended {
        /// The step.
        step: usize,
        /// How.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
    },
    /// The inventory could not be written just now; nothing new is begun until it can.
    InventoryUnreachable {
        /// What happened.
        message: String,
        /// The pause before the next try.
        pause: Duration,
    },
}

/// Contract: hears events.
///
/// # Assumptions
/// `hear` returns at once and never panics.
pub trait Listener: Send + Sync {
    /// Something happened.
    fn hear(&self, event: &Event);
}
