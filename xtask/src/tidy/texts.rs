//! What must not be written in a file, or must be.

use std::path::Path;

use super::Complaint;

const MOST_LINES: usize = 600;
const MANY_LINES: usize = 400;

/// Files that a program wrote.
const GENERATED: [&str; 4] = [".snap", ".lock", "go.sum", "docs/stack.schema.json"];

/// Crates in which `unsafe` is allowed, each behind an ABI.
const UNSAFE_CRATES: [&str; 2] = ["crates/sdk/", "crates/host/"];

/// Beginnings of paths that exist on one machine only; `/home/git` is inside the GitLab image.
const MACHINE_PATHS: [&str; 4] = ["/work/", "/root/", "/home/", "/Users/"];
const IMAGE_PATH: &str = "/home/git";

/// Contracts that must say what an implementor can rely on.
const CONTRACTS: [(&str, &str); 2] = [
    ("crates/core/src/component.rs", "pub trait Component"),
    ("crates/core/src/driver.rs", "pub trait Driver"),
];

pub(super) fn check(path: &str, text: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    complaints.extend(size(path, text));
    complaints.extend(contract(path, text));
    // The rules are spelled out in their own folder.
    if path.starts_with("xtask/src/tidy") {
        return complaints;
    }
    for (index, line) in text.lines().enumerate() {
        complaints.extend(
            rules(path, line).into_iter().map(|message| Complaint::at(path, index + 1, message)),
        );
    }
    complaints
}

fn rules(path: &str, line: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if GENERATED.iter().any(|end| path.ends_with(end)) {
        return messages;
    }
    if ["TODO", "FIXME"].iter().any(|word| has_word(line, word)) && !names_issue(line) {
        messages.push("a TODO names its issue, as in `TODO(#12)`, or is done now".to_owned());
    }
    if let Some(found) = MACHINE_PATHS.iter().find(|start| has_path(line, start)) {
        messages.push(format!("a path of one machine: {found}…"));
    }
    if !has_extension(path, &["rs"]) {
        return messages;
    }
    let code = line.split("//").next().unwrap_or_default();
    if code.contains("#[ignore") {
        messages.push("a test that is never run: assert what happens now instead".to_owned());
    }
    let derives = code.contains("serde(") || code.contains("#[serde");
    if derives && (code.contains("flatten") || code.contains("untagged")) {
        messages.push("serde's flatten and untagged eat the place of a mistake".to_owned());
    }
    let is_unsafe = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait"];
    if is_unsafe.iter().any(|word| code.contains(word))
        && !UNSAFE_CRATES.iter().any(|allowed| path.starts_with(allowed))
    {
        messages.push("unsafe code belongs to the crates of the plugin ABI".to_owned());
    }
    messages
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(path).extension();
    extension.is_some_and(|found| extensions.iter().any(|wanted| found == *wanted))
}

fn size(path: &str, text: &str) -> Option<Complaint> {
    if !has_extension(path, &["rs", "py"]) {
        return None;
    }
    let lines = text.lines().count();
    let message = format!("{lines} lines: split it (at most {MOST_LINES})");
    if lines > MOST_LINES {
        return Some(Complaint::of(path, message));
    }
    (lines > MANY_LINES).then(|| Complaint::of(path, message).warning())
}

fn contract(path: &str, text: &str) -> Option<Complaint> {
    let (_, declaration) = CONTRACTS.iter().find(|(file, _)| *file == path)?;
    let is_declaration = |line: &&str| {
        line.strip_prefix(declaration).is_some_and(|rest| rest.starts_with([':', ' ', '<']))
    };
    let before = text.lines().take_while(|line| !is_declaration(line));
    let before: Vec<&str> = before.collect();
    let documentation = before.iter().rev().take_while(|line| line.starts_with("///"));
    let says = documentation.into_iter().any(|line| line.trim_end() == "/// # Guarantees");
    (!says).then(|| Complaint::of(path, format!("`{declaration}` has no `# Guarantees`")))
}

/// Whether a word stands alone in the line.
fn has_word(line: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_letter) && !line[at + word.len()..].starts_with(is_letter)
    })
}

/// `#12`.
fn names_issue(line: &str) -> bool {
    line.match_indices('#').any(|(at, _)| line[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether the line has a path with this beginning, and not only a longer path with it inside.
fn has_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let inside = line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/}~)".contains(c));
        let names = line[at + start.len()..].starts_with(|c: char| c.is_alphanumeric());
        !inside && names && !line[at..].starts_with(IMAGE_PATH)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(line: &str, expected: &[&str]) {
        let found = rules("crates/core/src/plan.rs", line);
        assert_eq!(found.len(), expected.len(), "{line}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{line}: {found}");
        }
    }

    #[test]
    fn each_rule_has_a_line_that_breaks_it() {
        check_line("// TODO: later", &["issue"]);
        check_line("// TODO(#12): later", &[]);
        check_line("let todo_list = 1; // the TODOs", &[]);
        check_line("let path = \"/home/anna/zonestack\";", &["/home/"]);
        check_line("let path = \"/home/git/data\";", &[]);
        check_line("// https://example.org/work/around", &[]);
        check_line("    #[ignore = \"slow\"]", &["never run"]);
        check_line("#[serde(flatten)]", &["flatten"]);
        check_line("#[serde(default, untagged)]", &["untagged"]);
        check_line("#[command(flatten)]", &[]);
        check_line("unsafe { call() }", &["unsafe"]);
        check_line("// unsafe { call() } is not used", &[]);
    }

    #[test]
    fn generated_files_may_have_what_they_have() {
        assert_eq!(rules("tests/snapshots/a.snap", "TODO /home/anna"), Vec::<String>::new());
    }

    #[test]
    fn a_file_has_a_most_number_of_lines() {
        let lines = |count| "\n".repeat(count);
        assert_eq!(size("a.rs", &lines(400)), None);
        assert!(size("a.rs", &lines(401)).is_some_and(|complaint| complaint.warning));
        assert!(size("a.rs", &lines(601)).is_some_and(|complaint| !complaint.warning));
        assert_eq!(size("a.snap", &lines(601)), None);
    }

    #[test]
    fn the_contracts_state_their_guarantees() {
        let path = "crates/core/src/driver.rs";
        let without = "/// Contract.\npub trait Driver: Send {}\n";
        let with = "/// Contract.\n///\n/// # Guarantees\n/// Some.\npub trait Driver: Send {}\n";
        assert!(contract(path, without).is_some());
        assert_eq!(contract(path, with), None);
    }
}
