//! IncreaseReplicaCount and DecreaseReplicaCount: in which zones a replication group has nodes.

use std::collections::BTreeMap;

use aws_sdk_elasticache::types::ConfigureShard;
use serde_json::Value as Json;
use zonestack_core::driver::{DriverError, ErrorClass, Target};

use super::failure::{changing, code};
use super::spec::Spec;
use super::{ElastiCacheDriver, Node, name_of};

/// The only node group of a replication group without cluster mode.
pub(super) const NODE_GROUP: &str = "0001";
/// A primary and five replicas.
const MOST: usize = 6;
/// What ElastiCache says when there is nothing to do.
const NOTHING_TO_DO: &str = "NoOperationFault";

impl ElastiCacheDriver {
    /// One call towards a node in each zone of the specification: replicas that are missing come first, so that there is no
    /// moment with fewer than before; then those that are too many go.
    pub(super) async fn move_nodes(&self, target: &Target, spec: &Json) -> Result<(), DriverError> {
        let name = name_of(target)?;
        let nodes = self.seen_nodes(name);
        if nodes.is_empty() {
            let message = format!("the nodes of {name} are not known yet");
            return Err(DriverError::new(ErrorClass::Transient, message));
        }
        let wanted = Spec(spec).texts("zones").unwrap_or_default();
        let (missing, surplus) = compare(&nodes, &wanted);
        if !missing.is_empty() && nodes.len() < MOST {
            return self.add_replicas(name, &nodes, missing).await;
        }
        let leaving: Vec<String> =
            surplus.iter().filter(|node| !node.is_primary).map(|node| node.id.clone()).collect();
        match surplus.first() {
            Some(_) if !leaving.is_empty() => self.remove_replicas(name, leaving).await,
            Some(primary) => Err(DriverError::new(
                ErrorClass::Unsupported,
                format!(
                    "the primary of {name} is in {}, where it shall have no node any more. Let a replica take over, which cuts \
                     connections for some seconds: aws elasticache test-failover --replication-group-id {name} --node-group-id \
                     {NODE_GROUP}; then run this again",
                    primary.zone
                ),
            )),
            None => Ok(()),
        }
    }

    async fn add_replicas(
        &self,
        name: &str,
        nodes: &[Node],
        missing: Vec<String>,
    ) -> Result<(), DriverError> {
        let mut zones: Vec<String> = nodes.iter().map(|node| node.zone.clone()).collect();
        zones.extend(missing.into_iter().take(MOST - nodes.len()));
        let replicas = i32::try_from(zones.len() - 1).unwrap_or_default();
        // The zones of all nodes, the primary's first; without them, ElastiCache chooses.
        let shard = ConfigureShard::builder()
            .node_group_id(NODE_GROUP)
            .new_replica_count(replicas)
            .set_preferred_availability_zones(Some(zones))
            .build();
        let call = self.client.increase_replica_count().replication_group_id(name);
        let call = call.replica_configuration(shard).apply_immediately(true);
        let Err(error) = call.send().await else { return Ok(()) };
        match code(&error).as_deref() {
            Some(NOTHING_TO_DO) => Ok(()),
            _ => Err(changing("IncreaseReplicaCount", error)),
        }
    }

    async fn remove_replicas(&self, name: &str, ids: Vec<String>) -> Result<(), DriverError> {
        let call = self.client.decrease_replica_count().replication_group_id(name);
        let call = call.set_replicas_to_remove(Some(ids)).apply_immediately(true);
        let Err(error) = call.send().await else { return Ok(()) };
        match code(&error).as_deref() {
            Some(NOTHING_TO_DO) => Ok(()),
            _ => Err(changing("DecreaseReplicaCount", error)),
        }
    }
}

/// The zones that want one node more, and the nodes that no zone wants. Whichever of two nodes in one zone is too many, the
/// primary stays.
fn compare(nodes: &[Node], wanted: &[String]) -> (Vec<String>, Vec<Node>) {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for zone in wanted {
        *open.entry(zone).or_default() += 1;
    }
    let mut surplus = Vec::new();
    let (primary, replicas): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node.is_primary);
    for node in primary.into_iter().chain(replicas) {
        match open.get_mut(node.zone.as_str()).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => surplus.push(node.clone()),
        }
    }
    let missing = open.into_iter().flat_map(|(zone, count)| vec![zone.to_owned(); count]);
    (missing.collect(), surplus)
}

#[cfg(test)]
mod tests;
