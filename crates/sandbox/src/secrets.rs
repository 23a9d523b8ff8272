//! The sandbox as a source of secret values.
//!
//! No value is kept in the world. A generated one is derived again from the world's seed whenever it is read; a given one
//! is read again from where it was given, and where that is gone a stand-in is derived: nobody but the model uses it.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value as Json;
use zonestack_core::secret::{
    Generator, SecretError, SecretKey, SecretRef, SecretSource, Sensitive,
};
use zonestack_core::value::{as_generator, as_secret};

use crate::digest::generated;
use crate::gate::{Purpose, Sandbox, Turn};
use crate::log::Operation;

/// Reads a value from outside by its name or path: the value, `None` when there is none, or why it cannot be read.
pub type SecretReader = Arc<dyn Fn(&str) -> Result<Option<String>, String> + Send + Sync>;

/// Secret values of a namespace of the sandbox, and from outside.
#[derive(Clone)]
pub struct SandboxSecrets {
    sandbox: Sandbox,
    namespace: String,
    environment: SecretReader,
    file: SecretReader,
}

/// What is found in a Secret.
enum Found {
    Value(String),
    Given(SecretRef, String),
}

impl SandboxSecrets {
    pub(crate) fn new(
        sandbox: Sandbox,
        namespace: &str,
        environment: SecretReader,
        file: SecretReader,
    ) -> Self {
        Self { sandbox, namespace: namespace.to_owned(), environment, file }
    }

    fn outside(&self, reference: &SecretRef) -> Result<String, SecretError> {
        let (read, name) = match reference {
            SecretRef::Env(name) => (&self.environment, name),
            SecretRef::File(path) => (&self.file, path),
            SecretRef::Secret(_) => return Err(SecretError::Missing(reference.clone())),
        };
        match read(name) {
            Ok(Some(value)) if matches!(reference, SecretRef::File(_)) => {
                let line = value.strip_suffix('\n').unwrap_or(&value);
                Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
            }
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(SecretError::Missing(reference.clone())),
            Err(reason) => Err(SecretError::Unreadable { reference: reference.clone(), reason }),
        }
    }

    fn find(&self, turn: &Turn<'_>, at: &SecretKey) -> Result<Found, SecretError> {
        let reference = || SecretRef::Secret(at.clone());
        let full = format!("{}/{}", self.namespace, at.name);
        let secret = turn.world.resources.iter().find(|found| {
            found.kubernetes() == Some("Secret") && found.name.as_deref() == Some(full.as_str())
        });
        let missing = || SecretError::Missing(reference());
        let secret = secret.ok_or_else(missing)?;
        let plain = secret.spec.get("stringData").and_then(|map| map.get(&at.key));
        let value = plain.or_else(|| secret.spec.get("data")?.get(&at.key));
        let value = value.ok_or_else(missing)?;
        let derived = |generator: &Generator| {
            let parts = ["secret", &full, &at.key, &secret.remote_id];
            generated(turn.world.seed, &parts, generator)
        };
        if let Some(generator) = as_generator(value) {
            return Ok(Found::Value(derived(&generator)));
        }
        if let Some(given) = as_secret(value) {
            return Ok(Found::Given(given, derived(&Generator::Alphanumeric(32))));
        }
        match plain.and_then(Json::as_str) {
            Some(text) => Ok(Found::Value(text.to_owned())),
            None => Err(SecretError::Unreadable {
                reference: reference(),
                reason: "the sandbox reads no base64; write it under stringData".to_owned(),
            }),
        }
    }

    async fn inside(&self, at: &SecretKey) -> Result<String, SecretError> {
        let failed = |error: zonestack_core::driver::DriverError| SecretError::Unreadable {
            reference: SecretRef::Secret(at.clone()),
            reason: error.message,
        };
        let purpose = Purpose::read(Operation::ReadSecret);
        match self.sandbox.call(purpose, failed, |turn| self.find(turn, at)).await? {
            Found::Value(value) => Ok(value),
            Found::Given(given, stand_in) => Ok(self.outside(&given).unwrap_or(stand_in)),
        }
    }
}

impl SecretSource for SandboxSecrets {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        async move {
            let value = match reference {
                SecretRef::Secret(at) => self.inside(at).await,
                outside => self.outside(outside),
            };
            value.map(Sensitive::new)
        }
        .boxed()
    }
}
