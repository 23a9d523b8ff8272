//! Database parameters: how a user writes their values, and which of them wait for a restart.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// Parameters that PostgreSQL reads only when it starts (context `postmaster` in `pg_settings`, and RDS's own): they have
/// to be set with `pending-reboot`. <https://www.postgresql.org/docs/17/view-pg-settings.html>
const STATIC: [&str; 41] = [
    "autovacuum_freeze_max_age",
    "autovacuum_max_workers",
    "autovacuum_multixact_freeze_max_age",
    "cron.database_name",
    "cron.max_running_jobs",
    "cron.use_background_workers",
    "huge_pages",
    "jit_provider",
    "max_connections",
    "max_files_per_process",
    "max_locks_per_transaction",
    "max_logical_replication_workers",
    "max_notify_queue_pages",
    "max_pred_locks_per_transaction",
    "max_prepared_transactions",
    "max_replication_slots",
    "max_wal_senders",
    "max_worker_processes",
    "multixact_member_buffers",
    "multixact_offset_buffers",
    "notify_buffers",
    "old_snapshot_threshold",
    "pg_stat_statements.max",
    "pglogical.batch_inserts",
    "pglogical.use_spi",
    "rds.custom_dns_resolution",
    "rds.logical_replication",
    "rds.rds_superuser_reserved_connections",
    "rds.restrict_password_commands",
    "reserved_connections",
    "serializable_buffers",
    "shared_buffers",
    "shared_preload_libraries",
    "subtransaction_buffers",
    "superuser_reserved_connections",
    "track_activity_query_size",
    "track_commit_timestamp",
    "transaction_buffers",
    "wal_buffers",
    "wal_decode_buffer_size",
    "wal_level",
];

/// Whether PostgreSQL reads the parameter only when it starts, so that it has to be set with `pending-reboot`.
pub fn is_read_at_start(name: &str) -> bool {
    STATIC.contains(&name)
}

/// The value of a database parameter, as RDS wants it: a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterValue(pub String);

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor)
    }
}

struct ParameterVisitor;

impl Visitor<'_> for ParameterVisitor {
    type Value = ParameterValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false")
    }

    fn visit_str<E>(self, text: &str) -> Result<ParameterValue, E> {
        Ok(ParameterValue(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<ParameterValue, E> {
        Ok(ParameterValue(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<ParameterValue, E> {
        Ok(ParameterValue(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<ParameterValue, E> {
        Ok(ParameterValue(number.to_string()))
    }

    /// RDS writes booleans as 1 and 0.
    fn visit_bool<E>(self, on: bool) -> Result<ParameterValue, E> {
        Ok(ParameterValue(u8::from(on).to_string()))
    }
}

impl JsonSchema for ParameterValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ParameterValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn the_list_of_static_parameters_is_in_order() {
        assert!(STATIC.is_sorted_by(|a, b| a < b), "{STATIC:?}");
        assert!(is_read_at_start("max_connections") && !is_read_at_start("work_mem"));
    }

    #[test]
    fn a_parameter_is_a_text_however_it_is_written() {
        let read = |json: Json| serde_json::from_value::<ParameterValue>(json).unwrap().0;
        assert_eq!(read(json!("on")), "on");
        assert_eq!(read(json!(500)), "500");
        assert_eq!(read(json!(-1)), "-1");
        assert_eq!(read(json!(0.9)), "0.9");
        assert_eq!(read(json!(true)), "1");
    }
}
