//! From the text of a stack file to a wired stack, or to diagnostics.

#[cfg(test)]
mod components;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod faulty_yaml;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod plugins;
#[cfg(test)]
mod right;
#[cfg(test)]
mod secrets;

use zonestack_core::diagnostic::{Diagnostic, Severity};
use zonestack_core::wire::{Wiring, validate_and_wire};
use zonestack_core::{parse, yaml};

/// The required keys, for files that are about something else: four lines.
const HEAD: &str =
    "apiVersion: zonestack/v1\nname: git\ncluster: k8s.example.net\nregion: eu-west-1\n";

fn read(bytes: &[u8]) -> Result<Wiring, Vec<Diagnostic>> {
    validate_and_wire(&parse::parse(bytes)?, &components::registry())
}

/// What is wrong with a file, one line for each problem and one for each hint.
fn check_bytes(bytes: &[u8]) -> String {
    match read(bytes) {
        Ok(wiring) if wiring.stack.advisories.is_empty() => "right".to_owned(),
        Ok(wiring) => render(bytes, &wiring.stack.advisories),
        Err(found) => {
            assert!(found.iter().any(|found| found.severity == Severity::Error), "{found:?}");
            render(bytes, &found)
        }
    }
}

fn render(bytes: &[u8], found: &[Diagnostic]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = found.iter().map(|found| {
        let place = found.span.map_or_else(
            || "-".to_owned(),
            |span| {
                let (line, column) = yaml::line_and_column(&text, span.offset);
                format!("{line}:{column}")
            },
        );
        let advisory = if found.severity == Severity::Advisory { "advisory " } else { "" };
        let hint = found.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        format!("{place} {advisory}{}: {}{hint}", found.code, found.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The same for a whole file, its common indentation removed.
fn check(text: &str) -> String {
    check_bytes(dedented(text).as_bytes())
}

/// The same for what follows the four lines of [`HEAD`].
fn check_below_head(text: &str) -> String {
    check_bytes(format!("{HEAD}{}", dedented(text)).as_bytes())
}

fn dedented(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let least = text.lines().filter(|line| !line.trim().is_empty()).map(indentation).min();
    let least = least.unwrap_or(0);
    let lines: Vec<&str> =
        text.lines().map(|line| line.get(least..).unwrap_or_default()).chain([""]).collect();
    lines.join("\n")
}
