//! The zonestack command line.
fn main() {}
