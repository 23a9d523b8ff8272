//! Serverless capacity, in Aurora capacity units (ACUs) of about 2 GiB of memory each.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The smallest `max` that Aurora takes.
pub(super) const LEAST_MAX: f64 = 1.0;
/// The largest capacity of any instance.
pub(super) const MOST: f64 = 256.0;

const MIB: f64 = 1_048_576.0;
/// Memory of one unit, in MiB.
const UNIT: f64 = 2048.0;
/// What Aurora keeps of the memory before it divides: a sixteenth and these MiB. The table in the user guide has 189
/// connections for 1 unit, 823 for 4, 1669 for 8 and 3360 for 16.
const HELD_BACK: f64 = 200.0;
/// Bytes for one connection in the default of `max_connections`.
const PER_CONNECTION: f64 = 9_531_392.0;
const MOST_CONNECTIONS: u32 = 5000;
/// The same while `min` is 0 or 0.5.
const MOST_CONNECTIONS_OF_LITTLE: u32 = 2000;

/// Between which capacities every instance scales by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capacity {
    /// The least, in ACUs: 0 to 256 in steps of 0.5. With 0, instances that nobody uses pause, and the next connection waits
    /// about 15 seconds.
    pub min: f64,
    /// The most, in ACUs: 1 to 256 in steps of 0.5.
    pub max: f64,
}

impl Capacity {
    /// The default of `max_connections`, rather too low than too high. It follows from the most capacity, not from the
    /// present one; `None` when the capacity is none.
    pub fn max_connections(&self) -> Option<u32> {
        if !(LEAST_MAX..=MOST).contains(&self.max) {
            return None;
        }
        let memory = self.max * UNIT;
        let usable = (memory - memory / 16.0 - HELD_BACK) * MIB;
        let most = if self.min < 1.0 { MOST_CONNECTIONS_OF_LITTLE } else { MOST_CONNECTIONS };
        // Counted up, because a number with a fraction has no safe way to a whole one.
        Some((0..=most).rev().find(|n| f64::from(*n) * PER_CONNECTION <= usable).unwrap_or(0))
    }
}

/// Whether Aurora can have the capacity: whole or half units.
pub(super) fn is_in_steps(units: f64) -> bool {
    (units * 2.0).fract() == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_follow_from_the_most_capacity() {
        #[track_caller]
        fn check(min: f64, max: f64, expected: Option<u32>) {
            assert_eq!(Capacity { min, max }.max_connections(), expected, "{min} to {max}");
        }
        check(0.5, 1.0, Some(189));
        check(1.0, 4.0, Some(822));
        check(1.0, 8.0, Some(1667));
        check(1.0, 16.0, Some(3357));
        check(0.5, 16.0, Some(2000));
        check(0.0, 16.0, Some(2000));
        check(1.0, 32.0, Some(5000));
        check(8.0, 256.0, Some(5000));
        check(0.0, 0.5, None);
        check(0.0, 257.0, None);
        check(0.0, f64::NAN, None);
    }

    #[test]
    fn a_step_is_half_a_unit() {
        for good in [0.0, 0.5, 1.0, 8.5, 256.0] {
            assert!(is_in_steps(good), "{good}");
        }
        for bad in [0.25, 0.7, 8.1, f64::NAN, f64::INFINITY] {
            assert!(!is_in_steps(bad), "{bad}");
        }
    }
}
