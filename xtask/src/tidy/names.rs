//! A name says what is inside: no `utils`, and errors live beside what fails.

use super::Complaint;

const MEANINGLESS: [&str; 8] =
    ["common", "errors", "helper", "helpers", "misc", "shared", "util", "utils"];

pub(super) fn check(path: &str) -> Option<Complaint> {
    if !path.starts_with("crates/") && !path.starts_with("xtask/") && !path.starts_with("tests/") {
        return None;
    }
    let parts = path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part));
    let name = parts.into_iter().find(|part| MEANINGLESS.contains(part))?;
    Some(Complaint::of(path, format!("`{name}` says nothing of what is inside")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_folder_with_a_meaningless_name_is_refused() {
        assert!(check("crates/core/src/utils.rs").is_some());
        assert!(check("crates/core/src/helpers/zones.rs").is_some());
        assert!(check("crates/aws/src/errors.rs").is_some());
        assert_eq!(check("crates/aws/src/error.rs"), None);
        assert_eq!(check("docs/common.md"), None);
    }
}
