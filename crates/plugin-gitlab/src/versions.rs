//! What each GitLab works with.

use std::fmt;
use std::ops::RangeInclusive;

use crate::config::{Puma, Sidekiq};

/// Minor versions of every major that no upgrade may skip.
pub(crate) const UPGRADE_STOPS: [u64; 4] = [2, 5, 8, 11];
/// Where that is written down.
pub(crate) const UPGRADE_SOURCE: &str = "https://docs.gitlab.com/update/upgrade_paths/";
/// The oldest major version whose needs are known here.
pub(crate) const OLDEST: u32 = 16;
/// The newest major version whose needs are known here.
pub(crate) const NEWEST: u32 = 19;

/// A version of GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) patch: u32,
}

impl Version {
    /// Reads `19.2.0` and nothing else: upgrade rules compare such tags.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|part| {
            part.chars().all(|c| c.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
        });
        let version =
            Self { major: numbers.next()??, minor: numbers.next()??, patch: numbers.next()?? };
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The PostgreSQL majors that a GitLab major works with (domain.md, 1.2).
pub(crate) fn postgres(major: u32) -> RangeInclusive<u32> {
    match major {
        ..=16 => 13..=15,
        17 => 14..=16,
        18 => 16..=17,
        _ => 17..=17,
    }
}

/// Why a GitLab major does not work with an engine of the Redis protocol (domain.md, 1.3); `None` when it does.
pub(crate) fn redis_objection(
    major: u32,
    engine: &str,
    version: (u32, u32),
) -> Option<&'static str> {
    match engine {
        "valkey" if major < 19 => Some("needs Redis: Valkey is supported from GitLab 19.0 on"),
        "valkey" if version < (7, 2) => Some("needs Valkey 7.2 or later"),
        "redis" if major >= 19 && version < (7, 0) => Some("needs Redis 7.0 or later"),
        "redis" if version < (6, 0) => Some("needs Redis 6.0 or later"),
        "valkey" | "redis" => None,
        _ => Some("works with Redis and Valkey only"),
    }
}

/// What to do about a [`redis_objection`].
pub(crate) fn redis_advice(major: u32, engine: &str) -> &'static str {
    match engine {
        "valkey" if major < 19 => {
            "set the cache's engine to redis (7.2; ElastiCache has 7.1), or GitLab's version to 19.0.0 or later"
        }
        "redis" => {
            "set the cache's version to 7.2 (7.1 on ElastiCache); or its engine to valkey, from GitLab 19 on"
        }
        _ if major < 19 => "wire a cache whose engine is redis (7.2; ElastiCache has 7.1)",
        _ => "wire a cache whose engine is valkey (8.1)",
    }
}

/// How many database connections one GitLab may open: GitLab's own formula, for its two connection pools (domain.md, 1.8).
pub(crate) fn connections(puma: Puma, sidekiq: Sidekiq) -> u64 {
    let web = u64::from(puma.workers) * (u64::from(puma.threads) + 10);
    let jobs = u64::from(sidekiq.concurrency) + 1 + 10;
    2 * (web + jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_those_of_the_table_in_the_domain_notes() {
        for (workers, threads, concurrency, expected) in
            [(3, 16, 25, 228), (3, 4, 25, 156), (2, 4, 10, 98)]
        {
            assert_eq!(connections(Puma { workers, threads }, Sidekiq { concurrency }), expected);
        }
    }

    #[test]
    fn a_version_is_three_numbers() {
        assert_eq!(Version::parse("19.2.0").unwrap().to_string(), "19.2.0");
        for text in ["19.2", "19.2.0.1", "v19.2.0", "19.2.0-1", "latest", "19..0", "19.2.+0"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn engines_are_judged_by_the_gitlab_that_uses_them() {
        for (major, engine, version, works) in [
            (19, "valkey", (8, 1), true),
            (19, "valkey", (7, 1), false),
            (18, "valkey", (8, 1), false),
            (19, "redis", (7, 0), true),
            (19, "redis", (6, 2), false),
            (18, "redis", (6, 2), true),
            (18, "redis", (5, 0), false),
            (19, "memcached", (1, 6), false),
        ] {
            let objection = redis_objection(major, engine, version);
            assert_eq!(objection.is_none(), works, "GitLab {major} with {engine} {version:?}");
        }
    }
}
