//! Too much of what a plugin says is dropped, and counted.

use std::time::{Duration, Instant};

/// The longest line, in bytes.
pub(crate) const LINE_MAX: usize = 64 << 10;
/// The most lines in a second.
const PER_SECOND: u32 = 1000;

/// Counts lines by the second.
#[derive(Debug)]
pub(crate) struct Gauge {
    since: Instant,
    passed: u32,
    dropped: u64,
}

/// What to do with a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it may pass.
    pub(crate) passes: bool,
    /// How many were dropped before, to be told once.
    pub(crate) dropped: u64,
}

impl Gauge {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, passed: 0, dropped: 0 }
    }

    /// A line of so many bytes.
    pub(crate) fn line(&mut self, bytes: usize, now: Instant) -> Verdict {
        let mut dropped = 0;
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            dropped = std::mem::take(&mut self.dropped);
            (self.since, self.passed) = (now, 0);
        }
        let passes = bytes <= LINE_MAX && self.passed < PER_SECOND;
        if passes {
            self.passed += 1;
        } else {
            self.dropped += 1;
        }
        Verdict { passes, dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_lines_pass_in_a_second_and_the_rest_is_counted() {
        let start = Instant::now();
        let mut gauge = Gauge::new(start);
        let passed = (0..5000).filter(|_| gauge.line(10, start).passes).count();
        assert_eq!(passed, 1000);
        let later = gauge.line(10, start + Duration::from_secs(1));
        assert_eq!(later, Verdict { passes: true, dropped: 4000 });
    }

    #[test]
    fn a_line_that_is_too_long_is_dropped() {
        let now = Instant::now();
        let mut gauge = Gauge::new(now);
        assert!(gauge.line(LINE_MAX, now).passes);
        assert!(!gauge.line(LINE_MAX + 1, now).passes);
        assert_eq!(gauge.line(1, now + Duration::from_secs(2)).dropped, 1);
    }
}
