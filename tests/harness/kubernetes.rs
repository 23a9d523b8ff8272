//! The API server, as the tests ask it: with a user of their own, which the audit log leaves out.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// How long the controllers may take to bring about what was asked.
const SETTLED: Duration = Duration::from_mins(1);
const STEP: Duration = Duration::from_millis(100);

/// Trust in the lab's API server, and in nobody else.
pub(super) fn trust(facts: &Value) -> TlsConfig {
    let pem = fs::read(facts["certificate"].as_str().unwrap()).unwrap();
    let roots: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item.unwrap() {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build()
}

pub(crate) struct Kubernetes {
    agent: Agent,
    server: String,
    authorization: String,
}

impl Kubernetes {
    pub(super) fn new(facts: &Value) -> Self {
        let text = |key: &str| facts[key].as_str().unwrap();
        let config = Agent::config_builder()
            .tls_config(trust(facts))
            .proxy(None)
            .http_status_as_error(false)
            .user_agent("zonestack-xtask")
            .timeout_global(Some(Duration::from_secs(20)));
        Self {
            agent: config.build().new_agent(),
            server: text("server").to_owned(),
            authorization: format!("Bearer {}", text("xtaskToken")),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    /// An object or a list; `None` when there is none.
    #[track_caller]
    pub(crate) fn find(&self, path: &str) -> Option<Value> {
        let request = self.agent.get(self.url(path)).header("authorization", &self.authorization);
        let (status, body) = answer(request.call());
        match status {
            200 => Some(body),
            404 => None,
            other => panic!("GET {path}: {other}: {body}"),
        }
    }

    /// An object or a list that is there.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.find(path).unwrap_or_else(|| panic!("{path} is not there"))
    }

    /// The items of a list.
    #[track_caller]
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        match self.get(path)["items"].take() {
            Value::Array(items) => items,
            other => panic!("{path}: {other}"),
        }
    }

    /// Patches an object as a field manager. The answer's status code, and what it says.
    pub(crate) fn patch(
        &self,
        path: &str,
        manager: &str,
        content_type: &str,
        change: &Value,
    ) -> (u16, Value) {
        let sign = if path.contains('?') { '&' } else { '?' };
        let request = self
            .agent
            .patch(self.url(&format!("{path}{sign}fieldManager={manager}")))
            .header("authorization", &self.authorization)
            .content_type(content_type);
        answer(request.send(change.to_string()))
    }

    /// Changes some fields of an object, as `kubectl edit` does.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, change: &Value) {
        let kind = "application/strategic-merge-patch+json";
        let (status, body) = self.patch(path, "kubectl-edit", kind, change);
        assert_eq!(status, 200, "PATCH {path}: {body}");
    }

    /// Makes an object; `path` is its collection's.
    #[track_caller]
    pub(crate) fn create(&self, path: &str, object: &Value) {
        let request = self.agent.post(self.url(path)).content_type("application/json");
        let request = request.header("authorization", &self.authorization);
        let (status, body) = answer(request.send(object.to_string()));
        assert_eq!(status, 201, "POST {path}: {body}");
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) {
        let request = self.agent.delete(self.url(path));
        let (status, body) = answer(request.header("authorization", &self.authorization).call());
        assert!([200, 202].contains(&status), "DELETE {path}: {status}: {body}");
    }

    /// Asks until something holds.
    #[track_caller]
    pub(crate) fn eventually<T>(&self, what: &str, mut probe: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + SETTLED;
        loop {
            if let Some(found) = probe(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what}: not within {SETTLED:?}");
            thread::sleep(STEP);
        }
    }
}

fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut answer = answer.unwrap();
    let body = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&body).unwrap_or(Value::String(body)))
}
