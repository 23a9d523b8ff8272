//! Contract: how one or more resource kinds are observed, created, updated, deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};

use futures::future::BoxFuture;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use crate::kind::KindDeclaration;
use crate::name::{Kind, ResourceId};
use crate::secret::SecretSource;

/// The class of a failure: what the engine does about it (reliability.md B.4.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorClass {
    /// Too many calls: again after a pause.
    Throttled,
    /// The service failed before the call had an effect: again after a pause.
    Transient,
    /// It is not known whether the call had an effect: look before repeating.
    Ambiguous,
    /// The thing is not there.
    NotFound,
    /// Something with this name or token is there.
    AlreadyExists,
    /// The thing is in a state in which it cannot be changed now: wait.
    Busy,
    /// Something else still depends on it: wait.
    Dependency,
    /// Not allowed; the action that is missing, when known.
    Denied(Option<String>),
    /// A limit of the account is reached.
    Quota,
    /// The service does not accept this specification.
    Invalid,
    /// The credentials have expired.
    Expired,
    /// The zone cannot take it.
    ZoneUnavailable,
    /// The service or the driver does not do this.
    Unsupported,
    /// A mistake in zonestack or in the driver.
    Bug,
}

impl ErrorClass {
    /// The class as printed.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::Ambiguous => "ambiguous",
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::Busy => "busy",
            Self::Dependency => "dependency",
            Self::Denied(_) => "denied",
            Self::Quota => "quota",
            Self::Invalid => "invalid",
            Self::Expired => "expired",
            Self::ZoneUnavailable => "zone unavailable",
            Self::Unsupported => "unsupported",
            Self::Bug => "bug",
        }
    }
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DriverError {
    /// What the engine does about it.
    pub class: ErrorClass,
    /// What happened, for the person who must act: the call, the service's own words. Never a secret.
    pub message: String,
}

impl DriverError {
    /// A failed call of a class.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}

/// The class is true whatever the call was: where it may have had an effect, it is [`ErrorClass::Ambiguous`].
impl From<io::Error> for DriverError {
    fn from(error: io::Error) -> Self {
        let class = match error.kind() {
            ErrorKind::NotFound => ErrorClass::NotFound,
            ErrorKind::AlreadyExists => ErrorClass::AlreadyExists,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => ErrorClass::Denied(None),
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::InvalidFilename => {
                ErrorClass::Invalid
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                ErrorClass::Quota
            }
            ErrorKind::Unsupported => ErrorClass::Unsupported,
            ErrorKind::ResourceBusy | ErrorKind::WouldBlock => ErrorClass::Busy,
            ErrorKind::DirectoryNotEmpty => ErrorClass::Dependency,
            // No connection was made, so nothing was sent.
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown => ErrorClass::Transient,
            _ => ErrorClass::Ambiguous,
        };
        Self::new(class, error.to_string())
    }
}

/// Who makes and owns resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The stack's name.
    pub stack: String,
    /// The stack's unique id, made once and kept in the inventory; `None` while the stack has none, before its first `up`.
    pub uid: Option<String>,
    /// The Kubernetes namespace of the stack.
    pub namespace: String,
    /// The AWS region.
    pub region: String,
}

/// What every call may use.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    /// Who we are. Creations mark what they make with it; observations compare with it.
    pub owner: &'a Owner,
    /// Where secret values come from.
    pub secrets: &'a dyn SecretSource,
    /// Resources whose fields are taken over from other managers, because a person named them.
    pub taken_over: &'a BTreeSet<ResourceId>,
}

/// Nobody named anything.
static NOTHING: BTreeSet<ResourceId> = BTreeSet::new();

impl<'a> CallContext<'a> {
    /// A context in which nothing is taken over.
    pub fn new(owner: &'a Owner, secrets: &'a dyn SecretSource) -> Self {
        Self { owner, secrets, taken_over: &NOTHING }
    }
}

/// One resource of the world, as far as the engine can name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its identity in the stack.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
    /// Its physical name, for kinds with [`crate::kind::Identity::Name`].
    pub name: Option<String>,
    /// The token of its creation: deterministic in stack uid, resource and generation; `None` while the stack has no uid,
    /// and for kinds whose identity is a name or a parent.
    pub token: Option<String>,
    /// The id that the service gave it, when remembered or observed before.
    pub remote_id: Option<String>,
    /// The id of what it is part of, as remembered: for kinds with [`crate::kind::Identity::Parent`], so that they are found
    /// without a specification too.
    pub parent: Option<String>,
}

/// A value that is there, and may be null; one that is not there is left out.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// What to look for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// The resource.
    pub target: Target,
    /// Its desired specification with every reference resolved that is known; unknown ones stay marked
    /// ([`crate::value::is_marker`]). `None` when the stack file does not have it any more.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub spec: Option<Json>,
}

/// Whose a found resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ownership {
    /// It carries this stack's marks (or, where the kind has no marks, its parent is ours).
    Ours,
    /// It carries marks of this stack's name but of another uid, or of another stack or tool; or no marks at all.
    Foreign,
    /// The marks cannot be read now.
    Unknown,
}

/// Where a resource stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is not there.
    Absent,
    /// It is there and becoming ready; the service's word for the state.
    Pending(String),
    /// It is there and works, but cannot be changed right now; the service's word for the state.
    Busy(String),
    /// It is there and works.
    Ready,
    /// It is there, has reached a state that does not mend itself, and needs a person; the service's words.
    Failed(String),
    /// It is going away.
    Deleting,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Where it stands.
    pub status: Status,
    /// The service's id for it.
    pub remote_id: Option<String>,
    /// Whose it is.
    pub ownership: Ownership,
    /// What it is, **in the words of the query's specification**: the same paths, the same spelling where the meaning is
    /// the same (`8Gi` for `8192Mi`, `17` for `17.6` when `17` was asked), and values as accepted by the service even
    /// where they take effect later. Paths that the specification does not have are left out, unless zonestack set them
    /// once and they have to go. Secret values never appear: a marked value of the query is given back as it was asked,
    /// when the thing is there at all. `Null` when the query had no specification or nothing was found.
    pub attributes: Json,
    /// Outputs by name, those that are known.
    pub outputs: BTreeMap<String, Json>,
}

