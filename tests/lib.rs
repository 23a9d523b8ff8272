//! Integration tests of zonestack. They run the real binary, in a sandbox and in the lab; see `main.rs`.
