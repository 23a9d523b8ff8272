//! Time: of the wall, and made up.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use zonestack_core::clock::Clock;

/// The time of the wall. Sleeps need a tokio runtime with time; under tokio's paused time this clock is paused with it.
#[derive(Debug, Clone)]
pub struct WallClock {
    start: tokio::time::Instant,
    start_unix: u64,
    factor: u32,
}

impl WallClock {
    /// A clock that starts now.
    pub fn new() -> Self {
        Self::faster(1)
    }

    /// A clock on which everything takes a fraction of the time: for a run against a sandbox with [`crate::Pace::Real`],
    /// so that waiting, polling and giving up keep their proportions. Its timestamps are those of the wall.
    pub fn faster(factor: u32) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is a clock that others are given")]
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start: tokio::time::Instant::now(),
            start_unix: unix.as_secs(),
            factor: factor.max(1),
        }
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for WallClock {
    fn now(&self) -> Duration {
        self.start.elapsed() * self.factor
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        // tokio counts in milliseconds: round up, so that no sleep ends early.
        tokio::time::sleep((duration / self.factor).saturating_add(Duration::from_nanos(1))).boxed()
    }

    fn timestamp(&self) -> String {
        rfc3339(self.start_unix + self.start.elapsed().as_secs())
    }
}

/// A moment: 2026-11-23T07:00:00Z in seconds since 1970.
const VIRTUAL_START: u64 = 1_795_417_200;

/// Time that is made up: it passes only while everybody sleeps.
///
/// # Flow
/// [`Self::run`] polls a future until it waits, then moves to the earliest moment that somebody sleeps until and wakes that
/// one sleeper; sleepers of the same moment wake in the order in which they went to sleep. So two runs joined into one future
/// take their turns in an order that depends on their sleeps alone.
///
/// A clock made with [`Self::skipping`] needs no [`Self::run`]: each sleep moves the time at once. For code that sleeps in one
/// place at a time, under any executor.
#[derive(Debug)]
pub struct VirtualClock {
    inner: Mutex<Inner>,
    skipping: bool,
}

#[derive(Debug, Default)]
struct Inner {
    now: Duration,
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
    next: u64,
}

/// Why a future did not come to its end on a virtual clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// It waits for something that is not time.
    #[error("it waits, at {0:?}, for something that never happens")]
    Stuck(Duration),
    /// It is not done at the deadline.
    #[error("it is not done at its deadline of {0:?}")]
    Late(Duration),
}

impl VirtualClock {
    /// A clock at zero.
    pub fn new() -> Self {
        Self { inner: Mutex::default(), skipping: false }
    }

