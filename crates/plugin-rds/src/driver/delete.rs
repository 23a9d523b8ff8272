//! DeleteDBInstance: with a final snapshot, and keeping the automated backups (domain.md 4.7).

use zonestack_aws::postgres::state;
use zonestack_core::driver::{Deletion, DriverError, ErrorClass, Target};

use super::failure::{changing, code};
use super::{RdsDriver, name_of};

impl RdsDriver {
    /// Starts the end of an instance.
    ///
    /// A final snapshot is made under the name that the engine chose. Without a name the instance is deleted only when it
    /// was last seen in a state in which RDS can make no snapshot of it; otherwise the call is refused, because the
    /// instance's last copy would be lost. What is gone, or going, already is a success.
    pub(super) async fn delete_instance(
        &self,
        target: &Target,
        deletion: &Deletion,
    ) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let status = self.seen(name).map(|seen| seen.status).unwrap_or_default();
        let beyond = state::is_beyond_a_snapshot(&status);
        if deletion.final_copy.is_none() && !beyond {
            let message = format!("{name} is not deleted: there is no name for its final snapshot");
            return Err(DriverError::new(ErrorClass::Invalid, message));
        }
        let call = self
            .client
            .delete_db_instance()
            .db_instance_identifier(name)
            .skip_final_snapshot(deletion.final_copy.is_none())
            .set_final_db_snapshot_identifier(deletion.final_copy.clone())
            .delete_automated_backups(false);
        let Err(error) = call.send().await else { return Ok(()) };
        let code = code(&error);
        let mut failed = changing("DeleteDBInstance", error);
        match code.as_deref() {
            Some("DBInstanceNotFound" | "DBInstanceNotFoundFault") => return Ok(()),
            Some("InvalidDBInstanceState") if failed.message.contains("already being deleted") => {
                return Ok(());
            }
            Some("InvalidDBInstanceState") if beyond => {
                // Waiting would not help: RDS makes no snapshot in these states.
                failed.class = ErrorClass::Invalid;
                failed.message = format!(
                    "{}; it is {status}, so RDS can make no final snapshot. Its automated backups can still be restored. To give \
                     it up: aws rds delete-db-instance --db-instance-identifier {name} --skip-final-snapshot \
                     --no-delete-automated-backups, then run down again",
                    failed.message
                );
            }
            // The name says stack, component, uid and generation: an earlier try made the snapshot, or a person. Either way
            // it may be older than the data, so it is no last copy.
            Some("DBSnapshotAlreadyExists") => {
                let copy = deletion.final_copy.as_deref().unwrap_or_default();
                failed.class = ErrorClass::Invalid;
                failed.message = format!(
                    "{}; {name} is not deleted: an older snapshot has the name {copy} of its final one. To keep that snapshot, \
                     copy it under another name (aws rds copy-db-snapshot --source-db-snapshot-identifier {copy} \
                     --target-db-snapshot-identifier {copy}-old); then delete it (aws rds delete-db-snapshot \
                     --db-snapshot-identifier {copy}) and run this again",
                    failed.message
                );
            }
            _ => {}
        }
        Err(failed)
    }
}

#[cfg(test)]
mod tests;