impl Observation {
    /// Nothing there.
    pub fn absent() -> Self {
        Self {
            status: Status::Absent,
            remote_id: None,
            ownership: Ownership::Unknown,
            attributes: Json::Null,
            outputs: BTreeMap::new(),
        }
    }

    /// Whether anything was found.
    pub fn is_present(&self) -> bool {
        self.status != Status::Absent
    }
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Path in the specification, such as `/class`.
    pub path: String,
    /// What it is; `None` when it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub from: Option<Json>,
    /// What it shall be; `None` when it shall go.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub to: Option<Json>,
}

/// A call that made something, or found it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// The service's id for it.
    pub remote_id: Option<String>,
}

/// How to delete.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Deletion {
    /// The name for a last copy of its data, for kinds that leave one.
    pub final_copy: Option<String>,
}

/// Something that carries the marks of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// Its kind.
    pub kind: Kind,
    /// Which resource of the stack its marks say that it is; `None` when they do not say.
    pub id: Option<ResourceId>,
    /// The uid of the stack that made it.
    pub uid: Option<String>,
    /// The cluster that it was made for; `None` for what is in the cluster itself.
    pub cluster: Option<String>,
    /// Its physical name, for kinds with one.
    pub name: Option<String>,
    /// The service's id for it.
    pub remote_id: Option<String>,
}

/// Contract: a driver of one or more kinds.
///
/// # Flow
/// The engine observes all resources of a driver at once, plans, and then for each step calls `create`, `update` or
/// `delete` **once** and polls `observe` until the resource is as desired and ready. When something still differs after a
/// creation or an update, it calls `update` again: so a driver makes **one API call per call** and never waits.
///
/// # Guarantees
/// The engine has recorded its intent before `create` and `delete`. Every reference in a specification given to `create`
/// and `update` is resolved. `update` and `delete` are called only on what is ours.
///
/// # Assumptions
/// Every call may be made twice: `create` of what is ours already answers [`ErrorClass::AlreadyExists`] or its id, `delete`
/// of nothing succeeds. `observe` changes nothing, and its number of API calls grows with services and pages, not with
/// queries, wherever the service offers a list. A secret is resolved inside the call that sends it and stays there.
///
/// # Errors
/// A class that is true: [`ErrorClass::Ambiguous`] whenever a call that changes something may have had an effect
/// (time-out, connection lost, 5xx after sending).
pub trait Driver: Send + Sync {
    /// The kinds that it drives.
    fn kinds(&self) -> Vec<KindDeclaration>;

    /// What is there, one answer per query, in the same order.
    fn observe<'a>(
        &'a self,
        cx: CallContext<'a>,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Observation, DriverError>>>;

    /// Makes it.
    fn create<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
    ) -> BoxFuture<'a, Result<Created, DriverError>>;

    /// Brings it one API call closer to the specification. `differences` is what differs now, never empty.
    fn update<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        spec: &'a Json,
        differences: &'a [Difference],
    ) -> BoxFuture<'a, Result<(), DriverError>>;

    /// Starts its end.
    fn delete<'a>(
        &'a self,
        cx: CallContext<'a>,
        target: &'a Target,
        deletion: &'a Deletion,
    ) -> BoxFuture<'a, Result<(), DriverError>>;

    /// Where the last copy stands that a deletion was to leave. Called only for kinds that declare
    /// [`KindDeclaration::final_copy`], when what was deleted is gone.
    fn final_copy<'a>(
        &'a self,
        _cx: CallContext<'a>,
        target: &'a Target,
        _name: &'a str,
    ) -> BoxFuture<'a, Result<Status, DriverError>> {
        let message =
            format!("the driver of {} cannot tell whether a final copy is there", target.kind);
        Box::pin(async { Err(DriverError::new(ErrorClass::Unsupported, message)) })
    }

    /// Everything that carries the marks of a stack of this name, whatever its uid, by lists: how a stack is found whose
    /// inventory is lost. What cannot carry marks is not in it.
    fn owned<'a>(&'a self, cx: CallContext<'a>) -> BoxFuture<'a, Result<Vec<Owned>, DriverError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_has_the_class_that_the_engine_needs() {
        let check = |kind: ErrorKind, class: ErrorClass| {
            assert_eq!(DriverError::from(io::Error::from(kind)).class, class, "{kind:?}");
        };
        check(ErrorKind::NotFound, ErrorClass::NotFound);
        check(ErrorKind::AlreadyExists, ErrorClass::AlreadyExists);
        check(ErrorKind::PermissionDenied, ErrorClass::Denied(None));
        check(ErrorKind::StorageFull, ErrorClass::Quota);
        check(ErrorKind::ConnectionRefused, ErrorClass::Transient);
        // It may have been done before the connection was lost, or half of it.
        check(ErrorKind::ConnectionReset, ErrorClass::Ambiguous);
        check(ErrorKind::TimedOut, ErrorClass::Ambiguous);
        check(ErrorKind::UnexpectedEof, ErrorClass::Ambiguous);
        check(ErrorKind::Other, ErrorClass::Ambiguous);
        let error = DriverError::from(io::Error::other("the disk is on fire"));
        assert_eq!(error.message, "the disk is on fire");
    }
}
