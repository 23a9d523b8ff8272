//! The elasticache component: an Amazon ElastiCache replication group over several zones.
