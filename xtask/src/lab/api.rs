//! The little of the Kubernetes API that the lab itself needs.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::files::{self, FileError};

/// A request to the API server failed.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} holds no certificate of the API server", path)]
    Certificate { path: String, source: ureq::Error },
    #[error("the API server did not answer {request}")]
    Send { request: String, source: ureq::Error },
    #[error("the API server refused {request}: {status}: {message}")]
    Refused { request: String, status: StatusCode, message: String },
}

/// A client of the API server.
pub(crate) struct Api {
    agent: Agent,
    server: String,
    authorization: String,
}

impl Api {
    /// Trusts the certificate that the API server has made for itself.
    pub(crate) fn new(server: &str, certificate: &Path, token: &str) -> Result<Self, ApiError> {
        let pem = files::read(certificate)?;
        let roots: Vec<Certificate<'static>> = parse_pem(pem.as_bytes())
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
                Ok(_) => None,
                Err(source) => Some(Err(source)),
            })
            .collect::<Result<_, _>>()
            .map_err(|source| ApiError::Certificate {
                path: certificate.display().to_string(),
                source,
            })?;
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            .user_agent("zonestack-xtask")
            .timeout_global(Some(Duration::from_secs(10)));
        Ok(Self {
            agent: config.build().new_agent(),
            server: server.to_owned(),
            authorization: format!("Bearer {token}"),
        })
    }

    pub(crate) fn is_ready(&self) -> bool {
        let answer = self
            .agent
            .get(format!("{}/readyz", self.server))
            .header("authorization", &self.authorization)
            .call();
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value, ApiError> {
        let request = self.agent.get(format!("{}{path}", self.server));
        let answer = request.header("authorization", &self.authorization).call();
        Self::answer(format!("GET {path}"), answer)
    }

    /// Creates an object; one that is there already is left as it is.
    pub(crate) fn create(&self, path: &str, object: &Value) -> Result<(), ApiError> {
        let request = self.agent.post(format!("{}{path}", self.server));
        let answer = request
            .header("authorization", &self.authorization)
            .content_type("application/json")
            .send(object.to_string());
        match Self::answer(format!("POST {path}"), answer) {
            Err(ApiError::Refused { status: StatusCode::CONFLICT, .. }) => Ok(()),
            result => result.map(drop),
        }
    }

    /// Deletes an object; fine when there is none.
    pub(crate) fn delete(&self, path: &str) -> Result<(), ApiError> {
        let request = self.agent.delete(format!("{}{path}", self.server));
        let answer = request.header("authorization", &self.authorization).call();
        match Self::answer(format!("DELETE {path}"), answer) {
            Err(ApiError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(()),
            result => result.map(drop),
        }
    }

    fn answer(
        request: String,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, ApiError> {
        let read = answer.and_then(|mut answer| {
            let body = answer.body_mut().with_config().limit(64 * 1024 * 1024).read_to_string()?;
            Ok((answer.status(), body))
        });
        let (status, body) = match read {
            Ok(read) => read,
            Err(source) => return Err(ApiError::Send { request, source }),
        };
        let value: Value = serde_json::from_str(&body).unwrap_or(Value::String(body));
        if status.is_success() {
            return Ok(value);
        }
        let message = value["message"].as_str().or_else(|| value.as_str()).unwrap_or_default();
        Err(ApiError::Refused { message: message.to_owned(), request, status })
    }
}
