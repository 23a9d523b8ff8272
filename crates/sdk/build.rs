//! Tells the card which target it is built for, and by which compiler: cargo says so only to build scripts.
#![expect(clippy::disallowed_methods, reason = "this is how cargo speaks to a build script")]

use std::env;
use std::process::Command;

fn main() {
    let target = env::var("TARGET").unwrap_or_default();
    let compiler = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(compiler).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    println!("cargo::rustc-env=ZONESTACK_TARGET={target}");
    println!("cargo::rustc-env=ZONESTACK_RUSTC={}", version.unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
}
