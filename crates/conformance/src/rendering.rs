//! Settings to resources.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};
use zonestack_host::plugin::{Limits, RemotePlugin};
use zonestack_sdk::message::{RenderAnswer, RenderRequest, method};

use crate::generate;
use crate::subject::{Example, LIMITS, Loaded, Rendering, Subject, shortened};
use crate::verdict::{Outcome, Stop, failed};

/// How many settings are made up.
pub(crate) const RANDOM: usize = 200;
/// The largest answer that leaves room: a quarter of what is read.
const LARGEST: usize = 4 << 20;

/// What its author means to work does.
pub(crate) fn example(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    for tested in loaded.types()? {
        let meant = loaded.meant(tested);
        if meant.is_empty() {
            loaded.example()?;
        }
        for config in meant {
            if let Rendering::Refused(reasons) = loaded.rendered(tested, &config, 3)? {
                return failed(format!(
                    "`{}` refuses what it is meant to work with, {}: {}",
                    tested.described.name,
                    shortened(&config.to_string()),
                    reasons.join("; ")
                ));
            }
        }
    }
    Ok(())
}

fn body(request: &RenderRequest) -> Result<Vec<u8>, Stop> {
    serde_json::to_vec(request).map_err(|error| Stop::Failed(error.to_string()))
}

fn bytes(plugin: &RemotePlugin, body: Vec<u8>) -> Result<Vec<u8>, Stop> {
    plugin
        .raw(method::RENDER, body, LIMITS.render)
        .map_err(|error| Stop::Failed(format!("asked to render, it {error}")))
}

/// An example and the request for it.
fn asked(loaded: &Loaded<'_>) -> Result<(Example, RenderRequest), Stop> {
    let example = loaded.example()?;
    let request = loaded.request(loaded.type_of(&example)?, &example.config, 3)?;
    Ok((example, request))
}

/// The same request, the same bytes: again, and from another process.
pub(crate) fn pure(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let (_, request) = asked(&loaded)?;
    let body = body(&request)?;
    let first = bytes(&loaded.plugin, body.clone())?;
    if bytes(&loaded.plugin, body.clone())? != first {
        return failed("the same settings render differently the second time");
    }
    let other = subject.plugin(LIMITS)?;
    if bytes(&other, body)? != first {
        return failed("the same settings render differently in another process");
    }
    Ok(())
}

/// The order of maps means nothing.
pub(crate) fn order(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let mut random = subject.random();
    let (example, _) = asked(&loaded)?;
    let tested = loaded.type_of(&example)?;
    let schema = &tested.described.schema;
    let made = (0..20).filter_map(|_| generate::settings(schema, &mut random));
    let configs: Vec<Json> = made.chain([example.config.clone()]).collect();
    for config in configs {
        if !matches!(loaded.rendered(tested, &config, 3)?, Rendering::Graph(_)) {
            continue;
        }
        let one = loaded.request(tested, &config, 3)?;
        let other = RenderRequest { config: reversed(&config), ..one.clone() };
        if bytes(&loaded.plugin, body(&one)?)? != bytes(&loaded.plugin, body(&other)?)? {
            return failed(format!(
                "the order of settings changes what is rendered: {}",
                shortened(&config.to_string())
            ));
        }
    }
    Ok(())
}

