//! The lease of a stack: a `Lease` of `coordination.k8s.io/v1` named `zonestack-<stack>` in the stack's namespace
//! (reliability.md B.4.4). `kubectl -n NAMESPACE get lease` shows who is at work.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::api::Preconditions;
use serde_json::{Value as Json, json};
use zonestack_core::inventory::Version;
use zonestack_core::lease::{DURATION, LeaseError, LeaseRecord, LeaseStore};

use crate::api::{ApiServer, Detail, Place};
use crate::failure::{ApiFailure, Call};
use crate::kinds::{LEASE, NAMESPACE};
use crate::{marks, namespace};

/// Digits after the second in a `MicroTime`: the API server takes no more and no fewer
/// (<https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#MicroTime>).
const MICROS: usize = 6;

/// Keeps the lease of a stack in its namespace, and never makes that namespace.
///
/// # Guarantees
/// Compare-and-swap by `metadata.resourceVersion`, as with [`crate::inventory::ConfigMapInventory`]. Every call is bounded by
/// the client's time-outs.
pub struct LeaseInNamespace {
    api: ApiServer,
    namespace: String,
    stack: String,
    place: Place,
}

impl LeaseInNamespace {
    /// The lease of a stack in its namespace.
    pub fn new(client: kube::Client, namespace: &str, stack: &str) -> Self {
        Self {
            api: ApiServer::new(client),
            namespace: namespace.to_owned(),
            stack: stack.to_owned(),
            place: Place::in_namespace(namespace, &marks::inventory_name(stack)),
        }
    }

    fn object(&self, record: &LeaseRecord, replaces: Option<&Version>) -> Json {
        let mut metadata = json!({
            "name": self.place.name,
            "namespace": self.namespace,
            "labels": { marks::STACK: self.stack, marks::MANAGED_BY: marks::TOOL },
        });
        if let Some(Version(version)) = replaces {
            metadata["resourceVersion"] = version.as_str().into();
        }
        json!({
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": metadata,
            "spec": {
                "holderIdentity": record.holder,
                "leaseDurationSeconds": DURATION.as_secs(),
                "acquireTime": with_micros(&record.since),
                "renewTime": with_micros(&record.renewed),
            },
        })
    }

    async fn get(&self) -> Result<Option<(LeaseRecord, Version)>, LeaseError> {
        let got = self.api.get(&LEASE, &self.place, Detail::Object).await;
        let object = got.map_err(|failure| self.failed(failure, Call::Read, "read"))?;
        Ok(object.map(|object| (record(&object), version(&object))))
    }

    async fn put(
        &self,
        record: &LeaseRecord,
        replaces: Option<&Version>,
    ) -> Result<Version, LeaseError> {
        let object = self.object(record, replaces);
        let written = if replaces.is_some() {
            self.api.replace(&LEASE, &self.place, &object).await
        } else {
            self.api.create(&LEASE, Some(&self.namespace), &object).await
        };
        match written {
            Ok(object) => Ok(version(&object)),
            Err(failure) if failure.is_conflict() || failure.is_already_exists() => {
                Err(LeaseError::Conflict)
            }
            Err(failure) if failure.is_namespace_missing() || failure.is_namespace_going() => {
                Err(LeaseError::NoPlace)
            }
            // Somebody removed it, or it went with its namespace.
            Err(failure) if failure.is_not_found() && replaces.is_some() => {
                Err(if self.is_home().await? { LeaseError::Conflict } else { LeaseError::NoPlace })
            }
            Err(failure) => Err(self.failed(failure, Call::Write, "write")),
        }
    }

    /// Whether the namespace is there to stay.
    async fn is_home(&self) -> Result<bool, LeaseError> {
        let place = Place::of_cluster(&self.namespace);
        let got = self.api.get(&NAMESPACE, &place, Detail::Metadata).await;
        let got = got.map_err(|failure| {
            let what = format!("read namespace {}", self.namespace);
            classed(failure, Call::Read, &what)
        })?;
        Ok(got.is_some_and(|namespace| !namespace::is_going(&namespace)))
    }

    async fn delete(&self, version: &Version) -> Result<(), LeaseError> {
        let preconditions = Preconditions { uid: None, resource_version: Some(version.0.clone()) };
        match self.api.delete(&LEASE, &self.place, preconditions).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is_conflict() => Err(LeaseError::Conflict),
            Err(failure) => Err(self.failed(failure, Call::Write, "delete")),
        }
    }

    fn failed(&self, failure: ApiFailure, call: Call, verb: &str) -> LeaseError {
        classed(failure, call, &format!("{verb} Lease {}", self.place))
    }
}

/// What an admission or a quota refuses is denied just as well: no later try succeeds.
fn classed(failure: ApiFailure, call: Call, what: &str) -> LeaseError {
    let is_denied = matches!(failure.code(), 400 | 403 | 405 | 422);
    let message = failure.into_driver_error(call, what).message;
    if is_denied { LeaseError::Denied(message) } else { LeaseError::Unreachable(message) }
}

fn record(object: &Json) -> LeaseRecord {
    let text = |key: &str| object["spec"][key].as_str().unwrap_or_default();
    LeaseRecord {
        holder: text("holderIdentity").to_owned(),
        since: without_micros(text("acquireTime")),
        renewed: without_micros(text("renewTime")),
    }
}

fn version(object: &Json) -> Version {
    Version(object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned())
}

/// Date and time up to the second, the digits after it, and the time zone.
fn parts(time: &str) -> (&str, &str, &str) {
    // `2026-11-23T07:00:00`
    let (seconds, rest) = time.split_at_checked(19).unwrap_or((time, ""));
    let Some(fraction) = rest.strip_prefix('.') else { return (seconds, "", rest) };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, zone) = fraction.split_at_checked(digits).unwrap_or((fraction, ""));
    (seconds, digits, zone)
}

fn with_micros(time: &str) -> String {
    let (seconds, digits, zone) = parts(time);
    let digits: String = digits.chars().take(MICROS).collect();
    format!("{seconds}.{digits:0<MICROS$}{zone}")
}

fn without_micros(time: &str) -> String {
    let (seconds, _, zone) = parts(time);
    format!("{seconds}{zone}")
}

impl LeaseStore for LeaseInNamespace {
    fn read(&self) -> BoxFuture<'_, Result<Option<(LeaseRecord, Version)>, LeaseError>> {
        self.get().boxed()
    }

    fn write<'a>(
        &'a self,
        record: &'a LeaseRecord,
        replaces: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Version, LeaseError>> {
        self.put(record, replaces).boxed()
    }

    fn remove<'a>(&'a self, version: &'a Version) -> BoxFuture<'a, Result<(), LeaseError>> {
        self.delete(version).boxed()
    }
}

#[cfg(test)]
mod tests;
