//! `validate`: everything that can be known without a network, all problems at once.

use serde_json::json;

use crate::args::Output;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::json::VERSION;
use crate::report::{self, diagnostics};
use crate::settings::Settings;
use crate::stack_source::StackSource;

pub(crate) fn run(settings: &Settings) -> Result<Exit, Failure> {
    let source = StackSource::read(&settings.file, &settings.set)?;
    let wired = source.wired(settings)?;
    let advisories = wired.nominal()?.findings;
    let wiring = &wired.wiring;
    let text = String::from_utf8_lossy(&source.bytes);
    match settings.output {
        Output::Json => report::data(&format!(
            "{}\n",
            json!({
                "version": VERSION,
                "stack": wiring.stack.name.as_str(),
                "valid": true,
                "problems": diagnostics::json(&text, &advisories),
            })
        ))?,
        Output::Text => {
            let components = wiring.stack.components.len();
            report::data(&format!(
                "{} is valid: stack {}, {components} components, {} advisories\n",
                source.name,
                wiring.stack.name,
                advisories.len()
            ))?;
        }
    }
    Ok(Exit::Done)
}
