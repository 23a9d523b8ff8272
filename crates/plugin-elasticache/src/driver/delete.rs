//! DeleteReplicationGroup: with a final snapshot (domain.md 5.5).

use zonestack_core::driver::{Deletion, DriverError, ErrorClass, Target};

use super::failure::{changing, code};
use super::{ElastiCacheDriver, name_of};

impl ElastiCacheDriver {
    /// Starts the end of a replication group.
    ///
    /// A final snapshot is made under the name that the engine chose; without a name the call is refused, because the last
    /// copy of its data would be lost. What is gone, or going, already is a success.
    pub(super) async fn delete_replication_group(
        &self,
        target: &Target,
        deletion: &Deletion,
    ) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let Some(copy) = &deletion.final_copy else {
            let message = format!("{name} is not deleted: there is no name for its final snapshot");
            return Err(DriverError::new(ErrorClass::Invalid, message));
        };
        let call = self.client.delete_replication_group().replication_group_id(name);
        let call = call.retain_primary_cluster(false).final_snapshot_identifier(copy);
        let Err(error) = call.send().await else { return Ok(()) };
        let code = code(&error);
        let mut failed = changing("DeleteReplicationGroup", error);
        match code.as_deref() {
            Some("ReplicationGroupNotFoundFault") => return Ok(()),
            Some("InvalidReplicationGroupState") if failed.message.contains("deleting") => {
                return Ok(());
            }
            Some("InvalidReplicationGroupState") if failed.message.contains("create-failed") => {
                // Waiting would not help.
                failed.class = ErrorClass::Invalid;
                failed.message = format!(
                    "{}; it was never made and holds nothing. To give it up: aws elasticache delete-replication-group \
                     --replication-group-id {name}, then run down again",
                    failed.message
                );
            }
            // The name says stack, component, uid and generation: an earlier try made the snapshot, or a person. Either way
            // it may be older than the data, so it is no last copy.
            Some("SnapshotAlreadyExistsFault") => {
                failed.class = ErrorClass::Invalid;
                failed.message = format!(
                    "{}; {name} is not deleted: an older snapshot has the name {copy} of its final one. To keep that snapshot, \
                     copy it under another name (aws elasticache copy-snapshot --source-snapshot-name {copy} \
                     --target-snapshot-name {copy}-old); then delete it (aws elasticache delete-snapshot --snapshot-name \
                     {copy}) and run this again",
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
