//! A run while it goes on: live on a terminal, plain lines elsewhere, JSON lines for programs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use zonestack_core::event::{Event, Listener, Outcome};
use zonestack_core::plan::Plan;

use super::scrubber::scrub;
use super::style::Style;
use super::{document, json, note};

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A line for each running step with its age and state, and a bar for the whole.
    Live,
    /// A line for each thing that happens.
    Plain,
    /// A JSON object for each thing that happens, on stdout.
    Json,
}

/// Shows events as they come.
pub(crate) struct Progress<'a> {
    plan: &'a Plan,
    mode: Mode,
    style: Style,
    live: Option<Mutex<Live>>,
}

struct Live {
    bars: MultiProgress,
    whole: ProgressBar,
    running: BTreeMap<usize, ProgressBar>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(plan: &'a Plan, mode: Mode, style: Style) -> Self {
        let live = (mode == Mode::Live).then(|| {
            let bars = MultiProgress::new();
            let steps = plan.steps.iter().filter(|step| !step.is_noop()).count();
            let whole = bars.add(ProgressBar::new(steps as u64));
            whole.set_style(template("{bar:30} {pos} of {len} steps, {elapsed}"));
            whole.enable_steady_tick(Duration::from_millis(200));
            Mutex::new(Live { bars, whole, running: BTreeMap::new() })
        });
        Self { plan, mode, style, live }
    }

    /// Takes live lines off the terminal.
    pub(crate) fn close(&self) {
        if let Some(live) = &self.live {
            let live = live.lock().unwrap_or_else(PoisonError::into_inner);
            for bar in live.running.values() {
                bar.finish_and_clear();
            }
            live.whole.finish_and_clear();
        }
    }

    fn name(&self, step: usize) -> String {
        let step = &self.plan.steps[step];
        format!("{} {}", step.action.as_str(), step.id)
    }

    fn line(&self, event: &Event) -> Option<String> {
        match event {
            Event::Started { step } => Some(format!("  {} …", self.name(*step))),
            Event::State { .. } | Event::Identified { .. } => None,
            Event::Retrying { step, error, pause } => Some(format!(
                "  {}: {error}; trying again in {} s",
                self.name(*step),
                pause.as_secs_f32().ceil()
            )),
            Event::Ended { step, outcome, took } => Some(self.ended(*step, outcome, *took)),
            Event::InventoryUnreachable { message, pause } => Some(format!(
                "  {message}; nothing new is begun; trying again in {} s",
                pause.as_secs()
            )),
        }
    }

    fn ended(&self, step: usize, outcome: &Outcome, took: Duration) -> String {
        let name = self.name(step);
        let (word, message) = json::outcome_words(outcome);
        let message = message.map(|message| format!(": {message}")).unwrap_or_default();
        match outcome {
            Outcome::Done => {
                format!("{} {name}  {}", self.style.good("✓"), self.style.dim(&age(took)))
            }
            Outcome::Failed(_) => format!("{} {name} {word}{message}", self.style.bad("✗")),
            _ => format!("{} {name} {word}{message}", self.style.warn("!")),
        }
    }

    fn show_live(&self, live: &mut Live, event: &Event) {
        match event {
            Event::Started { step } => {
                let bar = live.bars.insert_before(&live.whole, ProgressBar::new_spinner());
                bar.set_style(template("  {prefix} {elapsed:>5} {wide_msg}"));
                bar.set_prefix(self.name(*step));
                bar.enable_steady_tick(Duration::from_millis(200));
                live.running.insert(*step, bar);
            }
            Event::Identified { .. } => {}
            Event::State { step, state } => {
                if let Some(bar) = live.running.get(step) {
                    bar.set_message(state.clone());
                }
            }
            Event::Retrying { step, error, .. } => {
                if let Some(bar) = live.running.get(step) {
                    bar.set_message(scrub(&error.to_string()).into_owned());
                }
            }
            Event::Ended { step, outcome, took } => {
                if let Some(bar) = live.running.remove(step) {
                    bar.finish_and_clear();
                }
                live.whole.inc(1);
                drop(live.bars.println(scrub(&self.ended(*step, outcome, *took))));
            }
            Event::InventoryUnreachable { .. } => {
                drop(live.bars.println(scrub(&self.line(event).unwrap_or_default())));
            }
        }
    }
}

impl Listener for Progress<'_> {
    fn hear(&self, event: &Event) {
        match (&self.live, self.mode) {
            (Some(live), _) => {
                let mut live = live.lock().unwrap_or_else(PoisonError::into_inner);
                self.show_live(&mut live, event);
            }
            // A closed pipe ends the run's report, never the run.
            (None, Mode::Json) => drop(document(&json::event(self.plan, event))),
            (None, _) => {
                if let Some(line) = self.line(event) {
                    note(&line);
                }
            }
        }
    }
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// `4.2 s`, `3 min 20 s`
pub(crate) fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f32())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}
