//! Failed calls: the classes of [`zonestack_aws::error`], where ElastiCache needs more than its code says.

use std::error::Error;

use aws_sdk_elasticache::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use zonestack_aws::error::driver_error;
use zonestack_core::driver::{DriverError, ErrorClass};

/// A failed call that reads.
pub(super) fn reading<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> DriverError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    driver_error(call, error, false)
}

/// A failed call that changes the thing named in it.
pub(super) fn changing<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> DriverError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = code(&error);
    let mut failed = driver_error(call, error, true);
    match code.as_deref() {
        // Not the thing itself is missing but something that it refers to. What we made a moment ago may not be seen yet.
        Some("CacheSubnetGroupNotFoundFault" | "CacheParameterGroupNotFound")
            if call.ends_with("ReplicationGroup") =>
        {
            failed.class = ErrorClass::Transient;
        }
        Some("SnapshotNotFoundFault") => {
            failed.class = ErrorClass::Invalid;
            failed.message.push_str("; correct `fromSnapshot`");
        }
        Some("InsufficientCacheClusterCapacity") => {
            failed.message.push_str("; choose another `class`, or try later");
        }
        _ => {}
    }
    failed
}

/// The service's code, when it was the service that refused.
pub(super) fn code<E>(error: &SdkError<E, HttpResponse>) -> Option<String>
where
    E: ProvideErrorMetadata,
{
    error.as_service_error().and_then(|error| error.code()).map(str::to_owned)
}
