//! DescribeDBClusterSnapshots: whether the snapshot that a deleted cluster was to leave is there (domain.md 4.7).

use zonestack_core::driver::{DriverError, Status, Target};

use super::AuroraDriver;
use super::failure::{code, reading};

impl AuroraDriver {
    /// Where the snapshot stands. One of this name that was made from another cluster is no copy of this one's data.
    pub(super) async fn final_snapshot(
        &self,
        target: &Target,
        name: &str,
    ) -> Result<Status, DriverError> {
        let described = self
            .client
            .describe_db_cluster_snapshots()
            .db_cluster_snapshot_identifier(name)
            .send()
            .await;
        let found = match described {
            Ok(answer) => answer.db_cluster_snapshots.unwrap_or_default().into_iter().next(),
            Err(error)
                if matches!(
                    code(&error).as_deref(),
                    Some("DBClusterSnapshotNotFound" | "DBClusterSnapshotNotFoundFault")
                ) =>
            {
                None
            }
            Err(error) => return Err(reading("DescribeDBClusterSnapshots", error)),
        };
        let Some(snapshot) = found else { return Ok(Status::Absent) };
        let of = snapshot.db_cluster_identifier();
        if let Some(other) = of.filter(|of| target.name.as_deref().is_some_and(|name| name != *of))
        {
            let words = format!("the snapshot {name} is of {other}, not of this cluster");
            return Ok(Status::Failed(words));
        }
        Ok(status(snapshot.status().unwrap_or("unknown")))
    }
}

/// The service's words for the states of a snapshot.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBClusterSnapshot.html>
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
                "{word}: RDS could not make the snapshot. The cluster's automated backups are kept: restore it from them"
            ))
        }
        word => Status::Pending(word.to_owned()),
    }
}

#[cfg(test)]
mod tests;
