//! What loaded plugins may ask of this program: the AWS configuration that the built-in drivers have too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use zonestack_core::clock::Clock;
use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_host::services::Services;
use zonestack_sdk::message::{AwsCredentials, AwsSettings};

use crate::report::scrubber::remember;

/// The pause between two turns at one service: ten calls in a second, a fraction of what any of them allows.
const TURN: Duration = Duration::from_millis(100);

/// The services of a real place.
pub(crate) struct AwsServices {
    config: SdkConfig,
    /// `AWS_ENDPOINT_URL_<SERVICE>`, by service.
    endpoint_urls: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    /// When the next turn at a service is.
    turns: Mutex<BTreeMap<String, Duration>>,
}

impl AwsServices {
    /// Services with the credentials, region and endpoints of a configuration.
    pub(crate) fn new(
        config: &SdkConfig,
        endpoint_urls: BTreeMap<String, String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { config: config.clone(), endpoint_urls, clock, turns: Mutex::default() }
    }

    /// How long until the caller's turn.
    fn wait(&self, service: &str) -> Duration {
        let now = self.clock.now();
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let next = turns.entry(service.to_owned()).or_default();
        let turn = now.max(*next);
        *next = turn + TURN;
        turn.saturating_sub(now)
    }
}

impl Services for AwsServices {
    fn aws_settings(&self) -> BoxFuture<'_, Result<AwsSettings, DriverError>> {
        let settings = AwsSettings {
            region: self.config.region().map(ToString::to_string).unwrap_or_default(),
            endpoint_url: self.config.endpoint_url().map(str::to_owned),
            endpoint_urls: self.endpoint_urls.clone(),
            use_fips: self.config.use_fips(),
            use_dual_stack: self.config.use_dual_stack(),
            user_agent: self.config.app_name().map(ToString::to_string),
        };
        async { Ok(settings) }.boxed()
    }

    fn aws_credentials<'a>(
        &'a self,
        _region: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AwsCredentials, DriverError>> {
        async move {
            let missing = || {
                let message = "there are no AWS credentials for the plugin";
                DriverError::new(ErrorClass::Denied(None), message)
            };
            let provider = self.config.credentials_provider().ok_or_else(missing)?;
            let found = provider.provide_credentials().await.map_err(|error| {
                let message = format!("no AWS credentials for the plugin: {error}");
                DriverError::new(ErrorClass::Denied(None), message)
            })?;
            // No plugin is to print them through us.
            remember(found.secret_access_key());
            remember(found.session_token().unwrap_or_default());
            let since_1970 = |expiry: std::time::SystemTime| expiry.duration_since(UNIX_EPOCH).ok();
            Ok(AwsCredentials {
                access_key_id: found.access_key_id().to_owned(),
                secret_access_key: found.secret_access_key().to_owned(),
                session_token: found.session_token().map(str::to_owned),
                expires: found.expiry().and_then(since_1970).map(|since| since.as_secs()),
            })
        }
        .boxed()
    }

    fn now(&self) -> String {
        self.clock.timestamp()
    }

    fn turn<'a>(&'a self, service: &'a str) -> BoxFuture<'a, ()> {
        async move { self.clock.sleep(self.wait(service)).await }.boxed()
    }
}
