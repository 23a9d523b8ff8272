//! Kubernetes for zonestack: any object by server-side apply, prune, readiness; inventory and lease.
//!
//! [`driver::KubernetesDriver`] drives every kind of the table in `kinds.rs`. Objects are plain JSON all the way: a
//! specification is a manifest, and what the API server answers is compared with it field by field.
//!
//! ```text
//! stack file ── core ──▶ driver ──▶ create / update / delete ──▶ api ──▶ API server
//!                           └─────▶ observe ──▶ compare + readiness ──▶ Observation
//! ```

pub mod client; // a client of a cluster, from a kubeconfig
mod api; // calls: paths, pages, preconditions
mod failure; // what a failed call means
mod patience; // reads again what failed for a moment
mod kinds; // the kinds: one row each
mod marks; // labels that say whose an object is
pub mod driver; // contract of the core: observe, create, update, delete
mod observe; // few calls for many objects
mod owned; // everything that carries the labels of a stack
mod compare; // the live object in the words of the specification
mod list_keys; // which lists are maps
mod managed_fields; // which fields zonestack set
mod quantity; // 8Gi is 8192Mi
mod readiness; // when an object is ready, and its outputs
mod credentials; // Secrets: made once, completed, never read out
mod generate; // random values
mod namespace; // what else lives in a namespace
pub mod inventory; // the inventory in a ConfigMap
pub mod lease; // one run at a time, by a Lease
pub mod survey; // nodes, version, controllers
pub mod secrets; // where secret values come from

#[cfg(test)]
mod scripted; // an API server that answers from a script
