//! The engine and the built-in plugins against the model cloud, in made-up time: every fault at every call, pairs of faults,
//! and runs at the same time.

mod cases; // many of them, on all cores
mod fault; // what goes wrong, and where
mod lasting; // what lasts longer than one call, and what happens from outside
mod laws; // what holds whatever went wrong
mod long; // random samples, as large as one likes
mod pairs; // two faults
mod run; // one run, and how it ends
mod stack_files; // what is run
mod stage; // a world, and runs in it
mod sweep; // one fault at every call, then clean runs
mod together; // two runs at once
