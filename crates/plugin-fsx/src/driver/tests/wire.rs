//! AWS on the wire: recorded answers by operation, and a record of what was asked.
//!
//! FSx speaks JSON 1.1: every call is a POST that names its operation in a header, an error names its class in `__type`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_sdk_fsx::config::retry::RetryConfig;
use aws_sdk_fsx::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use futures::FutureExt as _;
use http::Response;
use serde_json::{Value as Json, json};
use zonestack_core::driver::{CallContext, Owner};
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};

use crate::driver::FsxDriver;

const TARGET: &str = "AWSSimbaAPIService_v20180301.";

/// A status and a body. EC2 speaks XML, which is given as text.
pub(super) type Canned = (u16, Json);

/// A driver whose calls are answered by the next answer of their operation, the last one again and again, and recorded with
/// their bodies.
pub(super) struct Aws {
    pub(super) driver: FsxDriver,
    calls: Arc<Mutex<Vec<(String, Json)>>>,
}

impl Aws {
    /// `answers`: the operation with an answer, in order. A call without one fails the test.
    pub(super) fn new(answers: Vec<(&'static str, Canned)>) -> Self {
        let mut queues: BTreeMap<&str, VecDeque<Canned>> = BTreeMap::new();
        for (operation, answer) in answers {
            queues.entry(operation).or_default().push_back(answer);
        }
        let queues = Mutex::new(queues);
        let calls = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&calls);
        let client = infallible_client_fn(move |request| {
            let body = request.body().bytes().unwrap_or_default();
            let (operation, body) = if request.uri().host().unwrap().starts_with("ec2.") {
                let form = String::from_utf8(body.to_vec()).unwrap();
                let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
                (action.unwrap().to_owned(), json!(form))
            } else {
                assert_eq!(request.uri().path(), "/");
                assert_eq!(request.headers()["content-type"], "application/x-amz-json-1.1");
                let target = request.headers()["x-amz-target"].to_str().unwrap();
                let body: Json = serde_json::from_slice(body).unwrap();
                (target.strip_prefix(TARGET).unwrap().to_owned(), body)
            };
            record.lock().unwrap().push((operation.clone(), body));
            let mut queues = queues.lock().unwrap();
            let (status, body) = match queues.get_mut(operation.as_str()) {
                Some(queue) if queue.len() > 1 => queue.pop_front().unwrap(),
                Some(queue) => queue[0].clone(),
                None => refused("NoAnswerForThis", &operation),
            };
            let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            Response::builder().status(status).body(text).unwrap()
        });
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKID",
                "not-a-secret",
                None,
                None,
                "test",
            )))
            .retry_config(RetryConfig::disabled())
            .http_client(client)
            .build();
        Self { driver: FsxDriver::new(&config), calls }
    }

    /// The operations that were asked for since the last time.
    pub(super) fn operations(&self) -> Vec<String> {
        self.calls.lock().unwrap().drain(..).map(|(operation, _)| operation).collect()
    }

    /// The last call since the last time.
    pub(super) fn last_call(&self) -> (String, Json) {
        self.calls.lock().unwrap().drain(..).next_back().unwrap()
    }
}

/// An error as FSx writes it.
pub(super) fn refused(code: &str, message: &str) -> Canned {
    let status = if code == "InternalServerError" { 500 } else { 400 };
    (status, json!({ "__type": code, "Message": message }))
}

/// An answer of `DescribeNetworkInterfaces`: interfaces with their groups.
pub(super) fn interfaces(shown: &[(&str, &[&str])]) -> (&'static str, Canned) {
    let mut items = String::new();
    for (id, groups) in shown {
        write!(items, "<item><networkInterfaceId>{id}</networkInterfaceId><groupSet>").unwrap();
        for group in *groups {
            write!(items, "<item><groupId>{group}</groupId></item>").unwrap();
        }
        items.push_str("</groupSet></item>");
    }
    let xml = "http://ec2.amazonaws.com/doc/2016-11-15/";
    let body = format!(
        "<DescribeNetworkInterfacesResponse xmlns=\"{xml}\"><networkInterfaceSet>{items}</networkInterfaceSet></DescribeNetworkInterfacesResponse>"
    );
    ("DescribeNetworkInterfaces", (200, json!(body)))
}

struct NoSecrets;

impl SecretSource for NoSecrets {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> futures::future::BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        std::future::ready(Err(SecretError::Missing(reference.clone()))).boxed()
    }
}

/// The stack `git` after its first `up`.
pub(super) fn owner() -> Owner {
    Owner {
        stack: "git".to_owned(),
        uid: Some("uid1".to_owned()),
        namespace: "git".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

pub(super) fn cx(owner: &Owner) -> CallContext<'_> {
    CallContext::new(owner, &NoSecrets)
}
