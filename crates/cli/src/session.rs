//! One command's way to a plan: the stack file, the place, the flow.

use zonestack_core::flow::{Prepared, prepare};
use zonestack_core::planning::Permits;

use crate::failure::Failure;
use crate::place::{Place, Tenant};
use crate::settings::Settings;
use crate::stack_source::StackSource;

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
    let wiring = source.wiring()?;
    let place = Place::open(settings, &Tenant::of(&wiring.stack)).await?;
    let prepared =
        prepare(&place.site, &wiring, permits).await.map_err(|error| Failure::of(error, source))?;
    Ok(Session { place, prepared })
}
