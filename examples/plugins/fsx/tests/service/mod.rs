//! FSx on loopback, as far as a test needs it: JSON 1.1, every call a POST that names its operation in a header.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Such as `CreateFileSystem`.
    pub(crate) operation: String,
    /// What signed it.
    pub(crate) authorization: String,
    /// What the credentials belong to.
    pub(crate) session: String,
    pub(crate) body: Json,
}

/// The service, as long as this lives.
pub(crate) struct Service {
    /// Where it is.
    pub(crate) url: String,
    address: std::net::SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    stopped: Arc<AtomicBool>,
}

impl Service {
    /// One whose answers, each with its HTTP status, this function gives.
    pub(crate) fn start(answer: impl Fn(&Call) -> (u16, Json) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, stopped) =
            (Arc::<Mutex<Vec<Call>>>::default(), Arc::new(AtomicBool::new(false)));
        let (record, stop) = (Arc::clone(&calls), Arc::clone(&stopped));
        thread::spawn(move || {
            for connection in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                // A client that goes away in the middle is its own affair.
                let Some(call) = connection.ok().and_then(|it| read(&it).map(|call| (it, call)))
                else {
                    continue;
                };
                let (mut connection, call) = call;
                let (status, body) = answer(&call);
                record.lock().unwrap().push(call);
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                drop(connection.write_all((head + &body).as_bytes()));
            }
        });
        Self { url: format!("http://{address}"), address, calls, stopped }
    }

    /// The calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes it.
        drop(TcpStream::connect(self.address));
    }
}

fn read(connection: &TcpStream) -> Option<Call> {
    connection.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let mut reader = BufReader::new(connection);
    let (mut length, mut operation) = (0, String::new());
    let (mut authorization, mut session) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        let value = value.trim();
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "x-amz-target" => operation = value.rsplit('.').next()?.to_owned(),
            "authorization" => authorization = value.to_owned(),
            "x-amz-security-token" => session = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).ok()?;
    Some(Call { operation, authorization, session, body })
}
