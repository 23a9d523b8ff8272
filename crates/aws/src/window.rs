//! Backup and maintenance windows, in minutes of UTC, as RDS and ElastiCache write them (domain.md 4.3). `SHORTEST` is the
//! shortest window that a service takes, in minutes.

use std::fmt;
use std::str::FromStr;

use zonestack_core::diagnostic::Finding;

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A window that comes every day, such as `23:30-00:30`. It may cross midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyWindow<const SHORTEST: u32> {
    start: u32,
    minutes: u32,
}

/// A window that comes once a week, such as `sun:04:30-sun:05:30`. It may cross the end of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeeklyWindow<const SHORTEST: u32> {
    start: u32,
    minutes: u32,
}

/// Why a text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWindow {
    /// It is not written as the service wants it.
    #[error("{text:?} is not written as {form}, in UTC")]
    Form {
        /// The text.
        text: String,
        /// The form.
        form: &'static str,
    },
    /// It is shorter than the service takes.
    #[error("{text:?} is {minutes} minutes long, the least is {least}")]
    Short {
        /// The text.
        text: String,
        /// Its length.
        minutes: u32,
        /// The shortest.
        least: u32,
    },
}

/// `hh:mm` in minutes.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (hour, minute): (u32, u32) = (digits(hour)?, digits(minute)?);
    (hour < 24 && minute < HOUR).then_some(hour * HOUR + minute)
}

/// `ddd:hh:mm` in minutes since Monday.
fn minute_of_week(text: &str) -> Option<u32> {
    let (day, time) = text.split_once(':')?;
    let day = DAYS.iter().position(|name| name.eq_ignore_ascii_case(day))?;
    Some(u32::try_from(day).ok()? * DAY + minute(time)?)
}

fn read(
    text: &str,
    form: &'static str,
    round: u32,
    least: u32,
    read: impl Fn(&str) -> Option<u32>,
) -> Result<(u32, u32), NoWindow> {
    let invalid = || NoWindow::Form { text: text.to_owned(), form };
    let (from, to) = text.split_once('-').ok_or_else(invalid)?;
    let start = read(from).ok_or_else(invalid)?;
    let end = read(to).ok_or_else(invalid)?;
    let minutes = (end + round - start) % round;
    if minutes < least {
        return Err(NoWindow::Short { text: text.to_owned(), minutes, least });
    }
    Ok((start, minutes))
}

impl<const SHORTEST: u32> FromStr for DailyWindow<SHORTEST> {
    type Err = NoWindow;

    fn from_str(text: &str) -> Result<Self, NoWindow> {
        let (start, minutes) = read(text, "hh:mm-hh:mm", DAY, SHORTEST, minute)?;
        Ok(Self { start, minutes })
    }
}

impl<const SHORTEST: u32> FromStr for WeeklyWindow<SHORTEST> {
    type Err = NoWindow;

    fn from_str(text: &str) -> Result<Self, NoWindow> {
        let (start, minutes) = read(text, "ddd:hh:mm-ddd:hh:mm", WEEK, SHORTEST, minute_of_week)?;
        Ok(Self { start, minutes })
    }
}

fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute % DAY / HOUR, minute % HOUR)
}

fn day(minute: u32) -> &'static str {
    DAYS.get((minute % WEEK / DAY) as usize).copied().unwrap_or("mon")
}

/// As the service answers it.
impl<const SHORTEST: u32> fmt::Display for DailyWindow<SHORTEST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", clock(self.start), clock(self.start + self.minutes))
    }
}

/// As the service answers it: in lower case.
impl<const SHORTEST: u32> fmt::Display for WeeklyWindow<SHORTEST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.start + self.minutes;
        write!(f, "{}:{}-{}:{}", day(self.start), clock(self.start), day(end), clock(end))
    }
}

impl<const SHORTEST: u32> WeeklyWindow<SHORTEST> {
    /// Whether the two have a minute in common on any day. Windows that only touch do not.
    pub fn overlaps(self, daily: DailyWindow<SHORTEST>) -> bool {
        // Two arcs of a circle overlap when one begins inside the other.
        (0..7).map(|day| day * DAY + daily.start).any(|start| {
            (start + WEEK - self.start) % WEEK < self.minutes
                || (self.start + WEEK - start) % WEEK < daily.minutes
        })
    }
}

/// How a service speaks of its windows.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The service, such as `RDS`.
    pub service: &'static str,
    /// What the daily window is for: `backup` or `snapshot`.
    pub daily: &'static str,
    /// A daily window as an example.
    pub example: &'static str,
    /// A daily window that ends where `sun:04:30-sun:05:30` begins.
    pub touching: &'static str,
}

