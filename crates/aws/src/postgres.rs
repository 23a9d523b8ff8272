//! What RDS for PostgreSQL and Aurora PostgreSQL have in common: how their settings are written, and what may stand there.

pub mod class; // instance classes: which there are, how much memory they have
pub mod name; // names of databases and users, and words that are taken
pub mod parameter; // database parameters
pub mod state; // the service's words for the states of an instance
pub mod version; // the engine's version
pub mod window; // backup and maintenance windows
