//! Failed calls become classes: what happened, and whether it may have had an effect (reliability.md B.4.10).

use std::error::Error;
use std::io;

use aws_credential_types::provider::error::{CredentialsError, TokenError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use zonestack_core::driver::{DriverError, ErrorClass};

pub use crate::wire_code::class_of;

/// What hyper says when no connection came about, so that nothing was sent.
const NOT_CONNECTED: &str = "client error (Connect)";
/// The request id that the SDK keeps among an error's extras.
const REQUEST_ID: &str = "aws_request_id";
/// EC2 appends kilobytes of encoded explanation to a denial.
const ENCODED: &str = "Encoded authorization failure message";

/// Where a call failed: decides what a person is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// No credentials that could sign the call.
    Credentials,
    /// Nothing answered.
    Connection,
    /// The service answered.
    Service,
    /// The request could not even be written.
    Request,
}

/// A failed call, before it is reduced to what the engine needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: ErrorClass,
    pub(crate) origin: Origin,
    pub(crate) message: String,
}

/// The engine's error for a failed call.
///
/// `call` is the API's name for it, such as `CreateFileSystem`. `mutating` says whether the call changes something: when it
/// does and it is not known whether it had an effect (a time-out, a connection that was lost, a 5xx, an answer that cannot
/// be read), the class is [`ErrorClass::Ambiguous`]; otherwise [`ErrorClass::Transient`].
///
/// The SDK repeats a call by itself and shows the last failure only: a first attempt that was lost and a last one that was
/// refused look like a refusal. That is harmless for a call with a unique name or a token, and the others must not be
/// repeated ([`crate::client::without_retries`]).
///
/// The message is the call, the service's own words, its code and its request id; never anything that was sent.
pub fn driver_error<E>(
    call: &'static str,
    error: SdkError<E, HttpResponse>,
    mutating: bool,
) -> DriverError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let failure = failure(call, error, mutating);
    DriverError::new(failure.class, failure.message)
}

pub(crate) fn failure<E>(
    call: &'static str,
    error: SdkError<E, HttpResponse>,
    mutating: bool,
) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let unknown = if mutating { ErrorClass::Ambiguous } else { ErrorClass::Transient };
    let (class, origin, words) = match error {
        SdkError::ConstructionFailure(_) => {
            let words = chain(error.into_source());
            (ErrorClass::Bug, Origin::Request, format!("the request cannot be written: {words}"))
        }
        SdkError::TimeoutError(_) => {
            let words = chain(error.into_source());
            (unknown, Origin::Connection, format!("no answer in time: {words}"))
        }
        SdkError::DispatchFailure(dispatch) => {
            let error: SdkError<E, HttpResponse> = SdkError::DispatchFailure(dispatch);
            undelivered(error.into_source().ok(), unknown)
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let class = class_of_status(status, mutating);
            let words =
                format!("an answer that cannot be read (HTTP status {status}): not from AWS?");
            (class, Origin::Service, words)
        }
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let error = context.into_err();
            let (class, words) = answered(status, &error, mutating);
            (class, Origin::Service, words)
        }
        other => (unknown, Origin::Service, chain(other.into_source())),
    };
    Failure { class, origin, message: format!("{call}: {words}") }
}

/// A service's own error.
fn answered(
    status: u16,
    error: &impl ProvideErrorMetadata,
    mutating: bool,
) -> (ErrorClass, String) {
    let said = error.message().unwrap_or("no explanation");
    let said = said.split(ENCODED).next().unwrap_or(said).trim();
    let class = match error.code().and_then(class_of) {
        Some(ErrorClass::Denied(_)) => ErrorClass::Denied(denied_action(said)),
        Some(ErrorClass::Transient) | None => {
            let by_status = class_of_status(status, mutating);
            if error.code().and_then(class_of).is_some() && status < 500 {
                ErrorClass::Transient
            } else {
                by_status
            }
        }
        Some(class) => class,
    };
    let code = error.code().map_or_else(|| format!("HTTP status {status}"), str::to_owned);
    let request = error.meta().extra(REQUEST_ID);
    let request = request.map_or_else(String::new, |id| format!(", request id {id}"));
    (class, format!("{said} ({code}{request})"))
}

/// The class of an answer whose code is unknown.
fn class_of_status(status: u16, mutating: bool) -> ErrorClass {
    match status {
        401 | 403 => ErrorClass::Denied(None),
        404 | 405 | 501 => ErrorClass::Unsupported,
        408 | 429 => ErrorClass::Throttled,
        400..=499 => ErrorClass::Invalid,
        _ if mutating => ErrorClass::Ambiguous,
        _ => ErrorClass::Transient,
    }
}

/// A call that got no answer: because it was never sent, or because the answer did not come.
fn undelivered(
    source: Option<Box<dyn Error + Send + Sync>>,
    unknown: ErrorClass,
) -> (ErrorClass, Origin, String) {
    let Some(source) = source else {
        return (unknown, Origin::Connection, "the connection failed".to_owned());
    };
    let words = join(source.as_ref());
    if is::<CredentialsError>(source.as_ref()) || is::<TokenError>(source.as_ref()) {
        let lower = words.to_lowercase();
        let expired = lower.contains("expired") || lower.contains("refresh");
        let class = if expired { ErrorClass::Expired } else { ErrorClass::Denied(None) };
        return (class, Origin::Credentials, format!("no usable AWS credentials: {words}"));
    }
    if never_connected(source.as_ref()) {
        let words = format!("no connection: {words}");
        return (ErrorClass::Transient, Origin::Connection, words);
    }
    (unknown, Origin::Connection, format!("the connection was lost: {words}"))
}

/// The action that is missing, from "… is not authorized to perform: ec2:CreateSecurityGroup on resource: …".
fn denied_action(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?.trim_end_matches(['.', ',', ';']);
    action.contains(':').then(|| action.to_owned())
}

fn never_connected(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(|error| {
        let refused = error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
            )
        });
        refused || error.to_string() == NOT_CONNECTED
    })
}

fn is<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(<dyn Error>::is::<T>)
}

fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn chain<E>(source: Result<Box<dyn Error + Send + Sync>, E>) -> String {
    source.map_or_else(|_| "no explanation".to_owned(), |source| join(source.as_ref()))
}

/// The chain of causes in one line, leaving out what a cause says again.
fn join(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for error in sources(error) {
        let text = error.to_string();
        if !words.iter().any(|word| word.contains(&text)) {
            words.push(text);
        }
    }
    words.join(": ")
}

#[cfg(test)]
mod tests;
