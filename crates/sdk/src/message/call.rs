//! What the host asks of a plugin.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use zonestack_core::context::Context;
use zonestack_core::diagnostic::{Finding, Severity};
use zonestack_core::driver::{
    CallContext, Deletion, Difference, DriverError, Observation, Owned, Owner, Query, Status,
    Target,
};
use zonestack_core::interface::Export;
use zonestack_core::name::{ComponentName, ResourceId};
use zonestack_core::resource::Resource;
use zonestack_core::value::Value;

use super::Failure;

/// An answer without content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Nothing {}

/// Who is there, and which version of the messages it speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeRequest {
    /// The oldest version of the messages that the host speaks.
    pub proto_min: u32,
    /// The newest. The plugin takes the newest that both speak, and says so.
    pub proto_max: u32,
    /// The host, such as `zonestack 0.1.0`.
    #[serde(default)]
    pub host: String,
}

/// Checks of settings alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckRequest {
    /// The component type.
    pub component_type: String,
    /// What stands under `with`; it fits the schema.
    pub config: Json,
}

/// What the settings have to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckAnswer {
    /// All of it.
    pub findings: Vec<FindingMessage>,
}

/// One thing that a component has to say: [`Finding`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingMessage {
    /// `error` or `advisory`.
    pub severity: Severity,
    /// A stable name in kebab case.
    pub code: String,
    /// Where in `with`, joined by dots; empty for the component as a whole.
    #[serde(default)]
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<Finding> for FindingMessage {
    fn from(finding: Finding) -> Self {
        Self {
            severity: finding.severity,
            code: finding.code.to_owned(),
            path: finding.path,
            message: finding.message,
            hint: finding.hint,
        }
    }
}

/// Renders one component: [`zonestack_core::component::RenderContext`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderRequest {
    /// The component type.
    pub component_type: String,
    /// What stands under `with`; it fits the schema.
    pub config: Json,
    /// The component's name in the stack.
    pub component: ComponentName,
    /// The name that physical names are made of.
    pub called: ComponentName,
    /// Where the stack runs.
    pub context: Context,
    /// What the wired components export, by the requirement's name.
    #[serde(default)]
    pub requirements: BTreeMap<String, Export>,
    /// How many components require this one.
    #[serde(default)]
    pub consumers: usize,
}

/// What a component renders to: [`zonestack_core::component::Rendered`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct RenderAnswer {
    /// Its resources.
    pub resources: Vec<Resource>,
    /// Its exports.
    pub exports: Vec<Export>,
    /// What it has to say.
    pub findings: Vec<FindingMessage>,
    /// What a person wants to know afterwards: name and value.
    pub outputs: Vec<(String, Value)>,
}

/// What every call of a driver may use: [`CallContext`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Who we are.
    pub owner: Owner,
    /// Resources whose fields are taken over from other managers.
    #[serde(default)]
    pub taken_over: BTreeSet<ResourceId>,
}

impl From<CallContext<'_>> for Caller {
    fn from(cx: CallContext<'_>) -> Self {
        Self { owner: cx.owner.clone(), taken_over: cx.taken_over.clone() }
    }
}

/// Looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObserveRequest {
    /// For whom.
    pub caller: Caller,
    /// What for.
    pub queries: Vec<Query>,
}

/// One answer for each query, in the same order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObserveAnswer {
    /// The answers.
    pub answers: Vec<Answer>,
}

/// What was found, or why that is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// What was found.
    Ok(Observation),
    /// Why that is not known.
    Error(Failure),
}

impl From<Result<Observation, DriverError>> for Answer {
    fn from(result: Result<Observation, DriverError>) -> Self {
        match result {
            Ok(observation) => Self::Ok(observation),
            Err(error) => Self::Error(error.into()),
        }
    }
}

impl From<Answer> for Result<Observation, DriverError> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Ok(observation) => Ok(observation),
            Answer::Error(failure) => Err(failure.into()),
        }
    }
}

/// Makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateRequest {
    /// For whom.
    pub caller: Caller,
    /// What.
    pub target: Target,
    /// What it shall be. Secrets in it are references.
    pub spec: Json,
}

/// Changes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateRequest {
    /// For whom.
    pub caller: Caller,
    /// What.
    pub target: Target,
    /// What it shall be.
    pub spec: Json,
    /// What differs now.
    pub differences: Vec<Difference>,
}

/// Starts its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeleteRequest {
    /// For whom.
    pub caller: Caller,
    /// What.
    pub target: Target,
    /// How.
    #[serde(default)]
    pub deletion: Deletion,
}

/// Looks for the last copy that a deletion was to leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinalCopyRequest {
    /// For whom.
    pub caller: Caller,
    /// What was deleted.
    pub target: Target,
    /// The copy's name.
    pub name: String,
}

/// Where the copy stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalCopyAnswer {
    /// Its status.
    pub status: Status,
}

/// Looks for everything that carries the marks of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedRequest {
    /// Of which.
    pub caller: Caller,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedAnswer {
    /// In no particular order.
    pub owned: Vec<Owned>,
}
