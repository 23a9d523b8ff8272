//! `status`: each component in each zone, and drift.

use zonestack_core::situation::Permits;
use zonestack_core::status::status;

use crate::args::Output;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{self, json, status_text};
use crate::session::begin;
use crate::settings::Settings;
use crate::stack_source::StackSource;

pub(crate) async fn run(settings: &Settings) -> Result<Exit, Failure> {
    let source = StackSource::read(&settings.file, &settings.set)?;
    let prepared = begin(settings, &source, &Permits::default()).await?.prepared;
    let status = status(&prepared.desired, &prepared.observed, &prepared.plan);
    let text = match settings.output {
        Output::Json => format!("{}\n", json::status(&prepared.owner.stack, &status)),
        Output::Text => status_text::status(&status, settings.style),
    };
    report::data(&text)?;
    Ok(Exit::Done)
}
