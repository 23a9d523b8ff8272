//! `schema`: the JSON Schema of the stack file, for editors.

use zonestack_core::schema::document;

use crate::builtins;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;

pub(crate) fn run() -> Result<Exit, Failure> {
    report::data(&format!("{:#}\n", document(&builtins::registry())))?;
    Ok(Exit::Done)
}
