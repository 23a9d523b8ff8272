//! For drivers of AWS services: a configuration of the AWS SDK whose credentials come from the host
//! ([`Host::aws_config`]), and what zonestack's own drivers use to write the same marks and tell the same errors apart.

use std::time::{Duration, SystemTime};

pub use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use serde_json::Value as Json;
use zonestack_aws::client::{Given, of_given};
pub use zonestack_aws::{client, error, security_group, spec, tags};
use zonestack_core::driver::{DriverError, ErrorClass};

use crate::host::{AskError, Host};
use crate::message::{AwsCredentials, AwsCredentialsRequest, AwsSettings, ask};

impl Host {
    /// What every AWS client of the plugin is made from: region and endpoints as the host has them, and its credentials, asked
    /// for when a call needs them. Calls nothing but the host.
    ///
    /// # Errors
    /// A host that is gone, or whose settings make no configuration.
    pub async fn aws_config(&self) -> Result<SdkConfig, DriverError> {
        let settings: AwsSettings = self.ask(ask::AWS_SETTINGS, &Json::Null).await?;
        let given = Given {
            region: settings.region,
            endpoint_url: settings.endpoint_url,
            endpoint_urls: settings.endpoint_urls,
            use_fips: settings.use_fips,
            use_dual_stack: settings.use_dual_stack,
            user_agent: settings.user_agent,
            credentials: SharedCredentialsProvider::new(FromHost(self.clone())),
        };
        of_given(given).map_err(|error| DriverError::new(ErrorClass::Invalid, error.to_string()))
    }
}

/// Credentials of the host. The SDK keeps them until they end.
struct FromHost(Host);

impl std::fmt::Debug for FromHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FromHost")
    }
}

impl ProvideCredentials for FromHost {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let request = AwsCredentialsRequest::default();
            let answer: Result<AwsCredentials, AskError> =
                self.0.ask(ask::AWS_CREDENTIALS, &request).await;
            let found = answer.map_err(CredentialsError::provider_error)?;
            let expires =
                found.expires.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            Ok(Credentials::new(
                found.access_key_id,
                found.secret_access_key,
                found.session_token,
                expires,
                "zonestack",
            ))
        })
    }
}
