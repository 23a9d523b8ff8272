//! Integration tests of zonestack.
