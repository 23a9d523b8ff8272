//! What went wrong.

use serde::{Deserialize, Serialize};
use zonestack_core::driver::{DriverError, ErrorClass};

/// The body of an answer with an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The [`ErrorClass`], in kebab case. One that the reader does not know counts as `bug`.
    pub class: String,
    /// The action that is not allowed, with the class `denied`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What happened, for the person who must act. Never a secret.
    #[serde(default)]
    pub message: String,
}

/// Every class but `denied`, which has an action.
const CLASSES: [ErrorClass; 13] = [
    ErrorClass::Throttled,
    ErrorClass::Transient,
    ErrorClass::Ambiguous,
    ErrorClass::NotFound,
    ErrorClass::AlreadyExists,
    ErrorClass::Busy,
    ErrorClass::Dependency,
    ErrorClass::Quota,
    ErrorClass::Invalid,
    ErrorClass::Expired,
    ErrorClass::ZoneUnavailable,
    ErrorClass::Unsupported,
    ErrorClass::Bug,
];

fn word(class: &ErrorClass) -> String {
    class.as_str().replace(' ', "-")
}

impl Failure {
    /// A failure of a class.
    pub fn new(class: &ErrorClass, message: impl Into<String>) -> Self {
        DriverError::new(class.clone(), message).into()
    }

    /// Whether its class is `not-found`.
    pub fn is_not_found(&self) -> bool {
        self.class == word(&ErrorClass::NotFound)
    }
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        let class = word(&error.class);
        let action = match error.class {
            ErrorClass::Denied(action) => action,
            _ => None,
        };
        Self { class, action, message: error.message }
    }
}

impl From<Failure> for DriverError {
    fn from(failure: Failure) -> Self {
        if failure.class == "denied" {
            return Self::new(ErrorClass::Denied(failure.action), failure.message);
        }
        match CLASSES.into_iter().find(|class| word(class) == failure.class) {
            Some(class) => Self::new(class, failure.message),
            None => Self::new(
                ErrorClass::Bug,
                format!("{} (of the unknown class {:?})", failure.message, failure.class),
            ),
        }
    }
}
