//! What RDS for PostgreSQL and Aurora PostgreSQL have in common: how their settings are written, and what may stand there.

pub mod class; // instance classes: which there are, how much memory they have
pub mod name; // names of databases and users, and words that are taken
pub mod parameter; // database parameters
pub mod state; // the service's words for the states of an instance
pub mod version; // the engine's version

use zonestack_core::diagnostic::Finding;

use crate::window::Words;

/// The shortest window that RDS takes is 30 minutes (domain.md 4.3).
pub type DailyWindow = crate::window::DailyWindow<30>;
/// The same, once a week.
pub type WeeklyWindow = crate::window::WeeklyWindow<30>;

/// What is wrong with the windows of a database (see [`crate::window::findings`]).
pub fn window_findings(daily: Option<&str>, weekly: Option<&str>) -> Vec<Finding> {
    let words =
        Words { service: "RDS", daily: "backup", example: "04:00-04:30", touching: "04:00-04:30" };
    crate::window::findings::<30>(words, daily, weekly)
}
