//! What the model promises, on a made-up set of kinds.

mod bed;
mod concurrency;
mod files;
mod identity;
mod kubernetes;
mod random;
mod time;
mod zones;
