//! For tests: clients that answer by the call's name and remember what was really on the wire.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;

/// What was sent: `Action` first, then the form's other fields in order, decoded, such as `GroupId=sg-1`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Every request, one text each.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The calls' names, in order of name: what runs at the same time has no order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let mut calls: Vec<String> = self
            .requests()
            .iter()
            .map(|request| request.lines().next().unwrap_or_default().to_owned())
            .collect();
        calls.sort();
        calls
    }
}

/// The credentials of every test client.
pub(crate) fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", None, None, "test")
}

/// An HTTP client of the query services (EC2, STS): `answer` gets the call's name and its request as [`Log`] keeps it, and
/// gives status and body.
pub(crate) fn query_service(
    answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
) -> (SharedHttpClient, Log) {
    let log = Log::default();
    let sent = log.clone();
    let client = infallible_client_fn(move |request: http::Request<SdkBody>| {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let text = readable(&body);
        let call = text.lines().next().unwrap_or_default().to_owned();
        let (status, body) = answer(&call, &text);
        sent.0.lock().unwrap().push(text);
        let response = http::Response::builder().status(status);
        response.header("x-amzn-requestid", "req-1").body(SdkBody::from(body)).unwrap()
    });
    (client, log)
}

/// An EC2 client on an HTTP client, without retries.
pub(crate) fn ec2(http: SharedHttpClient) -> aws_sdk_ec2::Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(aws_config::Region::new("eu-west-1"))
        .credentials_provider(credentials())
        .retry_config(crate::client::without_retries())
        .http_client(http)
        .build();
    aws_sdk_ec2::Client::from_conf(config)
}

/// An STS client on an HTTP client, without retries.
pub(crate) fn sts(http: SharedHttpClient) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(aws_config::Region::new("eu-west-1"))
        .credentials_provider(credentials())
        .retry_config(crate::client::without_retries())
        .http_client(http)
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

/// An EC2 client that answers by the call's name.
pub(crate) fn ec2_answering(
    answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
) -> (aws_sdk_ec2::Client, Log) {
    let (http, log) = query_service(answer);
    (ec2(http), log)
}

/// An answer of EC2 that has this inside.
pub(crate) fn ec2_ok(call: &str, inside: &str) -> (u16, String) {
    (200, format!("<{call}Response><requestId>req-1</requestId>{inside}</{call}Response>"))
}

/// An error of EC2 in the shape that the service sends.
pub(crate) fn ec2_error(status: u16, code: &str, message: &str) -> (u16, String) {
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
    );
    (status, body)
}

fn readable(form: &str) -> String {
    let mut call = String::new();
    let mut fields = Vec::new();
    for pair in form.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            "Action" => call = decoded(value),
            "Version" => {}
            _ => fields.push(format!("{}={}", decoded(key), decoded(value))),
        }
    }
    std::iter::once(call).chain(fields).collect::<Vec<_>>().join("\n")
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                let hex = String::from_utf8(hex).unwrap();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}
