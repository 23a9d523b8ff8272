//! Names of databases and users, and words that are taken (domain.md 4.3).

use zonestack_core::name::StackName;

/// The longest database name.
const DATABASE: usize = 63;
/// The longest user name.
const USER: usize = 16;
/// Users that begin so are PostgreSQL's or RDS's own.
const USER_PREFIXES: [&str; 2] = ["pg_", "rds_"];

/// What RDS keeps for itself in PostgreSQL.
const TAKEN_BY_RDS: [&str; 6] =
    ["admin", "rdsadmin", "rdsrepladmin", "rdstopmgr", "template0", "template1"];

/// Reserved key words of PostgreSQL 17, <https://www.postgresql.org/docs/17/sql-keywords-appendix.html>, and the two role
/// names that `CREATE ROLE` refuses.
const KEY_WORDS: [&str; 103] = [
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "none",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "public",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// Why a database cannot have the name, as the rest of a sentence; `None` when it can.
pub fn database_refusal(name: &str) -> Option<String> {
    refusal(name, DATABASE)
}

/// Why a user cannot have the name, as the rest of a sentence; `None` when it can.
pub fn user_refusal(name: &str) -> Option<String> {
    refusal(name, USER).or_else(|| {
        let lower = name.to_ascii_lowercase();
        let prefix = USER_PREFIXES.iter().find(|prefix| lower.starts_with(**prefix))?;
        Some(format!("begins with {prefix}, which is kept for PostgreSQL and RDS themselves"))
    })
}

fn refusal(name: &str, max: usize) -> Option<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let lower = name.to_ascii_lowercase();
    if name.is_empty() {
        Some("is empty".to_owned())
    } else if name.len() > max {
        Some(format!("has {} characters, at most {max} are allowed", name.len()))
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(word) {
        Some("must be letters, digits and underscores, beginning with a letter".to_owned())
    } else if TAKEN_BY_RDS.contains(&lower.as_str()) {
        Some("is kept by RDS for itself".to_owned())
    } else if KEY_WORDS.contains(&lower.as_str()) {
        Some("is a reserved word of PostgreSQL".to_owned())
    } else {
        None
    }
}

/// The name of a stack's database: `git-eu` has `git_eu_production`.
pub fn default_database(stack: &StackName) -> String {
    format!("{}_production", stack.as_str().replace('-', "_"))
}

/// The name of a stack's user: the stack's own, with `app_` before it when that is taken, cut to what RDS allows.
pub fn default_user(stack: &StackName) -> String {
    let plain = stack.as_str().replace('-', "_");
    let cut =
        |name: &str| name.chars().take(USER).collect::<String>().trim_end_matches('_').to_owned();
    let user = cut(&plain);
    if user_refusal(&user).is_none() { user } else { cut(&format!("app_{plain}")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_refused_for_a_reason() {
        #[track_caller]
        fn check(name: &str, expected: Option<&str>) {
            assert_eq!(user_refusal(name).as_deref(), expected);
        }
        check("gitlab", None);
        check("Git_1", None);
        check("postgres", None);
        check("", Some("is empty"));
        check("a-b", Some("must be letters, digits and underscores, beginning with a letter"));
        check("1a", Some("must be letters, digits and underscores, beginning with a letter"));
        check("_a", Some("must be letters, digits and underscores, beginning with a letter"));
        check("a2345678901234567", Some("has 17 characters, at most 16 are allowed"));
        check("admin", Some("is kept by RDS for itself"));
        check("rdsadmin", Some("is kept by RDS for itself"));
        let prefix = |prefix| {
            format!("begins with {prefix}, which is kept for PostgreSQL and RDS themselves")
        };
        check("rds_superuser", Some(&prefix("rds_")));
        check("PG_dba", Some(&prefix("pg_")));
        check("User", Some("is a reserved word of PostgreSQL"));
        check("with", Some("is a reserved word of PostgreSQL"));
        assert_eq!(database_refusal("pg_tools_production"), None);
        assert_eq!(database_refusal("template1").as_deref(), Some("is kept by RDS for itself"));
    }

    #[test]
    fn the_default_user_is_the_stacks_name_made_to_fit() {
        #[track_caller]
        fn check(stack: &str, expected: &str) {
            assert_eq!(default_user(&stack.parse().unwrap()), expected);
        }
        check("git", "git");
        check("git-eu-west", "git_eu_west");
        check("user", "app_user");
        check("admin", "app_admin");
        check("pg-tools", "app_pg_tools");
        check("a23456789012345-7890", "a23456789012345");
    }

    proptest! {
        #[test]
        fn defaults_are_never_refused(text in "[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,4}){0,2}") {
            let stack: StackName = text.parse().unwrap();
            prop_assert_eq!(user_refusal(&default_user(&stack)), None);
            prop_assert_eq!(database_refusal(&default_database(&stack)), None);
        }

        #[test]
        fn defaults_of_taken_names_are_never_refused(index in 0..KEY_WORDS.len()) {
            if let Ok(stack) = KEY_WORDS[index].replace('_', "-").parse::<StackName>() {
                prop_assert_eq!(user_refusal(&default_user(&stack)), None);
            }
        }
    }
}
