//! AWS for zonestack: client set-up, network discovery, security groups, error classes, tags.
