//! The service: answers in the shape of the Query protocol, XML with a status.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;

/// What every call has, and what a call is about: no test needs to repeat it.
const NOISE: [&str; 5] =
    ["Action", "Version", "DBClusterIdentifier", "DBInstanceIdentifier", "ReplicationGroupId"];

/// What was sent: the parameters of each call.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

impl Calls {
    /// The actions, in order.
    pub fn actions(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|call| call["Action"].clone()).collect()
    }

    /// The parameters of the only call.
    #[track_caller]
    pub fn only(&self) -> BTreeMap<String, String> {
        let calls = self.0.lock().unwrap();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls[0].clone()
    }

    /// The parameters of the last call.
    #[track_caller]
    pub fn last(&self) -> BTreeMap<String, String> {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    /// The parameters of the only call as `key=value`, without those that every call has.
    #[track_caller]
    pub fn parameters(&self) -> Vec<String> {
        let call = self.only();
        let kept = call.iter().filter(|(key, _)| !NOISE.contains(&key.as_str()));
        kept.map(|(key, value)| format!("{key}={value}")).collect()
    }
}

/// An answer of the service.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    body: String,
}

/// A success with the inside of the result element.
pub fn ok(action: &str, result: &str) -> Answer {
    let body =
        format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    Answer { status: 200, body }
}

/// A refusal.
pub fn refused(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r-1</RequestId></ErrorResponse>"
    );
    Answer { status, body }
}

/// A configuration whose clients get these answers, in this order.
pub fn in_order(answers: Vec<Answer>) -> (SdkConfig, Calls) {
    let answers = Mutex::new(VecDeque::from(answers));
    answering(move |_| {
        let none = || refused(500, "NoAnswerRecorded", "the test expects fewer calls");
        answers.lock().unwrap().pop_front().unwrap_or_else(none)
    })
}

/// A configuration whose clients get an answer by the parameters of each call: for calls that run at the same time.
pub fn answering(
    answer: impl Fn(&BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> (SdkConfig, Calls) {
    let calls = Calls::default();
    let sent = calls.clone();
    let http = infallible_client_fn(move |request| {
        let body = request.body().bytes().unwrap_or_default();
        let call = decode(std::str::from_utf8(body).unwrap());
        let answer = answer(&call);
        sent.0.lock().unwrap().push(call);
        http::Response::builder().status(answer.status).body(SdkBody::from(answer.body)).unwrap()
    });
    let credentials = Credentials::new("id", "key", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    (config, calls)
}

/// Runs a future to its end.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn decode(body: &str) -> BTreeMap<String, String> {
    let text = |part: &str| {
        let mut bytes = Vec::new();
        let mut rest = part.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (text(k), text(v)))
        .collect()
}
