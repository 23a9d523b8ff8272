//! Files with a secret in them: its lines are marked, so that no report shows them.

use crate::{HEAD, check_below_head, read};

/// Whether a problem's lines may be shown, for a database with these settings.
fn check_concealed(with: &str, expected: &[(&str, bool)]) {
    let text = format!("{HEAD}components:\n  db:\n    use: rds\n    with: {with}\n");
    let found = read(text.as_bytes()).unwrap_err();
    let found: Vec<_> =
        found.iter().map(|found| (found.code, found.span.unwrap().concealed)).collect();
    assert_eq!(found, expected, "{with}");
}

#[test]
fn lines_with_a_secret_are_marked() {
    check_concealed("{ password: hunter2 }", &[("plain-secret", true)]);
    check_concealed("{ password: { env: 4711 } }", &[("wrong-type", true)]);
    check_concealed("{ password: { secret: hunter2 } }", &[("wrong-type", true)]);
    check_concealed("{ password: { value: hunter2 } }", &[("missing-key", true)]);
    check_concealed("{ password: { env: A, file: B } }", &[("unknown-key", true)]);
    check_concealed("{ pasword: hunter2 }", &[("unknown-key", true)]);
    check_concealed("{ masterPassword: hunter2 }", &[("unknown-key", true)]);
    check_concealed(
        "{ password: a, password: b }",
        &[("plain-secret", true), ("duplicate-key", true)],
    );
    check_concealed(
        "{ storageGib: three, storge: 3 }",
        &[("wrong-type", false), ("unknown-key", false)],
    );
    let message =
        check_below_head("components: { db: { use: rds, with: { password: { env: 4711 } } } }");
    assert!(!message.contains("4711"), "{message}");
}
