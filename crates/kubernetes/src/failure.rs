//! What a failed call means: the API server's answer, or its absence, as a class that the engine acts on
//! (reliability.md B.4.10).

use std::error::Error as _;
use std::io;

use kube::core::Status;
use zonestack_core::driver::{DriverError, ErrorClass};

/// Whether a call may have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
}

/// A call that did not do what it was made for.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ApiFailure {
    /// The API server said no.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// No connection: nothing was sent.
    #[error("the API server cannot be reached: {0}")]
    NotSent(String),
    /// Sent, but no whole answer came.
    #[error("no answer from the API server: {0}")]
    Unanswered(String),
    /// The credentials could not be obtained.
    #[error("the credentials for the cluster could not be obtained: {0}")]
    Credentials(String),
    /// The request or the answer is not what the API's rules allow.
    #[error("the API server and zonestack do not understand each other: {0}")]
    Malformed(String),
}

impl From<kube::Error> for ApiFailure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status),
            kube::Error::Auth(error) => Self::Credentials(error.to_string()),
            kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => {
                let chain = chain(&error);
                // Service errors wrap an authentication failure of the exec plugin as text only.
                if chain.contains("auth exec") {
                    Self::Credentials(chain)
                } else if chain.contains("(Connect)") || is_unconnected(&error) {
                    Self::NotSent(chain)
                } else {
                    Self::Unanswered(chain)
                }
            }
            other => Self::Malformed(other.to_string()),
        }
    }
}

/// The messages of an error and its causes, each once: kube repeats a cause in its own message.
fn chain(error: &kube::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            let separator = if text.is_empty() { "" } else { ": " };
            text.push_str(separator);
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

fn is_unconnected(error: &kube::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl ApiFailure {
    /// The HTTP status of a refusal; 0 without one.
    pub(crate) fn code(&self) -> u16 {
        match self {
            Self::Refused(status) => status.code,
            _ => 0,
        }
    }

    /// Whether the same read may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused(status) => matches!(status.code, 429 | 500 | 502..=504),
            Self::NotSent(text) => !text.contains("invalid peer certificate"),
            Self::Unanswered(_) => true,
            Self::Credentials(_) | Self::Malformed(_) => false,
        }
    }

    /// Nothing is there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.code() == 404
    }

    /// Something of this name is there.
    pub(crate) fn is_already_exists(&self) -> bool {
        matches!(self, Self::Refused(status) if status.is_already_exists())
    }

    /// Somebody else changed it since it was read, or it is another object by now.
    pub(crate) fn is_conflict(&self) -> bool {
        self.code() == 409 && !self.is_already_exists()
    }

    /// The page of a list has expired: the list must be read from its start.
    pub(crate) fn is_expired_page(&self) -> bool {
        self.code() == 410
    }

    /// The namespace of the object is going away: nothing new is made in it.
    pub(crate) fn is_namespace_going(&self) -> bool {
        let Self::Refused(status) = self else { return false };
        let mut causes = status.details.iter().flat_map(|details| &details.causes);
        status.code == 403 && causes.any(|cause| cause.reason == "NamespaceTerminating")
    }

    /// Not allowed.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.code() == 403
    }

    /// The namespace of the object is not there.
    pub(crate) fn is_namespace_missing(&self) -> bool {
        matches!(self, Self::Refused(status) if status.code == 404
            && status.details.as_ref().is_some_and(|details| details.kind == "namespaces"))
    }

    /// The fields that kept a server-side apply from being carried out, each with the field manager that has set it.
    pub(crate) fn conflicts(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Refused(status) => field_conflicts(status),
            _ => Vec::new(),
        }
    }

    /// The failure for the engine. `what` names the call and the object, such as `apply Deployment dev/gitlab`.
    pub(crate) fn into_driver_error(self, call: Call, what: &str) -> DriverError {
        let (class, words) = match &self {
            Self::Refused(status) => refused(status, call, self.is_namespace_missing()),
            Self::NotSent(text) if text.contains("invalid peer certificate") => {
                let hint = "the kubeconfig's certificate-authority does not fit this server";
                (ErrorClass::Denied(None), format!("{self}; {hint}"))
            }
            Self::NotSent(_) => (ErrorClass::Transient, self.to_string()),
            Self::Unanswered(_) => (unknown_effect(call), self.to_string()),
            Self::Credentials(_) => (ErrorClass::Expired, self.to_string()),
            Self::Malformed(_) => (ErrorClass::Bug, self.to_string()),
        };
        DriverError::new(class, format!("{what}: {words}"))
    }
}

/// A read can simply be made again; a write may have had its effect.
fn unknown_effect(call: Call) -> ErrorClass {
    match call {
        Call::Read => ErrorClass::Transient,
        Call::Write => ErrorClass::Ambiguous,
    }
}

