//! How large a new sandbox is, and how fast time passes in it.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The account that the sandbox plays: the one of AWS's own documentation.
pub const ACCOUNT: &str = "111122223333";

/// What a new sandbox contains. One that is there already keeps what it was made with; only [`Options::pace`] follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The AWS region, such as `eu-west-1`.
    pub region: String,
    /// The cluster's name: the stack file's `cluster`.
    pub cluster: String,
    /// The AWS account, twelve digits.
    pub account: String,
    /// The zones.
    pub zones: Zones,
    /// Worker nodes in each zone. One control-plane node in each of the first three zones comes on top.
    pub nodes_per_zone: u32,
    /// The nodes' `kubernetes.io/arch`.
    pub arch: String,
    /// How the cluster's subnets are laid out.
    pub topology: Topology,
    /// Ids that the network has, instead of made-up ones.
    pub network: NetworkIds,
    /// Whether the AWS Load Balancer Controller is installed.
    pub load_balancer_controller: bool,
    /// Whether the EFS CSI driver is installed.
    pub efs_csi_driver: bool,
    /// How fast things happen. `None`: as the sandbox was made with, shortened for a new one.
    pub pace: Option<Pace>,
    /// What the digits of ids and the generated values are derived from, besides what they belong to.
    pub seed: u64,
}

impl Options {
    /// Three zones with two nodes each, private subnets, both controllers, shortened durations.
    pub fn new(region: &str, cluster: &str) -> Self {
        Self {
            region: region.to_owned(),
            cluster: cluster.to_owned(),
            account: ACCOUNT.to_owned(),
            zones: Zones::Count(3),
            nodes_per_zone: 2,
            arch: "amd64".to_owned(),
            topology: Topology::Private,
            network: NetworkIds::default(),
            load_balancer_controller: true,
            efs_csi_driver: true,
            pace: None,
            seed: 0,
        }
    }
}

/// The ids of a network that somebody names, as `network` in a stack file does. What is not named gets an id that is made up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkIds {
    /// The VPC's id.
    pub vpc: Option<String>,
    /// Ids of subnets for nodes, in the order of the zones. Where there are more than zones, they go round; a zone without one
    /// gets a made-up one.
    pub subnets: Vec<String>,
    /// Ids of the security groups that every worker node carries; a made-up one when there is none.
    pub security_groups: Vec<String>,
}

/// Which zones a sandbox has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zones {
    /// The first so many of the region: `eu-west-1a`, `eu-west-1b`, …; at least one, at most 26.
    Count(u8),
    /// These.
    Named(Vec<String>),
}

impl Zones {
    /// The zones' names, in order of name.
    pub(crate) fn names(&self, region: &str) -> Vec<String> {
        match self {
            Self::Count(count) => {
                let letters = ('a'..='z').take(usize::from((*count).clamp(1, 26)));
                letters.map(|letter| format!("{region}{letter}")).collect()
            }
            Self::Named(names) => {
                let mut names = names.clone();
                names.sort();
                names.dedup();
                names
            }
        }
    }
}

/// How a kOps cluster lays out its subnets (domain.md, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// Nodes in `Private` subnets, beside `Utility` subnets for load balancers.
    Private,
    /// Nodes in `Public` subnets.
    Public,
}

/// How fast things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// At once; for tests of what does not depend on time.
    Instant,
    /// 480 times as fast as the real services, nothing slower than four seconds: a database takes a second and a half
    /// instead of twelve minutes.
    #[default]
    Shortened,
    /// As long as the real services take.
    Real,
}

impl Pace {
    /// A duration of the real services at this pace.
    pub fn scale(self, real: Duration) -> Duration {
        match self {
            Self::Instant => Duration::ZERO,
            Self::Shortened => (real / 480).min(Duration::from_secs(4)),
            Self::Real => real,
        }
    }

    /// How long one call takes.
    pub fn latency(self) -> Duration {
        match self {
            Self::Instant => Duration::ZERO,
            Self::Shortened => Duration::from_millis(5),
            Self::Real => Duration::from_millis(150),
        }
    }
}

/// Why a text names no pace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no pace: write instant, shortened or real")]
pub struct UnknownPace(pub String);

impl FromStr for Pace {
    type Err = UnknownPace;

    fn from_str(text: &str) -> Result<Self, UnknownPace> {
        match text {
            "instant" => Ok(Self::Instant),
            "shortened" => Ok(Self::Shortened),
            "real" => Ok(Self::Real),
            _ => Err(UnknownPace(text.to_owned())),
        }
    }
}

/// Milliseconds, the unit of the world's time.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_takes_a_second_and_a_half_and_nothing_more_than_four() {
        let twelve_minutes = Duration::from_mins(12);
        assert_eq!(Pace::Shortened.scale(twelve_minutes), Duration::from_millis(1500));
        assert_eq!(Pace::Shortened.scale(twelve_minutes * 60), Duration::from_secs(4));
        assert_eq!(Pace::Real.scale(twelve_minutes), twelve_minutes);
        assert_eq!("real".parse(), Ok(Pace::Real));
        assert_eq!(
            "slow".parse::<Pace>().unwrap_err().to_string(),
            "\"slow\" is no pace: write instant, shortened or real"
        );
    }
}
