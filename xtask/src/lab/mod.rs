//! The lab: a real Kubernetes control plane and two AWS emulators, all on loopback.
//!
//! # Expected flow
//! 1. [`up()`] takes the programs from `KUBEBUILDER_ASSETS` or builds them once into a cache ([`binaries`], [`python`]).
//! 2. It starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler ([`control_plane`]), moto and MiniStack
//!    ([`emulators`]), makes a kOps-like network in each emulator ([`network`]), the Node objects ([`nodes`]) and one
//!    kwok per zone ([`zones`]).
//! 3. Every process outlives the command; `lab.json` ([`state`]) says what runs, and [`down()`] stops it.
//!
//! # Guarantees
//! - Everything listens on 127.0.0.1 only, and every wait has an end.
//! - A run that fails or is interrupted stops what it started and keeps the logs; after a crash, [`down()`] and the next
//!   [`up()`] find what is left by the run folder in its environment.

mod api;
mod binaries;
mod cache;
mod command;
mod control_plane;
mod credentials;
mod down;
mod emulators;
mod environment;
mod files;
pub(crate) mod interrupt;
mod network;
mod nodes;
mod outage;
mod ports;
mod process;
mod progress;
mod python;
mod state;
mod up;
mod wait;
mod zones;

pub(crate) use cache::runs;
pub(crate) use command::LabCommand;
pub(crate) use down::down;
pub(crate) use state::Lab;
pub(crate) use up::{LabError, Options, up};
