//! What the parts of the control plane know each other by: tokens, the service accounts' key, kubeconfigs.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use thiserror::Error;

use super::files::{self, FileError};

/// Credentials cannot be made.
#[derive(Debug, Error)]
pub(crate) enum CredentialError {
    #[error("no random numbers for a token")]
    Random(#[source] getrandom::Error),
    #[error("the system gave no random numbers for the service accounts' key")]
    Key,
    #[error(transparent)]
    File(#[from] FileError),
}

/// A program that speaks to the API server. Each is a user of its own, so that the audit log can tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// The tests and the developer.
    Admin,
    ControllerManager,
    Scheduler,
    Kwok,
    Xtask,
}

impl User {
    const ALL: [Self; 5] =
        [Self::Admin, Self::ControllerManager, Self::Scheduler, Self::Kwok, Self::Xtask];

    fn name(self) -> &'static str {
        match self {
            Self::Admin => "lab:admin",
            Self::ControllerManager => "system:kube-controller-manager",
            Self::Scheduler => "system:kube-scheduler",
            Self::Kwok => "lab:kwok",
            Self::Xtask => "lab:xtask",
        }
    }
}

/// The users' tokens.
pub(crate) struct Tokens(Vec<(User, String)>);

impl Tokens {
    pub(crate) fn new() -> Result<Self, CredentialError> {
        User::ALL
            .into_iter()
            .map(|user| {
                let mut bytes = [0; 16];
                getrandom::fill(&mut bytes).map_err(CredentialError::Random)?;
                Ok((user, format!("{:032x}", u128::from_be_bytes(bytes))))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn of(&self, user: User) -> &str {
        self.0.iter().find(|(other, _)| *other == user).map_or("", |(_, token)| token)
    }

    /// The file for `--token-auth-file`: everyone is in `system:masters`.
    pub(crate) fn write(&self, path: &Path) -> Result<(), FileError> {
        let lines: Vec<String> = self
            .0
            .iter()
            .map(|(user, token)| {
                format!("{token},{name},{name},system:masters\n", name = user.name())
            })
            .collect();
        files::write(path, &lines.concat())
    }
}

/// What stands before the point in the DER form of a public key on the curve P-256.
const P256_PUBLIC_KEY: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Makes the key that signs service accounts' tokens, and the one that checks them.
pub(crate) fn write_service_account_keys(
    private: &Path,
    public: &Path,
) -> Result<(), CredentialError> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| CredentialError::Key)?;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random)
        .map_err(|_| CredentialError::Key)?;
    // The API server does not derive the public key from this form of the private one.
    let point = [&P256_PUBLIC_KEY, pair.public_key().as_ref()].concat();
    files::write(private, &pem("PRIVATE KEY", key.as_ref()))?;
    Ok(files::write(public, &pem("PUBLIC KEY", &point))?)
}

fn pem(label: &str, der: &[u8]) -> String {
    // 48 bytes are a line of 64 characters.
    let lines: Vec<String> = der.chunks(48).map(|bytes| STANDARD.encode(bytes) + "\n").collect();
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", lines.concat())
}

/// A kubeconfig with one context, `lab`. JSON is YAML too.
pub(crate) fn write_kubeconfig(
    path: &Path,
    server: &str,
    certificate: &Path,
    token: &str,
) -> Result<(), FileError> {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "lab",
            "cluster": { "server": server, "certificate-authority": certificate },
        }],
        "users": [{ "name": "lab", "user": { "token": token } }],
        "contexts": [{ "name": "lab", "context": { "cluster": "lab", "user": "lab" } }],
        "current-context": "lab",
    });
    files::write(path, &format!("{kubeconfig:#}\n"))
}
