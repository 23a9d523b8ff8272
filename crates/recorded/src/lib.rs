//! For the tests of drivers: an AWS service of the Query protocol (RDS, ElastiCache) that answers from a list and remembers
//! what was sent, and the stack `git` whose driver asks it.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "only tests use it: what goes wrong here fails one"
)]

mod service; // answers, and what was sent
mod stack; // the stack `git`: owner, secrets, targets, specifications, differences

pub use service::{Answer, Calls, answering, in_order, ok, refused, run};
pub use stack::{PASSWORD, Secrets, cx, differences, owner, paths, query, spec_of};
