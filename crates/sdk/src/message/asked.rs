//! What a plugin asks of its host, and what it tells it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zonestack_core::secret::SecretRef;

/// Asks for credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct AwsCredentialsRequest {
    /// The region that they are for; the stack's when it is not said.
    pub region: Option<String>,
}

/// Credentials of AWS for a while. Not `Debug`, so that they stand in no message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsCredentials {
    /// The id of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
    /// The token of a session.
    #[serde(default)]
    pub session_token: Option<String>,
    /// When they end, in seconds since 1970; `None` when they do not.
    #[serde(default)]
    pub expires: Option<u64>,
}

/// How AWS is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct AwsSettings {
    /// The region.
    pub region: String,
    /// Where every service is, when that is not where AWS has it: an emulator.
    pub endpoint_url: Option<String>,
    /// The same for one service, by its id as in `AWS_ENDPOINT_URL_EFS`: `EFS`.
    pub endpoint_urls: BTreeMap<String, String>,
    /// Whether endpoints with FIPS 140 are wanted.
    pub use_fips: Option<bool>,
    /// Whether endpoints with IPv6 are wanted.
    pub use_dual_stack: Option<bool>,
    /// The application's name in the user agent.
    pub user_agent: Option<String>,
}

/// The time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAnswer {
    /// In UTC, as RFC 3339 with seconds.
    pub now: String,
}

/// Asks for the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRequest {
    /// Where it is kept, as it stands in the specification.
    #[serde(rename = "ref")]
    pub reference: SecretRef,
}

/// The one message that holds a secret. Not `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretAnswer {
    /// The value.
    pub value: String,
}

/// Asks for a turn at a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThrottleRequest {
    /// The service, such as `efs`.
    pub service: String,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `error`, `warn`, `info`, `debug` or `trace`; anything else counts as `info`.
    #[serde(default)]
    pub level: String,
    /// The part of the plugin that says it.
    #[serde(default)]
    pub target: String,
    /// The line. Never a secret.
    pub text: String,
}
