//! What must not be told: values of secrets and credentials.

use zonestack_core::value::Value;

use crate::drivers::attempts;
use crate::drivers::request::VALUE;
use crate::generate;
use crate::heard;
use crate::life::Life;
use crate::subject::{Rendering, Subject};
use crate::trouble::{KEY, Trouble};
use crate::verdict::{Outcome, failed, not_applicable};

/// The error of a driver, and what it said meanwhile, have no value in them.
pub(crate) fn calls(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    for attempt in attempts(&loaded, Trouble::Refuses)? {
        let Some(error) = &attempt.failure else { continue };
        without(&error.message, "an error of its driver")?;
    }
    log()
}

fn without(text: &str, place: &str) -> Outcome {
    for (what, value) in [("the value of a secret", VALUE), ("the secret key of AWS", KEY)] {
        if text.contains(value) {
            return failed(format!("{place} has {what} in it"));
        }
    }
    Ok(())
}

fn log() -> Outcome {
    heard::everything().iter().try_for_each(|line| without(line, "what it says in the log"))
}

/// Settings that may be a secret stay references all the way.
pub(crate) fn rendered(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let mut tried = false;
    for tested in loaded.types()? {
        let mut random = subject.random();
        for _ in 0..200 {
            let Some(config) = generate::settings(&tested.described.schema, &mut random) else {
                continue;
            };
            if !config.to_string().contains(generate::SECRET) {
                continue;
            }
            let Rendering::Graph(desired) = loaded.rendered(tested, &config, 3)? else { continue };
            tried = true;
            for resource in &desired.resources {
                if let Some(at) = named(&resource.spec) {
                    return failed(format!(
                        "{}: {at:?} has the name of a secret's place as text: hand on the reference with value::secret",
                        resource.id
                    ));
                }
            }
        }
    }
    if tried { log() } else { not_applicable("no settings that hold a secret render a graph") }
}

/// A text that should be a reference. Names of files and variables are no secrets, but what stands there is no value either.
fn named(value: &Value) -> Option<&str> {
    match value {
        Value::Scalar(json) => json.as_str().filter(|text| *text == generate::SECRET),
        Value::List(items) => items.iter().find_map(named),
        Value::Map(map) => map.values().find_map(named),
        Value::Ref(_) | Value::Secret(_) | Value::Generate(_) => None,
    }
}

/// After a run nothing that was kept, planned or said has a value in it.
pub(crate) fn run(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let life = Life::new(&loaded)?;
    for text in life.traces()? {
        without(&text, "what a run leaves (plan, inventory, world, calls)")?;
    }
    log()
}
