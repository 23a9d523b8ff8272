//! The service's words for the states of a replication group and of its nodes
//! (<https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html>,
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheCluster.html>).

use zonestack_core::driver::Status;

/// The state in which everything can be changed, and tags can be read.
pub(super) const AVAILABLE: &str = "available";

/// Where a replication group stands whose nodes are in these states.
pub(super) fn status<'a>(word: &str, mut nodes: impl Iterator<Item = &'a str>) -> Status {
    if word != "deleting"
        && let Some((state, remedy)) = nodes.find_map(|node| Some((node, remedy(node)?)))
    {
        return Status::Failed(format!("a node is {state}: {remedy}"));
    }
    match word {
        AVAILABLE => Status::Ready,
        "modifying" | "snapshotting" => Status::Busy(word.to_owned()),
        "deleting" => Status::Deleting,
        _ => match remedy(word) {
            Some(remedy) => Status::Failed(format!("{word}: {remedy}")),
            // creating, and words to come.
            None => Status::Pending(word.to_owned()),
        },
    }
}

/// What to do about a state that does not mend itself; `None` for every other state.
fn remedy(word: &str) -> Option<&'static str> {
    Some(match word {
        "create-failed" => {
            "ElastiCache could not make it. Look at its events (aws elasticache describe-events), delete it \
             (aws elasticache delete-replication-group), then run this again"
        }
        "incompatible-network" => {
            "its subnets have no free addresses, or its VPC changed. Mend the network; AWS support brings the node back"
        }
        "restore-failed" => {
            "it could not be filled from the snapshot. Look at its events (aws elasticache describe-events), and take \
             another snapshot or a larger `class`"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(word: &str) -> Status {
        status(word, std::iter::empty())
    }

    #[test]
    fn every_state_has_its_place() {
        assert_eq!(alone("available"), Status::Ready);
        for word in ["modifying", "snapshotting"] {
            assert_eq!(alone(word), Status::Busy(word.to_owned()));
        }
        for word in ["creating", "a-word-to-come"] {
            assert_eq!(alone(word), Status::Pending(word.to_owned()));
        }
        assert_eq!(alone("deleting"), Status::Deleting);
        let Status::Failed(words) = alone("create-failed") else { panic!() };
        assert!(words.contains("describe-events"), "{words}");
    }

    #[test]
    fn a_node_that_does_not_mend_itself_needs_a_person() {
        let with = |word, node| status(word, [AVAILABLE, node].into_iter());
        for node in ["available", "modifying", "rebooting cluster nodes", "snapshotting"] {
            assert_eq!(with("available", node), Status::Ready);
        }
        for node in ["incompatible-network", "restore-failed"] {
            assert!(matches!(with("available", node), Status::Failed(_)), "{node}");
            assert_eq!(with("deleting", node), Status::Deleting);
        }
    }
}
