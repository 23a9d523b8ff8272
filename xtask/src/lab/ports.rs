//! Free ports on loopback.

use std::io;
use std::net::TcpListener;

use thiserror::Error;

/// Below the ports that the kernel gives to outgoing connections and those of NodePort Services: nothing takes one
/// between our choice and the start of the process that gets it, except another lab.
const FIRST: u16 = 20_000;
const COUNT: u16 = 9_000;

/// No port could be found.
#[derive(Debug, Error)]
pub(crate) enum PortError {
    #[error("no random number for a port")]
    Random(#[source] getrandom::Error),
    #[error("no {wanted} free ports on 127.0.0.1 between {FIRST} and {last}", last = FIRST + COUNT)]
    None { wanted: usize, source: io::Error },
}

/// Distinct free ports. The search begins at a random one, so that labs that start at the same time do not meet.
pub(crate) fn free<const N: usize>() -> Result<[u16; N], PortError> {
    let random = u16::try_from(getrandom::u32().map_err(PortError::Random)? % u32::from(COUNT))
        .unwrap_or_default();
    let mut failure = io::Error::other("all taken");
    let mut taken = Vec::new();
    for step in 0..COUNT {
        let port = FIRST + (random + step) % COUNT;
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => taken.push((port, listener)),
            Err(error) => failure = error,
        }
        if taken.len() == N {
            let mut ports = taken.iter().map(|(port, _)| *port);
            return Ok(std::array::from_fn(|_| ports.next().unwrap_or_default()));
        }
    }
    Err(PortError::None { wanted: N, source: failure })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::wait::{self, Interrupted};
    use super::*;

    #[test]
    fn ports_are_distinct_and_free() {
        let [a, b, c] = free::<3>().unwrap();
        assert!(a != b && b != c && a != c);
        // A process that another test starts at this moment has a copy of the socket until it runs its program.
        let bound = wait::until(Duration::from_secs(10), || {
            Ok::<_, Interrupted>(TcpListener::bind(("127.0.0.1", a)).ok())
        });
        assert!(bound.unwrap().is_some());
    }
}
