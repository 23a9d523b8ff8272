//! What calls leave in the plugin's memory.

use std::fs;
use std::time::{Duration, Instant};

use zonestack_host::plugin::{RawError, RemotePlugin};
use zonestack_sdk::message::{CheckRequest, method};

use crate::drivers::late::request;
use crate::subject::{LIMITS, Loaded, Subject};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

/// Turns before anything is measured: buffers, threads and caches find their size.
const WARM_UP: usize = 100;
/// Turns in a round.
const TURNS: usize = 250;
/// Rounds. What grows once has found its size; what grows in each does not stop.
const ROUNDS: usize = 3;
/// So many bytes may stay of a turn, in the round that leaves the fewest: less than any of its requests has.
const LIMIT: u64 = 512;
/// With less than so many turns in a round, the size of a page counts for more than a leak.
const FEWEST: usize = 100;
/// As long as a round may take.
const LONGEST: Duration = Duration::from_secs(10);

/// A call that is made again and again.
struct Repeated {
    method: &'static str,
    body: Vec<u8>,
}

/// Many calls leave nothing behind.
pub(crate) fn grows(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let calls = calls(&loaded)?;
    if calls.is_empty() {
        return not_applicable("it has neither a component type to check nor a kind to look at");
    }
    let plugin = &loaded.plugin;
    turns(plugin, &calls, WARM_UP)?;
    let Some(before) = resident(plugin) else {
        return not_applicable("this system does not tell how much memory a process has");
    };
    let (mut last, mut fewest, mut made) = (before, u64::MAX, 0);
    for _ in 0..ROUNDS {
        let turns = turns(plugin, &calls, TURNS)?;
        let Some(now) = resident(plugin) else { return failed("it ended between two calls") };
        if turns < FEWEST {
            return not_applicable(format!(
                "only {turns} turns of calls were made in {LONGEST:?}: too few to tell"
            ));
        }
        fewest = fewest.min(now.saturating_sub(last) / turns as u64);
        last = now;
        made += turns;
    }
    if fewest <= LIMIT {
        return Ok(());
    }
    let names: Vec<&str> = calls.iter().map(|call| call.method).collect();
    failed(format!(
        "it grows with every call: from {} to {} KiB in {made} turns of {}, and at least {fewest} bytes a turn in each of {ROUNDS} rounds; at most {LIMIT} may stay",
        before / 1024,
        last / 1024,
        names.join(", "),
    ))
}

/// One call of each sort that leaves nothing in the world either: what creates is among them when it fails.
fn calls(loaded: &Loaded<'_>) -> Result<Vec<Repeated>, Stop> {
    let mut calls = Vec::new();
    match loaded.example() {
        Ok(example) => {
            let tested = loaded.type_of(&example)?;
            let render = loaded.request(tested, &example.config, 3)?;
            let check = CheckRequest {
                component_type: render.component_type.clone(),
                config: render.config.clone(),
            };
            calls.push((method::CHECK, serde_json::to_vec(&check)));
            calls.push((method::RENDER, serde_json::to_vec(&render)));
        }
        Err(Stop::NotApplicable(_)) => {}
        Err(stop) => return Err(stop),
    }
    let unwritten = |error: serde_json::Error| Stop::Failed(error.to_string());
    let mut repeated = Vec::new();
    for (method, body) in calls {
        repeated.push(Repeated { method, body: body.map_err(unwritten)? });
    }
    if let Some(kind) = loaded.kinds.first() {
        for method in [method::OBSERVE, method::DELETE, method::CREATE] {
            let call = Repeated { method, body: request(loaded, kind, method)? };
            if !answered(&loaded.plugin, &call)? || method != method::CREATE {
                repeated.push(call);
            }
        }
    }
    Ok(repeated)
}

/// Makes a call, in which nothing is given to what it asks. Whether it succeeded.
fn answered(plugin: &RemotePlugin, call: &Repeated) -> Result<bool, Stop> {
    match plugin.raw(call.method, call.body.clone(), LIMITS.call) {
        Ok(_) => Ok(true),
        Err(RawError::Failed(_)) => Ok(false),
        Err(RawError::Broken(how)) => failed(format!("asked to {} again, it {how}", call.method)),
    }
}

/// Makes all calls in turn, so many times, and no longer than a round may take. How often they were made.
fn turns(plugin: &RemotePlugin, calls: &[Repeated], times: usize) -> Result<usize, Stop> {
    let begin = Instant::now();
    for turn in 0..times {
        if begin.elapsed() > LONGEST {
            return Ok(turn);
        }
        for call in calls {
            answered(plugin, call)?;
        }
    }
    Ok(times)
}

/// The memory that is the process's own and not a part of a file, in bytes, wherever it is now.
fn resident(plugin: &RemotePlugin) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", plugin.process_id()?)).ok()?;
    let of = |name: &str| kib(&status, name);
    let own = of("RssAnon:").or_else(|| of("VmRSS:"))?;
    Some((own + of("VmSwap:").unwrap_or_default()) * 1024)
}

fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_linux_tells_it() {
        let status = "Name:\tx\nVmRSS:\t    1234 kB\nRssAnon:\t     12 kB\nThreads:\t1\n";
        assert_eq!(kib(status, "RssAnon:"), Some(12));
        assert_eq!(kib(status, "VmSwap:"), None);
        assert_eq!(kib(status, "Threads:"), None);
    }
}
