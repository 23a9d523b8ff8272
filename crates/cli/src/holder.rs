//! Who this run is to others that want the same stack, and whether another one of this machine is dead.

use zonestack_core::lease::{Applicant, Lease, LeaseRecord, NotLeased, acquire};

use crate::failure::Failure;
use crate::place::Place;
use crate::report;
use crate::settings::variable;

/// Takes the stack's lease, or says who has it.
pub(crate) async fn take<'a>(place: &'a Place, run: &str) -> Result<Lease<'a>, Failure> {
    let site = &place.site;
    let applicant = Applicant { name: name(run), is_gone: &is_gone, waits_for: &waits_for };
    let lease = acquire(site.lease.as_ref(), site.world.clock.as_ref(), &applicant).await;
    let lease = lease.map_err(|refused| Failure::Refused {
        message: format!("{refused}; nothing was changed"),
        hint: match refused {
            NotLeased::Held(_) => {
                "let it end, then run this again; if it is dead, `zonestack unlock` in a minute"
            }
            NotLeased::Ended(_) => "run this again: it plans on what is there now",
        }
        .to_owned(),
    })?;
    if let Some(denied) = lease.without() {
        report::note(&format!(
            "warning: {denied}. Going on without it: nothing can be lost, but nobody is kept from doing the same work"
        ));
    }
    Ok(lease)
}

fn waits_for(record: &LeaseRecord) {
    report::note(&format!(
        "{} is at work on this stack since {}: looking for at most a minute whether it is alive",
        record.holder, record.since
    ));
}

/// `user@host/process/run`.
fn name(run: &str) -> String {
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    let user = user.unwrap_or_else(|| "somebody".to_owned());
    format!("{user}@{}/{}/{run}", host(), std::process::id())
}

fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

/// Whether a holder is a process of this machine that is not there any more. Of another machine nothing is known. A wrong
/// answer, as between two containers that share a host name, costs a courtesy and no data.
pub(crate) fn is_gone(holder: &str) -> bool {
    let mut parts = holder.split('/');
    let (Some(who), Some(process)) = (parts.next(), parts.next()) else { return false };
    let (Some((_, machine)), Ok(process)) = (who.split_once('@'), process.parse::<i32>()) else {
        return false;
    };
    if machine != host() {
        return false;
    }
    // The holder's number is ours: it was given to us after its end.
    if u32::try_from(process) == Ok(std::process::id()) {
        return true;
    }
    rustix::process::Pid::from_raw(process).is_some_and(|process| {
        rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(holder: &str, gone: bool) {
        assert_eq!(is_gone(holder), gone, "{holder}");
    }

    #[test]
    fn only_a_process_of_this_machine_is_known_to_be_dead() {
        let here = host();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        check(&format!("eva@{here}/{dead}/run"), true);
        check(&format!("eva@{here}/1/run"), false);
        check(&format!("eva@elsewhere.{here}/{dead}/run"), false);
        check("zonestack", false);
        check(&format!("eva@{here}/many/run"), false);
    }
}
