//! Client set-up: one HTTP client, one set of time limits and retries for every service.
//!
//! Credentials, profiles, SSO, `AWS_*` variables, `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` are read by `aws-config`
//! itself, by the rules that hold for every AWS tool. `HTTPS_PROXY` and `NO_PROXY` work as everywhere else.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// Attempts of one call, the first included (reliability.md B.1: standard mode, at most 5).
pub const MAX_ATTEMPTS: u32 = 5;
/// The longest that one attempt may take, from its first byte to its last (reliability.md B.4.3).
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest that a connection may take to open.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that the first byte of an answer may take.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The name that AWS sees in the user agent, when the options give no other.
const APP_NAME: &str = "zonestack";

/// What the command line knows of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AwsOptions {
    /// The region of the stack, such as `eu-west-1`. It wins over `AWS_REGION` and over the profile's region.
    pub region: String,
    /// The profile; `None` leaves the choice to `AWS_PROFILE`.
    pub profile: Option<String>,
    /// The application's name in the user agent, letters, digits, `-`, `.` and `_`; `None` is `zonestack`.
    pub user_agent: Option<String>,
}

/// Why no client can be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The region's name is none; it would become part of a host name.
    #[error(
        "{region:?} is no AWS region: write the region's code, such as eu-west-1, in the stack file"
    )]
    Region {
        /// As written.
        region: String,
    },
    /// The name for the user agent has characters that no header may have.
    #[error("{name:?} cannot be sent as user agent")]
    UserAgent {
        /// As given.
        name: String,
    },
}

/// The configuration that every client is made from. Sends nothing: credentials are looked for by the first call.
pub async fn load(options: AwsOptions) -> Result<SdkConfig, ClientError> {
    let (region, app_name) = names(options.region, options.user_agent)?;
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region)
        .app_name(app_name)
        .http_client(http_client())
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .timeout_config(time_limits());
    if let Some(profile) = options.profile {
        loader = loader.profile_name(profile);
    }
    Ok(loader.load().await)
}

/// What a configuration is made from where nothing is read from environment and files: in a plugin, whose host knows it all.
#[derive(Debug, Clone)]
pub struct Given {
    /// The region.
    pub region: String,
    /// Where every service is, for emulators.
    pub endpoint_url: Option<String>,
    /// The same for one service, by its id as in `AWS_ENDPOINT_URL_EFS`: `EFS`.
    pub endpoint_urls: BTreeMap<String, String>,
    /// Whether endpoints with FIPS 140 are wanted.
    pub use_fips: Option<bool>,
    /// Whether endpoints with IPv6 are wanted.
    pub use_dual_stack: Option<bool>,
    /// The application's name in the user agent; `None` is `zonestack`.
    pub user_agent: Option<String>,
    /// Where credentials come from.
    pub credentials: SharedCredentialsProvider,
}

/// The configuration that every client is made from, with the same HTTP client and limits as [`load`] gives it.
pub fn of_given(given: Given) -> Result<SdkConfig, ClientError> {
    let (region, app_name) = names(given.region, given.user_agent)?;
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(region)
        .app_name(app_name)
        .http_client(http_client())
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .timeout_config(time_limits())
        .identity_cache(IdentityCache::lazy().build())
        .credentials_provider(given.credentials)
        .service_config(Endpoints(given.endpoint_urls));
    builder.set_endpoint_url(given.endpoint_url);
    builder.set_use_fips(given.use_fips);
    builder.set_use_dual_stack(given.use_dual_stack);
    Ok(builder.build())
}

/// Endpoints of single services.
#[derive(Debug)]
struct Endpoints(BTreeMap<String, String>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != "AWS_ENDPOINT_URL" {
            return None;
        }
        let service = key.service_id().replace([' ', '-'], "_").to_uppercase();
        self.0.get(&service).cloned()
    }
}

fn names(region: String, user_agent: Option<String>) -> Result<(Region, AppName), ClientError> {
    if !is_region(&region) {
        return Err(ClientError::Region { region });
    }
    let name = user_agent.unwrap_or_else(|| APP_NAME.to_owned());
    let app_name = AppName::new(name.clone()).map_err(|_| ClientError::UserAgent { name })?;
    Ok((Region::new(region), app_name))
}

/// The retry configuration for a call that makes something and has **neither a unique name nor a token of ours**: the SDK
/// repeats a call after a time-out too, and a second one would make a second thing (reliability.md B.1). Such a call is sent
/// once, and when its effect is unknown the engine looks before it repeats.
///
/// ```no_run
/// # async fn example(client: aws_sdk_ec2::Client) {
/// let once = aws_sdk_ec2::config::Config::builder()
///     .retry_config(zonestack_aws::client::without_retries());
/// let call = client.allocate_address().customize().config_override(once).send().await;
/// # let _unused = call;
/// # }
/// ```
pub fn without_retries() -> RetryConfig {
    RetryConfig::disabled()
}

fn time_limits() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

/// rustls on ring, the TLS that `kube` brings already; plain `http` works too, for emulators.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder();
        connector
            .set_connector_settings(settings.cloned())
            .set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl))
            .set_proxy_config(Some(ProxyConfig::from_env()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
    })
}

/// True for what may stand in a host name as a region: `eu-west-1`, `us-gov-east-1`, and an emulator's own.
fn is_region(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 40
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_region_and_the_limits_are_ours() {
        let options = AwsOptions { region: "eu-west-1".to_owned(), ..AwsOptions::default() };
        let config = load(options).await.unwrap();
        assert_eq!(config.region().unwrap().as_ref(), "eu-west-1");
        assert_eq!(config.retry_config().unwrap().max_attempts(), MAX_ATTEMPTS);
        let limits = config.timeout_config().unwrap();
        assert_eq!(limits.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(limits.connect_timeout(), Some(CONNECT_TIMEOUT));
        assert_eq!(limits.read_timeout(), Some(READ_TIMEOUT));
        assert_eq!(config.app_name().unwrap().to_string(), "zonestack");
    }

    #[tokio::test]
    async fn what_is_no_region_is_refused_before_it_becomes_a_host_name() {
        for region in ["", "eu west", "eu-west-1.evil.example", "Ireland", "-"] {
            let options = AwsOptions { region: region.to_owned(), ..AwsOptions::default() };
            let error = load(options).await.unwrap_err();
            assert_eq!(error, ClientError::Region { region: region.to_owned() });
        }
    }

    #[test]
    fn a_call_without_a_key_is_sent_once() {
        assert_eq!(without_retries().max_attempts(), 1);
    }
}
