//! The flow of zonestack and its contracts: no network, clock, environment or stdout.
