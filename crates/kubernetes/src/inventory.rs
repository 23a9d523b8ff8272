//! The inventory in a ConfigMap `zonestack-<stack>` of the stack's namespace (reliability.md B.4.1).

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::api::Preconditions;
use serde_json::{Value as Json, json};
use zonestack_core::driver::ErrorClass;
use zonestack_core::inventory::{Inventory, InventoryError, InventoryStore, Version};

use crate::api::{ApiServer, Detail, Place};
use crate::failure::{ApiFailure, Call};
use crate::kinds::{CONFIG_MAP, NAMESPACE};
use crate::patience::patiently;
use crate::{marks, namespace};

/// The key of the recorded inventory.
const KEY: &str = "inventory.json";

/// Keeps the inventory in a ConfigMap. It is also the parent of an ApplySet, whose members are the stack's objects.
///
/// # Guarantees
/// Compare-and-swap by `metadata.resourceVersion`: the API server compares, so two writers never both succeed. etcd has
/// synced a write that was answered.
pub struct ConfigMapInventory {
    api: ApiServer,
    namespace: String,
    stack: String,
    place: Place,
}

impl ConfigMapInventory {
    /// The inventory of a stack in its namespace.
    pub fn new(client: kube::Client, namespace: &str, stack: &str) -> Self {
        Self {
            api: ApiServer::new(client),
            namespace: namespace.to_owned(),
            stack: stack.to_owned(),
            place: Place::in_namespace(namespace, &marks::inventory_name(stack)),
        }
    }

    fn object(&self, inventory: &Inventory, replaces: Option<&Version>) -> Json {
        let mut metadata = marks::set_parent(&self.stack, &self.namespace, &inventory.uid);
        metadata["name"] = self.place.name.as_str().into();
        metadata["namespace"] = self.namespace.as_str().into();
        if let Some(Version(version)) = replaces {
            metadata["resourceVersion"] = version.as_str().into();
        }
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": { KEY: inventory.to_text() },
        })
    }

    async fn read(&self) -> Result<Option<(Inventory, Version)>, InventoryError> {
        let read = || self.api.get(&CONFIG_MAP, &self.place, Detail::Object).boxed();
        let got = patiently(read).await;
        let Some(object) = got.map_err(|failure| self.failed(failure, Call::Read, "read"))? else {
            return Ok(None);
        };
        let inventory = Inventory::from_text(object["data"][KEY].as_str().unwrap_or_default())?;
        Ok(Some((inventory, version(&object))))
    }

    async fn write(
        &self,
        inventory: &Inventory,
        replaces: Option<&Version>,
    ) -> Result<Version, InventoryError> {
        let object = self.object(inventory, replaces);
        let written = if replaces.is_some() {
            self.api.replace(&CONFIG_MAP, &self.place, &object).await
        } else {
            self.make(inventory, &object).await
        };
        match written {
            Ok(object) => Ok(version(&object)),
            // Deleted meanwhile, or made meanwhile: either way somebody else was here.
            Err(failure)
                if failure.is_conflict()
                    || failure.is_already_exists()
                    || failure.is_not_found() =>
            {
                Err(InventoryError::Conflict)
            }
            Err(failure) => Err(self.failed(failure, Call::Write, "write")),
        }
    }

    /// The first inventory, and its namespace when there is none.
    async fn make(&self, inventory: &Inventory, object: &Json) -> Result<Json, ApiFailure> {
        let namespace = Some(self.namespace.as_str());
        match self.api.create(&CONFIG_MAP, namespace, object).await {
            Err(failure) if failure.is_namespace_missing() => {
                let made = self.api.create(&NAMESPACE, None, &self.own_namespace(inventory)).await;
                match made {
                    Err(failure) if !failure.is_already_exists() => Err(failure),
                    _ => self.api.create(&CONFIG_MAP, namespace, object).await,
                }
            }
            result => result,
        }
    }

    /// The stack's namespace, marked as ours. The driver brings it to what the stack wants of it.
    fn own_namespace(&self, inventory: &Inventory) -> Json {
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": self.namespace,
                "labels": {
                    marks::STACK: self.stack,
                    marks::UID: inventory.uid,
                    marks::MANAGED_BY: marks::TOOL,
                },
                "annotations": { marks::NODE: marks::namespace_id().to_string() },
            },
        })
    }

    /// The uid of the stack's namespace, when a run of zonestack made it. One that is going away is nobody's any more.
    async fn uid_of_namespace(&self) -> Result<Option<String>, InventoryError> {
        let place = Place::of_cluster(&self.namespace);
        let got = self.api.get(&NAMESPACE, &place, Detail::Metadata).await;
        let what = format!("read namespace {}", self.namespace);
        let Some(home) = got.map_err(|failure| classed(failure, Call::Read, &what))? else {
            return Ok(None);
        };
        let label = |key: &str| home["metadata"]["labels"][key].as_str();
        let is_ours = label(marks::STACK) == Some(&self.stack)
            && label(marks::MANAGED_BY) == Some(marks::TOOL)
            && !namespace::is_going(&home);
        Ok(label(marks::UID).filter(|_| is_ours).map(ToOwned::to_owned))
    }

    fn failed(&self, failure: ApiFailure, call: Call, verb: &str) -> InventoryError {
        classed(failure, call, &format!("{verb} ConfigMap {}", self.place))
    }
}

fn classed(failure: ApiFailure, call: Call, what: &str) -> InventoryError {
    let error = failure.into_driver_error(call, what);
    match error.class {
        ErrorClass::Denied(_) | ErrorClass::Invalid | ErrorClass::Quota | ErrorClass::Bug => {
            InventoryError::Denied(error.message)
        }
        _ => InventoryError::Unreachable(error.message),
    }
}

fn version(object: &Json) -> Version {
    Version(object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned())
}

impl InventoryStore for ConfigMapInventory {
    fn load(&self) -> BoxFuture<'_, Result<Option<(Inventory, Version)>, InventoryError>> {
        self.read().boxed()
    }

    fn save<'a>(
        &'a self,
        inventory: &'a Inventory,
        replaces: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Version, InventoryError>> {
        self.write(inventory, replaces).boxed()
    }

    fn claimed_uid(&self) -> BoxFuture<'_, Result<Option<String>, InventoryError>> {
        self.uid_of_namespace().boxed()
    }

    fn remove<'a>(&'a self, version: &'a Version) -> BoxFuture<'a, Result<(), InventoryError>> {
        let preconditions = Preconditions { uid: None, resource_version: Some(version.0.clone()) };
        async move {
            match self.api.delete(&CONFIG_MAP, &self.place, preconditions).await {
                Ok(_) => Ok(()),
                Err(failure) if failure.is_conflict() => Err(InventoryError::Conflict),
                Err(failure) => Err(self.failed(failure, Call::Write, "delete")),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
