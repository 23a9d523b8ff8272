//! What `up` and `down` share: refuse, ask, run, report.

use std::collections::BTreeSet;
use std::io::{BufRead as _, Write as _};
use std::path::Path;

use zonestack_core::driver::Owner;
use zonestack_core::event::{Event, Listener, Outcome};
use zonestack_core::execute::{Report, Run, execute};
use zonestack_core::inventory::{Inventory, Version};
use zonestack_core::name::ResourceId;
use zonestack_core::observe::Observed;
use zonestack_core::plan::Plan;
use zonestack_core::run_options::Interruption as _;

use crate::args::{Output, RunArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::holder::take;
use crate::interrupt::Signals;
use crate::place::Place;
use crate::report::journal::Journal;
use crate::report::progress::Progress;
use crate::report::{self, json};
use crate::saved_plan::hexadecimal;
use crate::settings::Settings;

/// What is carried out, and where.
pub(crate) struct Undertaking<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) observed: &'a Observed,
    pub(crate) place: &'a Place,
    pub(crate) owner: &'a Owner,
    pub(crate) inventory: Inventory,
    pub(crate) version: Option<Version>,
    /// Whether the inventory has names that are not stored yet.
    pub(crate) renamed: bool,
    pub(crate) taken_over: BTreeSet<ResourceId>,
}

/// Refuses what the plan refuses.
pub(crate) fn refuse(plan: &Plan) -> Result<(), Failure> {
    if let Some(guard) = plan.guards.first() {
        return Err(Failure::Refused {
            message: format!("{}; nothing was changed", guard.message),
            hint: guard.hint.clone(),
        });
    }
    let refused: Vec<String> = plan.refusals().map(|step| step.id.to_string()).collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Failure::Refused {
        message: format!("the plan refuses {}; nothing was changed", refused.join(", ")),
        hint: "each refused step above says what to do instead".to_owned(),
    })
}

/// Asks, unless told not to. Without somebody to answer it refuses.
pub(crate) fn agree(settings: &Settings, yes: bool, word: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let refused = |message: &str| Failure::Refused {
        message: message.to_owned(),
        hint: "carry it out without being asked with --yes".to_owned(),
    };
    if !settings.interactive {
        return Err(refused("nobody can be asked: this is no terminal; nothing was changed"));
    }
    let mut err = std::io::stderr().lock();
    write!(err, "Carry this out? Only `{word}` is accepted: ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == word { Ok(()) } else { Err(refused("not confirmed; nothing was changed")) }
}

/// Runs it and says how it ended.
pub(crate) async fn carry_out(
    settings: &Settings,
    args: &RunArgs,
    undertaking: Undertaking<'_>,
) -> Result<(Exit, Report), Failure> {
    let place = undertaking.place;
    // Tells this run from others of the same process number.
    let name = random_digits::<4>()?;
    let lease = take(place, &name).await?;
    let signals = Signals::listen();
    let progress = Progress::new(undertaking.plan, settings.mode, settings.message_style);
    let changes = undertaking.plan.has_changes();
    let journal = changes.then(|| Journal::begin(Path::new(FOLDER), &name, undertaking.plan));
    let site = &place.site;
    let report = execute(Run {
        plan: undertaking.plan,
        observed: undertaking.observed,
        world: &site.world,
        owner: undertaking.owner,
        taken_over: &undertaking.taken_over,
        inventory: undertaking.inventory,
        version: undertaking.version,
        renamed: undertaking.renamed,
        lease: Some(&lease),
        store: site.store.as_ref(),
        listener: &Both(&progress, journal.as_ref()),
        interruption: &signals,
        options: place.options(args.parallel),
    })
    .await;
    lease.release().await;
    progress.close();
    if let Some(path) = journal.and_then(|journal| journal.end(report.halted.is_none())) {
        report::note(&format!("what this run did is in {}", path.display()));
    }
    let interrupted = report.interrupted || signals.requested();
    let exit = verdict(&report, interrupted);
    conclude(settings, undertaking.plan, &report, exit)?;
    Ok((exit, report))
}

/// Where files about runs are kept, in the folder where zonestack is run.
const FOLDER: &str = ".zonestack";

/// Both hear of everything.
struct Both<'a>(&'a Progress<'a>, Option<&'a Journal<'a>>);

impl Listener for Both<'_> {
    fn hear(&self, event: &Event) {
        // What is on the disk is true even if the terminal is slow.
        if let Some(journal) = self.1 {
            journal.hear(event);
        }
        self.0.hear(event);
    }
}

/// Two random hexadecimal digits for each byte.
pub(super) fn random_digits<const BYTES: usize>() -> Result<String, Failure> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Refused {
        message: format!("the operating system gives no random numbers: {error}"),
        hint: "nothing was changed".to_owned(),
    })?;
    Ok(hexadecimal(&bytes))
}

fn verdict(report: &Report, interrupted: bool) -> Exit {
    if report.complete() {
        Exit::Done
    } else if interrupted {
        Exit::Interrupted
    } else if report.failed() {
        Exit::Failed
    } else {
        Exit::Unfinished
    }
}

fn conclude(settings: &Settings, plan: &Plan, report: &Report, exit: Exit) -> Result<(), Failure> {
    let word = match exit {
        Exit::Done => "done",
        Exit::Interrupted => "interrupted",
        Exit::Unfinished => "unfinished",
        _ => "failed",
    };
    if settings.output == Output::Json {
        return Ok(report::document(&json::finished(word, report))?);
    }
    let style = settings.message_style;
    let mut counts = [0; 4];
    for outcome in report.outcomes.values() {
        counts[match outcome {
            Outcome::Done => 0,
            Outcome::Failed(_) => 1,
            Outcome::Unfinished(_) => 2,
            Outcome::Skipped(_) | Outcome::NotBegun(_) => 3,
        }] += 1;
    }
    if let Some(halted) = &report.halted {
        report::note(&format!("{} {halted}", style.bad("error:")));
    }
    for (step, outcome) in &report.outcomes {
        let told = matches!(outcome, Outcome::Failed(_) | Outcome::Unfinished(_));
        if let (true, (word, Some(message))) = (told, json::outcome_words(outcome)) {
            report::note(&format!("  {} {word}: {message}", plan.steps[*step].id));
        }
    }
    let [done, failed, unfinished, skipped] = counts;
    report::note(&match exit {
        Exit::Done => format!("{} {done} steps.", style.good("Done:")),
        _ => format!(
            "{} {done} steps done, {failed} failed, {unfinished} unfinished, {skipped} not begun. \
             Nothing is lost: the same command goes on from here.",
            style.warn(&format!("{}{}:", word[..1].to_uppercase(), &word[1..])),
        ),
    });
    Ok(())
}
