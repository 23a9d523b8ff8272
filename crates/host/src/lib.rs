//! Finds, checks, loads and isolates zonestack plugins.
