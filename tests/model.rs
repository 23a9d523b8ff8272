//! The engine and the built-in plugins against the model cloud, in made-up time: every fault at every call.

mod fault; // what goes wrong, and where
mod stage; // a world, and runs in it
mod sweep; // one fault at every call, then clean runs
