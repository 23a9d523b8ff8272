//! At the boundary: bytes that no host sends, many calls, calls that nobody waits for.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use zonestack_host::plugin::{RawError, RemotePlugin};
use zonestack_sdk::message::method;

use crate::heard;
use crate::subject::{LIMITS, Loaded, Subject};
use crate::verdict::{Outcome, Stop, failed, not_applicable};

/// Bodies that are no request.
const MALFORMED: [&[u8]; 7] = [
    b"",
    b"no JSON",
    b"{\"component_type\": \"",
    b"[1, 2, 3]",
    b"{}",
    b"{\"component_type\": 7, \"config\": [], \"caller\": 7, \"target\": null, \"queries\": 7}",
    b"\xff\xfe\x00",
];

/// How many lines a call may say.
const LINES: usize = 10;

/// What is no request is `invalid`.
pub(crate) fn malformed(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let mut methods = vec![method::CHECK, method::RENDER];
    if !loaded.kinds.is_empty() {
        methods.extend([method::OBSERVE, method::CREATE, method::UPDATE, method::DELETE]);
    }
    for name in methods {
        for body in MALFORMED {
            refuses(&loaded.plugin, name, body, "invalid")?;
        }
    }
    Ok(())
}

fn refuses(plugin: &RemotePlugin, name: &'static str, body: &[u8], class: &str) -> Outcome {
    let sent = String::from_utf8_lossy(body).into_owned();
    match plugin.raw(name, body.to_vec(), LIMITS.render) {
        Err(RawError::Failed(failure)) if failure.class == class => Ok(()),
        Err(RawError::Failed(failure)) => failed(format!(
            "{name} with {sent:?} must be refused with the class {class}, it was {}: {}",
            failure.class, failure.message
        )),
        Err(RawError::Broken(how)) => failed(format!("asked to {name} with {sent:?}, it {how}")),
        Ok(_) => failed(format!("{name} with {sent:?} was answered, not refused")),
    }
}

/// A call that it does not know is `unsupported`.
pub(crate) fn unknown_method(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    refuses(&loaded.plugin, "no-such-method", b"{}", "unsupported")
}

/// A component type that it does not have is `invalid`.
pub(crate) fn unknown_type(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let body = json!({ "component_type": "no-such-type", "config": {} }).to_string();
    refuses(&loaded.plugin, method::CHECK, body.as_bytes(), "invalid")
}

/// A check that every plugin with a component type can make.
fn check(loaded: &Loaded<'_>) -> Result<Vec<u8>, Stop> {
    let example = loaded.example()?;
    let request = json!({ "component_type": example.component, "config": example.config });
    Ok(request.to_string().into_bytes())
}

fn answered(plugin: &RemotePlugin, body: &[u8]) -> Outcome {
    match plugin.raw(method::CHECK, body.to_vec(), LIMITS.call) {
        Ok(_) => Ok(()),
        Err(error) => failed(format!("asked to check, it {error}")),
    }
}

/// It has done nothing that no plugin may.
pub(crate) fn faultless(plugin: &RemotePlugin) -> Outcome {
    match plugin.faults().first() {
        Some(fault) => failed(fault.clone()),
        None => Ok(()),
    }
}

/// 200 calls at once are answered, each once.
pub(crate) fn many(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let body = check(&loaded)?;
    thread::scope(|scope| {
        let calls: Vec<_> =
            (0..200).map(|_| scope.spawn(|| answered(&loaded.plugin, &body))).collect();
        calls
            .into_iter()
            .try_for_each(|call| call.join().unwrap_or_else(|_| failed("a call was not answered")))
    })?;
    loaded.plugin.shutdown();
    faultless(&loaded.plugin)
}

/// A call that nobody waits for any more leaves the plugin usable.
pub(crate) fn cancelled(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let body = check(&loaded)?;
    for _ in 0..20 {
        let begun = loaded.plugin.abandoned(method::CHECK, body.clone(), LIMITS.call);
        begun.map_err(|error| Stop::Failed(format!("when a call was cancelled, it {error}")))?;
        answered(&loaded.plugin, &body)?;
    }
    loaded.plugin.shutdown();
    faultless(&loaded.plugin)
}

/// It ends with calls open, and can be started again.
pub(crate) fn shutdown(subject: &Subject) -> Outcome {
    const GRACE: Duration = Duration::from_secs(6);
    let loaded = subject.loaded()?;
    let body = check(&loaded)?;
    for _ in 0..50 {
        let begun = loaded.plugin.left_open(method::CHECK, body.clone(), LIMITS.call);
        begun.map_err(|error| Stop::Failed(format!("it {error}")))?;
    }
    let begin = Instant::now();
    loaded.plugin.shutdown();
    if begin.elapsed() > GRACE {
        return failed(format!("asked to end with calls open, it took {:?}", begin.elapsed()));
    }
    faultless(&loaded.plugin)?;
    answered(&loaded.plugin, &body)
}

/// It says little, and what it prints breaks nothing.
pub(crate) fn quiet(subject: &Subject) -> Outcome {
    const CALLS: usize = 50;
    let loaded = subject.loaded()?;
    let body = check(&loaded)?;
    let before = heard::count();
    for _ in 0..CALLS {
        answered(&loaded.plugin, &body)?;
    }
    // Its last lines are read when it has ended.
    loaded.plugin.shutdown();
    let said = heard::count() - before;
    if said > CALLS * LINES {
        return failed(format!(
            "it says {said} lines in {CALLS} checks, more than {LINES} in each"
        ));
    }
    faultless(&loaded.plugin)
}

/// Checks and rendering write nothing.
pub(crate) fn no_files(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let example = loaded.example()?;
    let tested = loaded.type_of(&example)?;
    for zones in 1..=3 {
        loaded.rendered(tested, &example.config, zones)?;
    }
    answered(&loaded.plugin, &check(&loaded)?)?;
    loaded.plugin.shutdown();
    // The folder is this law's own; home and temporary files are in it too.
    let Ok(entries) = std::fs::read_dir(".") else { return not_applicable("the folder is gone") };
    match entries.flatten().next() {
        Some(entry) => failed(format!(
            "it wrote \"{}\" where it was run: only drivers touch the world, and not files",
            entry.file_name().display()
        )),
        None => Ok(()),
    }
}
