//! DescribeDBSnapshots: whether the snapshot that a deleted instance was to leave is there (domain.md 4.7).

use zonestack_core::driver::{DriverError, Status, Target};

use super::RdsDriver;
use super::failure::{code, reading};

impl RdsDriver {
    /// Where the snapshot stands. One of this name that was made from another instance is no copy of this one's data.
    pub(super) async fn final_snapshot(
        &self,
        target: &Target,
        name: &str,
    ) -> Result<Status, DriverError> {
        let described =
            self.client.describe_db_snapshots().db_snapshot_identifier(name).send().await;
        let found = match described {
            Ok(answer) => answer.db_snapshots.unwrap_or_default().into_iter().next(),
            Err(error)
                if matches!(
                    code(&error).as_deref(),
                    Some("DBSnapshotNotFound" | "DBSnapshotNotFoundFault")
                ) =>
            {
                None
            }
            Err(error) => return Err(reading("DescribeDBSnapshots", error)),
        };
        let Some(snapshot) = found else { return Ok(Status::Absent) };
        let of = snapshot.db_instance_identifier();
        if let Some(other) = of.filter(|of| target.name.as_deref().is_some_and(|name| name != *of))
        {
            let words = format!("the snapshot {name} is of {other}, not of this instance");
            return Ok(Status::Failed(words));
        }
        Ok(status(snapshot.status().unwrap_or("unknown")))
    }
}

/// The service's words for the states of a snapshot.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSnapshot.html>
fn status(word: &str) -> Status {
    match word {
        "available" => Status::Ready,
        "deleting" => Status::Deleting,
        "deleted" => Status::Absent,
        _ if ["failed", "error", "incompatible-", "inaccessible-"]
            .iter()
            .any(|bad| word.starts_with(bad)) =>
        {
            Status::Failed(format!(
                "{word}: RDS could not make the snapshot. The instance's automated backups are kept: restore it from them"
            ))
        }
        word => Status::Pending(word.to_owned()),
    }
}

#[cfg(test)]
mod tests;
