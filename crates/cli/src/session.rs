//! One command's way to a plan: the stack file, the place, the flow.

use zonestack_core::flow::{Prepared, prepare};
use zonestack_core::situation::Permits;

use crate::failure::Failure;
use crate::place::{Place, Tenant};
use crate::settings::Settings;
use crate::stack_source::{StackSource, Wired};

/// A place, and the plan that was prepared there.
pub(crate) struct Session {
    /// Where.
    pub(crate) place: Place,
    /// The plan with everything that it was made from.
    pub(crate) prepared: Prepared,
}

/// Goes all the way to a plan.
pub(crate) async fn begin(
    settings: &Settings,
    source: &StackSource,
    permits: &Permits,
) -> Result<Session, Failure> {
    let Wired { wiring, mut extensions } = source.wired(settings)?;
    for name in &permits.recreate {
        if wiring.stack.component(name).is_none() {
            let known: Vec<&str> =
                wiring.stack.components.iter().map(|component| component.name.as_str()).collect();
            return Err(Failure::Usage {
                message: format!("--recreate {name}: the stack has no such component"),
                hint: format!("its components are {}", known.join(", ")),
            });
        }
    }
    let place = Place::open(settings, &Tenant::of(&wiring.stack), &mut extensions).await?;
    let prepared =
        prepare(&place.site, &wiring, permits).await.map_err(|error| Failure::of(error, source))?;
    Ok(Session { place, prepared })
}
