//! DescribeSnapshots: whether the snapshot that a deleted replication group was to leave is there.

use aws_sdk_elasticache::types::Snapshot;
use zonestack_core::driver::{DriverError, Status, Target};

use super::ElastiCacheDriver;
use super::failure::{code, reading};

impl ElastiCacheDriver {
    /// Where the snapshot stands. One of this name that was made from something else is no copy of this data.
    pub(super) async fn final_snapshot(
        &self,
        target: &Target,
        name: &str,
    ) -> Result<Status, DriverError> {
        let described = self.client.describe_snapshots().snapshot_name(name).send().await;
        let found = match described {
            Ok(answer) => answer.snapshots.unwrap_or_default().into_iter().next(),
            Err(error) if code(&error).as_deref() == Some("SnapshotNotFoundFault") => None,
            Err(error) => return Err(reading("DescribeSnapshots", error)),
        };
        let Some(snapshot) = found else { return Ok(Status::Absent) };
        if let Some(other) = target.name.as_deref().and_then(|of| source_besides(&snapshot, of)) {
            let words = format!("the snapshot {name} is of {other}, not of this replication group");
            return Ok(Status::Failed(words));
        }
        Ok(status(snapshot.snapshot_status().unwrap_or("unknown")))
    }
}

/// What a snapshot was made from, when that is not the replication group of a name: of its nodes, one is the source.
fn source_besides<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a str> {
    let given = |text: Option<&'a str>| text.filter(|text| !text.is_empty());
    let group = given(snapshot.replication_group_id());
    let node = given(snapshot.cache_cluster_id());
    let is_node = |node: &str| node.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    match group {
        Some(group) => (group != name).then_some(group),
        None => node.filter(|node| !is_node(node)),
    }
}

/// The service's words for the states of a snapshot.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_Snapshot.html>
fn status(word: &str) -> Status {
    match word {
        "available" | "copying" | "restoring" | "exporting" => Status::Ready,
        "deleting" => Status::Deleting,
        "failed" => {
            let words = "failed: ElastiCache could not make the snapshot. Its automatic snapshots went with it, unless they \
                         were copied";
            Status::Failed(words.to_owned())
        }
        word => Status::Pending(word.to_owned()),
    }
}

#[cfg(test)]
mod tests;
