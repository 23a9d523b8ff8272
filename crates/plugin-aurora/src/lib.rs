//! The aurora component: an Amazon Aurora PostgreSQL cluster over several zones.