fn refused(status: &Status, call: Call, namespace_missing: bool) -> (ErrorClass, String) {
    let message = status.message.clone();
    let causes =
        status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    // Admission may choose any code, so it is recognised by its words.
    let by_admission = ["admission webhook", "ValidatingAdmissionPolicy", "violates PodSecurity"];
    if by_admission.iter().any(|words| message.contains(words))
        && !message.contains("failed calling")
    {
        return (ErrorClass::Invalid, message);
    }
    match status.code {
        401 => (
            ErrorClass::Expired,
            "the API server does not accept the credentials: log in to the cluster again"
                .to_owned(),
        ),
        403 if message.contains("exceeded quota") => (ErrorClass::Quota, message),
        403 if causes.iter().any(|cause| cause.reason == "NamespaceTerminating") => {
            (ErrorClass::Dependency, message)
        }
        403 => (ErrorClass::Denied(missing_right(&message)), message),
        404 if namespace_missing => (ErrorClass::Dependency, message),
        404 => (ErrorClass::NotFound, message),
        409 if status.is_already_exists() => (ErrorClass::AlreadyExists, message),
        409 => conflict(status),
        410 | 429 => {
            let class =
                if status.code == 429 { ErrorClass::Throttled } else { ErrorClass::Transient };
            (class, message)
        }
        // A manifest that does not fit the schema: server-side apply answers it as an internal error (seen with 1.36.2).
        500 if message.contains("failed to create typed patch object") => {
            (ErrorClass::Invalid, message)
        }
        // Another object has taken the name of the one that was meant.
        422 if causes.iter().any(|cause| cause.field == "metadata.uid") => {
            (ErrorClass::NotFound, message)
        }
        // etcd was away while the API server looked for a free address or port: in a validation's form, but nobody's mistake
        // (seen with 1.36.2). Nothing was stored.
        422 if ["rpc error: code = ", "etcdserver: "]
            .iter()
            .any(|words| message.contains(words)) =>
        {
            (ErrorClass::Transient, message)
        }
        // The webhook could not be asked, so nothing was stored.
        500 if message.contains("failed calling webhook") => (ErrorClass::Transient, message),
        500.. => (unknown_effect(call), message),
        405 | 406 | 415 => (ErrorClass::Bug, message),
        _ => (ErrorClass::Invalid, message),
    }
}

/// From `deployments.apps "gitlab" is forbidden: User "x" cannot patch resource "deployments" in API group "apps" in …`
/// what cannot be done.
fn missing_right(message: &str) -> Option<String> {
    let (_, right) = message.split_once(" cannot ")?;
    Some(right.split(": ").next().unwrap_or(right).to_owned())
}

/// Fields and their managers, from causes such as `conflict with "kubectl-edit" using apps/v1`.
fn field_conflicts(status: &Status) -> Vec<(&str, &str)> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| {
            let manager = cause.message.split('"').nth(1).unwrap_or(&cause.message);
            (cause.field.as_str(), manager)
        })
        .collect()
}

