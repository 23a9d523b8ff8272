//! What can happen to a request, and the services' own words for it.

use serde_json::json;

use super::message::Answer;
use super::operation::Protocol;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// SIGKILL, and it is not forwarded.
    KillBefore,
    /// SIGKILL once it had its effect.
    KillAfter,
    /// The connection is reset; it is not forwarded.
    Reset,
    /// It had its effect, and the connection ends without an answer.
    DropAnswer,
    /// It had its effect, and the answer ends in its middle.
    Truncate,
    /// 503; it is not forwarded.
    UnavailableBefore,
    /// It had its effect, and the answer is 503.
    UnavailableAfter,
    /// The service wants fewer requests; it is not forwarded.
    Throttle,
    /// Everything in order, but late.
    Delay,
}

impl Fault {
    /// What ends a request and not the run.
    pub(crate) const TROUBLES: [Self; 7] = [
        Self::Reset,
        Self::DropAnswer,
        Self::Truncate,
        Self::UnavailableBefore,
        Self::UnavailableAfter,
        Self::Throttle,
        Self::Delay,
    ];
}

impl Protocol {
    /// "Not now": the service's fault.
    pub(super) fn unavailable(self) -> Answer {
        let message = "The service is unavailable. Please try again shortly.";
        match self {
            Self::Ec2 => ec2(503, "Unavailable", message),
            Self::Query => query(503, "Receiver", "ServiceUnavailable", message),
            Self::RestJson => rest_json(503, "ServiceUnavailableException", message),
            Self::Kubernetes => status(503, "ServiceUnavailable", message, &[]),
        }
    }

    /// "Not so fast": the caller's fault.
    pub(super) fn throttled(self) -> Answer {
        let message = "Rate exceeded";
        match self {
            Self::Ec2 => ec2(503, "RequestLimitExceeded", message),
            Self::Query => query(400, "Sender", "Throttling", message),
            Self::RestJson => rest_json(429, "ThrottlingException", message),
            Self::Kubernetes => {
                let message =
                    "the server has received too many requests and has asked us to try again later";
                status(429, "TooManyRequests", message, &[("retry-after", "1")])
            }
        }
    }
}

const XML: (&str, &str) = ("content-type", "text/xml;charset=UTF-8");
const REQUEST: &str = "59dbff89-35bd-4eac-99ed-be587EXAMPLE";

fn ec2(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors>{error}</Errors><RequestID>{REQUEST}</RequestID></Response>"
    );
    Answer::new(status, &[XML], body)
}

fn query(status: u16, at_fault: &str, code: &str, message: &str) -> Answer {
    let error = format!("<Type>{at_fault}</Type><Code>{code}</Code><Message>{message}</Message>");
    let body = format!(
        "<ErrorResponse><Error>{error}</Error><RequestId>{REQUEST}</RequestId></ErrorResponse>"
    );
    Answer::new(status, &[XML], body)
}

fn rest_json(status: u16, name: &str, message: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("x-amzn-errortype", name)];
    Answer::new(status, &headers, json!({ "ErrorCode": name, "Message": message }).to_string())
}

fn status(code: u16, reason: &str, message: &str, more: &[(&str, &str)]) -> Answer {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {},
        "status": "Failure", "message": message, "reason": reason, "code": code,
    });
    let headers: Vec<(&str, &str)> =
        more.iter().copied().chain([("content-type", "application/json")]).collect();
    Answer::new(code, &headers, body.to_string())
}
