//! References to secrets, and values that cannot be printed.
//!
//! A stack file, a plan, an inventory and an event carry a [`SecretRef`] or a [`Generator`], never a value. Values exist as
//! [`Sensitive`] inside the one API call that needs them (design.md, invariant 10).

use std::fmt;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a secret value is kept.
///
/// In a stack file one of `{ secret: {name: …, key: …} }`, `{ env: NAME }`, `{ file: PATH }`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretRef {
    /// A key of a Kubernetes Secret in the stack's namespace.
    Secret(SecretKey),
    /// An environment variable of the process that runs zonestack, read when the value is needed.
    Env(String),
    /// A file on the machine that runs zonestack, read when the value is needed; one trailing line break is dropped.
    File(String),
}

/// A key of a Kubernetes Secret in the stack's namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretKey {
    /// The Secret's name.
    pub name: String,
    /// The key in its data.
    pub key: String,
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(at) => write!(f, "Secret {} key {}", at.name, at.key),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {path}"),
        }
    }
}

/// Whether a key of a stack file is called as secrets are: what stands behind it is then not shown where the key is wrong.
pub(crate) fn names_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["password", "passwd", "secret", "token"].iter().any(|word| key.contains(word))
}

/// How a secret that nobody has yet is made: once, from the operating system's random numbers, by the driver that writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generator {
    /// `[A-Za-z][A-Za-z0-9]*` of this many characters, at least one of each class. The first is a letter, so that no YAML
    /// reader takes it for a number (domain.md, 1.4).
    Alphanumeric(u16),
    /// The same inside `["` and `"]`: a JSON list with one text, as GitLab's Active Record keys want it.
    JsonList(u16),
    /// An RSA private key of 2048 bits in PEM form, indented by this many spaces from its second line on, between a prefix
    /// and a suffix: enough to stand in a block scalar of a YAML template.
    // Fields in alphabetical order: `serde_json` keeps or sorts them, as its feature `preserve_order` is on or off.
    RsaPem {
        /// Spaces before every line of the key but the first.
        indent: u8,
        /// Text before the key.
        prefix: String,
        /// Text after the key.
        suffix: String,
    },
}

/// A value that neither prints nor serialises.
///
/// ```compile_fail
/// println!("{}", zonestack_core::secret::Sensitive::new("x".to_owned()));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the API call that needs it and nothing else.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// Why a secret could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The thing that should hold it is not there.
    #[error("{0} does not exist")]
    Missing(SecretRef),
    /// It is there but could not be read.
    #[error("cannot read {reference}: {reason}")]
    Unreadable {
        /// What was read.
        reference: SecretRef,
        /// Why not.
        reason: String,
    },
}

/// Contract: reads secret values at the last moment.
///
/// # Guarantees
/// A value is returned only inside [`Sensitive`]. Nothing is cached across runs.
///
/// # Errors
/// [`SecretError::Missing`] when the reference points at nothing.
pub trait SecretSource: Send + Sync {
    /// The value behind a reference.
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>>;
}
