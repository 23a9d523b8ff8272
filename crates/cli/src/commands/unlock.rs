//! `unlock`: takes the lease from a holder that is dead.

use jiff::Timestamp;
use serde_json::json;
use zonestack_core::lease::{DURATION, LeaseError, LeaseRecord};

use super::carry_out::agree;
use super::down::tenant;
use crate::args::{Output, UnlockArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::holder::is_gone;
use crate::place::Place;
use crate::report::{self, json::VERSION};
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, args: UnlockArgs) -> Result<Exit, Failure> {
    let (tenant, mut extensions) = tenant(settings, &args.tenant)?;
    let place = Place::open(settings, &tenant, &mut extensions).await?;
    let Some((record, version)) = place.site.lease.read().await.map_err(|error| failed(&error))?
    else {
        say(settings, None)?;
        return Ok(Exit::Done);
    };
    let age = age(&record);
    if settings.output == Output::Text {
        let age = age.map_or_else(String::new, |age| format!(", renewed {age} s ago"));
        report::note(&format!("held by {} since {}{age}", record.holder, record.since));
    }
    let is_young =
        age.is_none_or(|age| age < i64::try_from(DURATION.as_secs()).unwrap_or(i64::MAX));
    if is_young && !is_gone(&record.holder) {
        return Err(Failure::Refused {
            message: format!("{} may be at work: the lease is not a minute old", record.holder),
            hint: "end that run first; a lease that is not renewed can be taken after a minute"
                .to_owned(),
        });
    }
    agree(settings, args.yes, "yes")?;
    place.site.lease.remove(&version).await.map_err(|error| failed(&error))?;
    say(settings, Some(&record))?;
    Ok(Exit::Done)
}

/// Seconds since it was renewed, by this machine's clock.
fn age(record: &LeaseRecord) -> Option<i64> {
    let renewed: Timestamp = record.renewed.parse().ok()?;
    Some(Timestamp::now().as_second() - renewed.as_second())
}

fn say(settings: &Settings, record: Option<&LeaseRecord>) -> Result<(), Failure> {
    match settings.output {
        Output::Json => {
            let holder = record.map(|record| record.holder.as_str());
            report::data(&format!("{}\n", json!({ "version": VERSION, "unlocked": holder })))?;
        }
        Output::Text => report::note(match record {
            Some(_) => "unlocked",
            None => "nobody is at work on this stack: nothing to unlock",
        }),
    }
    Ok(())
}

fn failed(error: &LeaseError) -> Failure {
    let hint = match error {
        LeaseError::Conflict => "its holder is alive after all, or another run has taken it",
        _ => "nothing was changed",
    };
    Failure::Refused { message: error.to_string(), hint: hint.to_owned() }
}
