//! What plugins may ask their host.

use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zonestack_abi::{STATUS_ERROR, STATUS_OK};
use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_core::secret::{SecretError, SecretRef, SecretSource};
use zonestack_sdk::message::{
    AwsCredentials, AwsCredentialsRequest, AwsSettings, ClockAnswer, Failure, Nothing,
    SecretAnswer, SecretRequest, ThrottleRequest, ask,
};

/// Contract: what the program gives to plugins that ask.
///
/// # Guarantees
/// Asked only while a call of a driver is under way, and polled by that call.
///
/// # Errors
/// What the driver that asked will see as the failure of its own call.
pub trait Services: Send + Sync {
    /// How AWS is reached.
    fn aws_settings(&self) -> BoxFuture<'_, Result<AwsSettings, DriverError>>;

    /// Credentials, for a region or the stack's own.
    fn aws_credentials<'a>(
        &'a self,
        region: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AwsCredentials, DriverError>>;

    /// The date and time in UTC, as RFC 3339.
    fn now(&self) -> String;

    /// Ends when it is the caller's turn at a service.
    fn turn<'a>(&'a self, service: &'a str) -> BoxFuture<'a, ()>;
}

/// The answer to something asked: a status and a body.
pub(crate) type Answered = (i32, Vec<u8>);

/// What one call may have.
#[derive(Clone, Copy)]
pub(crate) struct Offer<'a> {
    /// What every call may have.
    pub(crate) services: &'a dyn Services,
    /// Where values come from.
    pub(crate) secrets: &'a dyn SecretSource,
    /// The references that stand in the call.
    pub(crate) references: &'a [SecretRef],
}

/// Answers something asked.
pub(crate) async fn answer(offer: Offer<'_>, method: &str, body: &[u8]) -> Answered {
    let answered = match method {
        ask::AWS_SETTINGS => offer.services.aws_settings().await.and_then(|found| written(&found)),
        ask::AWS_CREDENTIALS => credentials(offer, body).await,
        ask::CLOCK => written(&ClockAnswer { now: offer.services.now() }),
        ask::SECRET => secret(offer, body).await,
        ask::THROTTLE => turn(offer, body).await,
        other => Err(DriverError::new(
            ErrorClass::Unsupported,
            format!("this zonestack does not know {other:?}: update zonestack"),
        )),
    };
    answered.map_or_else(refused, |body| (STATUS_OK, body))
}

/// The answer to something that is not given.
pub(crate) fn refused(error: DriverError) -> Answered {
    (STATUS_ERROR, serde_json::to_vec(&Failure::from(error)).unwrap_or_default())
}

async fn credentials(offer: Offer<'_>, body: &[u8]) -> Result<Vec<u8>, DriverError> {
    let request: AwsCredentialsRequest = read(body)?;
    written(&offer.services.aws_credentials(request.region.as_deref()).await?)
}

async fn turn(offer: Offer<'_>, body: &[u8]) -> Result<Vec<u8>, DriverError> {
    let request: ThrottleRequest = read(body)?;
    offer.services.turn(&request.service).await;
    written(&Nothing {})
}

/// Only what stands in the call: a driver has no other use for a value.
async fn secret(offer: Offer<'_>, body: &[u8]) -> Result<Vec<u8>, DriverError> {
    let SecretRequest { reference } = read(body)?;
    if !offer.references.contains(&reference) {
        let message = format!("{reference} does not stand in the specification of this call");
        return Err(DriverError::new(ErrorClass::Denied(None), message));
    }
    let value = offer.secrets.resolve(&reference).await.map_err(|error| {
        let class = match error {
            SecretError::Missing(_) => ErrorClass::NotFound,
            SecretError::Unreadable { .. } => ErrorClass::Invalid,
        };
        DriverError::new(class, error.to_string())
    })?;
    written(&SecretAnswer { value: value.expose().clone() })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, DriverError> {
    serde_json::from_slice(body).map_err(|error| {
        DriverError::new(ErrorClass::Invalid, format!("what was asked cannot be read: {error}"))
    })
}

fn written(answer: &impl Serialize) -> Result<Vec<u8>, DriverError> {
    serde_json::to_vec(answer).map_err(|error| DriverError::new(ErrorClass::Bug, error.to_string()))
}
