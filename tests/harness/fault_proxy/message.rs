//! Requests and answers of HTTP/1.1.

use std::fmt::Write;
use std::io::{self, BufRead, ErrorKind, Read};

/// A request, read whole.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What concerns one connection only.
const HOP_BY_HOP: [&str; 6] =
    ["connection", "content-length", "host", "keep-alive", "te", "transfer-encoding"];

pub(super) fn is_hop_by_hop(header: &str) -> bool {
    HOP_BY_HOP.iter().any(|name| header.eq_ignore_ascii_case(name))
}

impl Request {
    /// The next request of a connection; `None` when it has ended.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(first) = line(from)? else { return Ok(None) };
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("no request: {first}")));
        };
        let (method, target) = (method.to_owned(), target.to_owned());
        let mut headers = Vec::new();
        loop {
            let line = line(from)?.ok_or(ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut request = Self { method, target, headers, body: Vec::new() };
        request.body = request.read_body(from)?;
        Ok(Some(request))
    }

    fn read_body(&self, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("transfer-encoding").is_some() {
            loop {
                let line = line(from)?.ok_or(ErrorKind::UnexpectedEof)?;
                let size = line.split(';').next().unwrap_or_default();
                let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
                from.by_ref().take(size).read_to_end(&mut body)?;
                let end = self::line(from)?;
                if size == 0 {
                    return Ok(body);
                }
                end.ok_or(ErrorKind::UnexpectedEof)?;
            }
        }
        let length = self.header("content-length").map_or(Ok(0), str::parse);
        body.resize(length.map_err(io::Error::other)?, 0);
        from.read_exact(&mut body)?;
        Ok(body)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// What is forwarded.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let kept = self.headers.iter().filter(|(name, _)| !is_hop_by_hop(name));
        kept.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether the answer comes bit by bit, for as long as somebody listens.
    pub(super) fn is_watch(&self) -> bool {
        self.target.contains("watch=true") || self.target.contains("watch=1")
    }
}

/// A line without its end; `None` at the end of the stream.
fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// An answer of the proxy's own.
    pub(super) fn new(status: u16, headers: &[(&str, &str)], body: String) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { status, headers: headers.collect(), body: body.into_bytes() }
    }

    /// The message.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let length = format!("content-length: {}\r\n", self.body.len());
        // Such an answer has no body, nor the length of one.
        let length = if [204, 304].contains(&self.status) { "" } else { &length };
        let mut bytes = head(self.status, &self.headers, length).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The message up to the middle of its body; of its head, when there is no body.
    pub(super) fn truncated(&self) -> Vec<u8> {
        let mut bytes = self.bytes();
        let head = bytes.len() - self.body.len();
        bytes.truncate(if self.body.is_empty() { head / 2 } else { head + self.body.len() / 2 });
        bytes
    }
}

/// An answer's first lines; `more` are whole header lines.
pub(super) fn head(status: u16, headers: &[(String, String)], more: &str) -> String {
    let mut head = format!("HTTP/1.1 {status} \r\n{more}");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    head
}

#[test]
fn requests_are_read_one_after_the_other() {
    let mut bytes = &b"POST /a?b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPUT /c HTTP/1.1\r\n\
        Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"[..];
    let mut seen = Vec::new();
    while let Some(request) = Request::read(&mut bytes).unwrap() {
        let body = String::from_utf8(request.body).unwrap();
        seen.push(format!("{} {} {body}", request.method, request.target));
    }
    assert_eq!(seen, ["POST /a?b abc", "PUT /c def", "GET / "]);
}

#[test]
fn a_truncated_answer_promises_more_than_it_has() {
    let answer = Answer::new(200, &[("a", "b")], "0123456789".to_owned());
    let text = String::from_utf8(answer.truncated()).unwrap();
    assert_eq!(text, "HTTP/1.1 200 \r\ncontent-length: 10\r\na: b\r\n\r\n01234");
    let empty = Answer::new(204, &[], String::new());
    assert_eq!(empty.truncated(), b"HTTP/1.1");
}
