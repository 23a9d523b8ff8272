//! What a request asks for: an operation with a name that is the same in every run.

use serde_json::Value;

use super::super::without_ids;
use super::message::Request;

/// The forms in which services say that something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// EC2's own XML.
    Ec2,
    /// The query protocol: RDS, ElastiCache, STS.
    Query,
    /// JSON with the error's name in a header: EFS.
    RestJson,
    /// A `Status` object.
    Kubernetes,
}

/// An operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) protocol: Protocol,
    /// Service and action, or method and path; ids and the stack's name are left out.
    pub(super) name: String,
    /// Whether it changes something.
    pub(super) changes: bool,
}

impl Operation {
    pub(super) fn of(request: &Request, is_kubernetes: bool, stack: &str) -> Self {
        let found = if is_kubernetes { of_kubernetes(request) } else { of_aws(request) };
        Self { name: without_ids(&found.name.replace(stack, "NAME")), ..found }
    }
}

fn of_kubernetes(request: &Request) -> Operation {
    let path = request.target.split('?').next().unwrap_or_default();
    // The path of what is made has no name.
    let body: Value = match request.method.as_str() {
        "POST" => serde_json::from_slice(&request.body).unwrap_or_default(),
        _ => Value::Null,
    };
    let made = body["metadata"]["name"].as_str();
    let made = made.map(|name| format!(" ({name})")).unwrap_or_default();
    Operation {
        protocol: Protocol::Kubernetes,
        name: format!("{} {path}{made}", request.method),
        changes: request.method != "GET",
    }
}

fn of_aws(request: &Request) -> Operation {
    // `Credential=KEY/DATE/REGION/SERVICE/aws4_request`
    let service = request
        .header("authorization")
        .and_then(|header| header.split("Credential=").nth(1)?.split(['/', ',']).nth(3))
        .unwrap_or("unsigned");
    if service == "elasticfilesystem" {
        let path = request.target.split('?').next().unwrap_or_default();
        return Operation {
            protocol: Protocol::RestJson,
            name: format!("{service} {} {path}", request.method),
            changes: request.method != "GET",
        };
    }
    let body = String::from_utf8_lossy(&request.body);
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or("?");
    Operation {
        protocol: if service == "ec2" { Protocol::Ec2 } else { Protocol::Query },
        name: format!("{service} {action}"),
        changes: !["Describe", "Get", "List"].iter().any(|read| action.starts_with(read)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_kubernetes: bool, text: &str, name: &str, changes: bool) {
        let request = Request::read(&mut text.as_bytes()).unwrap().unwrap();
        let operation = Operation::of(&request, is_kubernetes, "mine");
        assert_eq!((operation.name.as_str(), operation.changes), (name, changes));
    }

    #[test]
    fn names_are_the_same_in_every_run() {
        check(
            true,
            "DELETE /api/v1/namespaces/mine/secrets/mine-db?x=y HTTP/1.1\r\n\r\n",
            "DELETE /api/v1/namespaces/NAME/secrets/NAME-db",
            true,
        );
        check(
            true,
            "POST /api/v1/namespaces HTTP/1.1\r\ncontent-length: 28\r\n\r\n{\"metadata\":{\"name\":\"mine\"}}",
            "POST /api/v1/namespaces (NAME)",
            true,
        );
        let signed = "authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1";
        check(
            false,
            &format!(
                "POST / HTTP/1.1\r\n{signed}/rds/aws4_request, x\r\ncontent-length: 29\r\n\r\nAction=DescribeDBInstances&a=b"
            ),
            "rds DescribeDBInstances",
            false,
        );
        check(
            false,
            &format!(
                "DELETE /2015-02-01/mount-targets/fsmt-0123456789abcdef0 HTTP/1.1\r\n{signed}/elasticfilesystem/x, y\r\n\r\n"
            ),
            "elasticfilesystem DELETE /2015-02-01/mount-targets/fsmt-…",
            true,
        );
    }
}
