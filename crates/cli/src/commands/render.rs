//! `render`: the Kubernetes manifests as YAML, for review or GitOps.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use zonestack_core::desired::Desired;
use zonestack_core::observe::Observed;
use zonestack_core::situation::Permits;
use zonestack_core::value::{as_generator, as_ref, as_secret};

use crate::args::{Output, RenderArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::session::begin;
use crate::settings::Settings;
use crate::stack_source::StackSource;

pub(crate) async fn run(settings: &Settings, args: &RenderArgs) -> Result<Exit, Failure> {
    let source = StackSource::read(&settings.file, &settings.set)?;
    let (desired, observed) = if args.offline {
        (source.wired(settings)?.nominal()?, Observed::default())
    } else {
        let prepared = begin(settings, &source, &Permits::default()).await?.prepared;
        (prepared.desired, prepared.observed)
    };
    let text = match settings.output {
        Output::Json => {
            let manifests: Vec<Json> = manifests(&desired, &observed).map(|(_, m)| m).collect();
            format!("{}\n", json!({ "version": VERSION, "manifests": manifests }))
        }
        Output::Text => yaml(&desired, &observed),
    };
    report::data(&text)?;
    Ok(Exit::Done)
}

fn manifests(desired: &Desired, observed: &Observed) -> impl Iterator<Item = (String, Json)> {
    desired.resources.iter().filter(|resource| resource.kind.kubernetes().is_some()).map(
        |resource| {
            let spec = resource.spec.resolve(&|reference| observed.output(reference));
            (resource.id.to_string(), readable(&spec.to_json()))
        },
    )
}

fn yaml(desired: &Desired, observed: &Observed) -> String {
    let mut out = String::new();
    for (id, manifest) in manifests(desired, observed) {
        let text = serde_yaml::to_string(&manifest).unwrap_or_default();
        let _ = write!(out, "---\n# {id}\n{text}");
    }
    out
}

/// What is not known, or must not be shown, says so.
fn readable(json: &Json) -> Json {
    if let Some(reference) = as_ref(json) {
        return format!("<known after create: {reference}>").into();
    }
    if let Some(reference) = as_secret(json) {
        return format!("<secret: {reference}>").into();
    }
    if as_generator(json).is_some() {
        return "<secret: generated once by zonestack up>".into();
    }
    match json {
        Json::Array(items) => items.iter().map(readable).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), readable(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        scalar => scalar.clone(),
    }
}
