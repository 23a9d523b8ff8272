//! A secret's value is in no plan, event, message, manifest, inventory or argument list.

use crate::harness::{EXAMPLE, Program, replaced};

const MARK: &str = "Planted-Value-8c1f";

fn program() -> Program {
    let stack = replaced(
        EXAMPLE,
        "{ use: rds }",
        "{ use: rds, with: { password: { env: DATABASE_PASSWORD } } }",
    );
    let stack = replaced(
        &stack,
        "{ host: git.example.com }",
        "{ host: git.example.com, smtp: { host: mail.example.com, user: git, password: { file: mail-password } } }",
    );
    let mut program = Program::in_sandbox(&stack);
    program.environment.insert("DATABASE_PASSWORD".to_owned(), format!("{MARK}-database"));
    program.folder.write("mail-password", format!("{MARK}-mail"));
    program
}

#[test]
fn a_secret_s_value_is_printed_nowhere() {
    let program = program();
    for arguments in [
        &["validate"][..],
        &["plan", "-vvv"],
        &["plan", "--output", "json", "--out", "saved.plan"],
        &["render"],
        &["up", "--yes", "-vvv", "--output", "json"],
        &["status", "-vvv"],
        &["outputs", "--output", "json"],
        &["plan", "-vvv"],
        &["graph", "--format", "dot"],
        &["down", "--yes", "-vvv"],
    ] {
        let outcome = program.run(arguments).exits(0);
        assert!(!outcome.stdout.contains(MARK), "{outcome}");
        assert!(!outcome.stderr.contains(MARK), "{outcome}");
    }
    let saved = program.folder.read("saved.plan");
    assert!(!saved.contains(MARK), "{saved}");
}

#[test]
fn a_reference_that_leads_nowhere_is_said_before_anything_is_made() {
    let mut program = program();
    program.environment.clear();
    let outcome = program.run(&["up", "--yes"]);
    assert_ne!(outcome.code, 0, "{outcome}");
    outcome.says(&["DATABASE_PASSWORD"]);
    // Nothing was made: with the secrets there, everything still is to be.
    program.environment = self::program().environment;
    assert_eq!(program.plan().ids("keep").len(), 0, "something was made");
}
