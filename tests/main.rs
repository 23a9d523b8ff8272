//! The real binary, in the sandbox and in the lab.
//!
//! `cargo xtask test` builds the program and starts a lab for these tests. Alone, `cargo build --workspace --all-targets && cargo test -p
//! zonestack-tests sandbox` runs those that need no lab; the others, all in `in_lab`, then fail and say what they need.

/// The model's sweeps spend a third of their time in the allocator of the C library.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(test)]
mod harness; // runs the program; reads what it printed

#[cfg(test)]
mod sandbox; // what needs no other program

#[cfg(test)]
mod in_lab; // against the emulators and a real API server

#[cfg(test)]
mod model; // engine and plugins in made-up time, with faults

#[cfg(test)]
mod plugins; // shared libraries, good ones and bad ones, in a child process and in this one
