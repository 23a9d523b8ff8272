//! The sandbox as the place of a stack's lease.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_core::inventory::Version;
use zonestack_core::lease::{LeaseError, LeaseRecord, LeaseStore};

use crate::gate::{Purpose, Sandbox};
use crate::log::Operation;
use crate::world::{StoredLease, World};

/// Keeps a stack's lease in its namespace of the sandbox's cluster. It goes when the namespace goes.
#[derive(Clone)]
pub struct SandboxLease {
    sandbox: Sandbox,
    stack: String,
    namespace: String,
}

impl SandboxLease {
    pub(crate) fn new(sandbox: Sandbox, stack: &str, namespace: &str) -> Self {
        Self { sandbox, stack: stack.to_owned(), namespace: namespace.to_owned() }
    }

    fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.stack)
    }

    fn purpose(&self, operation: Operation) -> Purpose<'_> {
        Purpose { operation, stack: &self.stack, kind: None, id: None, entries: None }
    }

    fn put(
        &self,
        world: &mut World,
        record: &LeaseRecord,
        replaces: Option<&Version>,
    ) -> Result<Version, LeaseError> {
        let going = world.namespace(&self.namespace).is_none_or(|found| found.deletion.is_some());
        if going {
            return Err(LeaseError::NoPlace);
        }
        let found = world.leases.get(&self.key()).map(StoredLease::version);
        if found.as_ref() != replaces {
            return Err(LeaseError::Conflict);
        }
        world.count += 1;
        let stored = StoredLease {
            version: world.count,
            holder: record.holder.clone(),
            since: record.since.clone(),
            renewed: record.renewed.clone(),
        };
        let version = stored.version();
        world.leases.insert(self.key(), stored);
        Ok(version)
    }
}

impl StoredLease {
    fn version(&self) -> Version {
        Version(self.version.to_string())
    }
}

fn failed(error: DriverError) -> LeaseError {
    match error.class {
        ErrorClass::Denied(_) => LeaseError::Denied(error.message),
        _ => LeaseError::Unreachable(error.message),
    }
}

impl LeaseStore for SandboxLease {
    fn read(&self) -> BoxFuture<'_, Result<Option<(LeaseRecord, Version)>, LeaseError>> {
        self.sandbox
            .call(self.purpose(Operation::ReadLease), failed, |turn| {
                Ok(turn.world.leases.get(&self.key()).map(|found| {
                    let record = LeaseRecord {
                        holder: found.holder.clone(),
                        since: found.since.clone(),
                        renewed: found.renewed.clone(),
                    };
                    (record, found.version())
                }))
            })
            .boxed()
    }

    fn write<'a>(
        &'a self,
        record: &'a LeaseRecord,
        replaces: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Version, LeaseError>> {
        self.sandbox
            .call(self.purpose(Operation::WriteLease), failed, move |turn| {
                self.put(turn.world, record, replaces)
            })
            .boxed()
    }

    fn remove<'a>(&'a self, version: &'a Version) -> BoxFuture<'a, Result<(), LeaseError>> {
        self.sandbox
            .call(self.purpose(Operation::RemoveLease), failed, |turn| {
                match turn.world.leases.get(&self.key()) {
                    Some(found) if found.version() != *version => Err(LeaseError::Conflict),
                    _ => {
                        turn.world.leases.remove(&self.key());
                        Ok(())
                    }
                }
            })
            .boxed()
    }
}
