//! The redis component: one Redis or Valkey in the cluster.
