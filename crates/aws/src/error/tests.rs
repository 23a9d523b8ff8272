use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use aws_credential_types::provider::future::ProvideCredentials as Provided;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;

use super::*;
use crate::client::{AwsOptions, load};
use crate::recorded;

fn answer(status: u16, code: &str, message: &str, mutating: bool) -> DriverError {
    let response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
    let mut error = ErrorMetadata::builder().message(message).custom(REQUEST_ID, "req-1");
    if !code.is_empty() {
        error = error.code(code);
    }
    driver_error("SomeCall", SdkError::service_error(error.build(), response), mutating)
}

#[test]
fn an_answer_has_the_class_of_its_code_and_status() {
    use ErrorClass::{
        AlreadyExists, Ambiguous, Busy, Denied, Dependency, Invalid, NotFound, Quota, Throttled,
        Transient, Unsupported,
    };
    let check = |status: u16, code: &str, reading: ErrorClass, mutating: ErrorClass| {
        assert_eq!(answer(status, code, "m", false).class, reading, "reading: {status} {code}");
        assert_eq!(answer(status, code, "m", true).class, mutating, "mutating: {status} {code}");
    };
    let same =
        |status: u16, code: &str, class: ErrorClass| check(status, code, class.clone(), class);
    same(409, "FileSystemAlreadyExists", AlreadyExists);
    same(400, "InvalidGroup.Duplicate", AlreadyExists);
    same(404, "DBInstanceNotFound", NotFound);
    same(409, "IncorrectFileSystemLifeCycleState", Busy);
    same(400, "DependencyViolation", Dependency);
    same(400, "SecurityGroupLimitExceeded", Quota);
    same(400, "ValidationException", Invalid);
    // EC2 throttles with a 503: the call had no effect all the same.
    same(503, "RequestLimitExceeded", Throttled);
    same(400, "Throttling", Throttled);
    // A 5xx of the service itself may have had an effect.
    check(500, "InternalServerError", Transient, Ambiguous);
    check(503, "Unavailable", Transient, Ambiguous);
    check(504, "DependencyTimeout", Transient, Ambiguous);
    check(500, "NeverSeenBefore", Transient, Ambiguous);
    // EFS looks a new security group up too early: refused, so without effect.
    same(400, "SecurityGroupNotFound", Transient);
    same(400, "NeverSeenBefore", Invalid);
    same(403, "NeverSeenBefore", Denied(None));
    same(429, "", Throttled);
    same(404, "", Unsupported);
    same(501, "", Unsupported);
}

#[test]
fn a_denial_names_the_action_and_drops_what_nobody_can_read() {
    let error = answer(
        403,
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:aws:iam::111122223333:user/ci is not authorized to \
         perform: ec2:CreateSecurityGroup on resource: arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1 because no \
         identity-based policy allows the ec2:CreateSecurityGroup action. Encoded authorization failure message: \
         4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcdefg",
        true,
    );
    assert_eq!(error.class, ErrorClass::Denied(Some("ec2:CreateSecurityGroup".to_owned())));
    insta::assert_snapshot!(error.message, @"SomeCall: You are not authorized to perform this operation. User: arn:aws:iam::111122223333:user/ci is not authorized to perform: ec2:CreateSecurityGroup on resource: arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1 because no identity-based policy allows the ec2:CreateSecurityGroup action. (UnauthorizedOperation, request id req-1)");
    let check = |message: &str, action: Option<&str>| {
        assert_eq!(denied_action(message).as_deref(), action, "{message}");
    };
    check(
        "User x is not authorized to perform: rds:AddTagsToResource.",
        Some("rds:AddTagsToResource"),
    );
    check(
        "is not authorized to perform: elasticfilesystem:TagResource on the",
        Some("elasticfilesystem:TagResource"),
    );
    check("Access denied", None);
    check("not authorized to perform: anything", None);
}

/// The error of one call to an endpoint, with our own HTTP client and a single attempt.
async fn call(endpoint: &str, mutating: bool) -> Failure {
    let options = AwsOptions { region: "eu-west-1".to_owned(), ..AwsOptions::default() };
    let config = load(options)
        .await
        .unwrap()
        .into_builder()
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            recorded::credentials(),
        ))
        .retry_config(crate::client::without_retries())
        .endpoint_url(endpoint)
        .build();
    let client = aws_sdk_ec2::Client::new(&config);
    let error = client.describe_vpcs().send().await.unwrap_err();
    failure("DescribeVpcs", error, mutating)
}

/// A server for one request: reads it, gives the answer as it stands, and closes the connection.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = vec![0; 65_536];
        let _read = stream.read(&mut buffer).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_refused_connection_had_no_effect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = call(&endpoint, true).await;
    assert_eq!(failure.class, ErrorClass::Transient);
    assert_eq!(failure.origin, Origin::Connection);
    assert!(failure.message.contains("Connection refused"), "{}", failure.message);
}

#[tokio::test]
async fn a_lost_connection_may_have_had_an_effect() {
    assert_eq!(call(&server(""), true).await.class, ErrorClass::Ambiguous);
    assert_eq!(call(&server(""), false).await.class, ErrorClass::Transient);
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n<DescribeVpcsResponse>";
    let failure = call(&server(half), true).await;
    assert_eq!(failure.class, ErrorClass::Ambiguous, "{}", failure.message);
}

#[tokio::test]
async fn a_page_instead_of_an_answer_says_its_status() {
    let html = "HTTP/1.1 500 INTERNAL SERVER ERROR\r\ncontent-type: text/html\r\ncontent-length: 24\r\nconnection: \
                close\r\n\r\n<!doctype html>\n<p>oops\n";
    let failure = call(&server(html), true).await;
    assert_eq!(failure.class, ErrorClass::Ambiguous, "{}", failure.message);
    assert!(failure.message.contains("HTTP status 500"), "{}", failure.message);
    assert_eq!(call(&server(html), false).await.class, ErrorClass::Transient);
}

#[derive(Debug)]
struct NoCredentials(fn() -> CredentialsError);

impl aws_credential_types::provider::ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::ready(Err((self.0)()))
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let check = async |provider: fn() -> CredentialsError, class: ErrorClass| {
        let config = aws_sdk_ec2::Config::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new("eu-west-1"))
            .credentials_provider(NoCredentials(provider))
            .http_client(infallible_client_fn(|_| -> http::Response<&'static str> {
                panic!("a request was sent")
            }))
            .build();
        let client = aws_sdk_ec2::Client::from_conf(config);
        let error = client.create_key_pair().key_name("k").send().await.unwrap_err();
        let failure = failure("CreateKeyPair", error, true);
        assert_eq!(failure.origin, Origin::Credentials, "{}", failure.message);
        assert_eq!(failure.class, class, "{}", failure.message);
    };
    check(|| CredentialsError::not_loaded("no providers in chain"), ErrorClass::Denied(None)).await;
    let expired = || CredentialsError::provider_error("the SSO session has expired");
    check(expired, ErrorClass::Expired).await;
}

#[test]
fn a_time_out_may_have_had_an_effect() {
    let check = |mutating: bool, class: ErrorClass| {
        let error: SdkError<ErrorMetadata, HttpResponse> = SdkError::timeout_error("60 s");
        assert_eq!(driver_error("CreateFileSystem", error, mutating).class, class);
    };
    check(true, ErrorClass::Ambiguous);
    check(false, ErrorClass::Transient);
}
