//! Files that are hardly YAML, or no text at all.

use insta::assert_snapshot;

use super::faulty::screen;
use crate::harness::{EXAMPLE, Program, replaced};

#[test]
fn an_empty_file() {
    assert_snapshot!(screen(""));
}

#[test]
fn only_comments() {
    assert_snapshot!(screen("# soon\n"));
}

#[test]
fn a_key_that_is_given_twice() {
    assert_snapshot!(screen(replaced(
        EXAMPLE,
        "region: eu-west-1",
        "region: eu-west-1\nname: other"
    )));
}

#[test]
fn tabs() {
    assert_snapshot!(screen(replaced(EXAMPLE, "  db:    {", "\tdb:    {")));
}

#[test]
fn a_bracket_that_is_not_closed() {
    assert_snapshot!(screen(replaced(EXAMPLE, "{ use: redis }", "{ use: redis")));
}

#[test]
fn a_yaml_bomb() {
    let mut bomb =
        "apiVersion: zonestack/v1\nbomb0: &b0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let item = format!("*b{}", level - 1);
        let items = vec![item; 10].join(", ");
        bomb = format!("{bomb}bomb{level}: &b{level} [{items}]\n");
    }
    assert_snapshot!(screen(bomb));
}

#[test]
fn a_thousand_brackets() {
    assert_snapshot!(screen(format!("name: {}", "[".repeat(1000))));
}

#[test]
fn two_documents() {
    assert_snapshot!(screen(format!("{EXAMPLE}---\n{EXAMPLE}")));
}

#[test]
fn not_utf8() {
    let mut bytes = EXAMPLE.as_bytes().to_vec();
    let at = EXAMPLE.find("eu-west-1").unwrap();
    bytes[at] = 0xE9;
    assert_snapshot!(screen(bytes));
}

#[test]
fn utf16() {
    let mut bytes = vec![0xFF, 0xFE];
    bytes.extend(EXAMPLE.encode_utf16().flat_map(u16::to_le_bytes));
    assert_snapshot!(screen(bytes));
}

#[test]
fn a_list() {
    assert_snapshot!(screen("- use: efs\n- use: rds\n"));
}

#[test]
fn components_as_a_list() {
    let stack = EXAMPLE.split("components:").next().unwrap();
    assert_snapshot!(screen(format!("{stack}components:\n  - use: efs\n  - use: rds\n")));
}

#[test]
fn a_file_of_several_megabytes() {
    let stack = format!("{EXAMPLE}# {}\n", "x".repeat(4 << 20));
    assert_snapshot!(screen(stack));
}

#[test]
fn no_file_at_all() {
    let program = Program::offline("");
    let outcome = program.run(&["plan", "-f", "stacks.yaml"]).exits(1);
    assert_snapshot!(outcome.stderr);
}
