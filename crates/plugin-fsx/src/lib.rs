//! The fsx-openzfs component: a Multi-AZ Amazon FSx for OpenZFS file system.
