//! `outputs`: endpoints, the load balancer's name, where the secrets are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use zonestack_core::desired::Desired;
use zonestack_core::plan::shown;
use zonestack_core::situation::Permits;
use zonestack_core::value::Ref;

use crate::args::Output;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;
use crate::report::json::VERSION;
use crate::report::style::Style;
use crate::session::begin;
use crate::settings::Settings;
use crate::stack_source::StackSource;

pub(crate) async fn run(settings: &Settings) -> Result<Exit, Failure> {
    let source = StackSource::read(&settings.file, &settings.set)?;
    let prepared = begin(settings, &source, &Permits::default()).await?.prepared;
    let known = |reference: &Ref| prepared.observed.output(reference);
    let out = match settings.output {
        Output::Text => text(&prepared.desired, &known, settings.style),
        Output::Json => {
            let mut components: BTreeMap<&str, BTreeMap<&str, Json>> = BTreeMap::new();
            for (component, name, value) in &prepared.desired.outputs {
                let value = value.resolve(&known).to_json();
                let value = if value.get("$ref").is_some() { Json::Null } else { shown(&value) };
                components.entry(component.as_str()).or_default().insert(name, value);
            }
            let stack = &prepared.owner.stack;
            format!("{}\n", json!({ "version": VERSION, "stack": stack, "outputs": components }))
        }
    };
    report::data(&out)?;
    Ok(Exit::Done)
}

/// The outputs for people: a line each, grouped by component.
pub(crate) fn text(
    desired: &Desired,
    known: &dyn Fn(&Ref) -> Option<Json>,
    style: Style,
) -> String {
    let width = desired.outputs.iter().map(|(_, name, _)| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    let mut last = None;
    for (component, name, value) in &desired.outputs {
        if last != Some(component) {
            let _ = writeln!(out, "{}", style.bold(component.as_str()));
            last = Some(component);
        }
        let value = match value.resolve(known).to_json() {
            value if value.get("$ref").is_some() => "(not known yet)".to_owned(),
            Json::String(text) => text,
            value => shown(&value).to_string(),
        };
        let _ = writeln!(out, "  {name:width$}  {value}");
    }
    out
}
