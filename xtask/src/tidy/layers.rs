//! In core, data flows one way: `lib.rs` lists the modules in the order of the flow, and none uses a later one.

use std::collections::BTreeMap;

use super::Complaint;
use super::tree::File;

const CORE: &str = "crates/core/src/";

pub(super) fn check(files: &[File]) -> Vec<Complaint> {
    let library = files.iter().find(|file| file.path.strip_prefix(CORE) == Some("lib.rs"));
    let Some(library) = library else {
        return vec![Complaint::of(CORE, "there is no lib.rs")];
    };
    let order = order(&library.text);
    let inside = files.iter().filter_map(|file| Some((file, file.path.strip_prefix(CORE)?)));
    inside.flat_map(|(file, path)| later_uses(&order, path, &file.path, &file.text)).collect()
}

/// The place of each module in the flow.
fn order(library: &str) -> BTreeMap<&str, usize> {
    let declared = library.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.split_once(';').map(|(name, _)| name)
    });
    declared.enumerate().map(|(index, name)| (name, index)).collect()
}

fn later_uses(
    order: &BTreeMap<&str, usize>,
    path: &str,
    shown: &str,
    text: &str,
) -> Vec<Complaint> {
    let module = path.split(['/', '.']).next().unwrap_or_default();
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    let Some(own) = order.get(module).filter(|_| !is_test) else { return Vec::new() };
    let code = without_comments_and_tests(text);
    uses(&code)
        .into_iter()
        .filter(|(_, used)| order.get(used.as_str()).is_some_and(|place| place > own))
        .map(|(line, used)| {
            let message =
                format!("`{module}` comes before `{used}` in the flow and must not use it");
            Complaint::at(shown, line, message)
        })
        .collect()
}

/// The code in front of the tests, comments blanked; lines keep their numbers.
fn without_comments_and_tests(text: &str) -> String {
    let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    code.map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// Every module of the crate that the code names, with its line.
fn uses(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + start.len()..];
        let names = match rest.strip_prefix('{') {
            Some(group) => first_words(group),
            None => vec![word(rest)],
        };
        found.extend(names.into_iter().map(|name| (line, name.to_owned())));
    }
    found
}

/// The first word of each item of `a::b, c::{d, e}}`.
fn first_words(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut begin = 0;
    let mut words = Vec::new();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                words.push(word(group[begin..at].trim_start()));
                break;
            }
            ',' if depth == 0 => {
                words.push(word(group[begin..at].trim_start()));
                begin = at + 1;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str =
        "//! The flow.\npub mod parse; // text\nmod tree;\npub mod plan; // steps\n";

    #[track_caller]
    fn check_uses(path: &str, text: &str, expected: &[&str]) {
        let found = later_uses(&order(LIBRARY), path, path, text);
        let places: Vec<&str> = found.iter().map(|complaint| complaint.place.as_str()).collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn a_module_never_uses_a_later_one() {
        check_uses("plan.rs", "use crate::parse::Raw;\n", &[]);
        check_uses("parse.rs", "\nuse crate::plan::Plan;\n", &["parse.rs:2"]);
        check_uses("parse/deep/down.rs", "fn f(_: crate::plan::P) {}", &["parse/deep/down.rs:1"]);
        check_uses("tree.rs", "use crate::{\n  parse::{A, B},\n  plan::C,\n};", &["tree.rs:1"]);
    }

    #[test]
    fn comments_and_tests_may_look_ahead() {
        check_uses("parse.rs", "/// See [`crate::plan`].\nfn f() {}\n", &[]);
        check_uses("parse.rs", "fn f() {}\n#[cfg(test)]\nuse crate::plan::P;\n", &[]);
        check_uses("parse/tests.rs", "use crate::plan::P;\n", &[]);
    }
}
