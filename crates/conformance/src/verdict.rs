//! What came of a law.

use serde::{Deserialize, Serialize};

/// What came of a law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "reason")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// There is nothing that it could be broken with, and why.
    NotApplicable(String),
    /// It is broken, and how.
    Failed(String),
}

impl Verdict {
    /// The verdict as printed.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::NotApplicable(_) => "not applicable",
            Self::Failed(_) => "failed",
        }
    }

    /// Why.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::NotApplicable(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}

/// Why a law does not just pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It is broken.
    Failed(String),
    /// There is nothing that it could be broken with.
    NotApplicable(String),
}

/// What a law comes to.
pub(crate) type Outcome = Result<(), Stop>;

/// The law is broken.
pub(crate) fn failed<T>(reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(reason.into()))
}

/// There is nothing that the law could be broken with.
pub(crate) fn not_applicable<T>(reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::NotApplicable(reason.into()))
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(()) => Self::Passed,
            Err(Stop::Failed(reason)) => Self::Failed(reason),
            Err(Stop::NotApplicable(reason)) => Self::NotApplicable(reason),
        }
    }
}
