//! AWS when it does not work: an endpoint on loopback, and made-up credentials.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use zonestack_core::driver::DriverError;
use zonestack_host::services::Services;
use zonestack_sdk::message::{AwsCredentials, AwsSettings};

use crate::subject::REGION;

/// The key that no message may have in it.
pub(crate) const KEY: &str = "KitSecretKey0123456789abcdefKitSecretKey";

/// How a service does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nobody listens.
    Refuses,
    /// It answers what is no HTTP.
    Garbage,
    /// It answers 500.
    Fails,
    /// It never answers.
    Hangs,
    /// It works, and has nothing: an answer without content, in JSON or as the action of a query is answered.
    Nothing,
}

/// Services with an endpoint in trouble.
pub(crate) struct Endpoint {
    url: String,
    contacts: Arc<AtomicUsize>,
}

impl Endpoint {
    /// An endpoint, until this process ends.
    pub(crate) fn new(trouble: Trouble) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let contacts = Arc::new(AtomicUsize::new(0));
        if trouble != Trouble::Refuses {
            let counted = Arc::clone(&contacts);
            thread::spawn(move || serve(&listener, trouble, &counted));
        }
        Ok(Self { url, contacts })
    }

    /// How often somebody came.
    pub(crate) fn contacts(&self) -> usize {
        self.contacts.load(Ordering::SeqCst)
    }
}

fn serve(listener: &TcpListener, trouble: Trouble, contacts: &AtomicUsize) {
    for stream in listener.incoming().flatten() {
        contacts.fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || answer(stream, trouble));
    }
}

fn answer(mut stream: TcpStream, trouble: Trouble) {
    let mut buffer = [0; 8192];
    // A request comes in a few pieces; what is late is not waited for.
    drop(stream.set_read_timeout(Some(Duration::from_millis(100))));
    if trouble == Trouble::Nothing {
        let mut request = Vec::new();
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            request.extend_from_slice(&buffer[..count]);
        }
        drop(stream.write_all(nothing(&String::from_utf8_lossy(&request)).as_bytes()));
        return;
    }
    while stream.read(&mut buffer).is_ok_and(|count| count == buffer.len()) {}
    let said: &[u8] = match trouble {
        Trouble::Garbage => b"\x00\x01 nothing that HTTP knows \xff\r\n\r\n",
        Trouble::Hangs => {
            drop(stream.set_read_timeout(None));
            // Until the caller has enough of it.
            while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
            return;
        }
        Trouble::Fails | Trouble::Refuses | Trouble::Nothing => {
            b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        }
    };
    drop(stream.write_all(said));
    drop(stream.shutdown(Shutdown::Write));
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

/// A good answer to a request, with nothing in it.
fn nothing(request: &str) -> String {
    let action =
        request.split("Action=").nth(1).and_then(|rest| rest.split(['&', ' ', '\r']).next());
    let (content, body) = match action {
        Some(name) => {
            ("text/xml", format!("<{name}Response><{name}Result></{name}Result></{name}Response>"))
        }
        None => ("application/json", "{}".to_owned()),
    };
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

impl Services for Endpoint {
    fn aws_settings(&self) -> BoxFuture<'_, Result<AwsSettings, DriverError>> {
        let settings = AwsSettings {
            region: REGION.to_owned(),
            endpoint_url: Some(self.url.clone()),
            ..AwsSettings::default()
        };
        async { Ok(settings) }.boxed()
    }

    fn aws_credentials<'a>(
        &'a self,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AwsCredentials, DriverError>> {
        let credentials = AwsCredentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: KEY.to_owned(),
            session_token: None,
            expires: None,
        };
        async { Ok(credentials) }.boxed()
    }

    fn now(&self) -> String {
        "2026-01-01T00:00:00Z".to_owned()
    }

    fn turn<'a>(&'a self, _: &'a str) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}