    /// A clock at zero whose sleeps end at once, with the time moved.
    pub fn skipping() -> Self {
        Self { inner: Mutex::default(), skipping: true }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass from outside.
    pub fn advance(&self, duration: Duration) {
        let mut inner = self.inner();
        inner.now += duration;
    }

    /// Runs a future to its end, however long it takes in made-up time.
    pub fn run<F: Future>(&self, future: F) -> Result<F::Output, Unfinished> {
        self.run_until(Duration::MAX, future)
    }

    /// Runs a future to its end, or until the clock has passed the deadline.
    pub fn run_until<F: Future>(
        &self,
        deadline: Duration,
        future: F,
    ) -> Result<F::Output, Unfinished> {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            while !woken.0.swap(false, Ordering::SeqCst) {
                let (now, sleeper) = {
                    let mut inner = self.inner();
                    let Some(((moment, _), sleeper)) = inner.sleepers.pop_first() else {
                        return Err(Unfinished::Stuck(inner.now));
                    };
                    inner.now = inner.now.max(moment);
                    (inner.now, sleeper)
                };
                if now > deadline {
                    return Err(Unfinished::Late(deadline));
                }
                if let Some(sleeper) = sleeper {
                    sleeper.wake();
                }
            }
        }
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// One sleep on a virtual clock. In the queue from the moment that it was asked for until it is woken or dropped.
struct Sleep<'a> {
    clock: &'a VirtualClock,
    key: (Duration, u64),
    yielded: bool,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.skipping {
            // Once for others to have their turn.
            if std::mem::replace(&mut self.yielded, true) {
                return Poll::Ready(());
            }
            let mut inner = self.clock.inner();
            inner.now = inner.now.max(self.key.0);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.clock.inner().sleepers.get_mut(&self.key) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.inner().sleepers.remove(&self.key);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        self.inner().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let mut inner = self.inner();
        let key = (inner.now.saturating_add(duration), inner.next);
        inner.next += 1;
        if !self.skipping {
            inner.sleepers.insert(key, None);
        }
        drop(inner);
        Sleep { clock: self, key, yielded: false }.boxed()
    }

    fn timestamp(&self) -> String {
        rfc3339(VIRTUAL_START + self.now().as_secs())
    }
}

/// Seconds since 1970 as RFC 3339 in UTC. The calendar is the algorithm "civil from days" of
/// <https://howardhinnant.github.io/date_algorithms.html>.
fn rfc3339(unix: u64) -> String {
    let (days, second) = (unix / 86_400, unix % 86_400);
    let shifted = days + 719_468; // days since 0000-03-01
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Seconds since 1970 of a text that [`rfc3339`] wrote; `None` for any other text.
pub(crate) fn unix_seconds(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let month_from_march = (month + 9) % 12;
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    let unix = days * 86_400 + hour * 3_600 + minute * 60 + second;
    (rfc3339(unix) == text).then_some(unix)
}

#[cfg(test)]
mod tests {
    use futures::future::{join, select};
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn sleepers_wake_in_the_order_of_their_moments() {
        let clock = VirtualClock::new();
        let seen = Mutex::new(Vec::new());
        let run = async |name: &str, step: u32| {
            for _ in 0..3 {
                clock.sleep(SECOND * step).await;
                seen.lock().unwrap().push(format!("{name} at {}", clock.now().as_secs()));
            }
        };
        clock.run(join(run("a", 2), run("b", 3))).unwrap();
        assert_eq!(
            seen.into_inner().unwrap(),
            ["a at 2", "b at 3", "a at 4", "b at 6", "a at 6", "b at 9"]
        );
    }

    #[test]
    fn a_dropped_sleep_moves_no_time() {
        let clock = VirtualClock::new();
        clock.run(select(clock.sleep(SECOND), clock.sleep(SECOND * 60))).unwrap();
        assert_eq!(clock.now(), SECOND);
        clock.run(clock.sleep(SECOND)).unwrap();
        assert_eq!(clock.now(), SECOND * 2);
    }

    #[test]
    fn what_does_not_end_is_told_apart() {
        let clock = VirtualClock::new();
        let never = std::future::pending::<()>();
        assert_eq!(clock.run(never), Err(Unfinished::Stuck(Duration::ZERO)));
        let endless = async {
            loop {
                clock.sleep(SECOND).await;
            }
        };
        let ended: Result<(), _> = clock.run_until(SECOND * 10, endless);
        assert_eq!(ended, Err(Unfinished::Late(SECOND * 10)));
    }

    #[test]
    fn a_skipping_clock_needs_no_executor_of_its_own() {
        let clock = VirtualClock::skipping();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(clock.sleep(SECOND * 5));
        assert_eq!((clock.now(), clock.timestamp()), (SECOND * 5, "2026-11-23T07:00:05Z".into()));
    }

    proptest! {
        #[test]
        fn a_timestamp_reads_what_it_writes(unix in 0_u64..253_402_300_800) {
            prop_assert_eq!(unix_seconds(&rfc3339(unix)), Some(unix));
        }

        #[test]
        fn no_text_breaks_the_reading(text in ".{0,24}") {
            let _ = unix_seconds(&text);
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (VIRTUAL_START, "2026-11-23T07:00:00Z"),
        ] {
            assert_eq!(rfc3339(unix), text);
        }
    }
}
