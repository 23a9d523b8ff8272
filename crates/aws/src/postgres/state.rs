//! The service's words for the states of an instance (domain.md 4.4;
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html>).

use zonestack_core::driver::Status;

/// Where an instance stands.
pub fn status(word: &str) -> Status {
    match word {
        // While storage is optimized, for hours after it grew, everything works and everything but storage can be changed.
        "available" | "storage-optimization" => Status::Ready,
        "backing-up"
        | "configuring-associated-roles"
        | "configuring-enhanced-monitoring"
        | "configuring-iam-database-auth"
        | "configuring-log-exports"
        | "maintenance"
        | "modifying"
        | "resetting-master-credentials"
        | "storage-config-upgrade"
        | "storage-initialization" => Status::Busy(word.to_owned()),
        "deleting" | "delete-precheck" => Status::Deleting,
        _ => match remedy(word) {
            Some(remedy) => Status::Failed(format!("{word}: {remedy}")),
            // creating, starting, rebooting, renaming, upgrading (mostly down), stopping, …, and words to come.
            None => Status::Pending(word.to_owned()),
        },
    }
}

/// What to do about a state that does not mend itself; `None` for every other state.
fn remedy(word: &str) -> Option<&'static str> {
    Some(match word {
        "failed" => {
            "RDS gave up on it. Look at its events (aws rds describe-events); delete it, or restore it to a point in time"
        }
        "incompatible-network" => {
            "its subnets have no free addresses, or its VPC changed. Mend the network, then modify the instance without changing \
             anything"
        }
        "incompatible-option-group" => {
            "its option group does not fit its version. Attach another one"
        }
        "incompatible-parameters" => {
            "a parameter asks for more than the class has. Correct `parameters`, then reboot the instance"
        }
        "incompatible-restore" => {
            "it could not be restored to the point in time. Restore to another one"
        }
        "inaccessible-encryption-credentials" => {
            "its KMS key cannot be used any more. Enable the key, then restore from a backup"
        }
        "inaccessible-encryption-credentials-recoverable" => {
            "its KMS key cannot be used. Enable the key, then start the instance"
        }
        "insufficient-capacity" => {
            "AWS has none of its class left there. Choose another `class`, or try later"
        }
        "restore-error" => "it could not be restored. Look at its events (aws rds describe-events)",
        "storage-full" => {
            "its storage is full and it stands still. Raise `storage` by 10 % or more \
             (aws rds modify-db-instance --allocated-storage … --apply-immediately)"
        }
        "stopped" => {
            "somebody stopped it; AWS starts it again after 7 days. Start it (aws rds start-db-instance)"
        }
        _ => return None,
    })
}

/// Whether RDS can make no final snapshot in this state (domain.md 4.7).
pub fn is_beyond_a_snapshot(word: &str) -> bool {
    matches!(word, "failed" | "incompatible-restore" | "incompatible-network")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 4.4 of domain.md.
    #[test]
    fn every_state_has_its_place() {
        let check = |words: &[&str], is: fn(&Status) -> bool| {
            for word in words {
                assert!(is(&status(word)), "{word}: {:?}", status(word));
            }
        };
        check(&["available", "storage-optimization"], |s| *s == Status::Ready);
        check(
            &[
                "backing-up",
                "configuring-enhanced-monitoring",
                "configuring-iam-database-auth",
                "configuring-log-exports",
                "modifying",
                "maintenance",
                "resetting-master-credentials",
                "storage-config-upgrade",
            ],
            |s| matches!(s, Status::Busy(_)),
        );
        check(
            &[
                "creating",
                "starting",
                "rebooting",
                "renaming",
                "converting-to-vpc",
                "moving-to-vpc",
                "stopping",
                "upgrading",
                "a-word-to-come",
            ],
            |s| matches!(s, Status::Pending(_)),
        );
        check(&["deleting", "delete-precheck"], |s| *s == Status::Deleting);
        check(
            &[
                "stopped",
                "failed",
                "incompatible-network",
                "incompatible-option-group",
                "incompatible-parameters",
                "incompatible-restore",
                "inaccessible-encryption-credentials",
                "inaccessible-encryption-credentials-recoverable",
                "insufficient-capacity",
                "restore-error",
                "storage-full",
            ],
            |s| matches!(s, Status::Failed(_)),
        );
    }

    #[test]
    fn a_failure_says_what_to_do() {
        let words = "incompatible-parameters: a parameter asks for more than the class has. Correct `parameters`, then \
                     reboot the instance";
        assert_eq!(status("incompatible-parameters"), Status::Failed(words.to_owned()));
    }
}
