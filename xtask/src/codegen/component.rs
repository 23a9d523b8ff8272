//! `docs/components/<type>.md`: the documentation of the plugin's crate, and a table of its settings.

use serde_json::Value;

use super::settings;

const DEFINITION: &str = "with.";

/// The component types that the schema knows.
pub(super) fn types(document: &Value) -> Vec<String> {
    let definitions = document["$defs"].as_object().into_iter().flatten();
    definitions.filter_map(|(name, _)| Some(name.strip_prefix(DEFINITION)?.to_owned())).collect()
}

/// The crate of a type: a service that has several sorts has one crate for all, called by the first word.
pub(super) fn plugin(name: &str) -> String {
    format!("plugin-{}", name.split('-').next().unwrap_or(name))
}

/// The page of one type.
pub(super) fn page(name: &str, library: &str, document: &Value) -> String {
    let table = settings::table(&document["$defs"][format!("{DEFINITION}{name}")], document);
    format!(
        "<!-- Written by `cargo xtask codegen` from crates/{}. -->\n\n# `{name}`\n\n{}\n\n## Settings\n\n{table}",
        plugin(name),
        introduction(library),
    )
}

/// The crate's documentation, its headings one level lower.
fn introduction(library: &str) -> String {
    let lines = library.lines().map_while(|line| line.strip_prefix("//!"));
    let mut in_code = false;
    let lines: Vec<String> = lines
        .map(|line| {
            let line = line.strip_prefix(' ').unwrap_or(line);
            in_code ^= line.starts_with("```");
            if line.starts_with('#') && !in_code { format!("#{line}") } else { line.to_owned() }
        })
        .collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_type_is_in_the_crate_of_its_service() {
        assert_eq!(plugin("efs"), "plugin-efs");
        assert_eq!(plugin("fsx-openzfs"), "plugin-fsx");
    }

    #[test]
    fn a_page_is_the_crate_s_documentation_and_its_settings() {
        let library = "//! The `x` component.\n//!\n//! ```yaml\n//! # a comment\n//! ```\n//!\n//! # Part\n//! Text.\n\nmod a;\n";
        let schema = json!({ "$defs": {
            "Other": {},
            "with.x": { "type": "object", "properties": { "a": { "type": "string", "description": "One." } } },
        }});
        assert_eq!(types(&schema), ["x"]);
        let page = page("x", library, &schema);
        assert!(page.contains("\n\nThe `x` component.\n\n```yaml\n# a comment\n```\n\n## Part\nText.\n\n## Settings\n\n"), "{page}");
        assert!(page.contains("`a`"), "{page}");
    }
}
