//! Runs the real program in a folder of its own and reads what it prints.

mod console;
mod counts;
mod document;
mod environment;
mod fault_proxy;
mod folder;
mod kubernetes;
mod lab;
mod loaded;
mod outcome;
mod program;

pub(crate) use console::Console;
pub(crate) use counts::counted;
pub(crate) use document::{Plan, Status, without_ids};
pub(crate) use environment::{
    built_beside, for_cargo, library_path, long_sweeps, program_path, search_path, sweep_cases,
    sweep_seed,
};
pub(crate) use fault_proxy::{Call, Fault, FaultProxy, Occurrence, Orders, Upstreams};
pub(crate) use folder::Folder;
pub(crate) use kubernetes::Kubernetes;
pub(crate) use lab::{Emulator, Lab};
pub(crate) use outcome::Outcome;
pub(crate) use program::Program;

/// The README's first stack file.
pub(crate) const EXAMPLE: &str = include_str!("../examples/gitlab/stack.yaml");

/// The post's own set-up spelled out.
pub(crate) const EXAMPLE_ON_KOPS: &str = include_str!("../examples/gitlab-on-kops/stack.yaml");

/// The text with one part, which must be there once, replaced.
#[track_caller]
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} in\n{text}");
    text.replace(from, to)
}
