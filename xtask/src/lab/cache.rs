//! Where the lab keeps what it builds and runs: always outside the checkout.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::environment;

/// There is no place for the cache.
#[derive(Debug, Error)]
#[error("no cache folder: set ZONESTACK_CACHE, XDG_CACHE_HOME or HOME")]
pub(crate) struct NoCache;

/// `<cache>/lab`.
pub(crate) fn root() -> Result<PathBuf, NoCache> {
    environment::cache().map(|cache| cache.join("lab")).ok_or(NoCache)
}

/// `<cache>/lab/run`: a folder for each lab.
pub(crate) fn runs() -> Result<PathBuf, NoCache> {
    Ok(root()?.join("run"))
}

/// `<cache>/lab/run/<name>`: the logs, keys and state of one lab.
pub(crate) fn run(name: &str) -> Result<PathBuf, NoCache> {
    Ok(runs()?.join(name))
}

/// The folder `lab` of the checkout: Go modules, stages, scripts.
pub(crate) fn sources() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).join("lab")
}

/// A short key for what goes into a build: other contents, another folder.
pub(crate) fn key<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let number = hash.finalize().iter().take(6).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{number:012x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_tells_where_a_part_ends() {
        assert_eq!(key(["a", "b"]).len(), 12);
        assert_eq!(key(["a", "b"]), key(["a", "b"]));
        assert_ne!(key(["ab", ""]), key(["a", "b"]));
    }
}
