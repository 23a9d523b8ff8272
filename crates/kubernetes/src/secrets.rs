//! Where secret values come from: Secrets of the stack's namespace, the environment, files. Each is read when it is needed.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use zonestack_core::secret::{SecretError, SecretKey, SecretRef, SecretSource, Sensitive};

use crate::api::{ApiServer, Detail, Place};
use crate::kinds::SECRET;

/// Reads a variable of the environment; `None` when it is not set.
pub type ReadEnv = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Reads a file as text.
pub type ReadFile = Arc<dyn Fn(&str) -> io::Result<String> + Send + Sync>;

/// Secret values of a stack. The environment and the files are the command line's to read, so it gives the ways in.
pub struct KubernetesSecrets {
    api: ApiServer,
    namespace: String,
    env: ReadEnv,
    file: ReadFile,
}

impl KubernetesSecrets {
    /// The secrets of a stack's namespace, with ways to the environment and to files.
    pub fn new(client: kube::Client, namespace: &str, env: ReadEnv, file: ReadFile) -> Self {
        Self { api: ApiServer::new(client), namespace: namespace.to_owned(), env, file }
    }

    async fn of_cluster(&self, at: &SecretKey) -> Result<Sensitive<String>, SecretError> {
        let reference = || SecretRef::Secret(at.clone());
        let unreadable =
            |reason: String| SecretError::Unreadable { reference: reference(), reason };
        let place = Place::in_namespace(&self.namespace, &at.name);
        let object = self.api.get(&SECRET, &place, Detail::Object).await;
        let object = object.map_err(|failure| unreadable(failure.to_string()))?;
        let encoded = object.as_ref().and_then(|object| object["data"][&at.key].as_str());
        let encoded = encoded.ok_or_else(|| SecretError::Missing(reference()))?;
        let text = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(Sensitive::new).ok_or_else(|| unreadable("its value is no text".to_owned()))
    }

    fn of_file(&self, path: &str) -> Result<Sensitive<String>, SecretError> {
        let reference = SecretRef::File(path.to_owned());
        match (self.file)(path) {
            Ok(text) => Ok(Sensitive::new(without_line_break(&text).to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SecretError::Missing(reference))
            }
            Err(error) => Err(SecretError::Unreadable { reference, reason: error.to_string() }),
        }
    }
}

/// The text without the one line break that editors put at its end.
fn without_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

impl SecretSource for KubernetesSecrets {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        async move {
            match reference {
                SecretRef::Secret(at) => self.of_cluster(at).await,
                SecretRef::Env(name) => (self.env)(name)
                    .map(Sensitive::new)
                    .ok_or_else(|| SecretError::Missing(reference.clone())),
                SecretRef::File(path) => self.of_file(path),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
