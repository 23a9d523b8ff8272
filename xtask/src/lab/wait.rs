//! Waiting for a condition, never for a time.

use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::interrupt;

const STEP: Duration = Duration::from_millis(50);

/// The user pressed Ctrl-C.
#[derive(Debug, Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Asks `probe` again and again until it has an answer; `None` when `limit` has passed without one.
pub(crate) fn until<T, E: From<Interrupted>>(
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = probe()? {
            return Ok(Some(answer));
        }
        if interrupt::requested() {
            return Err(Interrupted.into());
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_soon_as_the_probe_does() {
        let mut calls = 0;
        let answer: Result<_, Interrupted> = until(Duration::from_secs(5), || {
            calls += 1;
            Ok((calls == 3).then_some(calls))
        });
        assert_eq!(answer.unwrap(), Some(3));
    }

    #[test]
    fn gives_up_at_the_deadline() {
        let answer: Result<Option<()>, Interrupted> = until(Duration::ZERO, || Ok(None));
        assert_eq!(answer.unwrap(), None);
    }
}
