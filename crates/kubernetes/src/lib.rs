//! Kubernetes for zonestack: any object by server-side apply, prune, readiness; inventory.
