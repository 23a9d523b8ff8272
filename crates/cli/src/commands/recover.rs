//! `recover`: builds a lost inventory anew, from marks, names and the stack file.

use jiff::Timestamp;
use serde_json::json;
use zonestack_core::inventory::Inventory;
use zonestack_core::recovery::recover;

use super::carry_out::agree;
use crate::args::{Output, RecoverArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::{Place, Tenant};
use crate::report::{self, json::VERSION};
use crate::settings::Settings;
use crate::stack_source::{StackSource, Wired};

pub(crate) async fn run(settings: &Settings, args: RecoverArgs) -> Result<Exit, Failure> {
    let source = StackSource::read(&settings.file, &settings.set)?;
    let Wired { wiring, mut extensions } = source.wired(settings)?;
    // There is no inventory that would say which plugins made something: all of them are asked.
    extensions.load_all()?;
    let place = Place::open(settings, &Tenant::of(&wiring.stack), &mut extensions).await?;
    // Seconds since 1970: no earlier generation is as high.
    let generation = u32::try_from(Timestamp::now().as_second()).unwrap_or(u32::MAX - 1);
    let recovered = recover(&place.site, &wiring, args.uid.as_deref(), generation).await;
    let inventory = recovered.map_err(|error| Failure::of(error, &source))?;
    show(settings, &inventory)?;
    agree(settings, args.yes, "yes")?;
    place.site.store.save(&inventory, None).await?;
    if settings.output == Output::Text {
        report::note("The inventory is there again. `zonestack plan` says what differs.");
    }
    Ok(Exit::Done)
}

fn show(settings: &Settings, inventory: &Inventory) -> Result<(), Failure> {
    let text = match settings.output {
        Output::Json => {
            let entries = inventory.entries.iter().map(|(id, entry)| {
                json!({
                    "id": id.to_string(),
                    "kind": entry.kind.as_str(),
                    "name": entry.name,
                    "remote_id": entry.remote_id,
                    "ours": entry.ours,
                })
            });
            let document = json!({
                "version": VERSION,
                "stack": inventory.stack,
                "uid": inventory.uid,
                "resources": entries.collect::<Vec<_>>(),
            });
            format!("{document}\n")
        }
        Output::Text => {
            let ours = inventory.entries.iter().filter(|(_, entry)| entry.ours);
            let lines = ours.map(|(id, entry)| {
                let known = entry.name.as_deref().or(entry.remote_id.as_deref());
                format!("  {id:40} {}\n", known.unwrap_or_default())
            });
            let lines: String = lines.collect();
            format!("Stack {} with the uid {}:\n{lines}", inventory.stack, inventory.uid)
        }
    };
    Ok(report::data(&text)?)
}
