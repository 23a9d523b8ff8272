//! Lines of code per crate: what is neither blank nor a comment, tests apart.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A Markdown table.
pub(super) fn table(root: &Path) -> String {
    let mut crates = BTreeMap::new();
    for folder in ["crates", "tests", "xtask", "lab"] {
        count(root, &root.join(folder), &mut crates);
    }
    let mut table = "\n| crate | code | tests |\n|---|---:|---:|\n".to_owned();
    let mut sum = (0, 0);
    for (name, (code, tests)) in crates {
        sum = (sum.0 + code, sum.1 + tests);
        table.push_str(&row(&name, code, tests));
    }
    table.push_str(&row("all", sum.0, sum.1));
    table
}

fn row(name: &str, code: usize, tests: usize) -> String {
    format!("| {name} | {code} | {tests} |\n")
}

fn count(root: &Path, folder: &Path, crates: &mut BTreeMap<String, (usize, usize)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            count(root, &path, crates);
            continue;
        }
        let is_source = path.extension().is_some_and(|kind| kind == "rs" || kind == "py");
        let relative = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let (true, Ok(text)) = (is_source, fs::read_to_string(&path)) else { continue };
        let parts: Vec<&str> = relative.split('/').collect();
        let depth = if parts[0] == "crates" { 2 } else { 1 };
        let name = parts[..depth.min(parts.len())].join("/");
        let (code, tests) = of_file(&relative, &text);
        let sum = crates.entry(name).or_default();
        *sum = (sum.0 + code, sum.1 + tests);
    }
}

/// Lines of code and of tests. In a file with both, the tests come last.
fn of_file(path: &str, text: &str) -> (usize, usize) {
    let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
    let counts = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("//") && !line.starts_with('#')
            || line.starts_with("#[")
            || line.starts_with("#![")
    };
    let all = text.lines().filter(counts).count();
    if is_test {
        return (0, all);
    }
    let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    let code = code.filter(counts).count();
    (code, all - code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_do_not_count_and_tests_count_apart() {
        let text = "//! Doc.\n\nfn f() {}\n\n// no\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
        assert_eq!(of_file("crates/core/src/plan.rs", text), (1, 4));
        assert_eq!(of_file("crates/core/src/plan/tests.rs", text), (0, 5));
        assert_eq!(of_file("tests/main.rs", text), (0, 5));
        assert_eq!(of_file("lab/dump.py", "# no\nx = 1\n"), (1, 0));
    }
}