fn reversed(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let entries = map.iter().rev().map(|(key, value)| (key.clone(), reversed(value)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Json::Array(items) => items.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

/// Other threads, the same bytes.
pub(crate) fn threads(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let (_, request) = asked(&loaded)?;
    let body = body(&request)?;
    let first = bytes(&loaded.plugin, body.clone())?;
    thread::scope(|scope| {
        let render = || bytes(&loaded.plugin, body.clone());
        let all: Vec<_> = (0..16).map(|_| scope.spawn(render)).collect();
        for one in all {
            let rendered = one.join().unwrap_or_else(|_| failed("a rendering was lost"))?;
            if rendered != first {
                return failed("sixteen renderings at once are not all the same");
            }
        }
        Ok(())
    })
}

/// What is rendered is a graph of known kinds.
pub(crate) fn graph(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let example = loaded.example()?;
    let mut random = subject.random();
    let tested = loaded.type_of(&example)?;
    for _ in 0..20 {
        if let Some(config) = generate::settings(&tested.described.schema, &mut random) {
            loaded.rendered(tested, &config, 3)?;
        }
    }
    Ok(())
}

/// What the type promises is exported: the engine asks only when somebody needs it.
pub(crate) fn exports(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let (example, request) = asked(&loaded)?;
    let answer = bytes(&loaded.plugin, body(&request)?)?;
    let answer: RenderAnswer =
        serde_json::from_slice(&answer).map_err(|error| Stop::Failed(error.to_string()))?;
    let exported: Vec<String> =
        answer.exports.iter().map(|export| export.interface().to_string()).collect();
    let promised = &loaded.type_of(&example)?.described.provides;
    if let Some(missing) = promised.iter().find(|name| !exported.iter().any(|had| had == *name)) {
        return failed(format!(
            "`{}` does not export {missing}, as it promises",
            example.component
        ));
    }
    if let Some(more) = exported.iter().find(|name| !promised.contains(&name.as_str())) {
        return failed(format!(
            "`{}` exports {more}, which it does not promise",
            example.component
        ));
    }
    Ok(())
}

/// Whatever fits the schema ends in findings or a graph.
pub(crate) fn random(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    for tested in loaded.types()? {
        let mut random = subject.random();
        for number in 0..RANDOM {
            let Some(config) = generate::settings(&tested.described.schema, &mut random) else {
                continue;
            };
            loaded.rendered(tested, &config, 1 + number % 4)?;
        }
    }
    Ok(())
}

/// One zone to four: findings or a graph.
pub(crate) fn zones(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let example = loaded.example()?;
    let tested = loaded.type_of(&example)?;
    for zones in 1..=4 {
        let Rendering::Graph(desired) = loaded.rendered(tested, &example.config, zones)? else {
            continue;
        };
        let known: Vec<String> = crate::subject::context(zones)?
            .zones
            .iter()
            .map(|facts| facts.zone.to_string())
            .collect();
        let stranger = crate::subject::own(&desired).find(|resource| {
            let zone = resource.id.zone.as_ref();
            zone.is_some_and(|zone| !known.contains(&zone.to_string()))
        });
        if let Some(stranger) = stranger {
            return failed(format!(
                "with {zones} zones it renders {}, in none of them",
                stranger.id
            ));
        }
    }
    Ok(())
}

/// Rendering keeps the limit of a run.
pub(crate) fn in_time(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let (_, request) = asked(&loaded)?;
    let body = body(&request)?;
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begin = Instant::now();
        bytes(&loaded.plugin, body.clone())?;
        best = best.min(begin.elapsed());
    }
    let limit = Limits::default().render;
    if best > limit {
        return failed(format!(
            "the fastest of three renderings took {best:?}, a run gives {limit:?}"
        ));
    }
    Ok(())
}

/// Answers leave room below the largest that is read.
pub(crate) fn size(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let (example, request) = asked(&loaded)?;
    let mut random = subject.random();
    let schema = &loaded.type_of(&example)?.described.schema;
    let made = (0..50).filter_map(|_| generate::settings(schema, &mut random));
    for config in made.chain([example.config.clone()]).collect::<Vec<_>>() {
        let request = RenderRequest { config, ..request.clone() };
        let length = bytes(&loaded.plugin, body(&request)?)?.len();
        if length > LARGEST {
            return failed(format!(
                "an answer has {length} bytes, more than a quarter of what is read, for {}",
                shortened(&request.config.to_string())
            ));
        }
    }
    Ok(())
}

/// Two components of the type live in one stack.
pub(crate) fn two(subject: &Subject) -> Outcome {
    let loaded = subject.loaded()?;
    let example = loaded.example()?;
    let tested = loaded.type_of(&example)?;
    let text = loaded.stack_file(tested, &example.config, &["it", "another-one-of-them"])?;
    let Rendering::Graph(desired) = loaded.rendered_text(&text, 3)? else { return Ok(()) };
    let mut names = BTreeMap::new();
    for resource in &desired.resources {
        let Some(name) = &resource.name else { continue };
        if let Some(first) = names.insert((resource.kind.clone(), name.clone()), &resource.id) {
            return failed(format!(
                "{first} and {} are both the {} {name}: names must follow from the component's",
                resource.id, resource.kind
            ));
        }
    }
    Ok(())
}
