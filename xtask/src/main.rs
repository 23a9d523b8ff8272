//! Every developer task of zonestack.
fn main() {}