/// A conflict of field managers (server-side apply), or of versions.
fn conflict(status: &Status) -> (ErrorClass, String) {
    let fields = field_conflicts(status);
    if fields.is_empty() {
        let gone = ["uid mismatch", "UID in precondition"];
        let gone = gone.iter().any(|words| status.message.contains(words));
        let class = if gone { ErrorClass::NotFound } else { ErrorClass::Transient };
        return (class, status.message.clone());
    }
    let fields: Vec<String> =
        fields.iter().map(|(field, manager)| format!("{field} (set by {manager})")).collect();
    let message = format!(
        "others have set fields to other values than this stack's: {}. Nothing was changed. To set them as the plan says, \
         name this resource: zonestack up --take-over COMPONENT/RESOURCE; to leave them to the others, take them out of \
         the stack",
        fields.join(", ")
    );
    (ErrorClass::Invalid, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn refusal(code: u16, reason: &str, message: &str, details: &Json) -> ApiFailure {
        let status =
            json!({ "code": code, "reason": reason, "message": message, "details": details });
        ApiFailure::Refused(serde_json::from_value(status).unwrap())
    }

    #[track_caller]
    fn check(code: u16, reason: &str, message: &str, read: &ErrorClass, write: &ErrorClass) {
        let failure = refusal(code, reason, message, &json!({}));
        assert_eq!(failure.clone().into_driver_error(Call::Read, "x").class, *read);
        assert_eq!(failure.into_driver_error(Call::Write, "x").class, *write);
    }

    #[test]
    fn each_answer_has_its_class() {
        use ErrorClass as C;
        let same = |code, reason, message, class: C| check(code, reason, message, &class, &class);
        same(400, "BadRequest", "unknown field \"spec.x\"", C::Invalid);
        same(401, "Unauthorized", "Unauthorized", C::Expired);
        same(403, "Forbidden", "pods \"a\" is forbidden: exceeded quota: q", C::Quota);
        same(
            403,
            "Forbidden",
            "admission webhook \"v.example\" denied the request: no",
            C::Invalid,
        );
        same(403, "Forbidden", "pods \"a\" is forbidden: violates PodSecurity \"x\"", C::Invalid);
        same(404, "NotFound", "secrets \"a\" not found", C::NotFound);
        same(409, "AlreadyExists", "secrets \"a\" already exists", C::AlreadyExists);
        same(409, "Conflict", "the object has been modified", C::Transient);
        same(409, "Conflict", "uid mismatch: no existing object was found", C::NotFound);
        same(422, "Invalid", "spec.selector: field is immutable", C::Invalid);
        same(429, "TooManyRequests", "too many", C::Throttled);
        same(500, "", "failed to create typed patch object (a): .dta: not declared", C::Invalid);
        same(500, "InternalError", "failed calling webhook \"v\"", C::Transient);
        check(500, "InternalError", "etcdserver: timed out", &C::Transient, &C::Ambiguous);
        check(504, "Timeout", "timed out", &C::Transient, &C::Ambiguous);
    }

    #[test]
    fn a_missing_right_is_named() {
        let message = "deployments.apps \"gitlab\" is forbidden: User \"ann\" cannot patch resource \
                       \"deployments\" in API group \"apps\" in the namespace \"dev\"";
        let error =
            refusal(403, "Forbidden", message, &json!({})).into_driver_error(Call::Write, "x");
        let right = "patch resource \"deployments\" in API group \"apps\" in the namespace \"dev\"";
        assert_eq!(error.class, ErrorClass::Denied(Some(right.to_owned())));
    }

    #[test]
    fn a_namespace_that_goes_or_is_missing_is_awaited() {
        let terminating = json!({ "causes": [{ "reason": "NamespaceTerminating" }] });
        let error = refusal(403, "Forbidden", "is being terminated", &terminating);
        assert_eq!(error.into_driver_error(Call::Write, "x").class, ErrorClass::Dependency);
        let missing = json!({ "name": "dev", "kind": "namespaces" });
        let error = refusal(404, "NotFound", "namespaces \"dev\" not found", &missing);
        assert_eq!(error.into_driver_error(Call::Write, "x").class, ErrorClass::Dependency);
    }

    #[test]
    fn an_object_of_another_uid_is_not_the_one_that_was_meant() {
        let uid = json!({ "causes": [{ "reason": "FieldValueInvalid", "field": "metadata.uid" }] });
        let error = refusal(422, "Invalid", "metadata.uid: field is immutable", &uid);
        assert_eq!(error.into_driver_error(Call::Write, "x").class, ErrorClass::NotFound);
    }

    #[test]
    fn an_address_that_etcd_could_not_give_is_asked_for_again() {
        let message = "Service \"cache\" is invalid: spec.clusterIPs: Invalid value: [\"\"]: failed to allocate IP: rpc error: \
                       code = Unavailable desc = error reading from server: connection reset by peer";
        check(422, "Invalid", message, &ErrorClass::Transient, &ErrorClass::Transient);
        let taken = "Service \"cache\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.7\"]: failed to allocate IP \
                     10.96.0.7: provided IP is already allocated";
        check(422, "Invalid", taken, &ErrorClass::Invalid, &ErrorClass::Invalid);
    }

    #[test]
    fn a_conflict_names_manager_field_and_way_out() {
        let details = json!({ "causes": [{
            "reason": "FieldManagerConflict",
            "message": "conflict with \"kubectl-edit\" using apps/v1",
            "field": ".spec.replicas",
        }] });
        let error = refusal(409, "Conflict", "Apply failed with 1 conflict", &details)
            .into_driver_error(Call::Write, "apply Deployment dev/gitlab");
        assert_eq!(error.class, ErrorClass::Invalid);
        insta::assert_snapshot!(error.message);
    }

    #[test]
    fn what_was_never_sent_had_no_effect() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let failure = ApiFailure::from(kube::Error::Service(Box::new(refused)));
        assert_eq!(failure.into_driver_error(Call::Write, "x").class, ErrorClass::Transient);
        let cut = io::Error::from(io::ErrorKind::TimedOut);
        let failure = ApiFailure::from(kube::Error::Service(Box::new(cut)));
        assert_eq!(failure.into_driver_error(Call::Write, "x").class, ErrorClass::Ambiguous);
    }
}
