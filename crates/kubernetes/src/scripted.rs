//! An API server that answers from a script.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value as Json, json};
use zonestack_core::driver::{CallContext, Owner, Target};
use zonestack_core::name::Kind;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};

/// An answer to one call: `GET /path`, without the query; status; body.
pub(crate) type Answer = (&'static str, u16, Json);

/// The calls that were made.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<(String, Json)>>>);

impl Calls {
    /// Each call with its query, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }

    /// The body of the call at a place.
    pub(crate) fn body(&self, index: usize) -> Json {
        self.0.lock().unwrap()[index].1.clone()
    }
}

/// A client of a server that gives each answer once, to the first call of its method and path. Every other call gets a
/// status that no test expects.
pub(crate) fn server(answers: Vec<Answer>) -> (kube::Client, Calls) {
    let (service, handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    let calls = Calls::default();
    let log = calls.clone();
    tokio::spawn(async move {
        let mut answers = answers;
        let mut handle = pin!(handle);
        while let Some((request, send)) = handle.next_request().await {
            let line = format!("{} {}", request.method(), request.uri().path());
            let query = request.uri().query().filter(|query| !query.is_empty());
            let full = query.map_or_else(|| line.clone(), |query| format!("{line}?{query}"));
            let bytes = request.into_body().collect().await.unwrap().to_bytes();
            let body = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
            log.0.lock().unwrap().push((full, body));
            let found = answers.iter().position(|(expected, _, _)| *expected == line);
            let (code, body) = match found {
                Some(index) => {
                    let (_, code, body) = answers.remove(index);
                    (code, body)
                }
                None => (418, json!({ "message": format!("not in the script: {line}") })),
            };
            let response = Response::builder().status(code);
            send.send_response(response.body(Body::from(body.to_string().into_bytes())).unwrap());
        }
    });
    (kube::Client::new(service, "default"), calls)
}

/// The body of a refusal.
pub(crate) fn refusal(code: u16, reason: &str, message: &str) -> Json {
    json!({ "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message })
}

/// The body of a 404 for an object.
pub(crate) fn not_found() -> Json {
    refusal(404, "NotFound", "not found")
}

/// A list of objects.
pub(crate) fn list(items: &[Json]) -> Json {
    json!({ "kind": "List", "metadata": {}, "items": items })
}

pub(crate) fn owner() -> Owner {
    Owner {
        stack: "git".to_owned(),
        uid: Some("u1".to_owned()),
        namespace: "dev".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

pub(crate) fn context(owner: &Owner) -> CallContext<'_> {
    CallContext::new(owner, &OneSecret)
}

/// Knows the environment variable `PASSWORD` and nothing else.
pub(crate) struct OneSecret;

impl SecretSource for OneSecret {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> futures::future::BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        Box::pin(async move {
            match reference {
                SecretRef::Env(name) if name == "PASSWORD" => {
                    Ok(Sensitive::new("correct horse".to_owned()))
                }
                _ => Err(SecretError::Missing(reference.clone())),
            }
        })
    }
}

pub(crate) fn target(kind: &str, name: &str) -> Target {
    Target {
        id: "web/thing".parse().unwrap(),
        kind: Kind::new(kind),
        name: Some(name.to_owned()),
        token: None,
        remote_id: None,
        parent: None,
    }
}

/// An object of ours.
pub(crate) fn ours(name: &str) -> Json {
    json!({ "metadata": {
        "name": name,
        "uid": format!("uid-{name}"),
        "resourceVersion": "7",
        "labels": { "zonestack.io/stack": "git", "zonestack.io/uid": "u1" },
    } })
}
