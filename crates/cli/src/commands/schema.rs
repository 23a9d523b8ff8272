//! `schema`: the JSON Schema of the stack file, for editors. With the component types of the plugins that the stack trusts.

use zonestack_core::schema::document;

use crate::exit::Exit;
use crate::extensions::{Extensions, folder_of};
use crate::failure::Failure;
use crate::report;
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings) -> Result<Exit, Failure> {
    let mut extensions = Extensions::beside(settings, &folder_of(&settings.file))?;
    extensions.load_what_is_there();
    report::data(&format!("{:#}\n", document(extensions.registry())))?;
    Ok(Exit::Done)
}
