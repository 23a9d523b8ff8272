//! The rds component: one Amazon RDS for PostgreSQL instance over several zones.
