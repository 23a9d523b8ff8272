//! A proxy on loopback between the real program and what it calls, with one kind of fault at chosen requests.
//!
//! # Expected flow
//! 1. A proxy is started for one run of the program; the program gets its two addresses, in plain HTTP, instead of the
//!    emulator's and the API server's.
//! 2. Each request is read whole and named ([`operation`]), counted, and given its fate ([`gate`]): the numbers go over both
//!    addresses, in the order of arrival.
//! 3. It is forwarded ([`upstream`]) and answered, or else the fault happens to it ([`fault`]).
//! 4. [`FaultProxy::finish`] waits for what is under way and tells every request.
//!
//! # Guarantees
//! - From the moment when the program is killed, no request of it is forwarded any more, even if it had been sent.
//! - A watch is passed on as it comes; every other answer is read whole before the program gets its first byte.

mod fault;
mod gate;
mod message;
mod operation;
mod upstream;

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

pub(crate) use fault::Fault;
pub(crate) use gate::{Call, Occurrence, Orders};
pub(crate) use upstream::{Upstream, Upstreams};

use super::Folder;
use super::program::{Program, Running};
use gate::Gate;
use message::Request;
use operation::Operation;

/// How long a delayed request waits: longer than any answer takes, shorter than any limit.
const DELAY: Duration = Duration::from_millis(300);

/// A proxy for one run.
pub(crate) struct FaultProxy {
    gate: Arc<Gate>,
    addresses: [SocketAddr; 2],
}

/// One of the two addresses.
#[derive(Clone)]
struct Side {
    gate: Arc<Gate>,
    upstreams: Arc<Upstreams>,
    is_kubernetes: bool,
    /// The stack's name, which is left out of the names of operations.
    stack: String,
}

impl FaultProxy {
    /// Listens. Without orders nothing happens to the requests but that they are told.
    #[track_caller]
    pub(crate) fn start(upstreams: &Arc<Upstreams>, stack: &str, orders: Option<Orders>) -> Self {
        let gate = Arc::new(Gate::new(orders));
        let listen = |is_kubernetes| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = listener.local_addr().unwrap();
            let side = Side {
                gate: Arc::clone(&gate),
                upstreams: Arc::clone(upstreams),
                is_kubernetes,
                stack: stack.to_owned(),
            };
            thread::spawn(move || side.accept(&listener));
            address
        };
        let addresses = [listen(false), listen(true)];
        Self { gate, addresses }
    }

    /// Starts the program with this proxy in place of the world.
    #[track_caller]
    pub(crate) fn run(&self, program: &Program, arguments: &[&str]) -> Running {
        let [aws, _] = self.addresses;
        let kubeconfig = self.kubeconfig(&program.folder);
        let running = program.start_with(
            arguments,
            &[("AWS_ENDPOINT_URL", &format!("http://{aws}")), ("KUBECONFIG", &kubeconfig)],
        );
        self.gate.victim(running.pid());
        running
    }

    fn kubeconfig(&self, folder: &Folder) -> String {
        let [_, kubernetes] = self.addresses;
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: proxy\nclusters:\n- {{ name: proxy, cluster: {{ server: \
             \"http://{kubernetes}\" }} }}\ncontexts:\n- {{ name: proxy, context: {{ cluster: proxy, user: proxy }} }}\n\
             users:\n- {{ name: proxy, user: {{}} }}\n"
        );
        folder.write("proxy.kubeconfig", text).display().to_string()
    }

    /// Ends it, after the run's end: nothing that the run has asked for can happen later. Every request, in order.
    #[track_caller]
    pub(crate) fn finish(self) -> Vec<Call> {
        let calls = self.gate.close();
        for address in self.addresses {
            // Wakes the one who accepts, so that it sees that it is over.
            drop(TcpStream::connect(address));
        }
        calls
    }
}

impl Side {
    fn accept(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            if self.gate.is_closed() {
                return;
            }
            let side = self.clone();
            // A connection that the program gives up ends its thread, and nothing else.
            thread::spawn(move || drop(side.serve(stream)));
        }
    }

    /// Answers the requests of a connection, until one of the two ends it.
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = stream;
        while let Some(request) = Request::read(&mut reader)? {
            let operation = Operation::of(&request, self.is_kubernetes, &self.stack);
            let Some(passage) = self.gate.arrive(&operation) else { break };
            let goes_on = self.answer(&mut writer, &request, &operation, passage.fault())?;
            drop(passage);
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// One request and its fate. False when the connection ends with it.
    fn answer(
        &self,
        writer: &mut TcpStream,
        request: &Request,
        operation: &Operation,
        fault: Option<Fault>,
    ) -> io::Result<bool> {
        match fault {
            Some(Fault::KillBefore) => {
                self.gate.kill();
                return Ok(false);
            }
            Some(Fault::Reset) => return reset(writer),
            Some(Fault::UnavailableBefore) => {
                writer.write_all(&operation.protocol.unavailable().bytes())?;
                return Ok(true);
            }
            Some(Fault::Throttle) => {
                writer.write_all(&operation.protocol.throttled().bytes())?;
                return Ok(true);
            }
            Some(Fault::Delay) => thread::sleep(DELAY),
            _ => {}
        }
        let upstream = self.upstreams.of(self.is_kubernetes);
        if request.is_watch() && fault.is_none_or(|fault| fault == Fault::Delay) {
            let passed = upstream.pass(request, writer);
            return if passed.is_err() { reset(writer) } else { Ok(false) };
        }
        let Ok(answer) = upstream.send(request) else { return reset(writer) };
        match fault {
            Some(Fault::KillAfter) => {
                self.gate.kill();
                Ok(false)
            }
            Some(Fault::DropAnswer) => Ok(false),
            Some(Fault::Truncate) => {
                writer.write_all(&answer.truncated())?;
                Ok(false)
            }
            Some(Fault::UnavailableAfter) => {
                writer.write_all(&operation.protocol.unavailable().bytes())?;
                Ok(true)
            }
            _ => {
                writer.write_all(&answer.bytes())?;
                Ok(true)
            }
        }
    }
}

/// Ends the connection with a reset and not in good order.
fn reset(stream: &TcpStream) -> io::Result<bool> {
    set_socket_linger(stream, Some(Duration::ZERO))?;
    Ok(false)
}