/// What is wrong with `backup.window` and `maintenanceWindow`, each alone and both together.
pub fn findings<const SHORTEST: u32>(
    words: Words,
    daily: Option<&str>,
    weekly: Option<&str>,
) -> Vec<Finding> {
    let Words { service, daily: purpose, example, touching } = words;
    let daily = daily.map(str::parse::<DailyWindow<SHORTEST>>);
    let weekly = weekly.map(str::parse::<WeeklyWindow<SHORTEST>>);
    let mut findings = Vec::new();
    if let Some(Err(error)) = &daily {
        let finding = Finding::error("backup-window", "backup.window", error.to_string());
        findings.push(finding.hint(format!("such as {example}")));
    }
    if let Some(Err(error)) = &weekly {
        let finding = Finding::error("maintenance-window", "maintenanceWindow", error.to_string());
        findings.push(finding.hint("such as sun:04:30-sun:05:30"));
    }
    if let (Some(Ok(daily)), Some(Ok(weekly))) = (daily, weekly)
        && weekly.overlaps(daily)
    {
        let message = format!(
            "the maintenance window {weekly} and the daily {purpose} window {daily} overlap; {service} wants them apart"
        );
        let finding = Finding::error("windows-overlap", "maintenanceWindow", message);
        let hint = format!("windows that touch are fine: {touching} and sun:04:30-sun:05:30");
        findings.push(finding.hint(hint));
    }
    findings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHORTEST: u32 = 30;

    type DailyWindow = super::DailyWindow<SHORTEST>;
    type WeeklyWindow = super::WeeklyWindow<SHORTEST>;

    #[test]
    fn windows_read_as_rds_writes_them() {
        #[track_caller]
        fn check<W: FromStr<Err = NoWindow> + fmt::Display>(text: &str, expected: &str) {
            let read = text.parse::<W>().map_or_else(|e| e.to_string(), |w| w.to_string());
            assert_eq!(read, expected);
        }
        check::<DailyWindow>("04:00-04:30", "04:00-04:30");
        check::<DailyWindow>("23:45-00:15", "23:45-00:15");
        check::<DailyWindow>("04:00-04:29", "\"04:00-04:29\" is 29 minutes long, the least is 30");
        check::<super::DailyWindow<60>>(
            "04:00-04:59",
            "\"04:00-04:59\" is 59 minutes long, the least is 60",
        );
        check::<DailyWindow>("04:00-04:00", "\"04:00-04:00\" is 0 minutes long, the least is 30");
        for text in [
            "4:00-5:00",
            "04:00",
            "24:00-01:00",
            "04:60-05:00",
            "sun:04:00-sun:05:00",
            "+1:00-02:00",
        ] {
            let expected = format!("{text:?} is not written as hh:mm-hh:mm, in UTC");
            check::<DailyWindow>(text, &expected);
        }
        check::<WeeklyWindow>("Sun:04:30-SUN:05:30", "sun:04:30-sun:05:30");
        check::<WeeklyWindow>("sun:23:30-mon:00:30", "sun:23:30-mon:00:30");
        check::<WeeklyWindow>(
            "04:30-05:30",
            "\"04:30-05:30\" is not written as ddd:hh:mm-ddd:hh:mm, in UTC",
        );
    }

    #[test]
    fn windows_that_touch_do_not_overlap() {
        #[track_caller]
        fn check(daily: &str, weekly: &str, overlap: bool) {
            let weekly: WeeklyWindow = weekly.parse().unwrap();
            assert_eq!(weekly.overlaps(daily.parse().unwrap()), overlap, "{daily} {weekly}");
        }
        // The post's own windows.
        check("04:00-04:30", "sun:04:30-sun:05:30", false);
        check("04:00-04:31", "sun:04:30-sun:05:30", true);
        check("05:30-06:00", "sun:04:30-sun:05:30", false);
        check("23:30-00:30", "wed:00:00-wed:01:00", true);
        check("23:30-00:30", "mon:00:00-mon:01:00", true);
        check("00:00-00:30", "sun:23:30-mon:00:01", true);
        check("00:30-01:00", "sun:23:30-mon:00:30", false);
        check("12:00-13:00", "mon:00:00-wed:00:00", true);
    }

    proptest! {
        /// The rule against counting: mark every minute of a week that each window covers.
        #[test]
        fn overlap_is_a_minute_in_common(
            start in 0..DAY, length in SHORTEST..DAY, from in 0..WEEK, minutes in SHORTEST..WEEK,
        ) {
            let daily = DailyWindow { start, minutes: length };
            let weekly = WeeklyWindow { start: from, minutes };
            let mut covered = vec![false; WEEK as usize];
            for minute in 0..minutes {
                covered[((from + minute) % WEEK) as usize] = true;
            }
            let common = (0..7).any(|day| {
                (0..length).any(|minute| covered[((day * DAY + start + minute) % WEEK) as usize])
            });
            prop_assert_eq!(weekly.overlaps(daily), common);
        }

        #[test]
        fn a_window_reads_what_it_writes(
            start in 0..DAY, length in SHORTEST..DAY, from in 0..WEEK, minutes in SHORTEST..WEEK,
        ) {
            let daily = DailyWindow { start, minutes: length };
            prop_assert_eq!(daily.to_string().parse::<DailyWindow>(), Ok(daily));
            let weekly = WeeklyWindow { start: from, minutes };
            prop_assert_eq!(weekly.to_string().parse::<WeeklyWindow>(), Ok(weekly));
        }
    }
}
