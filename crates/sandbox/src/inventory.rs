//! The sandbox as the place of a stack's inventory.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use zonestack_core::driver::{DriverError, ErrorClass};
use zonestack_core::inventory::{Inventory, InventoryError, InventoryStore, Version};

use crate::gate::{Purpose, Sandbox};
use crate::log::Operation;
use crate::world::{InventoryText, Mark, World};

/// Keeps a stack's inventory in its namespace of the sandbox's cluster. It goes when the namespace goes.
#[derive(Clone)]
pub struct SandboxInventory {
    sandbox: Sandbox,
    stack: String,
    namespace: String,
}

impl SandboxInventory {
    pub(crate) fn new(sandbox: Sandbox, stack: &str, namespace: &str) -> Self {
        Self { sandbox, stack: stack.to_owned(), namespace: namespace.to_owned() }
    }

    fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.stack)
    }

    fn purpose(&self, operation: Operation) -> Purpose<'_> {
        Purpose { operation, stack: &self.stack, kind: None, id: None, entries: None }
    }

    fn write(
        &self,
        world: &mut World,
        inventory: &Inventory,
        replaces: Option<&Version>,
    ) -> Result<Version, InventoryError> {
        let found = world.inventories.get(&self.key()).map(InventoryText::version);
        if found.as_ref() != replaces {
            return Err(InventoryError::Conflict);
        }
        match world.namespace(&self.namespace) {
            Some(namespace) if namespace.deletion.is_some() && replaces.is_none() => {
                let message = format!("namespace {} is being terminated", self.namespace);
                return Err(InventoryError::Unreachable(message));
            }
            Some(_) => {}
            None => {
                let mark = Mark { stack: self.stack.clone(), uid: inventory.uid.clone() };
                world.make_namespace(&self.namespace, mark);
            }
        }
        world.count += 1;
        let written = InventoryText { version: world.count, text: inventory.to_text() };
        let version = written.version();
        world.inventories.insert(self.key(), written);
        Ok(version)
    }
}

impl InventoryText {
    fn version(&self) -> Version {
        Version(self.version.to_string())
    }
}

fn unreachable(error: DriverError) -> InventoryError {
    match error.class {
        ErrorClass::Denied(_) => InventoryError::Denied(error.message),
        ErrorClass::AlreadyExists => InventoryError::Conflict,
        _ => InventoryError::Unreachable(error.message),
    }
}

impl InventoryStore for SandboxInventory {
    fn load(&self) -> BoxFuture<'_, Result<Option<(Inventory, Version)>, InventoryError>> {
        self.sandbox
            .call(self.purpose(Operation::LoadInventory), unreachable, |turn| {
                let Some(found) = turn.world.inventories.get(&self.key()) else { return Ok(None) };
                Ok(Some((Inventory::from_text(&found.text)?, found.version())))
            })
            .boxed()
    }

    fn save<'a>(
        &'a self,
        inventory: &'a Inventory,
        replaces: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Version, InventoryError>> {
        let purpose =
            Purpose { entries: Some(&inventory.entries), ..self.purpose(Operation::SaveInventory) };
        self.sandbox
            .call(purpose, unreachable, move |turn| self.write(turn.world, inventory, replaces))
            .boxed()
    }

    fn claimed_uid(&self) -> BoxFuture<'_, Result<Option<String>, InventoryError>> {
        self.sandbox
            .call(self.purpose(Operation::LoadInventory), unreachable, |turn| {
                let owner =
                    turn.world.namespace(&self.namespace).and_then(|found| found.owner.clone());
                Ok(owner.filter(|mark| mark.stack == self.stack).map(|mark| mark.uid))
            })
            .boxed()
    }

    fn remove<'a>(&'a self, version: &'a Version) -> BoxFuture<'a, Result<(), InventoryError>> {
        self.sandbox
            .call(self.purpose(Operation::RemoveInventory), unreachable, |turn| {
                let inventories = &mut turn.world.inventories;
                match inventories.get(&self.key()) {
                    Some(found) if found.version() != *version => Err(InventoryError::Conflict),
                    _ => {
                        inventories.remove(&self.key());
                        Ok(())
                    }
                }
            })
            .boxed()
    }
}
