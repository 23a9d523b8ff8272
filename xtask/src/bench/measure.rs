//! What a process takes, by `lab/measure.py`: the standard library does not say it of a child.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use crate::checkout;

/// A process could not be measured.
#[derive(Debug, Error)]
pub(crate) enum MeasureError {
    #[error("cannot run python3")]
    Start(#[source] std::io::Error),
    #[error("measure.py printed something else than JSON")]
    Answer(#[from] serde_json::Error),
    #[error("{command} ended with {code}:\n{message}")]
    Failed { command: String, code: i32, message: String },
}

/// Seconds of wall and of CPU, bytes at the peak.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Cost {
    code: i32,
    pub(super) wall: f64,
    pub(super) cpu: f64,
    pub(super) memory: u64,
}

/// Runs a command, which must succeed.
pub(super) fn run(
    command: &[&OsStr],
    environment: &BTreeMap<&'static str, String>,
    folder: &Path,
    limit: Duration,
) -> Result<Cost, MeasureError> {
    let output = Command::new("python3")
        .arg(checkout::root().join("lab/measure.py"))
        .arg(limit.as_secs().to_string())
        .args(command)
        .envs(environment)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(MeasureError::Start)?;
    let cost: Cost = serde_json::from_slice(&output.stdout)?;
    if cost.code == 0 {
        return Ok(cost);
    }
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(MeasureError::Failed { command: words.join(" "), code: cost.code, message })
}

/// The median of each figure by itself; zeros when there is none.
pub(super) fn median(costs: &[Cost]) -> Cost {
    let middle = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    };
    let mut memory: Vec<u64> = costs.iter().map(|cost| cost.memory).collect();
    memory.sort_unstable();
    Cost {
        code: 0,
        wall: middle(costs.iter().map(|cost| cost.wall).collect()),
        cpu: middle(costs.iter().map(|cost| cost.cpu).collect()),
        memory: memory.get(memory.len() / 2).copied().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_each_figure() {
        let cost = |wall, cpu, memory| Cost { code: 0, wall, cpu, memory };
        let median = median(&[cost(3.0, 0.1, 10), cost(1.0, 0.3, 30), cost(2.0, 0.2, 20)]);
        assert_eq!(format!("{median:?}"), "Cost { code: 0, wall: 2.0, cpu: 0.2, memory: 20 }");
    }

    #[test]
    fn a_process_is_measured() {
        let words = ["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"];
        let command: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        let limit = Duration::from_mins(1);
        let cost = run(&command, &BTreeMap::new(), Path::new("/"), limit).unwrap();
        assert!(cost.wall > 0.0 && cost.cpu > 0.0 && cost.memory > 100_000, "{cost:?}");
        let failing = [OsStr::new("false")];
        run(&failing, &BTreeMap::new(), Path::new("/"), limit).unwrap_err();
    }
}
