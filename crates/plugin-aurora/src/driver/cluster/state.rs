//! The service's words for the states of a cluster.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html>

use zonestack_core::driver::Status;

/// Where a cluster stands. An available cluster may be without instances: those are looked at themselves.
pub(in super::super) fn status(word: &str) -> Status {
    match word {
        "available" | "storage-optimization" => Status::Ready,
        "backing-up"
        | "configuring-enhanced-monitoring"
        | "configuring-iam-database-auth"
        | "configuring-log-exports"
        | "maintenance"
        | "modifying"
        | "resetting-master-credentials"
        | "scaling-storage"
        | "update-iam-db-auth" => Status::Busy(word.to_owned()),
        "deleting" => Status::Deleting,
        _ => match remedy(word) {
            Some(remedy) => Status::Failed(format!("{word}: {remedy}")),
            // creating, failing-over, migrating, promoting, renaming, starting, stopping, upgrading, …, and words to come.
            None => Status::Pending(word.to_owned()),
        },
    }
}

/// What to do about a state that does not mend itself; `None` for every other state.
fn remedy(word: &str) -> Option<&'static str> {
    Some(match word {
        "cloning-failed" => {
            "it could not be cloned. Look at its events (aws rds describe-events), delete it and try again"
        }
        "inaccessible-encryption-credentials" => {
            "its KMS key cannot be used any more. Enable the key, then restore from a backup"
        }
        "inaccessible-encryption-credentials-recoverable" => {
            "its KMS key cannot be used. Enable the key, then start the cluster (aws rds start-db-cluster)"
        }
        "migration-failed" => {
            "the snapshot could not be brought into Aurora. Look at its events (aws rds describe-events), delete it and restore \
             another snapshot"
        }
        "stopped" => {
            "somebody stopped it; AWS starts it again after 7 days. Start it (aws rds start-db-cluster)"
        }
        _ => return None,
    })
}

/// Whether RDS can make no final snapshot in this state.
pub(super) fn is_beyond_a_snapshot(word: &str) -> bool {
    matches!(word, "cloning-failed" | "inaccessible-encryption-credentials" | "migration-failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_place() {
        let check = |words: &[&str], is: fn(&Status) -> bool| {
            for word in words {
                assert!(is(&status(word)), "{word}: {:?}", status(word));
            }
        };
        check(&["available", "storage-optimization"], |s| *s == Status::Ready);
        check(&["backing-up", "maintenance", "modifying", "resetting-master-credentials"], |s| {
            matches!(s, Status::Busy(_))
        });
        check(
            &["creating", "failing-over", "migrating", "starting", "upgrading", "a-word-to-come"],
            |s| matches!(s, Status::Pending(_)),
        );
        check(&["deleting"], |s| *s == Status::Deleting);
        check(
            &[
                "cloning-failed",
                "inaccessible-encryption-credentials",
                "inaccessible-encryption-credentials-recoverable",
                "migration-failed",
                "stopped",
            ],
            |s| matches!(s, Status::Failed(_)),
        );
    }

    #[test]
    fn a_failure_says_what_to_do() {
        let words = "stopped: somebody stopped it; AWS starts it again after 7 days. Start it (aws rds start-db-cluster)";
        assert_eq!(status("stopped"), Status::Failed(words.to_owned()));
    }
}
