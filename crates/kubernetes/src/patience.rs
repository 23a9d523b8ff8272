//! Reads before there is an engine: nobody else would repeat them when an API server is busy or changes over.

use std::time::Duration;

use futures::future::BoxFuture;

use crate::failure::ApiFailure;

/// The pauses between tries: an API server behind a load balancer changes over in a second or two.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Reads again after a failure that passes.
pub(crate) async fn patiently<'a, T>(
    read: impl Fn() -> BoxFuture<'a, Result<T, ApiFailure>>,
) -> Result<T, ApiFailure> {
    for pause in PAUSES {
        match read().await {
            Err(failure) if failure.may_pass() => {
                tracing::debug!(%failure, ?pause, "reading again");
                tokio::time::sleep(pause).await;
            }
            result => return result,
        }
    }
    read().await
}
