//! What the proxy stands for: an emulator of AWS, and the real API server.

use std::io::{self, Read, Write};
use std::time::Duration;

use ureq::http::Response;
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

use super::message::{Answer, Request, head, is_hop_by_hop};

const LIMIT: Duration = Duration::from_secs(30);

/// Both.
pub(crate) struct Upstreams {
    pub(crate) aws: Upstream,
    pub(crate) kubernetes: Upstream,
}

impl Upstreams {
    pub(super) fn of(&self, is_kubernetes: bool) -> &Upstream {
        if is_kubernetes { &self.kubernetes } else { &self.aws }
    }
}

/// One server.
pub(crate) struct Upstream {
    agent: Agent,
    base: String,
    /// Sent in place of the program's own.
    authorization: Option<String>,
}

impl Upstream {
    pub(crate) fn new(base: &str, tls: Option<TlsConfig>, authorization: Option<String>) -> Self {
        let config = Agent::config_builder()
            .tls_config(tls.unwrap_or_default())
            .proxy(None)
            .http_status_as_error(false)
            .timeout_resolve(Some(LIMIT))
            .timeout_connect(Some(LIMIT))
            .timeout_recv_response(Some(LIMIT));
        let base = base.trim_end_matches('/').to_owned();
        Self { agent: config.build().new_agent(), base, authorization }
    }

    /// Sends a request and reads the whole answer.
    pub(super) fn send(&self, request: &Request) -> io::Result<Answer> {
        let mut answer = self.call(request)?;
        let body = answer.body_mut().with_config().limit(64 << 20).read_to_vec();
        let body = body.map_err(io::Error::other)?;
        Ok(Answer { status: answer.status().as_u16(), headers: headers(&answer), body })
    }

    /// Sends a request and passes the answer on as it comes, chunk by chunk.
    pub(super) fn pass(&self, request: &Request, to: &mut impl Write) -> io::Result<()> {
        let answer = self.call(request)?;
        let chunked = "transfer-encoding: chunked\r\n";
        to.write_all(head(answer.status().as_u16(), &headers(&answer), chunked).as_bytes())?;
        let mut body = answer.into_body().into_reader();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = body.read(&mut buffer)?;
            to.write_all(format!("{count:x}\r\n").as_bytes())?;
            to.write_all(&buffer[..count])?;
            to.write_all(b"\r\n")?;
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn call(&self, request: &Request) -> io::Result<Response<Body>> {
        let url = format!("{}{}", self.base, request.target);
        let own = self.authorization.as_deref().map(|value| ("authorization", value));
        let headers = request
            .headers()
            .filter(|(name, _)| own.is_none() || !name.eq_ignore_ascii_case("authorization"))
            .chain(own);
        let answer = match request.method.as_str() {
            method @ ("GET" | "DELETE") if request.body.is_empty() => {
                let new =
                    if method == "GET" { self.agent.get(url) } else { self.agent.delete(url) };
                headers.fold(new, |all, (name, value)| all.header(name, value)).call()
            }
            method => {
                let new = match method {
                    "POST" => self.agent.post(url),
                    "PUT" => self.agent.put(url),
                    "PATCH" => self.agent.patch(url),
                    "DELETE" => self.agent.delete(url).force_send_body(),
                    other => return Err(io::Error::other(format!("{other} is not passed on"))),
                };
                headers.fold(new, |all, (name, value)| all.header(name, value)).send(&request.body)
            }
        };
        answer.map_err(io::Error::other)
    }
}

fn headers(answer: &Response<Body>) -> Vec<(String, String)> {
    let kept = answer.headers().iter().filter(|(name, _)| !is_hop_by_hop(name.as_str()));
    kept.map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    })
    .collect()
}
