//! AWS on the wire: recorded answers by request line, and a record of what was asked.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_sdk_efs::config::retry::RetryConfig;
use aws_sdk_efs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use futures::FutureExt as _;
use http::Response;
use serde_json::{Value as Json, json};
use zonestack_core::driver::{CallContext, Owner};
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};

use crate::driver::EfsDriver;

/// A status and a body. EC2 speaks XML, which is given as text.
pub(super) type Canned = (u16, Json);

/// A driver whose calls are answered by the first line that the call begins with, and recorded with their bodies.
pub(super) struct Aws {
    pub(super) driver: EfsDriver,
    calls: Arc<Mutex<Vec<(String, Json)>>>,
}

impl Aws {
    /// `answers`: `METHOD /path` without the API's version, or `EC2`, with its answer. A call without one fails the test.
    pub(super) fn new(answers: Vec<(&'static str, Canned)>) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&calls);
        let client = infallible_client_fn(move |request| {
            let body = request.body().bytes().unwrap_or_default();
            let (line, body) = if request.uri().host().unwrap().starts_with("ec2.") {
                let form = String::from_utf8(body.to_vec()).unwrap();
                let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
                (format!("EC2 {}", action.unwrap()), json!(form))
            } else {
                let path = request.uri().path_and_query().unwrap().as_str();
                let path = path.strip_prefix("/2015-02-01").unwrap();
                let body = serde_json::from_slice(body).unwrap_or(Json::Null);
                (format!("{} {path}", request.method()), body)
            };
            record.lock().unwrap().push((line.clone(), body));
            let (status, body) =
                answers.iter().find(|(begin, _)| line.starts_with(begin)).map_or(
                    (418, json!({ "ErrorCode": "NoAnswerForThis", "Message": line })),
                    |a| a.1.clone(),
                );
            let response = Response::builder().status(status);
            let response = match body.get("ErrorCode").and_then(Json::as_str) {
                Some(code) => response.header("x-amzn-errortype", code),
                None => response,
            };
            let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            response.body(text).unwrap()
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
        Self { driver: EfsDriver::new(&config), calls }
    }

    /// What was asked since the last time: method, path and query.
    pub(super) fn lines(&self) -> Vec<String> {
        self.calls.lock().unwrap().drain(..).map(|(line, _)| line).collect()
    }

    /// The only call since the last time.
    pub(super) fn only_call(&self) -> (String, Json) {
        let mut calls: Vec<_> = self.calls.lock().unwrap().drain(..).collect();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }
}

/// An error as EFS writes it.
pub(super) fn refused(status: u16, code: &str, message: &str) -> Canned {
    (status, json!({ "ErrorCode": code, "Message": message }))
}

/// An answer of `DescribeNetworkInterfaces`: interfaces with their groups.
pub(super) fn interfaces(shown: &[(&str, &[&str])]) -> Canned {
    let mut items = String::new();
    for (id, groups) in shown {
        write!(items, "<item><networkInterfaceId>{id}</networkInterfaceId><groupSet>").unwrap();
        for group in *groups {
            write!(items, "<item><groupId>{group}</groupId></item>").unwrap();
        }
        items.push_str("</groupSet></item>");
    }
    let xml = "http://ec2.amazonaws.com/doc/2016-11-15/";
    (
        200,
        json!(format!(
            "<DescribeNetworkInterfacesResponse xmlns=\"{xml}\"><networkInterfaceSet>{items}</networkInterfaceSet></DescribeNetworkInterfacesResponse>"
        )),
    )
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
